"""Tables of values that behave: every series of a topic along time, or over names."""

import math

from datagen.charts.content.courses import balance, course, follow
from datagen.charts.content.dice import Dice
from datagen.charts.content.rows import ORDERED, Rows
from datagen.charts.content.topics import Topic

#: How far series differ from each other, and how far one value of a series from what the other series suggest; both
#: as deviations of logarithms. Series that are not named here differ by the topic's spread.
_RELATIONS = {
    "years": (0.03, 0.05),
    "plan_actual": (0.03, 0.05),
    "sexes": (0.06, 0.03),
    "home_away": (0.12, 0.1),
    "trade": (0.12, 0.05),
    "births_deaths": (0.15, 0.03),
    "urban_rural": (0.2, 0.05),
    "full_part": (0.5, 0.05),
    "online_store": (0.4, 0.06),
    "home_abroad": (0.4, 0.06),
    "devices": (0.5, 0.05),
    "customers": (0.3, 0.05),
    "workdays": (0.2, 0.05),
    "fuels": (0.05, 0.008),
    "minmax": (0.0, 0.03),
}
#: From this ratio of the greatest to the least typical value on, a topic is found in cities and in whole countries.
_ANY_SIZE = 300


def table(dice: Dice, topic: Topic, rows: Rows, pool: str, count: int, *, wide: bool = False) -> list[list[float]]:
    """Return ``count`` series of values of a topic for the rows.

    Args:
        dice: the randomness.
        topic: says magnitudes and behaviour; amounts of money are in euros.
        rows: the categories.
        pool: what the series are ("cities"); empty for a single one.
        wide: whether values are to span decades.
    """
    levels = _series_levels(dice, topic, bounds(topic, rows.pool, pool), pool, count)
    if rows.dates:
        shared = course(dice, topic, rows)
        columns = [follow(dice, topic, rows, level, shared, wide=wide) for level in levels]
    else:
        columns = _by_names(dice, topic, rows, levels, pool, wide=wide)
    if pool == "minmax":
        gap = dice.between(4, 11)
        columns = [[value + gap / 2 for value in columns[0]], [v - gap / 2 - dice.normal(0.6) for v in columns[0]]]
    return columns[:count]  # the highs may stand alone


def bounds(topic: Topic, *pools: str) -> tuple[float, float]:
    """Return what typical values lie between: where they may be of any size, less for cities than for countries."""
    low, high = topic.low, topic.high
    if topic.field == "company" or high < _ANY_SIZE * low:
        return low, high
    middle = math.sqrt(low * high)
    return (middle, high) if "countries" in pools else (low, middle) if "cities" in pools else (low, high)


def _series_levels(dice: Dice, topic: Topic, between: tuple[float, float], pool: str, count: int) -> list[float]:
    """Return a typical value for each series."""
    low, high = between
    middle = dice.between(low, high) if high / low < 4 else dice.magnitude(low, high)
    if count == 1:
        return [middle]
    spread = _RELATIONS.get(pool, (min(0.7 * topic.spread, 0.5), 0))[0]
    if topic.model in ("rate", "saturate") or topic.cap < 100:
        spread = min(spread, topic.spread)
    if pool == "years":
        growth = min(0.15, max(-0.12, topic.trend + dice.normal(0.03))) * min(1.0, topic.spread / 0.3)
        return [_within(topic, middle * math.exp(growth * number + dice.normal(0.01))) for number in range(count)]
    levels = [_within(topic, middle * math.exp(dice.normal(spread))) for _ in range(count)]
    return sorted(levels) if pool in ORDERED else levels


def _within(topic: Topic, value: float) -> float:
    """Return ``value`` between half the least and 1.5 times the greatest typical value, and below the cap."""
    return min(max(value, 0.5 * topic.low), 1.5 * topic.high, 0.97 * topic.cap)


def _by_names(dice: Dice, topic: Topic, rows: Rows, levels: list[float], pool: str, *, wide: bool) -> list[list[float]]:
    """Return series over names: a profile that all series share, times the series' level, with some scatter."""
    if topic.model == "balance":
        return [balance(dice, topic, rows, level, wide) for level in levels]
    if topic.model == "warm":
        offsets = [dice.normal(5) for _ in rows.names]
        return [[level + offset + dice.normal(0.5) for offset in offsets] for level in levels]
    profile = _profile(dice, topic, rows, wide=wide)
    noise = _RELATIONS.get(pool, (0, 0.08))[1] if len(levels) > 1 else 0.0
    noise = min(noise, topic.spread / 2)
    columns = []
    for level in levels:
        column = [level * height * math.exp(dice.normal(noise)) for height in profile]
        greatest = max(column)
        if greatest > topic.cap:
            column = [value * topic.cap * dice.between(0.96, 0.99) / greatest for value in column]
        columns.append(column)
    if topic.model == "steps":
        columns = [[max(0.25, round(value * 4) / 4) for value in column] for column in columns]
    return columns


def _profile(dice: Dice, topic: Topic, rows: Rows, *, wide: bool) -> list[float]:
    """Return the relative sizes of names: smooth where they have an order, else scattered or with a long tail."""
    count = len(rows.names)
    places = [number / max(1, count - 1) for number in range(count)]
    if rows.pool in _SMOOTH:
        return _SMOOTH[rows.pool](dice, topic, places)
    if wide:
        return [10 ** dice.between(-1.2, 1.2) for _ in places]
    if topic.spread >= 0.5 and dice.chance(0.45):
        # A long tail, as of rankings: shares that fall with a power of the rank.
        power = dice.between(0.5, 1.1)
        return [2 * (number + 1) ** -power * math.exp(dice.normal(0.12)) for number in range(count)]
    return [math.exp(dice.normal(topic.spread)) for _ in places]


def _magnitudes(dice: Dice, topic: Topic, places: list[float]) -> list[float]:
    """Return counts that fall to about a seventh with each magnitude (the law of Gutenberg and Richter)."""
    return [10 ** (-dice.between(0.8, 0.9) * number) for number in range(len(places))]


def _doses(dice: Dice, topic: Topic, places: list[float]) -> list[float]:
    middle, slope, base = dice.between(0.3, 0.6), dice.between(6, 10), dice.between(0.05, 0.25)
    return [base + (1 - base) / (1 + math.exp(-slope * (place - middle))) for place in places]


def _ages(dice: Dice, topic: Topic, places: list[float]) -> list[float]:
    tilt, bend = dice.normal(topic.spread), dice.between(0.2, 1.2) * topic.spread
    return [math.exp(tilt * (p - 0.5) - bend * (2 * p - 0.9) ** 2 + dice.normal(topic.spread / 12)) for p in places]


def _education(dice: Dice, topic: Topic, places: list[float]) -> list[float]:
    tilt = (1 if dice.chance(0.8) else -1) * dice.between(0.8, 2) * topic.spread
    return [math.exp(tilt * (place - 0.5) + dice.normal(0.03)) for place in places]


_SMOOTH = {"magnitudes": _magnitudes, "doses": _doses, "ages": _ages, "education": _education}
