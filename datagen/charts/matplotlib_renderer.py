"""Charts drawn by matplotlib: its axes, legends, marks and styles, as very many published charts look.

Figures are driven directly, without pyplot, and every property that matplotlib would take from its global settings and
that shows is given. Where values, names of points and slices' texts stand is worked out as for our own renderer.
"""

import itertools
from typing import Any

import numpy as np

from datagen.charts import reasons
from datagen.charts.data import ChartData
from datagen.charts.look import Look
from datagen.charts.manners import dress
from datagen.charts.mpl.axes import Axes, lay_axes
from datagen.charts.mpl.canvas import new_figure
from datagen.charts.mpl.frame import Texts, handles, lay_frame, lay_legend, legend_style
from datagen.charts.mpl.marks import draw_bars, draw_lines, draw_pie, draw_points
from datagen.charts.mpl.styles import SHARE, STYLES, rgb
from datagen.charts.own import bars as barred
from datagen.charts.own import lines as lined
from datagen.charts.own.frame import Room
from datagen.charts.own.page import LEGEND, TITLE
from datagen.charts.own.pie import lay_pie
from datagen.charts.own.scatter import lay_points
from datagen.charts.plan import DoesNotFitError, Plan
from datagen.charts.sketch import Box, Sketch

#: Texts that are neither level nor upright are only held against the page: whoever turns them leaves room.
_RIGHT_ANGLES = (0.0, 90.0)
#: matplotlib's boxes of texts hold a whole line; letters fill this share of their height.
_INK = 0.72


def draw(data: ChartData, look: Look, plan: Plan) -> np.ndarray:
    """Return the picture of a chart, uint8 ``[height, width, 3]``.

    Raises:
        DoesNotFitError: a text has no room, or something drawn could not be seen.
    """
    look, _ = dress(look, data, STYLES, SHARE)
    wanted = len(data.categories) if data.kind == "pie" else 1 if data.kind == "scatter" else len(data.series)
    if len(look.palette) < wanted:
        raise DoesNotFitError(reasons.COLOURS)
    figure, canvas = new_figure(look)
    texts, sketch = Texts(figure, look), Sketch(look.width, look.height, look.theme.paper)
    room = lay_frame(texts, look, plan, TITLE)
    names = plan.categories if data.kind == "pie" and look.slice_names == "legend" else plan.names
    if names and look.legend in ("top", "bottom", "right", "left"):
        lay_legend(texts, room, look, data, names, LEGEND)
    if data.kind == "pie":
        draw_pie(figure, lay_pie(sketch, room, data, look, plan), look)
    else:
        _axes_chart(texts, sketch, room, data, look, plan)
    if look.frame:
        figure.patch.set(edgecolor=rgb(look.theme.grid), linewidth=2)
    _write(texts, sketch, look)
    canvas.draw()
    _check(texts, sketch, look)
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _axes_chart(texts: Texts, sketch: Sketch, room: Room, data: ChartData, look: Look, plan: Plan) -> None:
    ends = look.legend == "ends" and bool(plan.names)
    if ends:
        room.right -= lined.ends_width(look, plan)
    axes = lay_axes(texts, room, look, plan)
    plot = axes.plot
    if data.kind == "scatter":
        draw_points(axes, data, look)
        lay_points(sketch, plot, data, look, plan)
        return
    marks = {series.mark for series in data.series}
    assert plan.value is not None
    bars = barred.lay_bars(plot, data, look, plan.value) if "bar" in marks else []
    courses = lined.lay_lines(plot, data, plan) if marks - {"bar"} else []
    if bars:
        draw_bars(axes, data, look, plan)
        if plan.written:
            barred.label_bars(sketch, plot, bars, data, look, plan, plan.value)
    if courses:
        draw_lines(axes, data, look, plan)
        if plan.written:
            lined.claim_markers(sketch, courses, data, look)
            lined.label_lines(sketch, plot, courses, look, plan)
    if ends:
        lined.lay_ends(sketch, plot, courses, look, plan)
    if look.legend == "inside" and plan.names:
        _inside(texts, axes, data, look, plan, [*sketch.boxes, *(bar[:4] for bar in bars), *_traces(courses)])


