"""Charts of other forms: pies, bars and lines on two axes, scattered points with names."""

import math
from dataclasses import replace

from datagen.charts.content.amounts import Measure, measure, percent_form
from datagen.charts.content.cartesian import draw_rows, make_series, occasions, ranked
from datagen.charts.content.dice import Dice
from datagen.charts.content.language import Currency, Language
from datagen.charts.content.plans import PARTS, plans
from datagen.charts.content.rows import Rows, named_rows, series_names
from datagen.charts.content.settings import ContentSettings
from datagen.charts.content.shapes import bounds, table
from datagen.charts.content.shares import importance, percentages, split
from datagen.charts.content.texts import full_title, note, pair_title, source, subtitle, title
from datagen.charts.content.topics import Topic, catalogue
from datagen.charts.data import ChartData, NumberFormat, Series

#: The least share of a slice.
MIN_SLICE = 0.025


def compose_pie(dice: Dice, words: Language, settings: ContentSettings) -> ChartData:
    """Return the data of a pie: percentages that add up to exactly 100 as written, or amounts."""
    plan = dice.pick(plans("pie"))
    topic = plan.topic
    low, high = settings.slices
    # Two names out of many would hardly be all there is.
    rows = named_rows(dice, words, dice.pick(plan.rows), max(low, min(3, high)), high)
    count = len(rows.names)
    weights = split(dice, count, MIN_SLICE, importance(words, rows.pool, rows.names))
    if not rows.ordered:
        if dice.chance(settings.ranked):
            weights.sort(reverse=True)
        if count >= 4 and dice.chance(0.35):
            rows = replace(rows, names=(*rows.names[:-1], words.phrases["other"]))
    if topic.parts or dice.chance(0.5):
        decimals = dice.pick((0, 1, 1, 2))
        before, behind = words.percent
        unit = Measure(1.0, "%", NumberFormat(decimals, words.decimal, "", before, behind))
        columns = [percentages(weights, decimals)]
    else:
        total = dice.magnitude(*bounds(topic, rows.pool)) * count
        columns = [[weight * total for weight in weights]]
        unit = measure(dice, words, topic, columns)
    name = words.topics[topic.key]
    series = make_series(("",), columns, unit, "slice", positive=True)
    main = title(dice, words, topic, rows, "")
    return ChartData(
        kind="pie",
        language=words.tag,
        categories=rows.names,
        series=series,
        title=main,
        subtitle=subtitle(dice, words, unit.unit, rows, main),
        source=source(dice, words, topic.field),
        note=note(dice, words, occasions(rows, topic, shares=unit.unit == "%", errors=False)),
        y_title=full_title(dice, words, name, unit.unit),
    )


def compose_composite(dice: Dice, words: Language, settings: ContentSettings) -> ChartData:
    """Return bars and a line: mostly of different things on two axes, else a target on the same axis."""
    bars_key, line_key = dice.pick(catalogue().composites)
    topic = catalogue().topics[bars_key]
    row = dice.pick(topic.over)
    pools = [pool for pool in topic.series if pool in PARTS]
    pool = dice.pick(pools) if pools and dice.chance(0.3) else ""
    names = series_names(dice, words, pool, 2, 3) if pool else (words.topics[topic.key],)
    rows = draw_rows(dice, words, row, settings, most=14, pool=pool, fiscal=topic.accounts)
    columns = table(dice, topic, rows, pool, len(names))
    currency = dice.pick(words.currencies)
    unit = measure(dice, words, topic, columns, currency=currency)
    bars = make_series(names, columns, unit, "bar", positive=True)
    line, line_unit = (
        _target(dice, words, bars[0], unit)
        if not pool and dice.chance(0.12)
        else _second(dice, words, line_key, rows, columns, currency)
    )
    stacked = bool(pool) and dice.chance(0.6)
    main = title(dice, words, topic, rows, pool)
    if line.right and dice.chance(0.55):
        main = pair_title(words, words.topics[topic.key], words.topics[line_key])
    return ChartData(
        kind="composite",
        language=words.tag,
        categories=rows.names,
        series=(*bars, line),
        stacking="stacked" if stacked else "none",
        dates=rows.dates,
        title=main,
        subtitle=subtitle(dice, words, "", rows, main),
        source=source(dice, words, topic.field),
        note=note(dice, words, occasions(rows, topic, shares=False, errors=False)),
        x_title=words.pools[rows.pool].title,
        y_title=full_title(dice, words, words.topics[topic.key], unit.unit),
        y2_title=full_title(dice, words, words.topics[line_key], line_unit.unit) if line.right else "",
    )


