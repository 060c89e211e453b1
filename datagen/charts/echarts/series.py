"""Bars, lines, areas, steps and points as series of ECharts."""

from typing import Any

from datagen.charts import reasons
from datagen.charts.axis import Axis
from datagen.charts.data import ChartData
from datagen.charts.echarts.axes import scaled
from datagen.charts.echarts.options import label, plain, text_style
from datagen.charts.echarts.styles import DASHES, SYMBOLS, css
from datagen.charts.look import Look
from datagen.charts.manners import dice
from datagen.charts.own import bars as barred
from datagen.charts.own import lines as lined
from datagen.charts.own.plot import Plot
from datagen.charts.own.scatter import lay_points
from datagen.charts.own.text import cap, measure
from datagen.charts.palettes import Colour, contrast, mix
from datagen.charts.plan import DoesNotFitError, Plan
from datagen.charts.sketch import Sketch

#: Distance of a value from its bar or point, in pixels.
DISTANCE = 5
#: What ECharts takes for a missing value.
MISSING = "-"
_TURNS = {"/": 0.785, "\\": -0.785, "-": 0.0, "|": 1.571, "x": 0.785, ".": 0.0}


def bar_series(data: ChartData, look: Look, plan: Plan, plot: Plot) -> list[dict[str, Any]]:
    """Return series of bars, and their error bars.

    Raises:
        DoesNotFitError: bars are too thin, or too small for their values.
    """
    axis = plan.value
    assert axis is not None
    bars = barred.lay_bars(plot, data, look, axis)
    stacked = data.stacking != "none"
    own = [number for number, series in enumerate(data.series) if series.mark == "bar"]
    count = 1 if stacked else len(own)
    pitch = look.bar_share / (count + (count - 1) * look.bar_gap)
    ground = dice(look, 7)[6] < 0.1 and len(own) == 1 and axis.low == 0
    upright = bool(plan.written) and not look.horizontal and _upright(bars, look, plan, plot)
    made: list[dict[str, Any]] = []
    extra: list[dict[str, Any]] = []
    for place, number in enumerate(own):
        series = data.series[number]
        mine = {bar.category: bar for bar in bars if bar.series == number}
        items: list[Any] = []
        for category, value in enumerate(_values(data, number)):
            if value is None:
                items.append(MISSING)
                continue
            item: dict[str, Any] = {"value": scaled(value, axis)}
            if look.point_colours:
                item["itemStyle"] = {"color": _fill(look.point_colours[category], look)}
            if look.rounded and not stacked:
                item.setdefault("itemStyle", {})["borderRadius"] = _corners(mine[category], look)
            if plan.written:
                item["label"] = _bar_label(
                    mine[category], look, plan, (stacked, upright), _reach(plot, axis, series, category)
                )
            items.append(item)
        one: dict[str, Any] = {
            "type": "bar", "name": plan.names[number] if plan.names else series.name, "data": items, "z": 2,
            "barWidth": f"{100 * pitch:.3f}%", "barGap": f"{100 * look.bar_gap:.3f}%",
            "itemStyle": {"color": _fill(look.palette[number], look)}, "showBackground": ground,
            "backgroundStyle": {"color": css(mix(look.theme.plot, look.theme.ink, 0.06))},
        }  # fmt: skip
        if stacked:
            one["stack"] = "all"
        if look.outline is not None:
            one["itemStyle"] |= {"borderColor": css(look.outline), "borderWidth": 1}
        if look.hatches and look.hatches[number]:
            one["itemStyle"]["decal"] = _decal(look.hatches[number], contrast(look.palette[number]))
        if plan.written:
            texts = [text or "" for text in plan.written[number]]
            one["label"] = label(look, look.theme.ink, texts, position="top", distance=DISTANCE)
        made.append(one)
        if series.errors:
            shift = 0.0 if stacked else -look.bar_share / 2 + pitch / 2 + place * pitch * (1 + look.bar_gap)
            extra.append(_errors(data, number, look, axis, barred.error_colour(look), shift))
    return made + extra


