"""Small charts and looks for tests."""

import dataclasses
from typing import Any

import numpy as np

from datagen.charts.data import ChartData, NumberFormat, Series
from datagen.charts.look import Look, draw_look
from datagen.charts.settings import STANDARD, ChartSettings

#: Drawn by our own renderer alone, so that a test does not depend on another one.
OWN = dataclasses.replace(STANDARD, matplotlib=0.0, echarts=0.0)
PLAIN: dict[str, Any] = {
    "title": False, "subtitle": False, "source": False, "note": False, "legend": "none", "grid": "none",
    "spines": "none", "tick_marks": "none", "bands": False, "value_axis": True, "value_side": "left",
    "value_title": "none", "category_title": False, "category_angle": 0, "value_labels": False, "value_bold": False,
    "horizontal": False, "bar_gap": 0.0, "outline": None, "rounded": 0, "gradient": 0.0, "hatches": (),
    "point_colours": (), "markers": (), "smooth": False, "edge_points": False, "hole": 0.0, "start_angle": 0.0,
    "clockwise": True, "explode": -1, "slice_edge": 0.0, "slice_names": "legend", "slice_texts": "value",
    "slice_place": "outside", "accent": "none", "frame": False, "width": 640, "height": 480, "ticks": 5,
    "tick_units": False, "from_zero": True,
}  # fmt: skip

BLUE, RED, GREEN = (0, 0, 255), (255, 0, 0), (0, 128, 0)
COLOURS = (BLUE, RED, GREEN)


def runs(image: np.ndarray, colour: tuple[int, int, int], axis: int) -> list[int]:
    """Return the lengths of the bars of one colour, in order."""
    lengths = (image == colour).all(-1).sum(axis)
    groups = np.split(lengths, np.nonzero(np.diff((lengths > 0).astype(int)))[0] + 1)
    return [int(group.max()) for group in groups if group.max() > 0]


def chart(kind: str = "bar", *columns: tuple[float | None, ...], **changes: Any) -> ChartData:
    """Return a chart of columns of values; one column has no name."""
    columns = columns or ((3.0, 1.0, 2.0),)
    mark: Any = {"pie": "slice", "composite": "bar", "scatter": "point"}.get(kind, kind)
    series = tuple(
        Series(f"S{number}" if len(columns) > 1 else "", column, mark, NumberFormat())
        for number, column in enumerate(columns)
    )
    series = changes.pop("series", series)
    names = tuple(f"Name {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(series[0].values)])
    plain = ChartData(kind, "en", names, series, title="The title", x_title="Letter", y_title="Orders")
    return dataclasses.replace(plain, **changes)


def look(data: ChartData, settings: ChartSettings = OWN, **changes: Any) -> Look:
    """Return a plain look: nothing but the plot, ticks and names, in the plain theme."""
    drawn = draw_look(data, np.random.default_rng(5), dataclasses.replace(settings, themed=0.0))
    return dataclasses.replace(drawn, **{**PLAIN, **changes})