def _second(
    dice: Dice, words: Language, key: str, rows: Rows, columns: list[list[float]], currency: Currency
) -> tuple[Series, Measure]:
    """Return the line of the second axis."""
    name = words.topics[key]
    if key == "growth":
        totals = [sum(row) for row in zip(*columns, strict=True)]
        before = totals[0] * math.exp(dice.normal(0.06))
        changes = [100 * (now / last - 1) for now, last in zip(totals, [before, *totals[:-1]], strict=True)]
        unit = Measure(1.0, "%", percent_form(dice, words, 1))
        return make_series((name,), [changes], unit, "line", positive=False, right=True)[0], unit
    topic = catalogue().topics[key]
    values = table(dice, topic, rows, "", 1)
    unit = measure(dice, words, topic, values, currency=currency)
    return make_series((name,), values, unit, "line", positive=not topic.signed, right=True)[0], unit


def _target(dice: Dice, words: Language, bars: Series, unit: Measure) -> tuple[Series, Measure]:
    """Return a target for the bars: steady, or growing."""
    decimals, count = bars.form.decimals, len(bars.values)
    middle = sum(bars.known) / count
    start, growth = middle * dice.between(0.92, 1.08), dice.pick((0.0, 0.0, 0.03))
    values = tuple(round(start * (1 + growth * number), decimals) for number in range(count))
    return Series(words.phrases["target"], values, "line", bars.form), unit


def compose_scatter(dice: Dice, words: Language, settings: ContentSettings) -> ChartData:
    """Return named points: two series, their x and y values, which are more or less correlated."""
    plan = dice.pick(catalogue().scatters)
    x, y = catalogue().topics[plan.x], catalogue().topics[plan.y]
    rows = named_rows(dice, words, dice.pick(plan.by), *settings.points)
    count = len(rows.names)
    along = [dice.normal() for _ in range(count)]
    loose = math.sqrt(1 - plan.correlation**2)
    across = [plan.correlation * value + loose * dice.normal() for value in along]
    currency = dice.pick(words.currencies)
    series: list[Series] = []
    titles: list[str] = []
    for topic, places in ((x, along), (y, across)):
        column = _spread(dice, topic, places)
        unit = measure(dice, words, topic, [column], currency=currency)
        name = full_title(dice, words, words.topics[topic.key], unit.unit)
        titles.append(name)
        series += make_series((name,), [column], unit, "point", positive=not topic.signed)
    rows, columns = ranked(dice, rows, [list(one.known) for one in series], settings)
    series = [replace(one, values=tuple(column)) for one, column in zip(series, columns, strict=True)]
    pair = pair_title(words, words.topics[y.key], words.topics[x.key])
    return ChartData(
        kind="scatter",
        language=words.tag,
        categories=rows.names,
        series=tuple(series),
        title=pair,
        subtitle=words.in_year.format(y=2025 - dice.below(12)) if dice.chance(0.4) else "",
        source=source(dice, words, y.field),
        note=note(dice, words, ["any"]),
        x_title=titles[0],
        y_title=titles[1],
    )


def _spread(dice: Dice, topic: Topic, places: list[float]) -> list[float]:
    """Return values of a topic at normal places; with their middle where all of them stay plausible."""
    wide = topic.high / topic.low
    middle = math.sqrt(topic.low * topic.high) if wide < 30 else dice.magnitude(topic.low * 3, topic.high / 3)
    deviation = min(topic.spread, math.log(wide) / 4)
    if topic.model == "balance":
        return [middle * (1 + 0.9 * place) for place in places]
    values = [middle * math.exp(deviation * place) for place in places]
    return [min(value, topic.cap * dice.between(0.96, 0.999)) if value >= topic.cap else value for value in values]
