"""Drawing of a chart: a look, a renderer, repairs where something has no room, and the label of what was drawn."""

import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from datagen import fonts
from datagen.charts import reasons
from datagen.charts.axis import Axis
from datagen.charts.data import ChartData
from datagen.charts.look import Look, draw_look
from datagen.charts.plan import DoesNotFitError, Plan, make_plan
from datagen.charts.repair import MAX_ATTEMPTS, repair
from datagen.charts.settings import ChartSettings
from datagen.family import Drawn, Rejected

Draw = Callable[[ChartData, Look, Plan], np.ndarray]


def render(data: ChartData, rng: np.random.Generator, settings: ChartSettings) -> Drawn:
    """Draw the chart; where something has no room, the look is repaired and the chart drawn again.

    Raises:
        Rejected: there is no way to draw everything that the label says; one of `datagen.charts.reasons`.
        UserError: the settings ask for ECharts, whose extra is not installed.
    """
    look = draw_look(data, rng, settings)
    name = choose_renderer(float(rng.random()), settings)
    draw = _renderer(name)
    if name != "own" and not _drawable(data, look):  # our own renderer looks at each glyph anyway
        raise Rejected(reasons.UNDRAWABLE)
    repairs: dict[str, int] = {}
    attempt: Look | None = look
    while attempt is not None:
        look = attempt
        plan = make_plan(data, look)
        try:
            image = draw(data, look, plan)
        except DoesNotFitError as error:
            reason = str(error)
            repairs[reason] = repairs.get(reason, 0) + 1
            attempt = None if sum(repairs.values()) == MAX_ATTEMPTS or settings.simple else repair(data, look, reason)
        else:
            return Drawn(image, plan.label, _meta(data, look, plan, name, repairs))
    raise Rejected(reason)


def choose_renderer(draw: float, settings: ChartSettings) -> str:
    """Return the name of a renderer: "own", "matplotlib" or "echarts".

    The settings alone decide, never what happens to be installed: the same seed must give the same bytes everywhere.
    So a set that asks for ECharts (`ChartSettings.echarts` above 0) fails where its extra is missing.

    Args:
        draw: a random number from 0 to 1.
        settings: the shares.
    """
    if draw < settings.matplotlib:
        return "matplotlib"
    return "echarts" if draw < settings.matplotlib + settings.echarts else "own"


#: Modules with a function ``draw(data, look, plan)``; the slow ones are imported when they are first asked for.
_RENDERERS = {
    "own": "datagen.charts.own.renderer",
    "matplotlib": "datagen.charts.matplotlib_renderer",
    "echarts": "datagen.charts.echarts",
}


@functools.cache
def _renderer(name: str) -> Draw:
    draw: Draw = importlib.import_module(_RENDERERS[name]).draw
    return draw


def _drawable(data: ChartData, look: Look) -> bool:
    """Whether the look's faces have all characters of the chart's texts."""
    texts = [data.title, data.subtitle, data.source, data.note, data.x_title, data.y_title, data.y2_title]
    texts += data.categories
    for series in data.series:
        form = series.form
        texts += (series.name, form.prefix, form.suffix, form.group, form.decimal)
    text = "".join(texts)
    return fonts.covers(look.font, text) and (look.bold == look.font or fonts.covers(look.bold, text))


def _meta(data: ChartData, look: Look, plan: Plan, renderer: str, repairs: dict[str, int]) -> dict[str, Any]:
    """Return what is known about the picture besides its label; all of it survives JSON."""
    sizes = [look.size]
    if plan.subtitle or plan.source or plan.note:
        sizes.append(look.small)
    if plan.written or data.kind == "scatter":
        sizes.append(look.value_size)
    return {
        "type": data.kind,
        "stacking": data.stacking,
        "renderer": renderer,
        "language": data.language,
        "theme": look.theme.name,
        "title": plan.title,
        "categories": list(data.categories),
        "series": [series.name for series in data.series],
        "values": [list(series.values) for series in data.series],
        "axes": {
            name: _range(axis)
            for name, axis in (("value", plan.value), ("second", plan.second), ("x", plan.x))
            if axis is not None
        },
        "right": [series.right for series in data.series],
        "horizontal": look.horizontal,
        "value_labels": bool(plan.written),
        "drawn": [list(texts) for texts in plan.drawn],
        "font": look.font,
        "smallest_text": min(sizes),
        "repairs": repairs,
    }


def _range(axis: Axis) -> dict[str, Any]:
    return {"low": axis.low, "high": axis.high, "log": axis.log}
