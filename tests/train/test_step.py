"""The step on one device against the same step on eight, in several layouts."""

import jax
import numpy as np
import pytest

from dsocr_jax.weights.params import path_name
from tests.train import tiny
from train.config import MeshConfig
from train.setup import Setup, prepare
from train.step import TrainState, put_batch

STEPS = 3
LAYOUTS = {
    "data": MeshConfig(data=8),
    "data and fsdp": MeshConfig(data=2, fsdp=4),
    "fsdp, expert and tensor": MeshConfig(data=1, fsdp=2, expert=2, tensor=2),
}


def run(setup: Setup, state: TrainState) -> tuple[TrainState, list[dict[str, np.ndarray]]]:
    lines = []
    for batch in tiny.batches(setup.source, STEPS):
        state, metrics = setup.step(state, put_batch(batch, setup.mesh))
        lines.append(jax.device_get(metrics))
    return jax.device_get(state), lines


@pytest.fixture(scope="module")
def one(folder):
    """The run on one device: its first and last state, on the host, and its figures."""
    setup = prepare(tiny.tiny_config(folder, mesh=MeshConfig(data=1)), jax.devices()[:1])
    first = TrainState(
        tiny.random_params(setup.abstract.params),
        jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), setup.abstract.opt_state),
        np.zeros((), np.int32),
    )
    return first, *run(setup, jax.device_put(first, setup.shardings))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_eight_devices_compute_what_one_computes(folder, one, layout):
    host, last, expected = one
    setup = prepare(tiny.tiny_config(folder, mesh=LAYOUTS[layout]))
    state, found = run(setup, jax.device_put(host, setup.shardings))
    assert found[0].keys() == expected[0].keys()
    for line, right in zip(found, expected, strict=True):
        for name, value in right.items():
            np.testing.assert_allclose(line[name], value, rtol=2e-5, err_msg=name)
    # Adam divides by the gradient's size: where that is all rounding, so is the step, of length 0.01.
    near = [np.abs(a - b) < 1e-4 for a, b in zip(leaves(state), leaves(last), strict=True)]
    assert np.concatenate(near).mean() > 0.999


def test_the_loss_falls(one):
    losses = [line["loss"] for line in one[2]]
    assert losses[0] > losses[1] > losses[2]


def test_frozen_parameters_do_not_move_and_all_others_do(one):
    first, last = (dict(map(named, jax.tree_util.tree_leaves_with_path(state.params))) for state in one[:2])
    same = {name for name in first if np.array_equal(first[name], last[name])}
    assert same == {name for name in first if name.startswith("encoder/clip/")}


def leaves(state: TrainState) -> list[np.ndarray]:
    return [np.ravel(leaf) for leaf in jax.tree.leaves(state.params)]


def named(item) -> tuple[str, np.ndarray]:
    return path_name(item[0]), item[1]


def test_losses_by_kind_add_up_to_the_loss(one):
    for line in one[2]:
        assert line["kind_tokens"].sum() == line["answer_tokens"]
        np.testing.assert_allclose(line["kind_loss"].sum() / line["answer_tokens"], line["loss"], rtol=1e-6)
        assert (line["kind_tokens"] > 0).all()
