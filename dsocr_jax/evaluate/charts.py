"""Metrics of chart tables: RMS (DePlot), SCRM (StructChart, OneChart), cell and number accuracy.

Every function takes parsed tables: the first row names the series, the first column the categories.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from dsocr_jax.answers.tables import Table

#: A table with more values than this is not compared (the assignment grows with the cube); no chart has as many.
MAX_VALUES = 1000
#: RMS: names further apart than this do not pair, numbers further off than this score nothing.
RMS_NAME_LIMIT, RMS_NUMBER_LIMIT = 0.5, 0.1
#: Keeps a quotient such as 1.05 / 1.0 - 1, which is not 0.05 in floating point, on the side it belongs to.
SLACK = 1e-9
#: Thresholds of similarity over which mAP is the mean, in hundredths.
MAP_THRESHOLDS = range(50, 100, 5)
#: A number counts as read if it is off by no more than this share of its axis.
AXIS_TOLERANCE = 0.05

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?%?", re.ASCII)
_NOT_NUMBER = re.compile(r"[^0-9.\-]")
_PLAIN_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_RIGHT_AXIS = re.compile(r"[(（](?:right axis|右轴)[)）]$", re.IGNORECASE)


@dataclass(frozen=True)
class Tolerance:
    """How exact SCRM is: most edits in a name, largest relative error of a number."""

    edits: int
    error: float


STRICT, SLIGHT, HIGH = Tolerance(0, 0.0), Tolerance(2, 0.05), Tolerance(5, 0.1)
TOLERANCES = {"strict": STRICT, "slight": SLIGHT, "high": HIGH}


@dataclass(frozen=True)
class Value:
    """One cell inside a table: lower-case names of its row and column, its text, and the column as written."""

    name: str
    text: str
    column: str


def values(table: Table) -> list[Value]:
    """Return the cells inside a table, header row and first column apart, row by row."""
    header = table.rows[0]
    return [
        Value(f"{row[0]} {column}".lower().strip(), text.strip(), column.strip())
        for row in table.rows[1:]
        for column, text in zip(header[1:], row[1:], strict=True)
    ]


def too_large(table: Table) -> bool:
    """Whether a table has more values than are compared."""
    rows, columns = table.shape
    return (rows - 1) * (columns - 1) > MAX_VALUES


def rms(prediction: Table, truth: Table) -> float:
    """Relative mapping similarity of one chart, an F1 between 0 and 1.

    Values are paired by the names of row and column so that the names agree best; a pair scores the agreement of the
    names times that of the values (numbers by relative error, other text by edit distance). The transposed prediction
    is tried too, the better one counts.
    """
    return max(_rms(prediction, truth), _rms(Table(tuple(zip(*prediction.rows, strict=True))), truth))


def scrm_counts(prediction: Table, truth: Table, tolerance: Tolerance) -> tuple[int, int]:
    """Return (matched, in either) of the values of one chart; their quotient is its SCRM similarity.

    Two values match if their joined names differ by no more than ``tolerance.edits`` edits, or one name contains the
    other, and the relative error of the number is no more than ``tolerance.error``. Everything but digits, dot and
    minus is stripped from a number; values that hold none match if they are the same text; empty ones are left out.
    """
    predicted = [(value, stripped_number(value.text)) for value in values(prediction) if value.text]
    true = [(value, stripped_number(value.text)) for value in values(truth) if value.text]
    pairs = np.array([[_scrm_match(p, t, tolerance) for t in true] for p in predicted], np.int8)
    matched = int(pairs[linear_sum_assignment(pairs, maximize=True)].sum()) if pairs.size else 0
    return matched, len(predicted) + len(true) - matched


def average_precision(counts: Sequence[tuple[int, int]], threshold: int) -> float:
    """Share of charts whose similarity is at least ``threshold`` hundredths; exact in integers.

    Args:
        counts: (matched, in either) of each chart, as `scrm_counts` gives; (0, 0) is a similarity of 1.
        threshold: in hundredths.
    """
    return sum(100 * matched >= threshold * either for matched, either in counts) / len(counts)


def mean_average_precision(counts: Sequence[tuple[int, int]]) -> float:
    """Mean of `average_precision` over the thresholds 0.50, 0.55, ..., 0.95."""
    return sum(average_precision(counts, threshold) for threshold in MAP_THRESHOLDS) / len(MAP_THRESHOLDS)


def cell_accuracy(prediction: Table, truth: Table) -> float:
    """Share of places, in either table, where both have a cell with the same text; headers count."""
    (h, w), (rows, columns) = prediction.shape, truth.shape
    same = sum(
        p == t
        for predicted, true in zip(prediction.rows, truth.rows, strict=False)
        for p, t in zip(predicted, true, strict=False)
    )
    return same / (h * w + rows * columns - min(h, rows) * min(w, columns))


def number_accuracy(prediction: Table, truth: Table) -> float | None:
    """Share of the truth's numbers that were read within 5 % of their axis range; None if the truth has none.

    Values are paired by their names as in `rms`. The range of an axis is that of the true numbers on it, zero
    included; the columns marked as belonging to the right axis have a range of their own.
    """
    predicted, true = values(prediction), values(truth)
    numbers = [(place, stripped_number(value.text), axis_of(value)) for place, value in enumerate(true)]
    known = [(place, number, axis) for place, number, axis in numbers if number is not None]
    if not known:
        return None
    ranges = {}
    for axis in (False, True):
        on_axis = [0.0, *(number for _, number, side in known if side == axis)]
        ranges[axis] = max(on_axis) - min(on_axis)
    partner = {t: p for p, t, _ in _pair_by_name(predicted, true)}
    right = 0
    for place, number, axis in known:
        read = stripped_number(predicted[partner[place]].text) if place in partner else None
        right += read is not None and abs(read - number) <= AXIS_TOLERANCE * ranges[axis]
    return right / len(known)


def axis_of(value: Value) -> bool:
    """Whether a value stands on the right axis."""
    return bool(_RIGHT_AXIS.search(value.column))


def number(text: str) -> float | None:
    """Return the number a whole text is, ``x%`` as x / 100; None for anything else (``1,200``, ``$5``, ``nan``).

    >>> number("41.5%"), number("1,200")
    (0.415, None)
    """
    if not _NUMBER.fullmatch(text):
        return None
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def stripped_number(text: str) -> float | None:
    """Return the number that digits, dots and minus signs of a text make; None if they make none.

    >>> stripped_number("$1,200.50"), stripped_number("n/a")
    (1200.5, None)
    """
    digits = _NOT_NUMBER.sub("", text)
    return float(digits) if _PLAIN_NUMBER.fullmatch(digits) else None


def _rms(prediction: Table, truth: Table) -> float:
    predicted = list({value.name: value for value in values(prediction)}.values())
    true = list({value.name: value for value in values(truth)}.values())
    if not predicted or not true:
        return float(not predicted and not true)
    score = sum(s * _value_similarity(predicted[p].text, true[t].text) for p, t, s in _pair_by_name(predicted, true))
    # The harmonic mean of score / predicted and score / true.
    return 2 * score / (len(predicted) + len(true))


def _pair_by_name(predicted: Sequence[Value], true: Sequence[Value]) -> list[tuple[int, int, float]]:
    """Return (predicted, true, similarity) of the best assignment, pairs without any similarity left out."""
    if not predicted or not true:
        return []
    names = [value.name for value in predicted], [value.name for value in true]
    distance = cdist(*names, scorer=Levenshtein.normalized_distance, dtype=np.float64)
    similarity = np.where(distance >= RMS_NAME_LIMIT, 0.0, 1 - distance)
    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return [(int(p), int(t), float(similarity[p, t])) for p, t in zip(rows, columns, strict=True) if similarity[p, t]]


def _value_similarity(prediction: str, truth: str) -> float:
    p, t = number(prediction), number(truth)
    if p is None or t is None:
        distance = Levenshtein.normalized_distance(prediction.lower(), truth.lower())
        limit = RMS_NAME_LIMIT
    else:
        distance, limit = relative_error(p, t), RMS_NUMBER_LIMIT
    return 0.0 if distance >= limit - SLACK else 1 - distance


def relative_error(prediction: float, truth: float) -> float:
    """Return |p - t| / |t|, at most 1; a true zero is met by zero alone."""
    return min(1.0, abs(prediction - truth) / abs(truth)) if truth else float(prediction != truth)


def _scrm_match(
    prediction: tuple[Value, float | None], truth: tuple[Value, float | None], tolerance: Tolerance
) -> bool:
    (p, p_number), (t, t_number) = prediction, truth
    if p_number is None or t_number is None:
        if p_number is not t_number or p.text.lower() != t.text.lower():
            return False
    elif relative_error(p_number, t_number) > tolerance.error + SLACK:
        return False
    short, long = sorted((p.name, t.name), key=len)
    if short and short in long:
        return True
    return bool(Levenshtein.distance(short, long, score_cutoff=tolerance.edits) <= tolerance.edits)
