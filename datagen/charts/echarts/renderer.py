"""A chart drawn by ECharts: options, SVG, checks of its texts, and pixels."""

from typing import Any

import cv2
import numpy as np

from datagen.charts import outlines, reasons
from datagen.charts.data import ChartData
from datagen.charts.echarts.axes import lay_axes
from datagen.charts.echarts.engine import ENGINE
from datagen.charts.echarts.frame import Frame, lay_frame
from datagen.charts.echarts.pie import Pie, check_inside, pie_series
from datagen.charts.echarts.series import bar_series, line_series, point_series
from datagen.charts.echarts.styles import SHARE, STYLES, css
from datagen.charts.echarts.texts import check, lines_of, outlined
from datagen.charts.look import Look
from datagen.charts.manners import dress
from datagen.charts.own.lines import ends_width
from datagen.charts.own.page import Page
from datagen.charts.own.shapes import outline, rectangle
from datagen.charts.plan import DoesNotFitError, Plan
from dsocr_jax.errors import UserError


def draw(data: ChartData, look: Look, plan: Plan) -> np.ndarray:
    """Return the picture of a chart, uint8 ``[height, width, 3]``.

    Raises:
        DoesNotFitError: a text has no room, or something drawn could not be seen.
        UserError: the extra ``echarts`` is not installed.
    """
    look, _ = dress(look, data, STYLES, SHARE)
    wanted = len(data.categories) if data.kind == "pie" else 1 if data.kind == "scatter" else len(data.series)
    if len(look.palette) < wanted:
        raise DoesNotFitError(reasons.COLOURS)
    entries = plan.categories if data.kind == "pie" and look.slice_names == "legend" else plan.names
    frame = lay_frame(look, plan, () if look.legend in ("ends", "none") else entries)
    marks: list[tuple[int, int, int, int]] = []
    options, pie = _options(frame, data, look, plan, marks)
    svg = ENGINE.svg(options, look.width, look.height, _widths(frame, look))
    lines = lines_of(svg)
    check(lines, frame.expected, Page(look.width, look.height, look.theme.paper), marks)
    if pie is not None:
        check_inside(pie, lines, look, plan)
    return _pixels(outlined(svg, lines), look)


def _options(
    frame: Frame, data: ChartData, look: Look, plan: Plan, marks: list[tuple[int, int, int, int]]
) -> tuple[dict[str, Any], Pie | None]:  # fmt: skip
    theme, pie = look.theme, None
    options: dict[str, Any] = {"animation": False, "backgroundColor": css(theme.paper), "legend": frame.legend}
    if data.kind == "pie":
        options["series"], pie = pie_series(frame, data, look, plan)
    else:
        if look.legend == "ends" and plan.names:
            frame.room.right -= ends_width(look, plan)
            frame.expected += [(name, reasons.LEGEND) for name in plan.names]
        grid = lay_axes(frame, look, plan)
        options |= grid.options
        kinds = {series.mark for series in data.series}
        if data.kind == "scatter":
            series = point_series(data, look, plan, grid.plot, marks)
            frame.expected += [(name, reasons.POINTS) for name in plan.categories]
        else:
            series = bar_series(data, look, plan, grid.plot) if "bar" in kinds else []
            series += line_series(data, look, plan, grid.plot, marks) if kinds - {"bar"} else []
        frame.expected += [(text, reasons.VALUES) for texts in plan.written for text in texts if text]
        options["series"] = series
    options["title"] = frame.titles
    options["color"] = [css(colour) for colour in look.palette]
    return options, pie


def _widths(frame: Frame, look: Look) -> dict[str, dict[str, float]]:
    """Return the advances of all characters that are written, by face; ECharts takes a line's height from one more."""
    characters = {character for text, _ in frame.expected for character in text} - {"\n"}
    tables = {}
    for face in {look.font, look.bold}:
        tables[face] = {character: outlines.glyph(face, character).advance for character in sorted(characters)}
        tables[face]["国"] = 1.0
    return {face: tables[face] for face in sorted(tables)}


def _pixels(svg: str, look: Look) -> np.ndarray:
    try:
        import resvg_py
    except ImportError:
        raise UserError("charts by ECharts need resvg_py; run `pip install 'dsocr-jax[echarts]'`.") from None

    encoded = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, background=css(look.theme.paper))
    image = np.asarray(cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR_RGB))
    accent = max(3, look.size // 4)
    if look.accent == "bar":
        rectangle(image, look.pad, 0, look.pad + 3 * look.size, accent, look.theme.accent)
    elif look.accent == "rule":
        rectangle(image, 0, 0, look.width, max(2, accent - 1), look.theme.accent)
    if look.frame:
        outline(image, 0, 0, look.width, look.height, look.theme.grid)
    return image
