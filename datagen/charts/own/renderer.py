"""Our own renderer: everything is laid out and checked first, then painted, so that nothing is painted in vain."""

import itertools
from typing import NamedTuple

import numpy as np

from datagen.charts import reasons
from datagen.charts.data import ChartData
from datagen.charts.look import Look
from datagen.charts.own import bars as barred
from datagen.charts.own import lines as lined
from datagen.charts.own.frame import SWATCH, Box, Room, lay_frame, lay_inside
from datagen.charts.own.page import Page
from datagen.charts.own.pie import lay_pie, paint_pie
from datagen.charts.own.plot import Plot, lay_plot, paint_axes, paint_ground
from datagen.charts.own.scatter import lay_points, paint_points
from datagen.charts.own.shapes import hatch, marker, outline, rectangle, row, stroke
from datagen.charts.palettes import contrast
from datagen.charts.plan import DoesNotFitError, Plan


def draw(data: ChartData, look: Look, plan: Plan) -> np.ndarray:
    """Return the picture of a chart, uint8 ``[height, width, 3]``.

    Raises:
        DoesNotFitError: a text has no room, or something drawn could not be seen.
    """
    wanted = len(data.categories) if data.kind == "pie" else 1 if data.kind == "scatter" else len(data.series)
    if len(look.palette) < wanted:
        raise DoesNotFitError(reasons.COLOURS)
    page = Page(look.width, look.height, look.theme.paper)
    entries = plan.names
    if data.kind == "pie" and look.slice_names == "legend":
        entries = plan.categories
    around = () if look.legend in ("inside", "ends", "none") else entries
    room = lay_frame(page, look, plan, around)
    if data.kind == "pie":
        pie = lay_pie(page, room, data, look, plan)
        page.check()
        canvas = _canvas(look)
        paint_pie(canvas, pie, look)
        _paint_legend(canvas, room, data, look)
        page.paint(canvas)
        return canvas
    return _axes_chart(page, room, data, look, plan)


class _Parts(NamedTuple):
    """What is drawn in a plot."""

    plot: Plot
    bars: list[barred.Bar]
    courses: list[lined.Course]
    points: list[tuple[float, float]]


def _axes_chart(page: Page, room: Room, data: ChartData, look: Look, plan: Plan) -> np.ndarray:
    parts = _lay(page, room, data, look, plan)
    page.check()
    plot, bars, courses, points = parts
    canvas = _canvas(look)
    paint_ground(canvas, plot, look, plan)
    if bars:
        barred.paint_bars(canvas, bars, plot, look, data.stacking != "none")
    areas = any(data.series[course.series].mark == "area" for course in courses)
    if areas:
        lined.paint_lines(canvas, courses, data, look)
    paint_axes(canvas, plot, look, plan)
    if courses and not areas:
        lined.paint_lines(canvas, courses, data, look)
    _paint_errors(canvas, parts, data, look, plan)
    if points:
        paint_points(canvas, points, look)
    _paint_legend(canvas, room, data, look)
    page.paint(canvas)
    return canvas


def _lay(page: Page, room: Room, data: ChartData, look: Look, plan: Plan) -> _Parts:
    ends = look.legend == "ends" and bool(plan.names)
    if ends:
        room.right -= lined.ends_width(look, plan)
    plot = lay_plot(page, room, look, plan, len(data.categories))
    assert plan.value is not None
    if data.kind == "scatter":
        return _Parts(plot, [], [], lay_points(page, plot, data, look, plan))
    marks = {series.mark for series in data.series}
    bars = barred.lay_bars(plot, data, look, plan.value) if "bar" in marks else []
    courses = lined.lay_lines(plot, data, plan) if marks - {"bar"} else []
    if plan.written and bars:
        barred.label_bars(page, plot, bars, data, look, plan, plan.value)
    if plan.written and courses:
        lined.claim_markers(page, courses, data, look)
        lined.label_lines(page, plot, courses, look, plan)
    if ends:
        lined.lay_ends(page, plot, courses, look, plan)
    if look.legend == "inside" and plan.names:
        box = (plot.left, plot.top, plot.right, plot.bottom)
        lay_inside(page, room, look, plan.names, box, _busy(page, bars, courses, plot))
    return _Parts(plot, bars, courses, [])


