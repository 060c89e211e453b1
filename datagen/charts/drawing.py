"""Drawing of a chart: a style, one of the two renderers, and the label that says what was drawn."""

from dataclasses import replace
from typing import Any

import numpy as np

from datagen.charts.answer import cartesian_label, legend_names, pie_label
from datagen.charts.canvas import Canvas, DoesNotFitError
from datagen.charts.cartesian import draw_cartesian
from datagen.charts.compose import ChartData
from datagen.charts.pie import draw_pie
from datagen.charts.settings import ChartSettings
from datagen.charts.style import Style, draw_style
from datagen.family import Drawn, Rejected


def render(data: ChartData, rng: np.random.Generator, settings: ChartSettings) -> Drawn:
    """Draw the chart; where labels of values have no room, it is drawn without them.

    Raises:
        Rejected: some other text has no room.
    """
    style = draw_style(data, rng, settings)
    if rng.random() < settings.matplotlib:
        from datagen.charts.matplotlib_renderer import draw as draw_matplotlib

        renderer, draw = "matplotlib", draw_matplotlib
    else:
        renderer, draw = "own", draw_own
    for attempt in (style, replace(style, value_labels=False)):
        try:
            image, label, details = draw(data, attempt)
        except DoesNotFitError as error:
            reason = str(error)
            if data.kind == "pie" or settings.simple or not attempt.value_labels:
                break
        else:
            meta = {
                "type": data.kind,
                "renderer": renderer,
                "title": data.title if style.title else "",
                "categories": list(data.categories),
                "series": [series.name for series in data.series],
                "values": [list(series.values) for series in data.series],
                "value_labels": attempt.value_labels or data.kind == "pie",
                **details,
            }
            return Drawn(image, label, meta)
    raise Rejected(reason)


def draw_own(data: ChartData, style: Style) -> tuple[np.ndarray, str, dict[str, Any]]:
    """Return picture, label and details of a chart drawn by our own renderer.

    Raises:
        DoesNotFitError: some text has no room.
    """
    canvas = Canvas(style.width, style.height, style.theme.paper)
    if data.kind == "pie":
        draw_pie(canvas, data, style)
        return canvas.array(), pie_label(data, style), {}
    axes = draw_cartesian(canvas, data, style, legend_names(data, style))
    ranges = [[axis.low, axis.high] for axis in axes]
    return canvas.array(), cartesian_label(data, style, axes), {"axes": ranges, "horizontal": style.horizontal}
