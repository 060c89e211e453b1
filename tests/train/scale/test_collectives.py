"""Bytes of collective operations: counted in programs written by hand, and in compiled ones."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from train.scale.collectives import Traffic, collective_names, count_traffic, sent_in_a_ring, unknown_loops

PROGRAM = """HloModule jit_step, is_scheduled=true, num_partitions=8

%add (x: bf16[], y: bf16[]) -> bf16[] {
  ROOT %sum = bf16[] add(%x, %y)
}

%wrapped (p: bf16[64]) -> bf16[16] {
  %p = bf16[64]{0} parameter(0)
  ROOT %rs = bf16[16]{0} reduce-scatter(%p), replica_groups=[2,4]<=[8], dimensions={0}, to_apply=%add
}

%body (param: (s32[], bf16[16,4], /*index=2*/f32[8])) -> (s32[], bf16[16,4], /*index=2*/f32[8]) {
  %param = (s32[], bf16[16,4]{1,0}, /*index=2*/f32[8]{0}) parameter(0)
  %w = bf16[16,4]{1,0} get-tuple-element(%param), index=1
  %ag = (bf16[16,4]{1,0}, bf16[64,4]{1,0}) all-gather-start(%w), replica_groups={{0,1,2,3},{4,5,6,7}}, dimensions={0}
  %agd = bf16[64,4]{1,0} all-gather-done(%ag)
  %flat = bf16[64]{0} fusion(%agd), kind=kLoop, calls=%add, metadata={op_name="all-reduce(x)"}
  %rss = ((bf16[64]{0}), bf16[16]{0}) async-start(%flat), calls=%wrapped
  ROOT %t = (s32[], bf16[16,4]{1,0}, /*index=2*/f32[8]{0}) tuple(%w, %w, %w)
}

%condition (c: (s32[], bf16[16,4], f32[8])) -> pred[] {
  ROOT %less = pred[] compare(%c, %c)
}

ENTRY %main (a: f32[8], b: s8[100]) -> f32[8] {
  %a = f32[8]{0} parameter(0)
  %b = s8[100]{0} parameter(1)
  %w = (s32[]) while(%a), condition=%condition, body=%body, backend_config={"known_trip_count":{"n":"12"}}
  %ar = (f32[8]{0}, s8[100]{0}) all-reduce(f32[8]{0} %a, s8[100]{0} %b), replica_groups={}, to_apply=%add
  %cp = f32[8]{0} collective-permute(%a), source_target_pairs={{0,1},{1,2},{2,3}}
  %own = f32[8]{0} all-reduce(%a), replica_groups={{0},{1},{2},{3},{4},{5},{6},{7}}, to_apply=%add
  ROOT %mesh = f32[8]{0} all-reduce(%a), replica_groups=mesh['data'=2,'fsdp'=4] {'fsdp'}, to_apply=%add
}
"""


def test_loops_wrappers_and_every_way_to_write_groups_are_counted():
    found = {(one.kind, one.group): one for one in count_traffic(PROGRAM)}
    assert found == {
        ("all-gather", 4): Traffic("all-gather", 4, 12, 12 * 128, 12 * 128 * 3),
        ("reduce-scatter", 4): Traffic("reduce-scatter", 4, 12, 12 * 128, 12 * 128 * 3 / 4),
        ("all-reduce", 8): Traffic("all-reduce", 8, 1, 132, 2 * 132 * 7 / 8),
        ("collective-permute", 2): Traffic("collective-permute", 2, 1, 32, 32),
        ("all-reduce", 4): Traffic("all-reduce", 4, 1, 32, 2 * 32 * 3 / 4),
    }


def test_what_communicates_is_known_by_name():
    assert collective_names(PROGRAM) == {"rs", "ag", "rss", "ar", "cp", "own", "mesh"}


def test_loops_of_unknown_length_are_told():
    assert unknown_loops(PROGRAM) == 0
    assert unknown_loops(PROGRAM.replace("known_trip_count", "something")) == 1
    # One with nothing to send inside does no harm.
    assert unknown_loops(PROGRAM.replace("known_trip_count", "something").replace("body=%body", "body=%add")) == 0


@given(st.integers(2, 1000), st.integers(1, 10**9))
def test_an_all_reduce_sends_what_scattering_and_gathering_do(group, size):
    both = sent_in_a_ring("reduce-scatter", group, size) + sent_in_a_ring("all-gather", group, size / group)
    assert sent_in_a_ring("all-reduce", group, size) == pytest.approx(both)
    assert both < 2 * size


def test_a_compiled_scan_gathers_once_for_each_layer():
    mesh = jax.make_mesh((2, 2), ("a", "b"), axis_types=(AxisType.Auto,) * 2, devices=jax.devices()[:4])

    def run(weights, x):
        def layer(x, w):
            return jnp.tanh(x @ jax.lax.with_sharding_constraint(w, NamedSharding(mesh, P()))), None

        return jax.lax.scan(layer, x, weights)[0]

    places = NamedSharding(mesh, P(None, "a")), NamedSharding(mesh, P(("a", "b")))
    shapes = jax.ShapeDtypeStruct((5, 16, 16), jnp.float32), jax.ShapeDtypeStruct((8, 16), jnp.float32)
    text = jax.jit(run, in_shardings=places, out_shardings=places[1]).lower(*shapes).compile().as_text()
    (found,) = [one for one in count_traffic(text) if one.kind == "all-gather"]
    assert (found.group, found.count, found.operands) == (2, 5, 5 * 8 * 16 * 4)
    assert unknown_loops(text) == 0


def test_a_text_without_programs_moves_nothing():
    assert count_traffic("") == () and unknown_loops("") == 0