def _canvas(look: Look) -> np.ndarray:
    """Return an empty page with the theme's ornaments."""
    canvas = np.empty((look.height, look.width, 3), np.uint8)
    canvas[:] = row(look.theme.paper)[: look.width]
    accent = max(3, look.size // 4)
    if look.accent == "bar":
        rectangle(canvas, look.pad, 0, look.pad + 3 * look.size, accent + 2, look.theme.accent)
    elif look.accent == "rule":
        rectangle(canvas, 0, 0, look.width, max(2, accent - 1), look.theme.accent)
    if look.frame:
        outline(canvas, 0, 0, look.width, look.height, look.theme.grid)
    return canvas


def _busy(page: Page, bars: list[barred.Bar], courses: list[lined.Course], plot: Plot) -> list[Box]:
    """Return boxes that a legend inside the plot must not cover."""
    boxes: list[Box] = [bar[:4] for bar in bars]
    inside = [
        box
        for box in page.boxes
        if box[0] < plot.right and box[2] > plot.left and box[1] < plot.bottom and box[3] > plot.top
    ]
    boxes += inside
    for course in courses:
        for run in course.runs:
            for (x1, y1), (x2, y2) in itertools.pairwise(run):
                # Slanted parts in four boxes each, so that little is taken that is free.
                for part in range(4):
                    xa, xb = x1 + (x2 - x1) * part / 4, x1 + (x2 - x1) * (part + 1) / 4
                    ya, yb = y1 + (y2 - y1) * part / 4, y1 + (y2 - y1) * (part + 1) / 4
                    boxes.append((xa, min(ya, yb) - 3, xb, max(ya, yb) + 3))
    return boxes


def _paint_errors(canvas: np.ndarray, parts: _Parts, data: ChartData, look: Look, plan: Plan) -> None:
    plot = parts.plot
    for number, series in enumerate(data.series):
        if not series.errors:
            continue
        axis = plan.axis(series)
        assert axis is not None
        if series.mark == "bar":
            own = [bar for bar in parts.bars if bar.series == number]
            middles = [(bar.top + bar.bottom) / 2 if plot.horizontal else (bar.left + bar.right) / 2 for bar in own]
            spots = [(at, bar.value, series.errors[bar.category]) for at, bar in zip(middles, own, strict=True)]
            colour = barred.error_colour(look)
        else:
            course = next(one for one in parts.courses if one.series == number)
            spots = [
                (place[0], value, error)
                for place, value, error in zip(course.places, series.values, series.errors, strict=True)
                if place is not None and value is not None
            ]
            colour = look.palette[number]
        barred.paint_errors(canvas, plot, spots, axis, look, colour)


def _paint_legend(canvas: np.ndarray, room: Room, data: ChartData, look: Look) -> None:
    """Draw the legend's frame and swatches: a patch for bars, areas and slices, a piece of line for lines."""
    if room.frame is not None:
        if look.legend == "inside" and look.grid != "none":
            rectangle(canvas, *room.frame, look.theme.plot)
        if look.legend_frame:
            outline(canvas, *room.frame, look.theme.grid)
    wide = SWATCH * look.size
    for x, y, index in room.swatches:
        colour = look.palette[index]
        mark = "slice" if data.kind == "pie" else data.series[index].mark
        if mark in ("line", "step"):
            stroke(canvas, ((x, y), (x + wide, y)), colour, look.line_width, look.dashes[index])
            if look.markers:
                inside, radius = look.theme.plot if look.hollow else None, min(look.marker_size, look.size * 0.4)
                marker(canvas, x + wide / 2, y, look.markers[index], radius, colour, inside)
            continue
        half = look.size * 0.36
        inset = wide * 0.18 if look.rounded or look.theme.name.startswith("office") else 0.0
        box = (round(x + inset), round(y - half), round(x + wide - inset), round(y + half))
        rectangle(canvas, *box, colour)
        if look.hatches and index < len(look.hatches) and look.hatches[index]:
            hatch(canvas, box, look.hatches[index], look.size, contrast(colour))
        if look.outline is not None:
            outline(canvas, *box, look.outline)
