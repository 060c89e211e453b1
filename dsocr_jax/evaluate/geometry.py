"""Metrics of geometry figures: segments by overlap (Slow Perception), line types, labelled points, circles."""

import math
from collections.abc import Sequence

from dsocr_jax.answers.figure_rules import merge_all
from dsocr_jax.answers.geometry import Circle, Figure, Segment

#: Overlap above which a segment counts as found.
THRESHOLDS = (0.75, 0.9)
#: Segments shorter than this are "short", in label units.
SHORT_BELOW = 8.0
#: By how much a projection without extent is widened each way, in the fixed form of the metric.
WIDENING = 0.1
#: How far a labelled point or a centre may be off, in label units, and a radius, as a share of the true one.
POINT_TOLERANCE, RADIUS_TOLERANCE = 0.5, 0.1
#: Keeps sums such as 0.1 + 0.4 on the side of a limit they belong to.
SLACK = 1e-9

Interval = tuple[float, float]


def merge_segments(segments: Sequence[Segment]) -> list[Segment]:
    """Merge collinear touching segments of the same line type, in order of their ends."""
    merged: list[Segment] = []
    for dashed in (False, True):
        pairs = [(s.start, s.end) for s in segments if s.dashed == dashed]
        # A segment without length has no direction to merge along; it stays, and will count as wrong.
        points = [pair for pair in pairs if pair[0] == pair[1]]
        merged += [Segment(*pair, dashed) for pair in merge_all([p for p in pairs if p[0] != p[1]]) + points]
    return sorted(merged, key=lambda s: (s.start, s.end))


def segment_iou(prediction: Segment, truth: Segment, *, fixed: bool) -> float:
    """Return the mean of the overlaps (intersection over union) of the projections on x and y.

    Args:
        prediction: one segment.
        truth: another.
        fixed: widen projections without extent. As released, such a projection has the overlap 0, so that an exactly
            vertical or horizontal segment never gets beyond 0.5.
    """
    overlaps = [_interval_iou(_project(prediction, axis, fixed), _project(truth, axis, fixed)) for axis in (0, 1)]
    return sum(overlaps) / 2


def match_segments(
    predicted: Sequence[Segment], true: Sequence[Segment], threshold: float, *, fixed: bool
) -> list[tuple[int, int]]:
    """Return (predicted, true) indices: each predicted segment in order takes the best true one that is left.

    A pair counts if its overlap is above ``threshold``.
    """
    left, pairs = list(range(len(true))), []
    for number, segment in enumerate(predicted):
        overlaps = [(segment_iou(segment, true[index], fixed=fixed), -index) for index in left]
        overlap, index = max(overlaps, default=(0.0, 0))
        if overlap > threshold:
            left.remove(-index)
            pairs.append((number, -index))
    return pairs


def segment_f1(predicted: Sequence[Segment], true: Sequence[Segment], threshold: float, *, fixed: bool) -> float | None:
    """Return the F1 of one figure's (merged) segments.

    Without segments on both sides it is 0 as released, and None (the figure is left out of the mean) as fixed.
    """
    if not predicted and not true:
        return None if fixed else 0.0
    matched = len(match_segments(predicted, true, threshold, fixed=fixed))
    return 2 * matched / (len(predicted) + len(true))


def length_class(segments: Sequence[Segment], *, short: bool) -> list[Segment]:
    """Return the short or the long segments."""
    return [s for s in segments if (math.dist(s.start, s.end) < SHORT_BELOW) == short]


def line_type_accuracy(predicted: Sequence[Segment], true: Sequence[Segment]) -> float | None:
    """Share of the matched segments (fixed overlap above 0.75) with the right line type; None without matches."""
    pairs = match_segments(predicted, true, THRESHOLDS[0], fixed=True)
    return sum(predicted[p].dashed == true[t].dashed for p, t in pairs) / len(pairs) if pairs else None


def point_accuracy(prediction: Figure, truth: Figure) -> float | None:
    """Share of the true labelled points whose letter stands within 0.5 units; None if the truth has none."""
    places: dict[str, list[tuple[float, float]]] = {}
    for label, point in prediction.points:
        places.setdefault(label, []).append(point)
    near = [
        any(math.dist(place, point) <= POINT_TOLERANCE + SLACK for place in places.get(label, ()))
        for label, point in truth.points
    ]
    return sum(near) / len(near) if near else None


def circle_f1(prediction: Figure, truth: Figure) -> float | None:
    """Return the F1 of circles with centre within 0.5 units and radius within 10 %; None if neither has any.

    Letters do not matter here. Each predicted circle in order takes the true one left whose centre is nearest.
    """
    if not prediction.circles and not truth.circles:
        return None
    left, matched = list(truth.circles), 0
    for circle in prediction.circles:
        fits = [true for true in left if _same_circle(circle, true)]
        if fits:
            left.remove(min(fits, key=lambda true: math.dist(true.center, circle.center)))
            matched += 1
    return 2 * matched / (len(prediction.circles) + len(truth.circles))


def _same_circle(prediction: Circle, truth: Circle) -> bool:
    return (
        math.dist(prediction.center, truth.center) <= POINT_TOLERANCE + SLACK
        and abs(prediction.radius - truth.radius) <= RADIUS_TOLERANCE * truth.radius + SLACK
    )


def _project(segment: Segment, axis: int, fixed: bool) -> Interval:
    low, high = sorted((segment.start[axis], segment.end[axis]))
    return (low - WIDENING, high + WIDENING) if fixed and low == high else (low, high)


def _interval_iou(first: Interval, second: Interval) -> float:
    overlap = min(first[1], second[1]) - max(first[0], second[0])
    if overlap <= 0 or first[0] == first[1] or second[0] == second[1]:
        return 0.0
    return overlap / (max(first[1], second[1]) - min(first[0], second[0]))
