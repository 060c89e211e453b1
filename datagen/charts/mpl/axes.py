"""matplotlib's axes with the plan's ranges and ticks, fitted into the room that is left for them."""

import itertools
import math
from typing import Any

from matplotlib.ticker import NullFormatter, NullLocator

from datagen.charts import reasons
from datagen.charts.axis import Axis
from datagen.charts.look import Look
from datagen.charts.manners import dice
from datagen.charts.mpl.canvas import font, points
from datagen.charts.mpl.frame import Texts
from datagen.charts.mpl.styles import DASHES, rgb
from datagen.charts.own.frame import Room, wrap
from datagen.charts.own.page import CATEGORY, TICK, TITLE
from datagen.charts.own.plot import MAX_NAMES, MIN_PLOT, PITCH, Plot
from datagen.charts.own.text import cap, measure
from datagen.charts.plan import DoesNotFitError, Plan

#: Length of tick marks and their distance from texts, in pixels.
LENGTH, PAD = 5.0, 4.5
#: The names of lying bars have at most so many lines, those below a plot so many.
LYING_LINES, LINES = 2, 3


class Axes:
    """The main axes, the second value axis of a composite if there is one, and the plot's box in pixels."""

    def __init__(self, main: Any, second: Any, plot: Plot) -> None:
        self.main, self.second, self.plot = main, second, plot

    def of(self, right: bool) -> Any:
        """Return the axes of a series."""
        return self.second if right and self.second is not None else self.main


def lay_axes(texts: Texts, room: Room, look: Look, plan: Plan) -> Axes:
    """Make axes that fill the room with their ticks, names and titles.

    Raises:
        DoesNotFitError: names are too long, or the plot becomes too small.
    """
    figure, value = texts.figure, plan.value
    assert value is not None
    lying, count = look.horizontal, len(plan.categories)
    main = figure.add_axes((0.2, 0.2, 0.6, 0.6), facecolor=rgb(look.theme.plot))
    values, names = (main.xaxis, main.yaxis) if lying else (main.yaxis, main.xaxis)
    _range(main, value, look, values)
    swap = look.value_side == "right" and plan.second is None and not lying
    if swap:
        values.set_ticks_position("right")
        values.set_label_position("right")
    _ticks(values, value, look)
    above = [] if look.value_title != "top" else [(value.title, 1 if swap else 0)]
    _title(values, value.title, look)
    _spines(main, look, swap)
    second = None
    if plan.second is not None:
        second = main.twinx()
        _range(second, plan.second, look, second.yaxis)
        _ticks(second.yaxis, plan.second, look)
        _title(second.yaxis, plan.second.title, look)
        for name, spine in second.spines.items():
            spine.set_visible(name == "right" and look.spines in ("box", "corner"))
            spine.set_color(rgb(look.theme.axis))
        if look.value_title == "top":
            above.append((plan.second.title, 1))
    if plan.x is not None:
        _range(main, plan.x, look, main.xaxis)
        _ticks(main.xaxis, plan.x, look, shown=True)
    elif lying:
        main.set_ylim(count - 0.5, -0.5)
        _lying_names(names, look, plan)
    else:
        main.set_xlim(*((0, count - 1) if look.edge_points and count > 1 else (-0.5, count - 0.5)))
        _names(main, room, look, plan)
    if plan.x_title:
        _title(names, plan.x_title, look, always=True)
    _grid(main, look, plan)
    if any(title for title, _ in above):
        room.top += 1.6 * look.size
    plot = _fit(texts, room, look, plan, (main, second))
    tight = main.get_tightbbox(figure.canvas.get_renderer(), bbox_extra_artists=[])
    for title, across in above:
        if title:
            x = room.right if across and second is not None else plot.right if across else max(2, tight.x0)
            y = plot.top - 0.75 * look.size
            texts.write(x, y, title, (look.font, look.size), look.theme.faint, float(across), TITLE)
    _remember(texts, (main, second))
    return Axes(main, second, plot)


