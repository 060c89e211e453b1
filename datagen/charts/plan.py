"""What is written and measured in a chart, the same for every renderer: axes, texts, and the label.

`make_plan` joins data and look. Renderers draw exactly the plan's axes and strings; the label is made of the same
strings, in this module and nowhere else.
"""

import itertools
from dataclasses import dataclass, replace

from datagen.charts.axis import Axis, decimals_of, log_range, nice_range, read_off
from datagen.charts.data import ChartData, NumberFormat, Series
from datagen.charts.look import Look
from datagen.charts.wording import percent_suffix, right_axis, value_word
from dsocr_jax.answers.tables import write_table

#: Room beyond the outermost value for its label, as a share of the values' range.
LABEL_ROOM = 0.09
#: The same for a lying bar, whose label is longer than high.
LYING_ROOM = 0.16
#: Linear axes that need not hold zero keep this share of the values' range free at both ends.
FREE_ENDS = 0.04

Texts = tuple[str, ...]


class DoesNotFitError(Exception):
    """A text would overlap another one or leave the page, or something drawn could not be seen.

    The message is one of a fixed set of reasons: `datagen.charts.reasons`.
    """


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written and measured.

    Attributes:
        value: the value axis (vertical but for lying bars); None for a pie. A scatter chart's y axis.
        second: the right value axis of a composite with series on it.
        x: a scatter chart's x axis.
        categories: names of categories, slices or points, as drawn.
        names: the series' names as drawn in the legend (a pie's legend shows ``categories``); empty if there is none.
        written: for each series the text at each value, None where nothing is drawn; empty if no value is written.
            A pie's only series has the text at each slice.
        title, subtitle, source, note: as drawn; empty for none.
        x_title: the category axis' (or x axis') title as drawn; empty for none. Titles of value axes are in the axes.
        rows: the cells of the label.
        label: the label.
        drawn: the cells that are written in the picture as they stand, by series.
    """

    value: Axis | None
    second: Axis | None
    x: Axis | None
    categories: Texts
    names: Texts
    written: tuple[tuple[str | None, ...], ...]
    title: str
    subtitle: str
    source: str
    note: str
    x_title: str
    rows: tuple[Texts, ...]
    label: str
    drawn: tuple[Texts, ...]

    def axis(self, series: Series) -> Axis | None:
        """Return the value axis of a series."""
        return self.second if series.right and self.second is not None else self.value


def make_plan(data: ChartData, look: Look) -> Plan:
    """Return axes, texts and label of ``data`` drawn with ``look``."""
    pie, scatter = data.kind == "pie", data.kind == "scatter"
    value = second = x = None
    if scatter:
        across, up = data.series
        x = _free_axis(across, look, data.x_title or across.name)
        value = _free_axis(up, look, data.y_title or up.name)
    elif not pie:
        lefts = [series for series in data.series if not series.right]
        rights = [series for series in data.series if series.right]
        titled = look.value_title != "none"
        value = _value_axis(data, lefts or rights, look, data.y_title if titled else "")
        if rights and lefts:
            second = _value_axis(data, rights, look, data.y2_title if titled else "")
    names = _legend_names(data, look, second is not None)
    if pie:
        written, columns = _slices(data, look)
        drawn = columns
    else:
        written = tuple(_written(series) for series in data.series) if look.value_labels and not scatter else ()
        drawn = tuple(tuple(text for text in texts if text) for texts in written)
        columns = tuple(tuple(text or "" for text in texts) for texts in written) or _read(data, value, second, x)
    x_title = ((data.x_title or data.series[0].name) if scatter else data.x_title) * (scatter or look.category_title)
    title = data.title if look.title else ""
    heads = _header(data, names, title, value, second)
    rows = (("", *heads), *zip(data.categories, *columns, strict=True))
    return Plan(
        value,
        second,
        x,
        data.categories,
        names,
        written,
        title,
        data.subtitle if look.subtitle and title else "",
        data.source if look.source else "",
        data.note if look.note else "",
        "" if pie else x_title,
        rows,
        write_table(rows),
        drawn,
    )


def _free_axis(series: Series, look: Look, title: str) -> Axis:
    """Return an axis of a scatter chart, with room for points near its ends."""
    low, high = min(series.known), max(series.known)
    room = 0.06 * (high - low)
    below = low - room if low < 0 or low - room >= 0 else 0.0
    low, high, ticks = nice_range(below, high + room, look.ticks, look.from_zero)
    return Axis(low, high, ticks, _tick_texts(ticks, series.form, look), False, title)


def _value_axis(data: ChartData, series: list[Series], look: Look, title: str) -> Axis:
    """Return the axis that holds the values of ``series``, with room for labels if they are drawn."""
    form = series[0].form
    if data.stacking == "percent":
        step = 20 if look.ticks < 6 else 10
        ticks = tuple(float(tick) for tick in range(0, 101, step))
        form = NumberFormat(0, form.decimal, suffix=percent_suffix(data.language))
        return Axis(0.0, 100.0, ticks, _tick_texts(ticks, form, look, percent=True), False, title)
    lows, highs = _extremes(data, series)
    low, high = min(lows), max(highs)
    if data.log:
        low, high, ticks = log_range(low, high * (1.25 if look.value_labels else 1.0))
        return Axis(low, high, ticks, _tick_texts(ticks, form, look), True, title)
    standing = any(one.mark in ("bar", "area") for one in series) or data.stacking != "none"
    from_zero = look.from_zero or standing
    room = 0.0
    if look.value_labels and (data.stacking == "none" or any(one.mark == "line" for one in series)):
        span = max(high, 0.0) - min(low, 0.0) if from_zero else high - low
        room = (LYING_ROOM if look.horizontal else LABEL_ROOM) * span
    elif not from_zero:
        room = FREE_ENDS * (high - low)
    below = low - room if low < 0 or (not from_zero and low - room >= 0) else low
    low, high, ticks = nice_range(below, high + room, look.ticks, from_zero)
    return Axis(low, high, ticks, _tick_texts(ticks, form, look), False, title)


def _extremes(data: ChartData, series: list[Series]) -> tuple[list[float], list[float]]:
    """Return what the axis must hold, downwards and upwards."""
    lows: list[float] = []
    highs: list[float] = []
    stacked = [one for one in series if data.stacking == "stacked" and one.mark in ("bar", "area")]
    if stacked:
        columns = list(zip(*(one.values for one in stacked), strict=True))
        highs += [sum(value for value in column if value is not None and value > 0) for column in columns]
        lows += [sum(value for value in column if value is not None and value < 0) for column in columns]
    for one in series:
        if one in stacked:
            continue
        if one.errors:
            pairs = [(value, error) for value, error in zip(one.values, one.errors, strict=True) if value is not None]
            lows += [value - error for value, error in pairs]
            highs += [value + error for value, error in pairs]
        else:
            lows += one.known
            highs += one.known
    return lows, highs


def _tick_texts(ticks: Texts | tuple[float, ...], form: NumberFormat, look: Look, percent: bool = False) -> Texts:
    step = min((abs(b - a) for a, b in itertools.pairwise(ticks)), default=1.0)
    decimals = max(decimals_of(step), decimals_of(ticks[0]))
    plain = replace(
        form,
        decimals=decimals,
        group=form.group if look.tick_groups else "",
        prefix=form.prefix if look.tick_units else "",
        suffix=form.suffix if look.tick_units or percent else "",
    )
    if len(ticks) > 1 and ticks[0] > 0 and ticks[1] > 1.5 * ticks[0]:  # decades: each with its own decimals
        return tuple(replace(plain, decimals=decimals_of(tick)).text(tick) for tick in ticks)
    return tuple([plain.text(tick) for tick in ticks])


def _legend_names(data: ChartData, look: Look, two_axes: bool) -> Texts:
    if look.legend == "none" or data.kind in ("pie", "scatter"):
        return ()
    if not all(series.name for series in data.series):
        return ()
    suffix = right_axis(data.language) if two_axes and look.mark_right else ""
    return tuple(series.name + (suffix if series.right else "") for series in data.series)


def _header(data: ChartData, names: Texts, title: str, value: Axis | None, second: Axis | None) -> list[str]:
    """Return the names of the columns: as in the legend, else what the value axis or the chart is called."""
    if data.kind == "scatter":
        return [data.x_title or data.series[0].name, data.y_title or data.series[1].name]
    if len(data.series) > 1:
        suffix = right_axis(data.language) if second is not None else ""
        return [series.name + (suffix if series.right else "") for series in data.series]
    if names:
        return list(names)
    return [(value.title if value is not None else "") or title or value_word(data.language)]


def _written(series: Series) -> tuple[str | None, ...]:
    text = series.form.text
    return tuple([None if value is None else text(value) for value in series.values])


def _slices(data: ChartData, look: Look) -> tuple[tuple[Texts, ...], tuple[Texts, ...]]:
    """Return a pie's texts at the slices, and its cells."""
    (series,) = data.series
    values = series.known
    texts = tuple([series.form.text(value) for value in values])
    if look.slice_texts == "value" or "%" in series.form.suffix + series.form.prefix:
        return (texts,), (texts,)
    form = NumberFormat(look.percent_decimals, series.form.decimal, suffix=percent_suffix(data.language))
    total = sum(values)
    shares = tuple([form.text(100 * value / total) for value in values])
    if look.slice_texts == "percent":
        return (shares,), (shares,)
    return (tuple([f"{text} ({share})" for text, share in zip(texts, shares, strict=True)]),), (texts,)


def _read(data: ChartData, value: Axis | None, second: Axis | None, x: Axis | None) -> tuple[Texts, ...]:
    """Return the cells of a chart without written values: what can be read off its axes."""
    assert value is not None
    columns = []
    totals: list[float] = []
    if data.stacking == "percent":
        totals = [
            sum(v for v in column if v is not None) for column in zip(*(s.values for s in data.series), strict=True)
        ]
    for number, series in enumerate(data.series):
        axis = second if series.right and second is not None else x if x is not None and number == 0 else value
        values = series.values
        if totals:
            values = tuple(None if v is None else 100 * v / total for v, total in zip(values, totals, strict=True))
        columns.append(tuple(["" if v is None else read_off(v, axis) for v in values]))
    return tuple(columns)
