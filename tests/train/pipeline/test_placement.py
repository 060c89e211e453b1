"""Parameters as they are stored, and brought to their stages."""

from functools import partial

import jax
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.model.scan import stack_arrays
from dsocr_jax.weights.params import abstract_model, flatten
from tests.train import tiny
from tests.train.pipeline import pictures
from train.config import MeshConfig
from train.pipeline.parts import part_of
from train.pipeline.placement import make_layout
from train.sharding import make_mesh, partition

SHAPES = flatten(abstract_model(pictures.MODEL)[1])


@pytest.fixture(scope="module")
def mesh() -> jax.sharding.Mesh:
    return make_mesh(MeshConfig(data=1, fsdp=2, stage=4))


@pytest.mark.parametrize(
    ("name", "shape", "spec"),
    [
        ("encoder/projector/kernel", (32, 64), P("fsdp", "stage")),
        ("encoder/projector/kernel", (128, 8), P(("fsdp", "stage"), None)),
        ("encoder/projector/kernel", (6, 7), P("fsdp")),
        ("decoder/layers/0-3by1/attn/q/kernel", (4, 32, 64), P(None, "fsdp", ("tensor", "stage"))),
        ("decoder/layers/0-3by1/attn/q/kernel", (4, 128, 64), P(None, ("fsdp", "stage"), "tensor")),
        ("decoder/layers/0-3by1/input_norm/scale", (4, 3), P()),
        ("decoder/layers/0/input_norm/scale", (32,), P("stage")),
    ],
)
def test_stage_takes_the_largest_dimension_that_it_divides(mesh, name, shape, spec):
    assert partition(name, shape, mesh) == spec


def test_most_of_the_state_is_spread_over_all_devices(mesh):
    pieces = [NamedSharding(mesh, partition(name, x.shape, mesh)).shard_shape(x.shape) for name, x in SHAPES.items()]
    whole = sum(x.size for x in SHAPES.values())
    assert sum(map(np.prod, pieces)) < 1.3 * whole / 8


def test_stage_is_brought_its_own_parameters_whole(mesh):
    layout = make_layout(SHAPES, mesh, lambda name: part_of(name, 4))
    assert set().union(*layout.stages) == SHAPES.keys()
    arrays = tiny.random_params(SHAPES)
    stacked = stack_arrays(arrays, np.stack)
    specs = {name: partition(name, x.shape, mesh) for name, x in stacked.items()}

    @jax.jit
    @partial(jax.shard_map, mesh=mesh, in_specs=(specs,), out_specs=P("stage", "fsdp"), check_vma=False)
    def bring(pieces):
        return layout.bring(pieces, np.float32)[None, None]

    brought = jax.device_get(bring(stacked))  # stage, fsdp, then the buffer
    for stage, leaves in enumerate(layout.stages):
        params = jax.jit(partial(layout.params, stage))
        for buffer in brought[stage]:
            found = params(buffer)
            assert found.keys() == leaves.keys()
            for name, x in found.items():
                np.testing.assert_array_equal(x, arrays[name], err_msg=name)


def test_odd_layer_goes_to_the_half_without_the_head():
    assert [part_of(f"decoder/layers/{i}/attn/q/kernel", 5) for i in range(5)] == [2, 2, 2, 3, 3]
    assert [part_of(name, 5) for name in ("encoder/sam/x", "encoder/clip/x", "decoder/embed/x")] == [0, 1, 1]
    assert [part_of(name, 5) for name in ("decoder/norm/scale", "decoder/lm_head/kernel")] == [3, 3]
