"""ECharts' grid and axes with the plan's ranges, ticks and names, and room for all of it."""

import itertools
import math
from typing import Any

from datagen.charts import outlines, reasons
from datagen.charts.axis import Axis
from datagen.charts.echarts.frame import Frame, broken
from datagen.charts.echarts.options import opts, plain, text_style
from datagen.charts.echarts.styles import DASHES, css
from datagen.charts.look import Look
from datagen.charts.manners import dice
from datagen.charts.own.plot import MAX_NAMES, MIN_PLOT, PITCH, Plot
from datagen.charts.plan import DoesNotFitError, Plan

#: Distance of texts from their axis, and the length of tick marks, in pixels.
MARGIN, TICK = 8.0, 5.0
#: Names have at most so many lines below a plot and beside lying bars.
LINES, LYING_LINES = 3, 2


class Grid:
    """The options of grid and axes, and the plot's box in pixels."""

    def __init__(self, options: dict[str, Any], plot: Plot) -> None:
        self.options, self.plot = options, plot


def scaled(value: float, axis: Axis) -> float:
    """Return a value as it is given to ECharts: on a logarithmic axis, the decades above its low end."""
    return math.log10(value / axis.low) if axis.log else value


def lay_axes(frame: Frame, look: Look, plan: Plan) -> Grid:  # noqa: PLR0912
    """Return grid and axes in the room that is left.

    Raises:
        DoesNotFitError: names are too long, or the plot becomes too small.
    """
    value, lying = plan.value, look.horizontal
    assert value is not None
    room, size = frame.room, look.size
    gap = MARGIN + (2.0 if look.tick_marks == "out" else 0.0)
    swap = look.value_side == "right" and plan.second is None and not lying
    sides = [(value, "right" if swap else "left")] if not lying else []
    if plan.second is not None:
        sides.append((plan.second, "right"))
    # ECharts writes names of axes at their ends unless it is told otherwise.
    at_end = look.value_title == "top" or dice(look, 4)[3] < 0.45
    titled = [(axis.title, side) for axis, side in sides if axis.title and look.value_title != "none"]
    above = titled if at_end and _side_by_side(look, titled, room.right - room.left) else []
    outer = (room.left, room.right)
    gaps: dict[str, float] = {}
    for axis, side in sides:
        wide = max((_wide(look, text) for text in axis.texts), default=0.0) + gap if look.value_axis else 0.0
        gaps[side] = wide + 0.45 * size
        taken = wide + (1.5 * size if axis.title and look.value_title != "none" and not above else 0.0)
        if side == "left":
            room.left += taken
        else:
            room.right -= taken
    for title, side in above:
        align = "left" if side == "left" else "right"
        frame.write(outer[side == "right"], room.top, [title], (look.font, size), look.theme.faint, align,
                    reasons.TITLE)  # fmt: skip
    room.top += 2.0 * size if above else 0.5 * size
    if lying:
        names = _lying(frame, look, plan, gap)
    elif plan.x is not None:
        names = _free(frame, look, plan, gap)
    else:
        names = _names(frame, look, plan, gap)
    values = [_value_axis(axis, look, "" if above else axis.title, gaps[side], side) for axis, side in sides]
    if lying:
        values = [_value_axis(value, look, value.title, size + gap + 0.25 * size, "bottom")]
    if len(values) > 1:
        values[1]["splitLine"] = {"show": False}
    for axis, _ in [*sides, *([(value, "")] if lying else [])]:
        frame.expected += [(text, reasons.PLOT) for text in axis.texts if look.value_axis]
        if axis.title and not above and look.value_title != "none":
            frame.expected.append((axis.title, reasons.TITLE))
    width, height = room.right - room.left, room.bottom - room.top
    if width < MIN_PLOT * look.width or height < MIN_PLOT * look.height:
        raise DoesNotFitError(reasons.PLOT)
    edge = look.edge_points and plan.x is None
    count = 1 if plan.x else len(plan.categories)
    plot = Plot((room.left, room.top, room.right, room.bottom), count, lying, edge)
    grid = _grid(plot, look)
    across, up = (values, [names]) if lying else ([names], values)
    return Grid({"grid": grid, "xAxis": across, "yAxis": up}, plot)


def _grid(plot: Plot, look: Look) -> dict[str, Any]:
    made = plain(
        opts.GridOpts(
            is_show=True, z=0, pos_left=plot.left, pos_top=plot.top, width=plot.right - plot.left, border_width=0,
            height=plot.bottom - plot.top, background_color=css(look.theme.plot),
        )
    )  # fmt: skip
    if look.spines == "box":
        made |= {"borderWidth": 1, "borderColor": css(look.theme.axis)}
    return dict(made)