def _range(axes: Any, axis: Axis, look: Look, along: Any) -> None:
    setter = axes.set_xlim if along is axes.xaxis else axes.set_ylim
    if axis.log:
        (axes.set_xscale if along is axes.xaxis else axes.set_yscale)("log", nonpositive="clip")
    setter(axis.low, axis.high)


def _ticks(along: Any, axis: Axis, look: Look, shown: bool = False) -> None:
    shown = shown or look.value_axis
    along.set_ticks(axis.ticks, axis.texts if shown else [""] * len(axis.ticks))
    along.set_minor_formatter(NullFormatter())
    minor = axis.log and look.tick_marks != "none" and shown and dice(look, 1)[0] < 0.6
    if not minor:
        along.set_minor_locator(NullLocator())
    _dress_ticks(along, look, marks=shown)
    if minor:
        # The marks between decades, as matplotlib draws them on logarithmic axes.
        along.set_tick_params(which="minor", length=points(2.6), width=0.6, color=rgb(look.theme.axis))


def _dress_ticks(along: Any, look: Look, marks: bool = True) -> None:
    outward = {"out": "out", "in": "in"}.get(look.tick_marks, "out")
    along.set_tick_params(
        length=points(LENGTH) if marks and look.tick_marks != "none" else 0.0, width=0.8, direction=outward,
        color=rgb(look.theme.axis), pad=points(PAD),
    )  # fmt: skip
    for label in along.get_ticklabels():
        label.set(fontproperties=font(look.font, look.size), color=rgb(look.theme.faint), parse_math=False)


def _title(along: Any, title: str, look: Look, always: bool = False) -> None:
    if title and (always or look.value_title == "side"):
        style = {"fontproperties": font(look.font, look.size), "color": rgb(look.theme.ink), "parse_math": False}
        along.set_label_text(title, **style)
        along.labelpad = points(0.35 * look.size)


def _spines(axes: Any, look: Look, swap: bool) -> None:
    side = "right" if swap else "left"
    base = "left" if look.horizontal else "bottom"
    shown = {"box": ("left", "right", "top", "bottom"), "corner": (side, "bottom"), "base": (base,)}
    for name, spine in axes.spines.items():
        spine.set_visible(name in shown.get(look.spines, ()))
        spine.set(color=rgb(look.theme.axis), linewidth=0.8)


def _lying_names(along: Any, look: Look, plan: Plan) -> None:
    lines = []
    for name in plan.categories:
        parts = wrap(name, (look.font, look.size), MAX_NAMES * look.width, LYING_LINES)
        if parts is None:
            raise DoesNotFitError(reasons.CATEGORIES)
        lines.append("\n".join(parts))
    along.set_ticks(range(len(lines)), lines)
    _dress_ticks(along, look)


def _names(axes: Any, room: Room, look: Look, plan: Plan) -> None:
    """Set category names as plainly as they fit: level, wrapped, or turned."""
    size, face, names = look.size, (look.font, look.size), plan.categories
    ticks = [axis.texts for axis in (plan.value, plan.second) if axis is not None]
    beside = sum(max((measure(*face, text) for text in texts), default=0) + 2.0 * size for texts in ticks if texts)
    slots = len(names) - 1 if look.edge_points and len(names) > 1 else len(names)
    slot = (room.right - room.left - beside * look.value_axis) / slots
    tall = cap(*face)
    longest = max(measure(*face, name) for name in names)
    lines, angle = list(names), 0
    if look.category_angle or longest > slot - 5:
        wrapped = [wrap(name, face, slot - 6, LINES) for name in names]
        if not look.category_angle and size * 2.5 < slot and None not in wrapped:
            lines = ["\n".join(parts or []) for parts in wrapped]
        else:
            angle = _angle(look, longest, slot, tall)
    axes.xaxis.set_ticks(range(len(names)), lines)
    _dress_ticks(axes.xaxis, look)
    if look.spines in ("none", "base"):
        axes.xaxis.set_tick_params(length=0.0 if look.theme.name != "matplotlib ggplot" else points(LENGTH))
    if angle:
        for label in axes.get_xticklabels():
            label.set(rotation=angle, ha="center" if angle == 90 else "right", rotation_mode="anchor")
            label.set_va("center" if angle == 90 else "top")
            if angle == 90:
                label.set(rotation_mode="default", va="top")


