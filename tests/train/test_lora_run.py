"""A run with low-rank adapters: only they move, and the model that it writes is the one that it computed with."""

import jax
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.weights.checkpoint import load_model
from dsocr_jax.weights.params import flatten
from tests.train import tiny
from train.config import LoraConfig
from train.lora import is_adapter
from train.merge_lora import merge
from train.publish import publish
from train.setup import first_state, prepare
from train.step import put_batch

LORA = LoraConfig(rank=2, alpha=4.0, on=("/attn/(q|v)/kernel$", "/experts/up$"))


@pytest.fixture(scope="module")
def base(folder, tmp_path_factory):
    """A model to begin from."""
    setup = prepare(tiny.tiny_config(folder, freeze=()), jax.devices()[:1])
    target = tmp_path_factory.mktemp("base") / "model"
    publish(setup, first_state(setup), target)
    return target


@pytest.fixture(scope="module")
def ran(folder, base):
    setup = prepare(tiny.tiny_config(folder, freeze=(), lora=LORA, init_from=base), jax.devices()[:1])
    state = first_state(setup)
    before = jax.device_get(state.params)
    lines = []
    for batch in tiny.batches(setup.source, 3):
        state, metrics = setup.step(state, put_batch(batch, setup.mesh))
        lines.append(jax.device_get(metrics))
    return setup, before, state, lines


def test_only_adapters_move_and_have_moments(ran):
    _, before, state, lines = ran
    moved = {name for name, x in jax.device_get(state.params).items() if not np.array_equal(x, before[name])}
    assert moved == {name for name in before if is_adapter(name)}
    assert state.opt_state[0].mu.keys() == moved
    assert lines[2]["loss"] < lines[0]["loss"]


def test_the_model_written_is_base_and_adapters_together(ran, base, tmp_path):
    setup, _, state, _ = ran
    publish(setup, state, tmp_path / "model")
    old, new = (flatten(nnx.state(load_model(path).model, nnx.Param)) for path in (base, tmp_path / "model"))
    changed = {name for name in old if not np.array_equal(old[name], new[name])}
    assert changed == {f"decoder/layers/0/{name}" for name in ("attn/q/kernel", "attn/v/kernel", "moe/experts/up")}
    name = "decoder/layers/0/attn/q/kernel"
    a, b = (np.asarray(state.params[f"{name}/lora_{end}"]) for end in "ab")
    np.testing.assert_allclose(new[name], old[name] + 2.0 * a @ b, rtol=1e-5, atol=1e-6)


def test_the_adapters_written_alone_make_the_same_model_of_the_base(ran, base, tmp_path):
    setup, _, state, _ = ran
    publish(setup, state, tmp_path / "model")
    merge(base, tmp_path / "adapters", tmp_path / "merged")
    models = (load_model(tmp_path / name).model for name in ("model", "merged"))
    one, other = (flatten(nnx.state(model, nnx.Param)) for model in models)
    for name, array in one.items():
        np.testing.assert_allclose(array, other[name], atol=1e-6, err_msg=name)
