"""The surroundings of a plot: axis titles, tick texts and category labels, and the place that they leave for it."""

from collections.abc import Sequence

from datagen.charts.canvas import Box, Canvas, DoesNotFitError
from datagen.charts.compose import ChartData
from datagen.charts.frame import check_plot
from datagen.charts.numbers import Axis
from datagen.charts.plot import (
    GAP,
    MAX_LABELS,
    CategoryLabels,
    Plot,
    draw_category_labels,
    draw_lattice,
    draw_ticks,
    fit_labels,
    tick_texts,
)
from datagen.charts.style import Style


def draw_axes(canvas: Canvas, data: ChartData, style: Style, box: Box, axes: tuple[Axis, Axis | None]) -> Plot:
    """Draw ground, grid, ticks, category labels and axis titles; return the plot.

    Args:
        canvas: the page.
        data: what to draw.
        style: how.
        box: where there is room.
        axes: the value axis, and the second one of a composite.

    Raises:
        DoesNotFitError: some text has no room, or the plot becomes too small.
    """
    return (_horizontal if style.horizontal else _vertical)(canvas, data, style, box, axes)


def _vertical(canvas: Canvas, data: ChartData, style: Style, box: Box, axes: tuple[Axis, Axis | None]) -> Plot:
    axis, second = axes
    font, title_room = style.font, style.font.size + GAP
    left, top, right, bottom = box
    below = data.x_title if style.category_title else ""
    beside = data.y_title if style.value_title else ""
    ticks = _ticks(axis, data, style)
    others = tick_texts(second, data.series[-1], style) if second else []
    left += title_room * bool(beside) + _width(ticks, style)
    right -= (title_room * bool(beside) + _width(others, style)) if second else 0
    bottom -= title_room * bool(below)
    labels = fit_labels(data.categories, (right - left) / len(data.categories), font, style.height)
    plot = _plot((left, top + font.cap, right, bottom - labels.height), data, style)
    draw_lattice(canvas, plot, axis, style)
    draw_ticks(canvas, plot, axis, ticks, style)
    draw_category_labels(canvas, plot, labels, style)
    middle = (plot.box[1] + plot.box[3]) / 2
    if second:
        draw_ticks(canvas, plot, second, others, style, right=True)
    if second and beside:
        title = data.series[-1].topic.title
        canvas.text((box[2] - font.size / 2, middle), title, font, style.theme.ink, angle=90)
    if beside:
        canvas.text((box[0] + font.size / 2, middle), beside, font, style.theme.ink, angle=90)
    if below:
        canvas.text(((plot.box[0] + plot.box[2]) / 2, box[3]), below, font, style.theme.ink, anchor="mb")
    return plot


def _horizontal(canvas: Canvas, data: ChartData, style: Style, box: Box, axes: tuple[Axis, Axis | None]) -> Plot:
    axis, font, title_room = axes[0], style.font, style.font.size + GAP
    left, top, right, bottom = box
    below = data.y_title if style.value_title else ""
    beside = data.x_title if style.category_title else ""
    ticks = _ticks(axis, data, style)
    widest = max(font.width(name) for name in data.categories)
    if widest > MAX_LABELS * style.width:
        raise DoesNotFitError("category labels too long")
    left += title_room * bool(beside) + widest + GAP
    right -= font.width(ticks[-1]) / 2 + 2 if ticks else 2
    bottom -= title_room * bool(below) + (font.size + GAP) * bool(ticks)
    plot = _plot((left, top, right, bottom), data, style)
    draw_lattice(canvas, plot, axis, style)
    draw_ticks(canvas, plot, axis, ticks, style)
    labels = CategoryLabels(tuple((name,) for name in data.categories), 0, 0)
    draw_category_labels(canvas, plot, labels, style)
    if beside:
        canvas.text((box[0] + font.size / 2, (plot.box[1] + plot.box[3]) / 2), beside, font, style.theme.ink, angle=90)
    if below:
        canvas.text(((plot.box[0] + plot.box[2]) / 2, box[3]), below, font, style.theme.ink, anchor="mb")
    return plot


def _plot(box: Box, data: ChartData, style: Style) -> Plot:
    left, top, right, bottom = (round(edge) for edge in box)
    check_plot((left, top, right, bottom), style)
    return Plot((left, top, right, bottom), len(data.categories), style.horizontal)


def _ticks(axis: Axis, data: ChartData, style: Style) -> Sequence[str]:
    """Return the tick texts; none where all values are written, and only a base line is drawn."""
    bare = style.value_labels and style.grid == "none" and style.spines == "base"
    return [] if bare else tick_texts(axis, data.series[0], style)


def _width(texts: Sequence[str], style: Style) -> float:
    return max(style.font.width(text) for text in texts) + GAP if texts else 0.0
