"""Bars, lines, areas, steps, points, error bars and slices as matplotlib draws them."""

from typing import Any

import numpy as np
from matplotlib.patches import Polygon, Wedge

from datagen.charts.data import ChartData, Series
from datagen.charts.look import Look
from datagen.charts.mpl.axes import Axes
from datagen.charts.mpl.canvas import points
from datagen.charts.mpl.styles import DASHES, HATCHES, MARKERS, STROKES, rgb
from datagen.charts.own.bars import error_colour
from datagen.charts.own.pie import Pie
from datagen.charts.palettes import Colour, contrast
from datagen.charts.plan import Plan


def draw_bars(axes: Axes, data: ChartData, look: Look, plan: Plan) -> None:
    """Draw all series of bars, side by side or on each other."""
    bars = [number for number, series in enumerate(data.series) if series.mark == "bar"]
    axis = plan.value
    assert axis is not None
    stacked = data.stacking != "none"
    count = 1 if stacked else len(bars)
    pitch = look.bar_share / (count + (count - 1) * look.bar_gap)
    rise = np.zeros(len(data.categories))
    fall = np.zeros(len(data.categories))
    whole = _totals(data)
    for place, number in enumerate(bars):
        series = data.series[number]
        values = np.array([np.nan if value is None else value for value in series.values])
        offset = 0.0 if stacked else -look.bar_share / 2 + pitch / 2 + place * pitch * (1 + look.bar_gap)
        low = np.full(len(values), axis.low if axis.log else axis.base)
        extent = values - low
        if stacked:
            extent = np.nan_to_num(values / whole * 100 if whole is not None else values)
            low = np.where(extent < 0, fall, rise)
            rise, fall = rise + np.maximum(extent, 0), fall + np.minimum(extent, 0)
        known = ~np.isnan(values)
        at = np.arange(len(values)) + offset
        draw = axes.main.barh if look.horizontal else axes.main.bar
        style: dict[str, Any] = {"left" if look.horizontal else "bottom": low[known]}
        hatch = look.hatches[number] if look.hatches else ""
        colours = look.point_colours or (look.palette[number],) * len(values)
        fills = [rgb(colours[category]) for category in np.flatnonzero(known)]
        edge: Any = "none" if look.outline is None else rgb(look.outline)
        if hatch:
            edge = rgb(contrast(look.palette[number]))
        draw(
            at[known], extent[known], pitch, color=fills, edgecolor=edge, hatch=HATCHES.get(hatch), zorder=2,
            linewidth=0.8 if look.outline is not None or hatch else 0.0, **style,
        )  # fmt: skip
        if series.errors:
            _errors(axes.main, at, series, look, error_colour(look), lying=look.horizontal)


def _totals(data: ChartData) -> Any:
    if data.stacking != "percent":
        return None
    columns = zip(*(series.values for series in data.series), strict=True)
    return np.array([sum(value or 0.0 for value in column) for column in columns])


def _errors(axes: Any, at: Any, series: Series, look: Look, colour: Colour, *, lying: bool = False) -> None:
    known = [number for number, value in enumerate(series.values) if value is not None]
    values = [series.values[number] for number in known]
    reach = [series.errors[number] for number in known]
    places = [at[number] for number in known]
    where = (values, places) if lying else (places, values)
    axes.errorbar(
        *where, **{"xerr" if lying else "yerr": reach}, fmt="none", ecolor=rgb(colour), elinewidth=1.0,
        capsize=points(look.error_cap), capthick=1.0, zorder=2.5,
    )  # fmt: skip


