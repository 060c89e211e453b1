"""Charts: bars, lines, areas, pies, scatter and composites of plausible data in many languages, as HTML tables."""

import numpy as np

from datagen.charts import content
from datagen.charts.data import ChartData
from datagen.charts.drawing import render
from datagen.charts.settings import EASY, MIDDLE, STANDARD, ChartSettings
from datagen.charts.verify import verify
from datagen.family import Family


def compose(rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    """Draw what a chart says.

    Raises:
        Rejected: the slices of an easy pie would be too thin.
    """
    return content.compose(rng, settings.content)


FAMILY = Family(
    "charts",
    "figure",
    compose,
    render,
    {"easy": EASY, "middle": MIDDLE, "standard": STANDARD},
    verify=verify,
    sources={
        "words, names and numbers of charts": "our own",
        "Apache ECharts 5.5.1 (vizly), where charts.echarts is above 0": "Apache-2.0",
    },
)
