"""Charts with axes: bars, lines, areas and steps, of one or several series."""

from dataclasses import replace
from typing import NamedTuple

from datagen.charts.content.amounts import Measure, measure, percent_form
from datagen.charts.content.dice import Dice
from datagen.charts.content.language import Language
from datagen.charts.content.plans import Plan, is_time, plans
from datagen.charts.content.rows import ORDERED, Rows, named_rows, series_names, sorted_rows, time_rows
from datagen.charts.content.settings import ContentSettings
from datagen.charts.content.shapes import table
from datagen.charts.content.shares import drifting, importance, percentages
from datagen.charts.content.texts import axis_title, note, source, subtitle, title
from datagen.charts.content.topics import Topic
from datagen.charts.data import ChartData, Mark, Series, Stacking


class _Kind(NamedTuple):
    """How a kind of content is drawn, and how likely it has several series."""

    kind: str
    mark: Mark
    stacking: Stacking
    several: float
    most: int


_KINDS = {
    "bar": _Kind("bar", "bar", "none", 0.0, 1),
    "grouped": _Kind("bar", "bar", "none", 1.0, 4),
    "stacked": _Kind("bar", "bar", "stacked", 1.0, 6),
    "percent": _Kind("bar", "bar", "percent", 1.0, 6),
    "line": _Kind("line", "line", "none", 0.6, 5),
    "area": _Kind("area", "area", "none", 0.35, 3),
    "stacked area": _Kind("area", "area", "stacked", 1.0, 5),
    "percent area": _Kind("area", "area", "percent", 1.0, 5),
    "step": _Kind("step", "step", "none", 0.35, 3),
}
#: Categories and series that do not go together: years of years, places within other places, goods of who does not
#: make or sell them.
_CLASHES = frozenset(
    (
        *(("Y", "years"), ("D", "years"), ("E", "years"), ("products", "divisions"), ("departments", "products")),
        *(("regions", "countries"), ("cities", "countries"), ("countries", "cities"), ("countries", "regions")),
        *(("regions", "cities"), ("cities", "regions")),
    )
)
#: More bars than this get too thin.
_MOST_BARS = 36
#: The fewest values that may miss one, and the least ratio of the largest to the smallest on a logarithmic axis.
_MISSING_FROM = 5
_DECADES = 20


def compose_cartesian(dice: Dice, words: Language, name: str, settings: ContentSettings) -> ChartData:
    """Return the data of bars, lines, areas or steps; ``name`` is a kind of `datagen.charts.content.settings.KINDS`."""
    kind, plan = _KINDS[name], dice.pick(plans(name))
    row = dice.pick(plan.rows)
    pools = [pool for pool in plan.series if pool != row and (row, pool) not in _CLASHES]
    # The parts of a whole only make sense together.
    parts = bool(plan.topic.parts) and row != plan.topic.parts
    several = bool(pools) and (parts or dice.chance(kind.several))
    if kind.several == 1.0 and not several:
        return compose_cartesian(dice, words, name, settings)
    pool = dice.pick(pools) if several else ""
    low, high = settings.series
    high = min(kind.most, high)
    names = series_names(dice, words, pool, min(3, high) if parts else low, high) if pool else ("",)
    rows = draw_rows(
        dice, words, row, settings, most=_most_rows(kind, len(names), settings), pool=pool, fiscal=plan.topic.accounts
    )
    topic = plan.topic
    if kind.stacking == "percent" or topic.parts:
        return _of_shares(dice, words, kind, plan, rows, pool, names, settings)
    wide = topic.log and _can_span(kind, plan, rows) and dice.chance(settings.log)
    columns = table(dice, topic, rows, pool, len(names), wide=wide)
    if topic.additive or topic.unit == "people":
        columns = weighted(words, rows, pool, names, columns)
    rows, columns = ranked(dice, rows, columns, settings)
    unit = measure(dice, words, topic, columns, wide=wide)
    series = make_series(names, columns, unit, kind.mark, positive=not topic.signed)
    log = wide and all(min(column.known) * _DECADES <= max(column.known) for column in series)
    series = _disturbed(dice, series, kind, settings, topic, gaps=rows.dates or len(series) > 1)
    if len(series) == 1 and dice.chance(0.2):
        series = (replace(series[0], name=words.topics[topic.key]),)
    return _chart(dice, words, kind, plan, rows, pool, series, unit, log=log)


