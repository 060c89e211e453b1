"""Eight simulated devices against one: hidden states, router loss and every gradient, on each axis of the mesh."""

import dataclasses
from functools import partial

import jax
import pytest
from flax import nnx

from dsocr_jax.batch import Batch
from dsocr_jax.model.backends import Backends
from tests.dsocr_jax.model import small
from tests.dsocr_jax.model.close import FORWARD, GRADIENT, close
from train.config import MeshConfig
from train.sharding import batch_sharding, batch_shards, gather, make_mesh, tree_shardings

#: Fewer layers: a program for eight devices takes long to compile.
CONFIG = dataclasses.replace(
    small.CONFIG,
    sam=dataclasses.replace(small.CONFIG.sam, layers=2, global_layers=(1,), grid=8),
    clip=dataclasses.replace(small.CONFIG.clip, layers=1, grid=2),
    decoder=dataclasses.replace(small.CONFIG.decoder, layers=2, dense_layers=0),
)
FAST = Backends(relative="folded", layers="scanned")
#: Mesh, backends, whether rows have pictures, and whether parameters are gathered before use, as in training.
CASES = {
    "data": (MeshConfig(data=8), Backends(), False, True),
    "fsdp": (MeshConfig(data=1, fsdp=8), Backends(grouped="capacity"), False, True),
    "expert": (MeshConfig(data=1, expert=8), Backends(), False, False),
    "tensor": (MeshConfig(data=1, tensor=8), Backends(grouped="ragged"), False, True),
    "product": (MeshConfig(data=1, fsdp=2, expert=2, tensor=2), FAST, True, True),
    "product, left to the compiler": (MeshConfig(data=2, expert=2, tensor=2), Backends(), False, False),
}


@pytest.mark.parametrize("case", CASES)
def test_eight_devices_compute_what_one_computes(case: str) -> None:
    layout, backends, pictures, gathered = CASES[case]
    mesh = make_mesh(layout)
    data = small.batch(batch_shards(mesh), pictures)
    params = small.parameters(CONFIG)[1]
    shardings = tree_shardings(params, mesh)
    rows = batch_sharding(mesh)

    def loss(params: nnx.State, data: Batch):
        return small.loss_of(gather(params, mesh) if gathered else params, data, backends, CONFIG)

    run = jax.jit(jax.grad(loss, has_aux=True), in_shardings=(shardings, rows), out_shardings=(shardings, None))
    gradients, out = run(jax.device_put(params, shardings), jax.tree.map(partial(jax.device_put, device=rows), data))
    expected, right = small.compute(small.PLAIN, CONFIG, pictures)
    close(out, expected, FORWARD)
    close(gradients, right, GRADIENT)
    assert any(not leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(gradients)) == (case != "data")