def _values(data: ChartData, number: int) -> list[float | None]:
    values = data.series[number].values
    if data.stacking != "percent":
        return list(values)
    totals = [sum(v or 0.0 for v in column) for column in zip(*(one.values for one in data.series), strict=True)]
    return [None if value is None else 100 * value / total for value, total in zip(values, totals, strict=True)]


def _fill(colour: Colour, look: Look) -> Any:
    """Return a bar's fill: flat, or shaded from its end to its foot."""
    if not look.gradient:
        return css(colour)
    far = mix(colour, look.theme.plot, min(0.7, 1.6 * look.gradient))
    stops = [{"offset": 0, "color": css(colour)}, {"offset": 1, "color": css(far)}]
    x, y = (1, 0) if look.horizontal else (0, 1)
    return {"type": "linear", "x": x, "y": 0, "x2": 0, "y2": y, "colorStops": stops}


def _corners(bar: barred.Bar, look: Look) -> list[int]:
    radius = look.rounded
    if look.horizontal:
        return [radius, 0, 0, radius] if bar.down else [0, radius, radius, 0]
    return [0, 0, radius, radius] if bar.down else [radius, radius, 0, 0]


def _decal(kind: str, colour: Colour) -> dict[str, Any]:
    if kind == ".":
        style = {"symbol": "circle", "dashArrayX": [[4, 4], [0, 4, 4, 0]], "dashArrayY": [4, 4], "symbolSize": 0.6}
    else:
        style = {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 5], "symbolSize": 1}
    return {**style, "color": f"rgba({colour[0]},{colour[1]},{colour[2]},0.45)", "rotation": _TURNS[kind]}


def _reach(plot: Plot, axis: Axis, series: Any, category: int) -> float:
    """Return how many pixels an error bar reaches beyond its bar."""
    value = series.values[category]
    if not series.errors or value is None:
        return 0.0
    far = value + (-1 if value < 0 else 1) * series.errors[category]
    return abs(plot.at(far, axis) - plot.at(value, axis))


def _upright(bars: list[barred.Bar], look: Look, plan: Plan, plot: Plot) -> bool:
    """Whether values are wider than their bars (those of single bars, than their categories' room)."""
    face = (look.bold if look.value_bold else look.font, look.value_size)
    widest = max((measure(*face, plan.written[bar.series][bar.category] or "") for bar in bars), default=0)
    single = len({bar.series for bar in bars}) == 1
    return widest + 3 > (plot.slot if single else min(bar.right - bar.left for bar in bars))


def _bar_label(bar: barred.Bar, look: Look, plan: Plan, how: tuple[bool, bool], reach: float) -> dict[str, Any]:
    """Return where a bar's value stands; ``how`` says whether bars are stacked, and whether values run upwards."""
    stacked, upright = how
    face = (look.bold if look.value_bold else look.font, look.value_size)
    text = plan.written[bar.series][bar.category] or ""
    wide, tall = measure(*face, text), cap(*face)
    fits = wide + 6 <= bar.right - bar.left and tall + 5 <= bar.bottom - bar.top
    if stacked and not fits:
        raise DoesNotFitError(reasons.NO_ROOM)
    fill = look.point_colours[bar.category] if look.point_colours else look.palette[bar.series]
    if fits and (stacked or look.value_place != "outside"):
        inner = {(False, False): "insideTop", (False, True): "insideBottom", (True, False): "insideRight",
                 (True, True): "insideLeft"}[(look.horizontal, bar.down)]  # fmt: skip
        centred = stacked or look.value_place == "centre"
        # A shaded bar is lighter towards its foot: the halo keeps the number readable anywhere.
        halo = {"textBorderColor": css(fill), "textBorderWidth": 2} if look.gradient or look.hatches else {}
        return {"position": "inside" if centred else inner, "color": css(contrast(fill)), **halo}
    if look.horizontal:
        shift = -reach if bar.down else reach
        return {"position": "left" if bar.down else "right", "offset": [shift, 0]}
    turned: dict[str, Any] = {}
    if upright:
        if tall + 3 > bar.right - bar.left:
            raise DoesNotFitError(reasons.VALUES)
        turned = {"rotate": 90, "align": "right" if bar.down else "left", "verticalAlign": "middle"}
    return {"position": "bottom" if bar.down else "top", "offset": [0, reach if bar.down else -reach], **turned}