def _most_rows(kind: _Kind, count: int, settings: ContentSettings) -> int:
    most = settings.cells // count
    if kind.mark == "bar":
        most = min(most, 16, _MOST_BARS // count if kind.stacking == "none" else 16)
    return most


def draw_rows(
    dice: Dice, words: Language, row: str, settings: ContentSettings, *, most: int, pool: str, fiscal: bool
) -> Rows:
    """Return categories of a kind of time or pool of names, at most ``most``, to go with a pool of series.

    Years may be financial ones if ``fiscal``.
    """
    if is_time(row):
        low, high = settings.dates
        high = min(high, most)
        if dice.chance(0.7):  # long rows are rarer
            high = min(high, max(low, 12))
        rows = time_rows(dice, words, row, min(low, high), high, within=pool == "years", fiscal=fiscal)
        return replace(rows, when=()) if pool == "years" else rows
    low, high = settings.categories
    return named_rows(dice, words, row, min(low, most), min(high, most))


def weighted(
    words: Language, rows: Rows, pool: str, names: tuple[str, ...], columns: list[list[float]]
) -> list[list[float]]:
    """Return values that are larger where rows or series are usually larger (food costs more than telephones)."""
    across, along = importance(words, rows.pool, rows.names), importance(words, pool, names)
    if len(set(across)) == len(set(along)) == 1:
        return columns
    return [
        [v * a * size for v, a in zip(column, across, strict=True)] for column, size in zip(columns, along, strict=True)
    ]


def ranked(
    dice: Dice, rows: Rows, columns: list[list[float]], settings: ContentSettings
) -> tuple[Rows, list[list[float]]]:
    """Return names without an order of their own in the order of their values, perhaps."""
    if rows.dates or rows.ordered or not dice.chance(settings.ranked):
        return rows, columns
    lead = columns[0] if len(columns) == 1 or dice.chance(0.5) else [sum(row) for row in zip(*columns, strict=True)]
    order = sorted(range(len(lead)), key=lambda i: lead[i], reverse=dice.chance(0.88))
    return sorted_rows(rows, order), [[column[i] for i in order] for column in columns]


def make_series(
    names: tuple[str, ...],
    columns: list[list[float]],
    unit: Measure,
    mark: Mark,
    *,
    positive: bool,
    right: bool = False,
) -> tuple[Series, ...]:
    """Return series of values in a unit."""
    return tuple(
        Series(name, unit.round(column, positive=positive), mark, unit.form, right)
        for name, column in zip(names, columns, strict=True)
    )


def _can_span(kind: _Kind, plan: Plan, rows: Rows) -> bool:
    """Tell whether values may span decades: along exponential courses, and among names of very different size."""
    if kind.stacking != "none" or kind.mark == "area":
        return False
    if rows.dates:
        return plan.topic.model in ("explode", "decay", "wave")
    return rows.pool not in ORDERED or rows.pool == "magnitudes"


def _disturbed(
    dice: Dice, series: tuple[Series, ...], kind: _Kind, settings: ContentSettings, topic: Topic, *, gaps: bool
) -> tuple[Series, ...]:
    """Return the series with error bars or, if there may be ``gaps``, with a missing point, perhaps."""
    if kind.stacking != "none" or kind.mark == "area":
        return series
    count = len(series[0].values)
    if topic.measured and kind.mark in ("bar", "line") and not topic.signed and dice.chance(settings.errors):
        share = dice.between(0.03, 0.12)
        return tuple(replace(one, errors=_errors(dice, one, share, topic.cap)) for one in series)
    if gaps and count >= _MISSING_FROM and dice.chance(settings.missing):
        which = dice.below(len(series))
        values = list(series[which].values)
        for _ in range(dice.pick((1, 1, 1, 2))):
            values[dice.whole(1, count - 2)] = None
        return (*series[:which], replace(series[which], values=tuple(values)), *series[which + 1 :])
    return series


def _errors(dice: Dice, series: Series, share: float, cap: float) -> tuple[float, ...]:
    """Return half the lengths of error bars, about a share of the values; none reaches beyond the cap."""
    lengths = ((value, value * share * dice.between(0.7, 1.3)) for value in series.known)
    return tuple(round(min(length, cap - value), series.form.decimals + 1) for value, length in lengths)


def _of_shares(
    dice: Dice,
    words: Language,
    kind: _Kind,
    plan: Plan,
    rows: Rows,
    pool: str,
    names: tuple[str, ...],
    settings: ContentSettings,
) -> ChartData:
    """Return a chart of percentages of a whole: the rows or, where the rows are the parts, the columns add up."""
    decimals = dice.pick((0, 1, 1))
    if rows.pool == plan.topic.parts:
        weights = drifting(dice, importance(words, rows.pool, rows.names), len(names), in_time=True)
        columns = [percentages(column, decimals) for column in weights]
        rows, columns = ranked(dice, rows, columns, settings)
    else:
        weights = drifting(dice, importance(words, pool, names), len(rows.names), in_time=rows.dates)
        columns = [list(column) for column in zip(*(percentages(row, decimals) for row in weights), strict=True)]
    unit = Measure(1.0, "%", percent_form(dice, words, decimals))
    series = make_series(names, columns, unit, kind.mark, positive=False)
    return _chart(dice, words, kind, plan, rows, pool, series, unit, log=False)


def _chart(
    dice: Dice,
    words: Language,
    kind: _Kind,
    plan: Plan,
    rows: Rows,
    pool: str,
    series: tuple[Series, ...],
    unit: Measure,
    *,
    log: bool,
) -> ChartData:
    topic = plan.topic
    name = words.topics[topic.key]
    shares = kind.stacking == "percent" or bool(topic.parts)
    main = title(dice, words, topic, rows, pool)
    fitting = occasions(rows, topic, shares=shares, errors=bool(series[0].errors))
    return ChartData(
        kind=kind.kind,
        language=words.tag,
        categories=rows.names,
        series=series,
        stacking=kind.stacking,
        log=log,
        dates=rows.dates,
        title=main,
        subtitle=subtitle(dice, words, unit.unit, rows, main),
        source=source(dice, words, topic.field),
        note=note(dice, words, fitting),
        x_title=words.pools[rows.pool].title,
        y_title=axis_title(dice, words, words.phrases["share"] if shares else name, unit.unit),
    )


def occasions(rows: Rows, topic: Topic, *, shares: bool, errors: bool) -> list[str]:
    """Return the occasions of notes that fit a chart."""
    if errors:
        return ["errors"]
    money = topic.unit == "money"
    fitting = {
        "any": True,
        "dates": rows.dates,
        "money": money,
        "company": money and topic.field == "company",
        "shares": shares,
        "survey": shares and topic.field == "survey",
    }
    return [occasion for occasion, fits in fitting.items() if fits]
