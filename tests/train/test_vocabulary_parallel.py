"""The tables of the vocabulary over devices, held against the whole ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.batch import IGNORED
from train.config import MeshConfig
from train.loss import head_loss
from train.sharding import BATCH_AXES, make_mesh
from train.vocabulary_parallel import can_split, head_loss_split, look_up_split

ROWS, LENGTH, VOCABULARY, HIDDEN, CHUNK = 8, 5, 13, 12, 2
MESHES = {
    "fsdp 4": MeshConfig(data=1, fsdp=4),
    "data 2, fsdp 2": MeshConfig(data=2, fsdp=2),
    "data 2, fsdp 2, expert 2": MeshConfig(data=2, fsdp=2, expert=2),
}


@pytest.fixture(params=MESHES)
def mesh(request):
    config = MESHES[request.param]
    return make_mesh(config, jax.devices()[: config.data * config.fsdp * config.expert])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_split_table_gives_its_rows_and_takes_their_gradients(mesh, rng):
    table = rng.normal(size=(VOCABULARY, HIDDEN)).astype(np.float32)
    ids = rng.integers(0, VOCABULARY, (ROWS, LENGTH)).astype(np.int32)
    weights = rng.normal(size=(ROWS, LENGTH, HIDDEN)).astype(np.float32)
    placed = jax.device_put(table, NamedSharding(mesh, P(None, "fsdp")))

    def total(table):
        rows = look_up_split(mesh, BATCH_AXES, table, ids, jnp.float32)
        return jnp.sum(rows * weights), rows

    (_, rows), slope = jax.jit(jax.value_and_grad(total, has_aux=True))(placed)
    right = np.zeros_like(table)
    np.add.at(right, ids, weights)
    np.testing.assert_array_equal(rows, table[ids])
    np.testing.assert_allclose(slope, right, rtol=1e-5, atol=1e-6)
    assert slope.sharding.spec == P(None, "fsdp")


def test_ids_of_any_rank_are_looked_up_in_the_type_asked_for(mesh, rng):
    table = rng.normal(size=(VOCABULARY, HIDDEN)).astype(np.float32)
    ids = rng.integers(0, VOCABULARY, (ROWS, 3, 2)).astype(np.int32)
    rows = jax.jit(lambda table: look_up_split(mesh, BATCH_AXES, table, ids, jnp.bfloat16))(table)
    np.testing.assert_array_equal(rows, table[ids].astype(jnp.bfloat16))


def test_the_split_head_gives_the_losses_and_gradients_of_the_whole_one(mesh, rng):
    hidden = rng.normal(size=(ROWS, LENGTH, HIDDEN)).astype(np.float32)
    kernel = rng.normal(size=(HIDDEN, VOCABULARY)).astype(np.float32)
    labels = rng.integers(0, VOCABULARY, (ROWS, LENGTH)).astype(np.int32)
    labels[rng.random(labels.shape) < 0.3] = IGNORED

    def split(hidden, kernel):
        return head_loss_split(mesh, BATCH_AXES, hidden, kernel, labels, CHUNK)

    def whole(hidden, kernel):
        return head_loss(hidden, kernel, jnp.asarray(labels), CHUNK)

    def run(loss):
        return jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))(hidden, kernel)

    (found, losses), slopes = run(split)
    (right, right_losses), right_slopes = run(whole)
    np.testing.assert_allclose(found, right, rtol=1e-6)
    np.testing.assert_allclose(losses, right_losses, rtol=1e-5, atol=1e-6)
    for slope, right_slope in zip(slopes, right_slopes, strict=True):
        np.testing.assert_allclose(slope, right_slope, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("config", "hidden", "rows", "right"),
    [
        (MeshConfig(data=1, fsdp=4), 12, 8, True),
        (MeshConfig(data=1, fsdp=4), 10, 8, False),
        (MeshConfig(data=1, fsdp=4), 12, 6, False),
        (MeshConfig(data=4), 12, 8, False),
        (MeshConfig(data=1, fsdp=2, tensor=2), 12, 8, False),
    ],
)
def test_what_does_not_divide_is_not_split(config, hidden, rows, right):
    mesh = make_mesh(config, jax.devices()[:4])
    assert can_split(mesh, BATCH_AXES, hidden, np.zeros((rows, LENGTH), np.int32)) is right
