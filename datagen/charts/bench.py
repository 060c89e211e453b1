"""What `dsocr-data bench` times of the charts family: each case makes one picture when called."""

import contextlib
import dataclasses
import importlib.util
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from datagen import png
from datagen.charts import FAMILY
from datagen.family import Rejected


def bench_cases() -> dict[str, Callable[[], object]]:
    """Return name → a function that makes one chart: composed, planned, drawn and encoded, rejected draws included.

    Every call takes the next chart of an endless row, so no picture is made twice.
    """
    standard = FAMILY.settings["standard"]
    own = dataclasses.replace(standard, matplotlib=0.0, echarts=0.0)
    cases = {
        "charts own PNG by isal": _maker(own),
        "charts default mixture": _maker(standard),
        "charts easy PNG by isal": _maker(FAMILY.settings["easy"]),
    }
    cases["matplotlib style PNG"] = _maker(dataclasses.replace(standard, matplotlib=1.0, echarts=0.0))
    if all(importlib.util.find_spec(name) for name in ("py_mini_racer", "pyecharts", "resvg_py", "vizly")):
        cases["ECharts PNG"] = _maker(dataclasses.replace(standard, matplotlib=0.0, echarts=1.0))
    return cases


def _maker(settings: Any) -> Callable[[], object]:
    seeds = itertools.count()

    def make() -> bytes:
        while True:
            rng = np.random.default_rng(next(seeds))
            with contextlib.suppress(Rejected):
                return png.encode(FAMILY.render(FAMILY.compose(rng, settings), rng, settings).image)

    return make
