"""The categories of a chart: times that follow each other, or names."""

import functools
import itertools
from dataclasses import dataclass, replace

from datagen.charts.content.dice import Dice
from datagen.charts.content.language import Language

#: Kinds of time by the letters of `Topic.over`.
TIMES = {
    "Y": "years",
    "Q": "quarters",
    "M": "months",
    "W": "weeks",
    "D": "days",
    "d": "weekdays",
    "H": "hours",
    "E": "elapsed",
}
#: Names that have an order of their own.
ORDERED = frozenset({"ages", "doses", "magnitudes", "education", "answers", "dose_names", "temperatures"})

_LAST_YEAR = 2025
_ROMAN = ("I", "II", "III", "IV")
_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ELAPSED = (
    (0.5, 1, 2, 4, 6, 8, 12, 24, 36, 48),
    (0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24),
    (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    (2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24),
    (6, 12, 18, 24, 30, 36, 42, 48, 60, 72),
)
_AGES = (
    (0, 10, 20, 30, 40, 50, 60, 70, 80),
    (0, 15, 30, 45, 60, 75),
    (18, 25, 35, 45, 55, 65),
    (16, 30, 45, 60, 75),
    (15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65),
)
_DOSES = ((0, 5, 10, 20, 40, 80, 160), (0, 25, 50, 100, 200, 400), (1, 2, 5, 10, 20, 50, 100), (0, 10, 30, 100, 300))


@dataclass(frozen=True, slots=True)
class Rows:
    """The categories of a chart.

    Attributes:
        pool: the key of what they are ("months", "cities").
        names: as written.
        times: for categories in time, years (hours, for hours elapsed) since the first; else places in the order.
        phases: for categories in time, where they lie in the year (the day, for hours; the week, for weekdays), 0 to 1.
        dates: whether they follow each other in time.
        ordered: whether they have an order of their own.
        when: the years they belong to, as (first, last); empty if the names say so or if it does not matter.
    """

    pool: str
    names: tuple[str, ...]
    times: tuple[float, ...] = ()
    phases: tuple[float, ...] = ()
    dates: bool = False
    ordered: bool = False
    when: tuple[int, ...] = ()


def time_rows(
    dice: Dice, words: Language, kind: str, low: int, high: int, *, within: bool = False, fiscal: bool = False
) -> Rows:
    """Return between ``low`` and ``high`` times of a kind (a letter of `TIMES`), fewer where there are no more.

    Args:
        dice: the randomness.
        words: the language.
        kind: what times.
        low, high: how many; days of the week are always 5 or 7.
        within: names of quarters and months without their year, which the series give then.
        fiscal: years may be financial ones.
    """
    if kind == "Q":
        return _quarters(dice, words, 4 if within else dice.whole(low, high), within)
    if kind == "M":
        low, high = (min(low, 12), min(high, 12)) if within else (low, high)
        return _months(dice, words, dice.whole(low, high), within)
    if kind == "Y":
        return _years(dice, words, dice.whole(low, high), fiscal)
    return _MAKERS[kind](dice, words, dice.whole(low, high))


def series_names(dice: Dice, words: Language, pool: str, low: int, high: int) -> tuple[str, ...]:
    """Return the names of between ``low`` and ``high`` series, fewer where there are no more."""
    if pool == "years":
        count = dice.whole(min(low, 4), min(high, 4))
        return _year_names(words.dates["year"][0], _LAST_YEAR - count - dice.below(8), count)
    if pool == "ages":
        names = _steps(dice, words, pool)
        return names if len(names) <= high else names[: dice.whole(low, high)]
    names = words.pools[pool].names
    count = min(high, len(names))
    if pool != "answers":
        count = dice.whole(min(low, count), count)
    if pool in ORDERED or len(names) <= 3:
        return names[:count]
    return tuple(dice.some(names, count))


def named_rows(dice: Dice, words: Language, pool: str, low: int, high: int) -> Rows:
    """Return between ``low`` and ``high`` names of a pool, fewer where there are no more."""
    if pool in ("ages", "doses", "magnitudes"):
        names = _steps(dice, words, pool)
        count = min(len(names), dice.whole(max(low, 4), max(high, 4)))
        # Whole age groups are left out at neither end.
        names = names if pool == "ages" and len(names) <= high else names[:count]
    elif pool in ("answers", "education"):
        names = words.pools[pool].names
    elif pool in ORDERED:
        names = words.pools[pool].names[: dice.whole(2, high)]
    else:
        names = words.pools[pool].names
        most = min(high, len(names))
        names = tuple(dice.some(names, dice.whole(min(low, most), most)))
    return Rows(pool, names, tuple(range(len(names))), ordered=pool in ORDERED)


def _steps(dice: Dice, words: Language, pool: str) -> tuple[str, ...]:
    if pool == "doses":
        return tuple(map(str, dice.pick(_DOSES)))
    if pool == "magnitudes":
        return tuple(f"{a}.0–{a}.9".replace(".", words.decimal) for a in range(2, 8))
    edges = dice.pick(_AGES)
    groups = [words.age.format(a=a, b=b - 1) for a, b in itertools.pairwise(edges)]
    return (*groups, words.age_top.format(a=edges[-1]))


def _years(dice: Dice, words: Language, count: int, fiscal: bool) -> Rows:
    stride = dice.pick_by(((1, 0.8), (2, 0.07), (5, 0.09), (10, 0.04)))
    count = min(count, 9 if stride == 10 else 14 if stride == 5 else 24)
    last = _LAST_YEAR - (_LAST_YEAR % stride if stride > 2 else dice.below(5) if dice.chance(0.8) else dice.below(20))
    years = range(last - (count - 1) * stride, last + 1, stride)
    fiscal = fiscal and stride == 1 and dice.chance(0.25)
    pattern = dice.pick(words.dates["fiscal" if fiscal else "year"])
    names = tuple(_year(pattern, year) for year in years)
    times = tuple(float(year - years[0]) for year in years)
    when = () if fiscal else (years[0], years[-1])
    return Rows("fiscal" if fiscal else "years", names, times, (0.0,) * count, dates=True, when=when)


def _year(pattern: str, year: int) -> str:
    return pattern.format(y=year, yy=f"{year % 100:02d}", y0=year - 1, yy0=f"{(year - 1) % 100:02d}")


def _quarters(dice: Dice, words: Language, count: int, within: bool) -> Rows:
    year, halves = _LAST_YEAR - dice.below(12), dice.chance(0.1)
    if within or (count <= 4 and not halves and dice.chance(0.7)):
        starts = (0.0, 0.25, 0.5, 0.75)
        middles = tuple(start + 0.125 for start in starts)
        return Rows("quarters", words.quarters, starts, middles, dates=True, when=(year, year))
    kind, parts = ("half_year", 2) if halves else ("quarter", 4)
    count = min(count, 12) if halves else count
    pattern, first = dice.pick(words.dates[kind]), dice.below(parts) if dice.chance(0.5) else 0
    year -= (first + count - 1) // parts
    names = []
    for number in range(first, first + count):
        now, part = year + number // parts, number % parts + 1
        names.append(pattern.format(y=now, yy=f"{now % 100:02d}", q=part, h=part, roman=_ROMAN[part - 1]))
    times = tuple(number / parts for number in range(count))
    phases = tuple((first + number) % parts / parts + 0.5 / parts for number in range(count))
    return Rows(f"{kind}s", tuple(names), times, phases, dates=True)


def _months(dice: Dice, words: Language, count: int, within: bool) -> Rows:
    year = _LAST_YEAR - dice.below(14)
    if count >= 8 and dice.chance(0.5):
        count = 12
    within = within or (count <= 12 and dice.chance(0.72))
    first = dice.below(13 - count) if within and dice.chance(0.5) else 0 if within else dice.below(12)
    times = tuple(number / 12 for number in range(count))
    phases = tuple(((first + number) % 12 + 0.5) / 12 for number in range(count))
    if within:
        names = words.months if dice.chance(0.25) else words.months_short
        return Rows("months", names[first : first + count], times, phases, dates=True, when=(year, year))
    pattern = dice.pick(words.dates["month"])
    year -= (first + count - 1) // 12
    dated = (divmod(first + number, 12) for number in range(count))
    written = tuple(_date(words, pattern, year + years, month, 1) for years, month in dated)
    return Rows("months", written, times, phases, dates=True)


def _date(words: Language, pattern: str, year: int, month: int, day: int) -> str:
    return pattern.format(
        y=year,
        yy=f"{year % 100:02d}",
        m=month + 1,
        mm=f"{month + 1:02d}",
        d=day,
        dd=f"{day:02d}",
        mon=words.months_short[month],
        month=words.months[month],
    )


def _weeks(dice: Dice, words: Language, count: int) -> Rows:
    stride = 2 if count <= 12 and dice.chance(0.15) else 1
    first = 1 + dice.below(52 - (count - 1) * stride)
    pattern, year = dice.pick(words.dates["week"]), _LAST_YEAR - dice.below(8)
    weeks = range(first, first + count * stride, stride)
    names, phases = tuple(pattern.format(w=week) for week in weeks), tuple(week / 52 for week in weeks)
    times = tuple(number * stride / 52 for number in range(count))
    return Rows("weeks", names, times, phases, dates=True, when=(year, year))


def _days(dice: Dice, words: Language, count: int) -> Rows:
    stride = 7 if dice.chance(0.3) else 1
    pattern, year = dice.pick(words.dates["day"]), _LAST_YEAR - dice.below(8)
    start = dice.below(365 - count * stride)
    names = []
    for day in range(start, start + count * stride, stride):
        month, left = 0, day
        while left >= _MONTH_LENGTHS[month]:
            left -= _MONTH_LENGTHS[month]
            month += 1
        names.append(_date(words, pattern, year, month, left + 1))
    times = tuple(number * stride / 365 for number in range(count))
    phases = tuple((start + number * stride) / 365 for number in range(count))
    return Rows("days", tuple(names), times, phases, dates=True, when=() if "{y}" in pattern else (year, year))


def _weekdays(dice: Dice, words: Language, count: int) -> Rows:
    count = 7 if dice.chance(0.75) else 5
    names = (words.weekdays if dice.chance(0.4) else words.weekdays_short)[:count]
    phases = tuple((day + 0.5) / 7 for day in range(count))
    return Rows("weekdays", names, tuple(map(float, range(count))), phases, dates=True)


def _hours(dice: Dice, words: Language, count: int) -> Rows:
    stride = dice.pick((1, 1, 2, 3, 4))
    count = min(count, 24 // stride)
    first = dice.below(25 - count * stride) if stride == 1 else 0
    pattern = dice.pick(words.dates["hour"])
    hours = range(first, first + count * stride, stride)
    names = tuple(pattern.format(h=hour, hh=f"{hour:02d}") for hour in hours)
    times = tuple(number * stride / 24 for number in range(count))
    return Rows("hours", names, times, tuple((hour + 0.5) / 24 for hour in hours), dates=True)


def _elapsed(dice: Dice, words: Language, count: int) -> Rows:
    hours = dice.pick(_ELAPSED)[:count]
    names = tuple(f"{hour:g}".replace(".", words.decimal) for hour in hours)
    return Rows("elapsed", names, tuple(map(float, hours)), (0.0,) * len(hours), dates=True)


_MAKERS = {
    "W": _weeks,
    "D": _days,
    "d": _weekdays,
    "H": _hours,
    "E": _elapsed,
}


@functools.lru_cache(maxsize=1024)
def _year_names(pattern: str, first: int, count: int) -> tuple[str, ...]:
    return tuple(_year(pattern, year) for year in range(first, first + count))


def sorted_rows(rows: Rows, order: list[int]) -> Rows:
    """Return rows of names in another order."""
    return replace(rows, names=tuple(rows.names[i] for i in order))
