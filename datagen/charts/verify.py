"""The family's own check of a sample: the label against what was drawn and against the true values."""

from typing import Any

import numpy as np

from datagen.charts.axis import RECOVERABLE
from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.answers.tables import parse_table

#: A value read off a logarithmic axis to two significant digits is off by this share at most.
LOG_ERROR = 0.051


def verify(image: np.ndarray, label: str, meta: dict[str, Any]) -> list[str]:
    """Return what is wrong with a chart, one line for each problem; empty if nothing is.

    Args:
        image: uint8 ``[height, width]`` or ``[height, width, 3]``, as rendered.
        label: the table.
        meta: as `datagen.charts.drawing.render` writes it.
    """
    try:
        rows = parse_table(label).rows
    except AnswerError as error:
        return [f"the label is no table: {error}"]
    problems = []
    if image.std() < 1:
        problems.append("the picture is empty")
    categories, values = meta["categories"], meta["values"]
    if [row[0] for row in rows[1:]] != categories or rows[0][0]:
        return [*problems, "the label's rows are not the chart's categories"]
    if len(rows[0]) != len(values) + 1:
        return [*problems, "the label's columns are not the chart's series"]
    columns = [list(column) for column in zip(*rows[1:], strict=True)][1:]
    if meta["drawn"]:
        for number, (texts, column) in enumerate(zip(meta["drawn"], columns, strict=True)):
            if texts != [cell for cell in column if cell]:
                problems.append(f"the cells of column {number + 1} are not the values that are written")
    for number, (column, known) in enumerate(zip(columns, values, strict=True)):
        if [cell == "" for cell in column] != [value is None for value in known]:
            problems.append(f"the empty cells of column {number + 1} are not the missing values")
        elif not meta["drawn"]:
            problems += _read_off(number, column, meta)
    return problems


def _read_off(number: int, column: list[str], meta: dict[str, Any]) -> list[str]:
    """Return problems of a column of values that were read off an axis."""
    values, axes = meta["values"], meta["axes"]
    name = "x" if "x" in axes and number == 0 else "second" if meta["right"][number] and "second" in axes else "value"
    axis = axes[name]
    problems = []
    for row, (cell, true) in enumerate(zip(column, values[number], strict=True)):
        if true is None:
            continue
        value = true
        if meta["stacking"] == "percent":
            value = 100 * true / sum(one[row] for one in values if one[row] is not None)
        # Half of the greatest step that 1/50 of the range is snapped to, which is less than 1.6 of it.
        allowed = LOG_ERROR * abs(value) if axis["log"] else 0.8 * (axis["high"] - axis["low"]) / RECOVERABLE
        try:
            read = float(cell)
        except ValueError:
            problems.append(f"cell {row + 1} of column {number + 1} is no number")
            continue
        if abs(read - value) > allowed * (1 + 1e-6):
            problems.append(f"cell {row + 1} of column {number + 1} is too far from the true value")
    return problems