def _wide(look: Look, text: str) -> float:
    return outlines.width(look.font, text) * look.size


def _side_by_side(look: Look, titled: list[tuple[str, str]], width: float) -> bool:
    return sum(_wide(look, title) for title, _ in titled) + look.size < width


def _line(look: Look, colour: Any, dash: str = "solid", width: float = 1.0) -> Any:
    return {"color": css(colour), "width": width, "type": DASHES[dash]}


def _style(look: Look, texts: bool) -> dict[str, Any]:
    """Return how labels of an axis are set."""
    style = opts.LabelOpts(
        is_show=texts, color=css(look.theme.faint), font_family=look.font, font_size=look.size, font_weight="normal",
        margin=MARGIN, interval=0,
    )  # fmt: skip
    return dict(plain(style))


def _ticks(look: Look, shown: bool, **more: Any) -> dict[str, Any]:
    marks = shown and look.tick_marks != "none"
    style = opts.AxisTickOpts(is_show=marks, is_inside=look.tick_marks == "in", length=TICK, **more)
    return {**plain(style), "lineStyle": _line(look, look.theme.axis)}


def _value_axis(axis: Axis, look: Look, title: str, gap: float, side: str) -> dict[str, Any]:
    ticks = [scaled(tick, axis) for tick in axis.ticks]
    shown = look.spines in ("corner", "box")
    even = len({round(after - before, 9) for before, after in itertools.pairwise(ticks)}) == 1
    low, high = scaled(axis.low, axis), scaled(axis.high, axis)
    level = side == "bottom"
    named = title if look.value_title != "none" else ""
    made = plain(
        opts.AxisOpts(
            type_="value", min_=low, max_=high, interval=(ticks[1] - ticks[0]) if even else high - low,
            position=side, name=named or None, name_location="middle", name_gap=gap,
            name_rotate=0 if level else 90, is_name_move_overlap=False,
            axisline_opts=opts.AxisLineOpts(is_show=shown, is_on_zero=False),
            splitline_opts=opts.SplitLineOpts(is_show=look.grid in ("values", "both")),
            splitarea_opts=opts.SplitAreaOpts(is_show=look.bands),
        )
    )  # fmt: skip
    made["axisLabel"] = {**_style(look, look.value_axis), "formatter": "@texts", "texts": list(axis.texts),
                         "ticks": ticks, "showMinLabel": True, "showMaxLabel": True}  # fmt: skip
    made["axisTick"] = _ticks(look, shown and look.value_axis)
    if not even:
        made["axisLabel"]["customValues"] = made["axisTick"]["customValues"] = ticks
    made["axisLine"]["lineStyle"] = _line(look, look.theme.axis)
    made["splitLine"]["lineStyle"] = _line(look, look.theme.grid, look.grid_dash)
    made["splitArea"]["areaStyle"] = {"color": [css(look.theme.band), css(look.theme.plot)], "opacity": 1}
    made["nameTextStyle"] = text_style(look.font, look.size, look.theme.ink)
    return dict(made)


def _category_axis(look: Look, plan: Plan, names: list[str], gap: float) -> dict[str, Any]:
    count = len(names)
    made = plain(
        opts.AxisOpts(
            type_="category", name=plan.x_title or None, name_location="middle", name_gap=gap,
            name_rotate=90 if look.horizontal else 0, is_inverse=look.horizontal, is_name_move_overlap=False,
            boundary_gap=not (look.edge_points and count > 1),
            axisline_opts=opts.AxisLineOpts(is_show=look.spines != "none", is_on_zero=True),
            splitline_opts=opts.SplitLineOpts(is_show=look.grid in ("categories", "both")),
        )
    )  # fmt: skip
    made["data"] = names
    made["axisLabel"] = {**_style(look, True), "hideOverlap": False}
    made["axisTick"] = _ticks(look, look.spines != "none", is_align_with_label=dice(look, 5)[4] < 0.5)
    made["axisLine"]["lineStyle"] = _line(look, look.theme.axis)
    made["splitLine"]["lineStyle"] = _line(look, look.theme.grid, look.grid_dash)
    made["nameTextStyle"] = text_style(look.font, look.size, look.theme.ink)
    return dict(made)


