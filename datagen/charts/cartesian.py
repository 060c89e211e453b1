"""Our own renderer of bars, stacked bars, lines, and bars with a line on a second axis."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from datagen.charts.axes import draw_axes
from datagen.charts.canvas import Box, Canvas, Colour, DoesNotFitError, Point
from datagen.charts.colours import contrast
from datagen.charts.compose import ChartData, Series
from datagen.charts.frame import Entry, draw_frame
from datagen.charts.numbers import Axis
from datagen.charts.plot import Plot, draw_spines, value_axis
from datagen.charts.style import Style


def draw_cartesian(canvas: Canvas, data: ChartData, style: Style, names: Sequence[str]) -> list[Axis]:
    """Draw the chart and return the axis of each series.

    Args:
        canvas: an empty page.
        data: what to draw.
        style: how.
        names: the series' names in the legend; empty for none.

    Raises:
        DoesNotFitError: some text has no room.
    """
    bars, lines = _split_series(data)
    left_axis = value_axis(data, bars or lines, style, style.from_zero)
    two_axes = data.kind == "composite"
    right_axis = value_axis(data, lines, style, False) if two_axes else left_axis
    axes = [left_axis] * len(bars) + [right_axis] * len(lines)
    box = draw_frame(canvas, data, style, _entries(data, style, names))
    plot = draw_axes(canvas, data, style, box, (left_axis, right_axis if two_axes else None))
    labels: list[Label] = []
    if data.kind == "stacked":
        labels += _draw_stacks(canvas, plot, data, style, left_axis)
    elif bars:
        labels += _draw_bars(canvas, plot, bars, style, left_axis)
    draw_spines(canvas, plot, left_axis, style)
    courses = []
    for number, series in enumerate(lines, len(bars)):
        courses.append(_draw_line(canvas, (plot, right_axis), series, style, number))
    for label in labels:
        box = canvas.text(
            label.place, label.text, style.value_font, label.colour, anchor=label.anchor, angle=label.angle
        )
        if any(_crosses(course, box) for course in courses):
            raise DoesNotFitError("label under a line")
    for series, course in zip(lines, courses, strict=True):
        if style.value_labels:
            _label_line(canvas, series, course, style)
    return axes


def _split_series(data: ChartData) -> tuple[Sequence[Series], Sequence[Series]]:
    if data.kind == "line":
        return (), data.series
    return (data.series[:-1], data.series[-1:]) if data.kind == "composite" else (data.series, ())


def _entries(data: ChartData, style: Style, names: Sequence[str]) -> list[Entry]:
    bars = len(_split_series(data)[0])
    return [
        (name, style.colour(number), "bar" if number < bars else marker(style, number) or "line")
        for number, name in enumerate(names)
    ]


def marker(style: Style, number: int) -> str:
    """Return the marker of a series, empty for none."""
    return style.markers[number % len(style.markers)] if style.markers else ""


@dataclass(frozen=True)
class Label:
    """A value that is written when everything is drawn."""

    place: Point
    text: str
    anchor: str
    colour: Colour
    angle: int = 0


def _draw_bars(canvas: Canvas, plot: Plot, bars: Sequence[Series], style: Style, axis: Axis) -> list[Label]:
    """Draw bars side by side; return the labels to be written when everything is drawn."""
    labels: list[Label] = []
    width = plot.slot * style.bar_share / len(bars)
    zero = min(max(0.0, axis.low), axis.high)
    for number, series in enumerate(bars):
        form = style.number_format(series)
        for category, value in enumerate(series.values):
            if value is None:
                continue
            start = plot.centre(category) + (number - len(bars) / 2) * width
            box = plot.bar(start, start + width - (1 if len(bars) > 1 else 0), zero, value, axis)
            canvas.rectangle(box, style.colour(number), style.theme.ink if style.outlined else None)
            if style.value_labels:
                labels.append(_bar_label(plot, box, form.text(value), style, (width, len(bars))))
    return labels


def _bar_label(plot: Plot, box: Box, text: str, style: Style, bars: tuple[float, int]) -> Label:
    """Return the label at the end of a bar; it stands upright where bars are too narrow for level text.

    Args:
        plot: the plot.
        box: the bar.
        text: the value.
        style: how.
        bars: the width of a bar, and how many stand side by side.
    """
    font, end, (width, count) = style.value_font, 4, bars
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    negative = text.startswith("-")
    if plot.horizontal:
        if width < font.cap + 1:
            raise DoesNotFitError("bar too narrow for its label")
        place, anchor = ((box[0] - end, middle[1]), "rm") if negative else ((box[2] + end, middle[1]), "lm")
        return Label(place, text, anchor, style.theme.ink)
    place, anchor = ((middle[0], box[3] + end), "mt") if negative else ((middle[0], box[1] - end), "mb")
    if font.width(text) <= (width + 1 if count > 1 else 2 * plot.slot - width):
        return Label(place, text, anchor, style.theme.ink)
    if width < font.cap + 2:
        raise DoesNotFitError("bar too narrow for its label")
    return Label(place, text, anchor, style.theme.ink, 90)


def _draw_stacks(canvas: Canvas, plot: Plot, data: ChartData, style: Style, axis: Axis) -> list[Label]:
    """Draw bars on top of each other; return their labels, which stand inside them."""
    labels: list[Label] = []
    width, font = plot.slot * style.bar_share, style.value_font
    floor = [0.0] * plot.count
    for number, series in enumerate(data.series):
        form = style.number_format(series)
        colour = style.colour(number)
        for category, value in enumerate(series.known):
            start = plot.centre(category) - width / 2
            box = plot.bar(start, start + width, floor[category], floor[category] + value, axis)
            canvas.rectangle(box, colour, style.theme.ink if style.outlined else None)
            floor[category] += value
            if style.value_labels:
                text = form.text(value)
                if font.width(text) > box[2] - box[0] - 2 or font.cap > box[3] - box[1] - 4:
                    raise DoesNotFitError("stack too small for its label")
                labels.append(Label(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), text, "mm", contrast(colour)))
    return labels


Course = list[tuple[int, Point]]


def _draw_line(canvas: Canvas, place: tuple[Plot, Axis], series: Series, style: Style, number: int) -> Course:
    """Draw a line, parted at missing points; return category and place of each of its points."""
    plot, axis = place
    colour, shape = style.colour(number), marker(style, number)
    runs: list[list[Point]] = [[]]
    course: Course = []
    for category, value in enumerate(series.values):
        if value is None:
            runs.append([])
            continue
        course.append((category, plot.point(plot.centre(category), value, axis)))
        runs[-1].append(course[-1][1])
    # A point between two missing ones has no line: only a marker shows it.
    alone = any(len(run) == 1 for run in runs)
    if style.dashed and number % 2:
        runs = [dash for run in runs for dash in _dashes(run, 7.0, 4.0)]
    canvas.strokes([run for run in runs if len(run) > 1], colour, style.line_width)
    if shape or alone:
        inside = style.theme.plot if style.hollow else None
        canvas.markers([p for _, p in course], shape or "circle", style.marker_radius, colour=colour, inside=inside)
    return course


def _crosses(course: Course, box: Box) -> bool:
    """Whether a line runs through a box; parts of it that jump over a missing point count too."""
    left, top, right, bottom = box
    for (_, (x1, y1)), (_, (x2, y2)) in itertools.pairwise(course):
        steps = 12
        for step in range(steps + 1):
            x, y = x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps
            if left - 2 < x < right + 2 and top - 2 < y < bottom + 2:
                return True
    return False


def _dashes(run: Sequence[Point], dash: float, gap: float) -> list[list[Point]]:
    """Cut a line into dashes; each corner of the line starts a new dash."""
    dashes = []
    for (x1, y1), (x2, y2) in itertools.pairwise(run):
        length = max(1e-6, ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5)
        at = 0.0
        while at < length:
            share, end = at / length, min(1.0, (at + dash) / length)
            dashes.append([(x1 + (x2 - x1) * s, y1 + (y2 - y1) * s) for s in (share, end)])
            at += dash + gap
    return dashes


def _label_line(canvas: Canvas, series: Series, course: Course, style: Style) -> None:
    """Write the values of a line, above their points or, in a valley, below."""
    form, theme = style.number_format(series), style.theme
    off = style.marker_radius + 4
    for index, (category, (x, y)) in enumerate(course):
        value = series.values[category]
        if value is None:
            continue
        neighbours = [course[i][1][1] for i in (index - 1, index + 1) if 0 <= i < len(course)]
        valley = bool(neighbours) and all(other < y for other in neighbours)
        places = [((x, y - off), "mb"), ((x, y + off), "mt")]
        for place, anchor in reversed(places) if valley else places:
            try:
                canvas.text(place, form.text(value), style.value_font, theme.ink, anchor=anchor, halo=theme.plot)
                break
            except DoesNotFitError:
                continue
        else:
            raise DoesNotFitError("no room for a point's label")
