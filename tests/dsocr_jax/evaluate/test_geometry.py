"""Figure metrics, computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers.geometry import Circle, Figure, Segment
from dsocr_jax.evaluate.geometry import (
    circle_f1,
    length_class,
    line_type_accuracy,
    match_segments,
    merge_segments,
    point_accuracy,
    segment_f1,
    segment_iou,
)


def line(x0: float, y0: float, x1: float, y1: float, dashed: bool = False) -> Segment:
    return Segment((x0, y0), (x1, y1), dashed)


DIAGONAL, VERTICAL = line(0, 0, 4, 4), line(1, -3, 1, 3)
coordinates = st.integers(-800, 800).map(lambda v: v / 100)
points = st.tuples(coordinates, coordinates)
segments = st.tuples(points, points).filter(lambda p: p[0] != p[1]).map(lambda p: Segment(*sorted(p)))


def test_overlap_is_the_mean_of_both_projections() -> None:
    assert segment_iou(line(0, 0, 4, 2), DIAGONAL, fixed=True) == (1 + 0.5) / 2


def test_overlap_does_not_see_the_slope() -> None:
    assert segment_iou(line(0, 4, 4, 0), DIAGONAL, fixed=True) == 1


def test_overlap_of_segments_apart_is_0() -> None:
    assert segment_iou(line(5, 5, 6, 6), DIAGONAL, fixed=True) == 0


@pytest.mark.parametrize(("fixed", "expected"), [(False, 0.5), (True, 1.0)])
def test_a_vertical_segment_gets_half_as_released(fixed: bool, expected: float) -> None:
    assert segment_iou(VERTICAL, VERTICAL, fixed=fixed) == expected


def test_a_projection_without_extent_is_widened_by_a_tenth_each_way() -> None:
    # x: 0.9 ... 1.1 against 1.0 ... 1.2, a third; y is equal.
    assert segment_iou(line(1.1, -3, 1.1, 3), VERTICAL, fixed=True) == pytest.approx((1 / 3 + 1) / 2)


def test_only_projections_without_extent_are_widened() -> None:
    # x: 1 ... 1.1 has an extent and stays; 0.9 ... 1.1 is the widened truth.
    assert segment_iou(line(1, -3, 1.1, 3), VERTICAL, fixed=True) == pytest.approx((1 / 2 + 1) / 2)


@given(segments, segments, st.booleans())
def test_overlap_is_symmetric_and_bounded(first: Segment, second: Segment, fixed: bool) -> None:
    overlap = segment_iou(first, second, fixed=fixed)
    assert 0 <= overlap <= 1
    assert overlap == segment_iou(second, first, fixed=fixed)


def test_each_prediction_takes_the_best_that_is_left() -> None:
    truth = [line(0, 0, 4, 4), line(0, 0, 5, 5)]
    predicted = [line(0, 0, 4.9, 4.9), line(0, 0, 4.8, 4.8), line(0, 0, 4, 4)]
    assert match_segments(predicted, truth, 0.75, fixed=True) == [(0, 1), (1, 0)]


def test_the_threshold_itself_is_not_enough() -> None:
    assert match_segments([line(0, 0, 4, 2)], [DIAGONAL], 0.75, fixed=True) == []


def test_f1_of_one_right_one_wrong_one_missed() -> None:
    truth = [DIAGONAL, VERTICAL, line(5, 5, 8, 8)]
    assert segment_f1([DIAGONAL, line(-8, -8, -5, -5)], truth, 0.75, fixed=True) == pytest.approx(2 / 5)


def test_f1_at_a_higher_threshold_is_stricter() -> None:
    predicted, truth = [line(0, 0, 4, 3.2)], [DIAGONAL]  # overlap (1 + 0.8) / 2 = 0.9
    assert [segment_f1(predicted, truth, t, fixed=True) for t in (0.75, 0.9)] == [1, 0]


@pytest.mark.parametrize(("fixed", "expected"), [(False, 0.0), (True, None)])
def test_f1_without_segments_on_both_sides(fixed: bool, expected: float | None) -> None:
    assert segment_f1([], [], 0.75, fixed=fixed) == expected


def test_f1_without_segments_on_one_side() -> None:
    assert segment_f1([], [DIAGONAL], 0.75, fixed=True) == 0


def test_short_is_below_8() -> None:
    short, long = line(0, 0, 7.99, 0), line(0, 0, 8, 0)
    assert (length_class([short, long], short=True), length_class([short, long], short=False)) == ([short], [long])


def test_collinear_predictions_are_merged() -> None:
    assert merge_segments([line(2, 2, 4, 4), line(0, 0, 2, 2)]) == [DIAGONAL]


def test_a_dashed_extension_is_not_merged() -> None:
    parts = [line(0, 0, 2, 2), line(2, 2, 4, 4, dashed=True)]
    assert merge_segments(parts) == parts


def test_predictions_without_length_stay_and_count_as_wrong() -> None:
    merged = merge_segments([line(1, 1, 1, 1), line(1, 1, 1, 1), DIAGONAL])
    assert segment_f1(merged, [DIAGONAL], 0.75, fixed=True) == 2 / 4


def test_line_types_are_judged_on_matched_segments() -> None:
    truth = [DIAGONAL, VERTICAL, line(5, 5, 8, 8)]
    predicted = [DIAGONAL, line(1, -3, 1, 3, dashed=True)]
    assert line_type_accuracy(predicted, truth) == 1 / 2


def test_line_types_without_matches_are_not_judged() -> None:
    assert line_type_accuracy([], [DIAGONAL]) is None


def test_points_must_have_the_same_letter_within_half_a_unit() -> None:
    truth = Figure((), (("A", (0, 0)), ("B", (4, 0)), ("C", (0, 4)), ("D", (1, 1))))
    predicted = Figure((), (("A", (0.3, 0.4)), ("B", (4.51, 0)), ("D", (0, 4))))
    assert point_accuracy(predicted, truth) == 1 / 4


def test_points_are_not_judged_where_the_truth_has_none() -> None:
    assert point_accuracy(Figure((), (("A", (0, 0)),)), Figure(())) is None


def circles(*items: tuple[float, float, float]) -> Figure:
    return Figure((), (), tuple(Circle("O", (x, y), r) for x, y, r in items))


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [((0.3, 0.4, 2), 1), ((0.51, 0, 2), 0), ((0, 0, 2.2), 1), ((0, 0, 2.21), 0), ((0, 0, 1.8), 1)],
)
def test_a_circle_is_found_within_its_tolerances(predicted: tuple[float, float, float], expected: float) -> None:
    assert circle_f1(circles(predicted), circles((0, 0, 2))) == expected


def test_circles_are_matched_once() -> None:
    assert circle_f1(circles((0, 0, 2), (0, 0, 2)), circles((0, 0, 2))) == pytest.approx(2 / 3)


def test_circles_that_nobody_has_are_not_judged() -> None:
    assert circle_f1(Figure(()), Figure(())) is None


def test_an_invented_circle_counts_against() -> None:
    assert circle_f1(circles((0, 0, 2)), Figure(())) == 0