def _traces(courses: list[lined.Course]) -> list[Box]:
    """Return small boxes along the courses."""
    boxes = []
    for run in itertools.chain.from_iterable(course.runs for course in courses):
        for (x1, y1), (x2, y2) in itertools.pairwise([run[0], *run]):
            for part in range(4):
                one, two = part / 4, (part + 1) / 4
                ya, yb = y1 + (y2 - y1) * one, y1 + (y2 - y1) * two
                left, right = x1 + (x2 - x1) * one, x1 + (x2 - x1) * two
                boxes.append((int(left), int(min(ya, yb)) - 3, int(right) + 1, int(max(ya, yb)) + 4))
    return boxes


def _inside(texts: Texts, axes: Axes, data: ChartData, look: Look, plan: Plan, busy: list[Box]) -> None:
    """Put the legend into a corner of the plot that holds no data."""
    on = axes.second or axes.main
    shown = handles(data, look, len(plan.names))
    renderer = texts.figure.canvas.get_renderer()
    for place in ("upper right", "upper left", "lower right", "lower left", "upper center"):
        style = {**legend_style(look), "borderaxespad": 0.6}
        legend: Any = on.legend(shown, list(plan.names), loc=place, **style)
        box = legend.get_window_extent(renderer)
        top, bottom = look.height - box.y1, look.height - box.y0
        if box.width > 0.6 * axes.main.bbox.width or box.height > 0.6 * axes.main.bbox.height:
            raise DoesNotFitError(reasons.LEGEND)
        if all(b[0] >= box.x1 + 3 or b[2] <= box.x0 - 3 or b[1] >= bottom + 3 or b[3] <= top - 3 for b in busy):
            texts.made += [(text, LEGEND) for text in legend.get_texts()]
            return
    raise DoesNotFitError(reasons.COVERED)


def _write(texts: Texts, sketch: Sketch, look: Look) -> None:
    """Write what was sketched. Its boxes stay in the sketch, to be checked with what matplotlib placed."""
    checked = len(texts.made)
    for words in sketch.words:
        more: dict[str, Any] = {"zorder": 5}
        if words.halo is not None:
            more["bbox"] = {"facecolor": rgb(words.halo), "edgecolor": "none", "alpha": 0.65, "pad": 0.6}
            if look.value_boxes:
                edge = {"boxstyle": "round,pad=0.2", "edgecolor": rgb(words.colour), "linewidth": 0.6, "alpha": 0.9}
                more["bbox"] = {"facecolor": rgb(words.halo), **edge}
        if words.angle:
            more |= {"rotation": words.angle, "va": "center"}
        texts.write(words.x, words.y, words.text, words.font, words.colour, words.across, words.group, **more)
    del texts.made[checked:]


def _check(texts: Texts, sketch: Sketch, look: Look) -> None:
    """Raise `DoesNotFitError` if a text leaves the page or touches another one."""
    renderer = texts.figure.canvas.get_renderer()
    for text, group in texts.made:
        box = text.get_window_extent(renderer)
        top, bottom = look.height - box.y1, look.height - box.y0
        upright, slack = text.get_rotation() == 90, (1 - _INK) / 2
        if text.get_rotation() not in _RIGHT_ANGLES:
            if box.x0 < 1 or top < 1 or box.x1 > look.width - 1 or bottom > look.height - 1:
                raise DoesNotFitError(reasons.LEAVES)
            continue
        across, down = (slack * box.width, 0.0) if upright else (0.0, slack * (bottom - top))
        sketch.place((box.x0 + across, top + down, box.x1 - across, bottom - down), group)
    sketch.check()