def _errors(data: ChartData, number: int, look: Look, axis: Axis, colour: Colour, shift: float) -> dict[str, Any]:
    series = data.series[number]
    items = []
    for category, (value, error) in enumerate(zip(series.values, series.errors, strict=True)):
        if value is not None:
            low, high = max(value - error, axis.low), min(value + error, axis.high)
            items.append([category, scaled(low, axis), scaled(high, axis)])
    if look.horizontal:
        items = [[place, low, high] for place, low, high in items]
    encode = {"x": [1, 2], "y": 0} if look.horizontal else {"x": 0, "y": [1, 2]}
    return {
        "type": "custom", "data": items, "cap": look.error_cap, "stroke": css(colour), "lying": look.horizontal,
        "shift": shift, "encode": encode, "z": 5, "yAxisIndex": int(series.right),
    }  # fmt: skip


def line_series(
    data: ChartData, look: Look, plan: Plan, plot: Plot, boxes: list[tuple[int, int, int, int]]
) -> list[dict[str, Any]]:  # fmt: skip
    """Return series of lines, steps and areas, and their error bars; ``boxes`` takes the markers' boxes.

    Raises:
        DoesNotFitError: lines coincide, or their values have no room.
    """
    courses = lined.lay_lines(plot, data, plan)
    sides = _sides(data, look, plan, plot, courses, boxes) if plan.written else {}
    ends = look.legend == "ends" and bool(plan.names)
    made: list[dict[str, Any]] = []
    extra: list[dict[str, Any]] = []
    for course in courses:
        number, axis = course.series, course.axis
        series, colour = data.series[number], look.palette[number]
        area = series.mark == "area"
        solid = area and data.stacking != "none" and look.area_alpha > 0.9
        shape = look.markers[number] if look.markers and not area else ""
        symbol, turn = SYMBOLS[shape or "circle"]
        values = _values(data, number)
        items: list[Any] = []
        for index, value in enumerate(values):
            if value is None:
                items.append(0 if area and data.stacking != "none" else MISSING)
                continue
            item: dict[str, Any] = {"value": scaled(value, axis)}
            around = [values[at] if 0 <= at < len(values) else None for at in (index - 1, index + 1)]
            if not shape and around == [None, None]:
                item |= {"symbol": "circle", "symbolSize": 2 * look.marker_size}
            if (number, index) in sides:
                item["label"] = {"position": sides[number, index]}
            items.append(item)
        hollow = look.hollow and shape in ("circle", "square", "diamond", "triangle", "down")
        inside = look.theme.plot if hollow else colour
        one: dict[str, Any] = {
            "type": "line", "name": plan.names[number] if plan.names else series.name, "data": items, "z": 3,
            "symbol": symbol if shape else "none", "symbolRotate": turn, "symbolSize": 2 * look.marker_size,
            "showAllSymbol": True, "yAxisIndex": int(series.right), "connectNulls": False, "clip": not shape,
            "itemStyle": {"color": css(inside), "borderColor": css(colour), "borderWidth": 1.5 if hollow else 0},
            "lineStyle": plain({"color": css(look.outline or look.theme.plot) if solid else css(colour),
                                "width": look.line_width, "type": DASHES[look.dashes[number]]}),
        }  # fmt: skip
        if look.smooth and series.mark != "step":
            one |= {"smooth": 0.35, "smoothMonotone": "x"}
        if series.mark == "step":
            one["step"] = "middle"
        if area:
            one["areaStyle"] = {"color": _shade(colour, look, data), "opacity": look.area_alpha}
            one["itemStyle"]["color"] = css(colour)
            if data.stacking != "none":
                one["stack"] = "all"
        if plan.written:
            texts = [text or "" for text in plan.written[number]]
            ink = look.theme.ink if len(courses) == 1 else mix(colour, look.theme.ink, 0.35)
            halo = {} if area else {"text_border_color": css(look.theme.plot), "text_border_width": 2}
            one["label"] = label(look, ink, texts, position="top", distance=DISTANCE, **halo)
        if ends:
            style = text_style(look.bold, look.size, mix(colour, look.theme.ink, 0.35))
            one |= {"endLabel": {"show": True, "formatter": "{a}", "distance": 6, **style},
                    "labelLayout": {"moveOverlap": "shiftY"}, "clip": False}  # fmt: skip
        made.append(one)
        if series.errors:
            extra.append(_errors(data, number, look, axis, colour, 0.0))
    return made + extra


