"""What is written and measured in a chart, the same for every renderer: axes, texts, and the label.

`make_plan` joins data and look. Renderers draw exactly the plan's axes and strings; the label is made of the same
strings, in this module and nowhere else.
"""

import itertools
from dataclasses import dataclass, replace

from datagen.charts.axis import Axis, decimals_of, log_range, nice_range, read_off
from datagen.charts.data import ChartData, NumberFormat, Series
from datagen.charts.look import Look
from datagen.charts.wording import percent_form, right_axis, value_word
from dsocr_jax.answers.tables import write_table

#: Room beyond the outermost value for its label, as a share of the values' range.
LABEL_ROOM = 0.09
#: The same for a lying bar, whose label is longer than high.
LYING_ROOM = 0.16
#: Linear axes that need not hold zero keep this share of the values' range free at both ends.
FREE_ENDS = 0.04

#: A plot is at least about this share of the page wide; a digit is about this share of the text size wide.
PLOT_SHARE, DIGIT = 0.58, 0.6

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
        drawn: the cells that are written in the picture as they stand, by series.
        data: what the plan was made of.
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
    drawn: tuple[Texts, ...]
    data: ChartData

    def axis(self, series: Series) -> Axis | None:
        """Return the value axis of a series."""
        return self.second if series.right and self.second is not None else self.value

    @property
    def rows(self) -> tuple[Texts, ...]:
        """The cells of the label, the header first."""
        data, written = self.data, self.written
        if data.kind == "pie":
            columns = self.drawn
        else:
            columns = tuple(tuple(text or "" for text in texts) for texts in written) or _read(self)
        return (("", *_header(self)), *zip(data.categories, *columns, strict=True))

    @property
    def label(self) -> str:
        """The label: written only when it is asked for, since a plan whose drawing does not fit needs none."""
        return write_table(self.rows)


def make_plan(data: ChartData, look: Look) -> Plan:
    """Return axes, texts and label of ``data`` drawn with ``look``."""
    pie, scatter = data.kind == "pie", data.kind == "scatter"
    value = second = x = None
    if scatter:
        across, up = data.series
        x = _free_axis(across, look, data.x_title or across.name, True)
        value = _free_axis(up, look, data.y_title or up.name, False)
    elif not pie:
        lefts = [series for series in data.series if not series.right]
        rights = [series for series in data.series if series.right]
        titled = look.value_title != "none"
        value = _value_axis(data, lefts or rights, look, data.y_title if titled else "")
        if rights and lefts:
            second = _value_axis(data, rights, look, data.y2_title if titled else "")
    names = _legend_names(data, look, second is not None)
    written: tuple[tuple[str | None, ...], ...]
    if pie:
        written, drawn = _slices(data, look)
    else:
        written = tuple([_written(series) for series in data.series]) if look.value_labels and not scatter else ()
        drawn = tuple(tuple(text for text in texts if text) for texts in written)
    x_title = ((data.x_title or data.series[0].name) if scatter else data.x_title) * (scatter or look.category_title)
    title = data.title if look.title else ""
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
        drawn,
        data,
    )


def _free_axis(series: Series, look: Look, title: str, level: bool) -> Axis:
    """Return an axis of a scatter chart, with room for points near its ends."""
    low, high = min(series.known), max(series.known)
    room = 0.06 * (high - low)
    below = low - room if low < 0 or low - room >= 0 else 0.0
    return _linear(below, high + room, look, series.form, title, look.from_zero, level)


def _linear(low: float, high: float, look: Look, form: NumberFormat, title: str, from_zero: bool, level: bool) -> Axis:
    """Return a linear axis; a level one has no more ticks than have room beside each other."""
    count = look.ticks
    for _ in range(3):
        ends = nice_range(low, high, count, from_zero)
        texts = _tick_texts(ends[2], form, look)
        room = PLOT_SHARE * look.width / (DIGIT * look.size * max(len(texts[0]), len(texts[-1])) + look.size)
        if not level or len(texts) <= room or count < 3:
            break
        count = max(2, min(count - 1, int(room) - 1))
    return Axis(ends[0], ends[1], ends[2], texts, False, title)


def _value_axis(data: ChartData, series: list[Series], look: Look, title: str) -> Axis:
    """Return the axis that holds the values of ``series``, with room for labels if they are drawn."""
    form = series[0].form
    if data.stacking == "percent":
        step = 20 if look.ticks < 6 else 10
        ticks = tuple(float(tick) for tick in range(0, 101, step))
        form = percent_form(data.language, 0, form.decimal)
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
    return _linear(below, high + room, look, form, title, from_zero, look.horizontal)


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


def _tick_texts(ticks: tuple[float, ...], form: NumberFormat, look: Look, percent: bool = False) -> Texts:
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


def _header(plan: Plan) -> list[str]:
    """Return the names of the columns: as in the legend, else what the value axis or the chart is called."""
    data = plan.data
    if data.kind == "scatter":
        return [data.x_title or data.series[0].name, data.y_title or data.series[1].name]
    if len(data.series) > 1:
        suffix = right_axis(data.language) if plan.second is not None else ""
        return [series.name + (suffix if series.right else "") for series in data.series]
    if plan.names:
        return list(plan.names)
    title = plan.value.title if plan.value is not None else ""
    return [title or plan.title or value_word(data.language)]


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
    form = percent_form(data.language, look.percent_decimals, series.form.decimal)
    total = sum(values)
    shares = tuple([form.text(100 * value / total) for value in values])
    if look.slice_texts == "percent":
        return (shares,), (shares,)
    return (tuple([f"{text} ({share})" for text, share in zip(texts, shares, strict=True)]),), (texts,)


def _read(plan: Plan) -> tuple[Texts, ...]:
    """Return the cells of a chart without written values: what can be read off its axes."""
    data = plan.data
    assert plan.value is not None
    columns = []
    totals: list[float] = []
    if data.stacking == "percent":
        whole = zip(*(series.values for series in data.series), strict=True)
        totals = [sum(value for value in column if value is not None) for column in whole]
    for number, series in enumerate(data.series):
        axis = plan.x if plan.x is not None and number == 0 else plan.axis(series)
        assert axis is not None
        values = series.values
        if totals:
            values = tuple(None if v is None else 100 * v / total for v, total in zip(values, totals, strict=True))
        columns.append(tuple(["" if v is None else read_off(v, axis) for v in values]))
    return tuple(columns)
