"""Time of communication and what hides it, from operations written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from train.scale.overlap import Overlap, common, length, merged, overlap
from train.xplane import Operation

SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda one: (one[0], one[0] + one[1])), max_size=8
)


def operation(device: str, lane: str, name: str, start: float, span: float, inside: float = 0.0) -> Operation:
    return Operation(device, lane, name, "step/attention/dot", start, span, span - inside)


def points(spans: list[tuple[int, int]]) -> set[int]:
    return {point for start, end in spans for point in range(start, end)}


@given(SPANS, SPANS)
def test_lengths_are_those_of_sets_of_points(first, second):
    assert length(merged(first)) == len(points(first))
    assert common(merged(first), merged(second)) == len(points(first) & points(second))


def test_what_runs_beside_computations_is_hidden():
    found = [
        operation("gpu 0", "compute", "fusion.1", 0.0, 4.0),
        operation("gpu 0", "nccl", "ncclDevKernel_AllGather_RING_LL", 1.0, 2.0),  # hidden
        operation("gpu 0", "nccl", "reduce-scatter.3", 3.5, 2.5),  # half a second of it is hidden
        operation("gpu 0", "copies", "MemcpyD2D", 5.0, 1.0),
        operation("gpu 0", "compute", "fusion.2", 6.0, 4.0),
    ]
    found[3] = Operation("gpu 0", "copies", "MemcpyD2D", "", 5.0, 1.0, 1.0)  # hides nothing
    assert overlap(found) == Overlap(span=10.0, communication=4.5, exposed=2.0, computation=8.0)
    assert overlap(found).hidden == pytest.approx(2.5 / 4.5)


def test_loops_around_operations_hide_nothing():
    found = [
        operation("cpu 0", "thread", "while.1", 0.0, 10.0, inside=9.0),
        operation("cpu 0", "thread", "all-gather.1", 0.0, 6.0),
        operation("cpu 0", "thread", "dot.1", 6.0, 3.0),
    ]
    assert overlap(found).exposed == 6.0


def test_operations_that_do_not_say_that_they_communicate_are_known_by_the_program():
    found = [
        operation("gpu 0", "exchange", "while.2::swap_rows.3", 0.0, 2.0),
        operation("gpu 0", "compute", "swap_rows_fusion", 2.0, 1.0),
    ]
    assert overlap(found, {"swap_rows.3"}).communication == 2.0
    assert overlap(found).communication == 0.0


def test_an_empty_trace_is_told():
    with pytest.raises(UserError, match="no operation"):
        overlap([])


def test_devices_are_averaged():
    found = [
        operation("gpu 0", "s", "fusion", 0.0, 4.0),
        operation("gpu 1", "s", "all-reduce", 0.0, 2.0),
        operation("gpu 1", "s", "fusion", 2.0, 6.0),
    ]
    assert overlap(found) == Overlap(span=6.0, communication=1.0, exposed=1.0, computation=5.0)