def _angle(look: Look, longest: float, slot: float, tall: float) -> int:
    for angle in (30, 45, 60, 90):
        if angle < look.category_angle or (angle in (30, 60) and look.category_angle != angle):
            continue
        turn = math.radians(angle)
        high = longest * math.sin(turn) + tall * math.cos(turn)
        if slot >= tall * PITCH / math.sin(turn) and high <= MAX_NAMES * look.height:
            return angle
    raise DoesNotFitError(reasons.CATEGORIES)


def _grid(axes: Any, look: Look, plan: Plan) -> None:
    """Draw the grid below everything, and bands and the line of zero."""
    axes.set_axisbelow(True)
    values, names = ("x", "y") if look.horizontal else ("y", "x")
    style = {"color": rgb(look.theme.grid), "linestyle": DASHES[look.grid_dash], "linewidth": 0.8}
    if look.grid in ("values", "both"):
        axes.grid(True, "major", values, **style)
    if look.grid in ("categories", "both"):
        axes.grid(True, "major", names, **style)
    axis = plan.value
    assert axis is not None
    if look.bands:
        span = axes.axvspan if look.horizontal else axes.axhspan
        for low, high in list(itertools.pairwise(axis.ticks))[::2]:
            span(low, high, facecolor=rgb(look.theme.band), edgecolor="none", zorder=0)
    if axis.low < 0 < axis.high and not axis.log and plan.x is None:
        line = axes.axvline if look.horizontal else axes.axhline
        line(0, color=rgb(look.theme.axis), linewidth=0.8, zorder=1.9)


def _fit(texts: Texts, room: Room, look: Look, plan: Plan, both: tuple[Any, Any]) -> Plot:
    """Move the axes so that they fill the room with all that stands around them."""
    renderer = texts.figure.canvas.get_renderer()
    width, height = look.width, look.height
    for _ in range(2):
        main = both[0]
        boxes = [axes.get_tightbbox(renderer, bbox_extra_artists=[]) for axes in both if axes is not None]
        plot = main.bbox
        left = room.left + plot.x0 - min(box.x0 for box in boxes)
        right = room.right - (max(box.x1 for box in boxes) - plot.x1)
        top = room.top + max(box.y1 for box in boxes) - plot.y1
        bottom = room.bottom - (plot.y0 - min(box.y0 for box in boxes))
        if right - left < MIN_PLOT * width or bottom - top < MIN_PLOT * height:
            raise DoesNotFitError(reasons.PLOT)
        share = (left / width, 1 - bottom / height, (right - left) / width, (bottom - top) / height)
        for axes in both:
            if axes is not None:
                axes.set_position(share)
        if abs(plot.x0 - left) < 1 and abs(height - plot.y0 - bottom) < 1:
            break
    edge = look.edge_points and plan.x is None
    return Plot((left, top, right, bottom), 1 if plan.x else len(plan.categories), look.horizontal, edge)


def _remember(texts: Texts, both: tuple[Any, Any]) -> None:
    """Hand tick texts, names and titles over to be checked."""
    for axes in both:
        if axes is None:
            continue
        for along in [one for one in (axes.xaxis, axes.yaxis) if one.get_visible()]:
            named = along is axes.xaxis or axes is both[0]
            group = CATEGORY if named and not _numeric(along) else TICK
            texts.made += [(label, group) for label in along.get_ticklabels() if label.get_text()]
            if along.label.get_text():
                texts.made.append((along.label, TITLE))


def _numeric(along: Any) -> bool:
    """Whether an axis has ticks of values."""
    return all(any(character.isdigit() for character in label.get_text()) for label in along.get_ticklabels())