def _shade(colour: Colour, look: Look, data: ChartData) -> Any:
    """Return an area's fill; one that stands alone often fades to its foot."""
    if len(data.series) > 1 or dice(look, 8)[7] < 0.5:
        return css(colour)
    stops = [{"offset": 0, "color": css(colour)}, {"offset": 1, "color": css(mix(colour, look.theme.plot, 0.85))}]
    return {"type": "linear", "x": 0, "y": 0, "x2": 0, "y2": 1, "colorStops": stops}


def _sides(
    data: ChartData, look: Look, plan: Plan, plot: Plot, courses: list[lined.Course],
    boxes: list[tuple[int, int, int, int]],
) -> dict[tuple[int, int], str]:  # fmt: skip
    """Return on which side of its point each value stands, as our own renderer would place them."""
    sketch = Sketch(look.width, look.height, look.theme.paper)
    lined.claim_markers(sketch, courses, data, look)
    if look.markers:
        boxes += [(x1 + 1, y1 + 1, x2 - 1, y2 - 1) for x1, y1, x2, y2 in sketch.boxes]
    lined.label_lines(sketch, plot, courses, look, plan)
    words = iter(sketch.words)
    sides: dict[tuple[int, int], str] = {}
    for course in courses:
        for index, (text, place) in enumerate(zip(plan.written[course.series], course.places, strict=True)):
            if text and place is not None:
                sides[course.series, index] = "top" if next(words).y < place[1] else "bottom"
    return sides


def point_series(
    data: ChartData, look: Look, plan: Plan, plot: Plot, boxes: list[tuple[int, int, int, int]]
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the series of a scatter chart; ``boxes`` takes the markers' boxes.

    Raises:
        DoesNotFitError: points hide each other, or a name has no room.
    """
    sketch = Sketch(look.width, look.height, look.theme.paper)
    places = lay_points(sketch, plot, data, look, plan)
    boxes += sketch.boxes[-len(places) :]
    shape = look.markers[0] if look.markers else "circle"
    symbol, turn = SYMBOLS[shape]
    radius, tall = look.marker_size, cap(look.font, look.value_size)
    items = []
    for (x, y), words, across, up in zip(
        places, sketch.words, data.series[0].known, data.series[1].known, strict=True
    ):  # fmt: skip
        align = {0.0: "left", 0.5: "center", 1.0: "right"}[words.across]
        position = [words.x - x + radius, words.y - tall / 2 - y + radius]
        items.append({"value": [across, up], "label": {"position": position, "align": align}})
    colour = look.palette[0]
    hollow = look.hollow and shape not in ("cross", "plus")
    style = {"color": css(look.theme.plot if hollow else colour), "borderColor": css(colour)}
    style |= {"borderWidth": 1.5 if hollow else 0, "opacity": 1}  # type: ignore[dict-item]
    one = {
        "type": "scatter", "data": items, "symbol": symbol, "symbolRotate": turn, "symbolSize": 2 * radius, "z": 3,
        "itemStyle": style, "label": label(look, look.theme.ink, list(plan.categories), vertical_align="middle"),
    }  # fmt: skip
    one["label"]["fontFamily"] = look.font  # type: ignore[index]
    return [one]