def draw_lines(axes: Axes, data: ChartData, look: Look, plan: Plan) -> None:
    """Draw lines, steps and areas, with markers and error bars."""
    count = len(data.categories)
    at = np.arange(count)
    floor = np.zeros(count)
    whole = _totals(data)
    for number, series in enumerate(data.series):
        if series.mark not in ("line", "step", "area"):
            continue
        on, axis = axes.of(series.right), plan.axis(series)
        assert axis is not None
        values = np.array([np.nan if value is None else value for value in series.values])
        low = np.full(count, axis.low if axis.log else axis.base)
        if series.mark == "area" and data.stacking != "none":
            parts = np.nan_to_num(values / whole * 100 if whole is not None else values)
            low, values = floor, floor + parts
            floor = values
        colour = look.palette[number]
        if series.mark == "area":
            solid = data.stacking != "none" and look.area_alpha > 0.9
            on.fill_between(at, low, values, color=rgb(colour), alpha=look.area_alpha, linewidth=0, zorder=1.6)
            if solid:
                colour = look.outline or look.theme.plot
        _line(on, at, values, (series, number), look, colour)
        if series.errors:
            _errors(on, at, series, look, look.palette[number])


def _line(on: Any, at: Any, values: Any, what: tuple[Series, int], look: Look, colour: Colour) -> None:
    series, number = what
    shape = look.markers[number] if look.markers and series.mark != "area" else ""
    style: dict[str, Any] = {"color": rgb(colour), "linewidth": points(look.line_width), "zorder": 2.2}
    style["linestyle"] = DASHES[look.dashes[number]]
    if series.mark == "step":
        style["drawstyle"] = "steps-mid"
    if shape:
        hollow = look.hollow and shape not in STROKES
        style |= {
            "marker": MARKERS[shape], "markersize": points(2 * look.marker_size), "markeredgecolor": rgb(colour),
            "markerfacecolor": rgb(look.theme.plot if hollow else colour), "markeredgewidth": 1.2,
        }  # fmt: skip
    on.plot(at, values, clip_on=not shape, **style)
    if not shape:
        # A point between two gaps is only seen by a marker.
        gaps = np.isnan(np.concatenate([[np.nan], values, [np.nan]]))
        alone = ~gaps[1:-1] & gaps[:-2] & gaps[2:]
        on.plot(
            at[alone], values[alone], linestyle="none", marker="o", color=rgb(colour), zorder=2.2,
            markersize=points(2 * look.marker_size),
        )  # fmt: skip


def draw_points(axes: Axes, data: ChartData, look: Look) -> None:
    """Draw the points of a scatter chart."""
    shape = look.markers[0] if look.markers else "circle"
    colour = rgb(look.palette[0])
    inside = "none" if look.hollow and shape not in STROKES else colour
    axes.main.plot(
        data.series[0].known, data.series[1].known, linestyle="none", marker=MARKERS[shape], zorder=2.2,
        markersize=points(2 * look.marker_size), markerfacecolor=inside, markeredgecolor=colour, markeredgewidth=1.2,
    )  # fmt: skip


def draw_pie(figure: Any, pie: Pie, look: Look) -> None:
    """Draw slices and the lines to their texts, in the figure's pixels."""
    height = look.height
    for index in range(len(pie.edges) - 1):
        # Angles of the pie run clockwise from the top, those of matplotlib counter-clockwise from the right.
        one, two = sorted((90 - pie.edges[index], 90 - pie.edges[index + 1]))
        sx, sy = pie.shifts[index]
        wide = None if not look.hole else pie.radius * (1 - look.hole)
        edge = rgb(look.theme.paper if look.slice_edge else look.palette[index])
        wedge = Wedge(
            (pie.x + sx, height - pie.y - sy), pie.radius, one, two, width=wide, facecolor=rgb(look.palette[index]),
            edgecolor=edge, linewidth=points(look.slice_edge or 0.5), transform=None,
        )  # fmt: skip
        figure.add_artist(wedge)
    for leader in pie.leaders:
        line = [(x, height - y) for x, y in leader]
        shown = Polygon(line, closed=False, fill=False, edgecolor=rgb(look.theme.faint), linewidth=0.7, transform=None)
        figure.add_artist(shown)