def _free(frame: Frame, look: Look, plan: Plan, gap: float) -> dict[str, Any]:
    """Return the x axis of a scatter chart."""
    axis, room, size = plan.x, frame.room, look.size
    assert axis is not None
    room.bottom -= 1.1 * size + gap + (1.5 * size if plan.x_title else 0.0)
    room.left = max(room.left, _wide(look, axis.texts[0]) / 2 + 3)
    room.right = min(room.right, look.width - _wide(look, axis.texts[-1]) / 2 - 3)
    made = _value_axis(axis, look, "", 0.0, "bottom")
    made["axisLine"]["show"] = look.spines != "none"
    made["axisTick"]["show"] = look.spines != "none" and look.tick_marks != "none"
    made["axisLabel"]["show"] = True
    made["splitLine"]["show"] = look.grid in ("categories", "both")
    made["splitArea"] = {"show": False}
    if plan.x_title:
        made |= {"name": plan.x_title, "nameLocation": "middle", "nameGap": 1.25 * size + gap, "nameRotate": 0}
    frame.expected += [(text, reasons.PLOT) for text in axis.texts]
    frame.expected += [(plan.x_title, reasons.TITLE)] if plan.x_title else []
    return made


def _lying(frame: Frame, look: Look, plan: Plan, gap: float) -> dict[str, Any]:
    room, size, value = frame.room, look.size, plan.value
    assert value is not None
    names: list[str] = []
    for name in plan.categories:
        lines = broken(name, look.font, size, MAX_NAMES * look.width, LYING_LINES)
        if lines is None:
            raise DoesNotFitError(reasons.CATEGORIES)
        frame.expected += [(line, reasons.CATEGORIES) for line in lines]
        names.append("\n".join(lines))
    widest = max(_wide(look, line) for name in names for line in name.split("\n"))
    room.left += widest + gap + (1.5 * size if plan.x_title else 0.0)
    if look.value_axis:
        room.bottom -= size + gap
        room.right -= max(2.0, _wide(look, value.texts[-1]) / 2)
    if value.title and look.value_title != "none":
        room.bottom -= 1.5 * size
    most = max(name.count("\n") for name in names) + 1
    if (room.bottom - room.top) / len(names) < 1.15 * size * most:
        raise DoesNotFitError(reasons.CATEGORIES)
    frame.expected += [(plan.x_title, reasons.TITLE)] if plan.x_title else []
    return _category_axis(look, plan, names, widest + gap + 0.45 * size)


def _names(frame: Frame, look: Look, plan: Plan, gap: float) -> dict[str, Any]:
    """Return the category axis with its names as plain as they fit: level, wrapped, or turned."""
    room, size, names = frame.room, look.size, list(plan.categories)
    edge = look.edge_points and len(names) > 1
    if edge:
        room.left = max(room.left, _wide(look, names[0]) / 2 + look.pad)
        room.right = min(room.right, look.width - _wide(look, names[-1]) / 2 - look.pad)
    slot = (room.right - room.left) / (len(names) - 1 if edge else len(names))
    longest = max(_wide(look, name) for name in names)
    high, angle = 1.0 * size, 0
    if look.category_angle or longest > slot - 5:
        lines = [broken(name, look.font, size, slot - 6, LINES) for name in names]
        if look.category_angle or size * 2.5 > slot or None in lines:
            angle, high = _angle(look, longest, slot)
        else:
            names = ["\n".join(parts or []) for parts in lines]
            high = 1.02 * size * max(name.count("\n") + 1 for name in names)
    frame.expected += [(line, reasons.CATEGORIES) for name in names for line in name.split("\n")]
    room.bottom -= high + gap + (1.6 * size if plan.x_title else 0.2 * size)
    if angle:
        room.left = max(room.left, longest * math.cos(math.radians(angle)) - slot / 2 * (not edge) + 6)
    made = _category_axis(look, plan, names, high + gap + 0.3 * size)
    if angle:
        made["axisLabel"]["rotate"] = angle
    frame.expected += [(plan.x_title, reasons.TITLE)] if plan.x_title else []
    return made


def _angle(look: Look, longest: float, slot: float) -> tuple[int, float]:
    """Return the least turn at which names have room, and the height that they then take."""
    tall = outlines.capital(look.font) * look.size
    for angle in (30, 45, 60, 90):
        if angle < look.category_angle or (angle in (30, 60) and look.category_angle != angle):
            continue
        turn = math.radians(angle)
        high = longest * math.sin(turn) + tall * math.cos(turn)
        if slot >= tall * PITCH / math.sin(turn) and high <= MAX_NAMES * look.height:
            return angle, high + 2
    raise DoesNotFitError(reasons.CATEGORIES)
