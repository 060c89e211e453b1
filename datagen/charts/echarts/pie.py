"""Pies, doughnuts and roses as series of ECharts."""

import math
from typing import Any

from datagen.charts import outlines, reasons
from datagen.charts.data import ChartData
from datagen.charts.echarts.frame import Frame, broken
from datagen.charts.echarts.options import label, opts, plain
from datagen.charts.echarts.styles import css
from datagen.charts.echarts.texts import Line
from datagen.charts.look import Look
from datagen.charts.manners import dice
from datagen.charts.own.pie import EXPLODED, MIN_RADIUS, MIN_SHARE, MIN_TURN
from datagen.charts.palettes import contrast
from datagen.charts.plan import DoesNotFitError, Plan

#: How likely a doughnut is drawn as a rose, whose slices reach out by their values, and how uneven it may be.
ROSES, MAX_RATIO = 0.18, 4.0


class Pie:
    """Where a pie is, for the check of texts inside its slices."""

    def __init__(self, x: float, y: float, inner: float, outer: float, edges: list[float], sign: int) -> None:
        self.x, self.y, self.inner, self.outer, self.edges, self.sign = x, y, inner, outer, edges, sign

    def holds(self, index: int, box: tuple[float, float, float, float]) -> bool:
        """Whether a slice holds a text's box."""
        for x in (box[0] + 1, box[2] - 1):
            for y in (box[1] + 2, box[3] - 2):
                far = math.hypot(x - self.x, y - self.y)
                turn = self.sign * (math.degrees(math.atan2(y - self.y, x - self.x)) + 90 - self.edges[0]) % 360
                low, high = (abs(edge - self.edges[0]) for edge in self.edges[index : index + 2])
                if not self.inner < far < self.outer or not low <= turn <= high:
                    return False
        return True


def pie_series(frame: Frame, data: ChartData, look: Look, plan: Plan) -> tuple[list[dict[str, Any]], Pie]:
    """Return the series of a pie and where it is.

    Raises:
        DoesNotFitError: a slice is too thin, or there is no room.
    """
    values, room, size = data.series[0].known, frame.room, look.size
    total = sum(values)
    if 360 * min(values) / total < MIN_TURN:
        raise DoesNotFitError(reasons.SLICES)
    numbers = [text or "" for text in plan.written[0]]
    inside, outside = _texts(look, plan, numbers)
    arm = (0.9 + 0.5 * dice(look, 1)[0]) * size
    side = above = 0.5 * size
    if any(outside):
        widest = max(outlines.width(look.font, line) * size for lines in outside for line in lines)
        side = widest + 2 * arm + 0.9 * size
        above = arm + 0.6 * size * max(len(lines) for lines in outside)
    wide, tall = room.right - room.left, room.bottom - room.top
    radius = min(wide / 2 - side, tall / 2 - above)
    if radius < max(MIN_RADIUS * size, MIN_SHARE * min(look.width, look.height)):
        raise DoesNotFitError(reasons.PLOT)
    x, y = (room.left + room.right) / 2, (room.top + room.bottom) / 2
    rose = bool(look.hole) and not any(inside) and max(values) < MAX_RATIO * min(values)
    rose = rose and dice(look, 2)[1] < ROSES
    inner = radius * (min(look.hole, 0.3) if rose else look.hole)
    chosen = look.explode if not look.hole else -1
    sign = 1 if look.clockwise else -1
    edges = [look.start_angle]
    for value in values:
        edges.append(edges[-1] + sign * 360 * value / total)
    rounded = 4 if look.hole and look.slice_edge and dice(look, 3)[2] < 0.35 else 0
    items = [
        {"name": name, "value": value, "selected": index == chosen, "itemStyle": {"color": css(look.palette[index])}}
        for index, (name, value) in enumerate(zip(plan.categories, values, strict=True))
    ]
    one: dict[str, Any] = {
        "type": "pie", "center": [x, y], "radius": [inner, radius], "startAngle": 90 - look.start_angle,
        "clockwise": look.clockwise, "data": items, "selectedMode": "single" if chosen >= 0 else False,
        "selectedOffset": EXPLODED * radius, "minShowLabelAngle": 0, "avoidLabelOverlap": True,
        "percentPrecision": 2, "itemStyle": {"borderWidth": look.slice_edge, "borderColor": css(look.theme.paper),
                                             "borderRadius": rounded},
        "label": {"show": False}, "labelLine": {"show": False},
    }  # fmt: skip
    if rose:
        one["roseType"] = "radius"
    made = [one]
    if any(outside):
        one["label"] = label(look, look.theme.ink, ["\n".join(lines) for lines in outside], position="outer")
        one["label"] |= {"fontFamily": look.font, "fontSize": size, "bleedMargin": 2, "edgeDistance": "0%",
                         "alignTo": "none", "lineHeight": round(1.2 * size)}  # fmt: skip
        shown = opts.PieLabelLineOpts(is_show=True, length=arm, length_2=arm * 0.8)
        one["labelLine"] = {**plain(shown), "lineStyle": {"width": 1}}
        frame.expected += [(line, reasons.VALUES) for lines in outside for line in lines]
    if any(inside):
        # A second pie on the first one: ECharts writes one text for each slice of a series.
        over = {**one, "z": 4, "labelLine": {"show": False}, "silent": True}
        texts = ["\n".join(lines) for lines in inside]
        over["label"] = {**label(look, look.theme.ink, texts, position="inside"), "lineHeight": round(1.2 * size)}
        over["data"] = [
            {**item, "label": {"color": css(contrast(look.palette[index]))}} for index, item in enumerate(items)
        ]
        made = [over] if not any(outside) else [one, over]
        frame.expected += [(line, reasons.VALUES) for lines in inside for line in lines]
    return made, Pie(x, y, inner, radius, edges, sign)


def _texts(look: Look, plan: Plan, numbers: list[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Return the lines inside and outside each slice."""
    inside: list[list[str]] = []
    outside: list[list[str]] = []
    for name, number in zip(plan.categories, numbers, strict=True):
        within: list[str] = [number] if look.slice_place == "inside" else []
        beside: list[str] = [] if look.slice_place == "inside" else [number]
        if look.slice_names == "inside":
            within.insert(0, name)
        elif look.slice_names == "outside":
            lines = broken(name, look.font, look.size, 0.22 * look.width, 3) or [name]
            if beside and len(lines) == 1 and look.slice_texts != "both":
                joined = f"{name}: {number}" if dice(look, 4)[3] < 0.5 else f"{name} {number}"
                beside = (
                    [joined] if outlines.width(look.font, joined) * look.size < 0.24 * look.width else [name, number]
                )
            else:
                beside = [*lines, *beside]
        inside.append(within)
        outside.append(beside)
    return inside, outside


def check_inside(pie: Pie, lines: list[Line], look: Look, plan: Plan) -> None:
    """Raise `DoesNotFitError` if a text inside a slice leaves it."""
    if look.slice_place != "inside" and look.slice_names != "inside":
        return
    numbers = [text or "" for text in plan.written[0]]
    inside = _texts(look, plan, numbers)[0]
    near = [line for line in lines if math.hypot((line.box[0] + line.box[2]) / 2 - pie.x,
                                                 (line.box[1] + line.box[3]) / 2 - pie.y) < pie.outer]  # fmt: skip
    for index, texts in enumerate(inside):
        for text in texts:
            if not any(line.text == text and pie.holds(index, line.box) for line in near):
                raise DoesNotFitError(reasons.NO_ROOM)
