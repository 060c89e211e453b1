"""A training state in few bytes and back."""

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsocr_jax.errors import UserError
from train import compact
from train.compact import PART, flat_state, placed_state, read_meta, read_state, write_state
from train.step import TrainState

FINITE = st.floats(-1e6, 1e6, width=32).filter(lambda x: x == 0 or abs(x) > 1e-30)


def state() -> TrainState:
    """A state behind a few steps of AdamW."""
    params = {"a/kernel": jax.random.normal(jax.random.key(0), (40, 30)), "b/bias": jnp.zeros(7)}
    optimizer = optax.adamw(1e-3, b2=0.98, mask=lambda tree: {name: name == "a/kernel" for name in tree})
    moments = optimizer.init(params)
    for step in range(5):
        grads = {n: 10.0**-step * jax.random.normal(jax.random.key(step + 1), x.shape) for n, x in params.items()}
        updates, moments = optimizer.update(grads, moments, params)
        params = optax.apply_updates(params, updates)
    return TrainState(params, moments, jnp.int32(5))


def test_a_state_comes_back_close_enough_to_go_on(tmp_path):
    before = state()
    write_state(tmp_path, flat_state(before), {"step": 5})
    arrays, meta = read_state(tmp_path)
    where = jax.tree.map(lambda x: x.sharding, before)
    after = placed_state(arrays, jax.eval_shape(lambda: before), where)
    assert meta == read_meta(tmp_path) == {"step": 5}
    assert jax.tree.structure(after) == jax.tree.structure(before)
    for name, x in before.params.items():
        np.testing.assert_array_equal(after.params[name], x.astype(jnp.bfloat16).astype(jnp.float32))
    old, new = before.opt_state[0], after.opt_state[0]
    assert new.count == old.count == after.step == 5
    for name in before.params:
        np.testing.assert_allclose(new.nu[name], old.nu[name], rtol=2**0.25 - 1 + 1e-3)
        # Half a step of the share, of the root of the second moment.
        off = np.abs(new.mu[name] - old.mu[name]) / np.sqrt(np.asarray(new.nu[name]))
        assert off.max() <= 0.5 / 8 + 1e-5


def test_moments_without_a_second_one_come_back_in_eighths_of_their_root_mean_square(tmp_path):
    wide = 1e-6 * np.random.default_rng(0).standard_normal((30, 40), np.float32)
    coefficients = np.float32([3.4445, -4.775, 2.0315])
    arrays = {
        "params/a": wide,
        "opt_state/0/mu/a": wide,
        "opt_state/0/mu/b": np.zeros(3, np.float32),
        "opt_state/0/ns_coeffs": coefficients,
    }
    write_state(tmp_path, arrays, {})
    found, _ = read_state(tmp_path)
    assert list(found) == list(arrays)
    assert np.abs(found["opt_state/0/mu/a"] - wide).max() <= np.sqrt(np.mean(np.square(wide))) / 16 * 1.001
    assert not found["opt_state/0/mu/b"].any()
    np.testing.assert_array_equal(found["opt_state/0/ns_coeffs"], coefficients)


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.float32, hnp.array_shapes(min_side=0, max_side=5), elements=FINITE))
def test_parameters_are_those_of_the_computation(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("state")
    write_state(folder, {"x": values, "n": np.arange(3)}, {})
    found, _ = read_state(folder)
    np.testing.assert_array_equal(found["x"], values.astype(ml_dtypes.bfloat16).astype(np.float32))
    np.testing.assert_array_equal(found["n"], np.arange(3))


def test_large_states_lie_in_parts_and_damage_is_seen(tmp_path):
    write_state(tmp_path, {"n": np.arange(PART // 4, dtype=np.int64)}, {})
    # Three planes are empty, and deflate says so in eight bytes each.
    assert [file.stat().st_size for file in sorted(tmp_path.glob("state.0*"))] == [PART, PART, 24]
    read_state(tmp_path)
    next(tmp_path.glob("state.01.*")).write_bytes(b"x" * PART)
    with pytest.raises(UserError, match=r"state\.01\.\w+ is missing or damaged"):
        read_state(tmp_path)


def test_the_state_of_another_model_is_refused():
    before = state()
    arrays = flat_state(before)
    arrays["params/c"] = arrays.pop("params/b/bias")
    with pytest.raises(UserError, match="another model"):
        placed_state(arrays, before, jax.tree.map(lambda x: x.sharding, before))


def test_a_folder_without_a_state_is_refused(tmp_path):
    with pytest.raises(UserError, match="no state of a stretch"):
        read_state(tmp_path)


def test_what_was_saved_before_stays_until_the_new_state_is_whole(tmp_path, monkeypatch):
    old, new = ({"params/x": np.full(8, value, np.float32)} for value in (1.0, 2.0))
    write_state(tmp_path, old, {"step": 1})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(compact, "replace_file", killed)
        with pytest.raises(KeyboardInterrupt):
            write_state(tmp_path, new, {"step": 2})
    arrays, meta = read_state(tmp_path)
    assert (arrays["params/x"][0], meta) == (1.0, {"step": 1})
    write_state(tmp_path, new, {"step": 2})
    assert read_state(tmp_path)[0]["params/x"][0] == 2.0
    assert len(list(tmp_path.glob("state.[0-9]*"))) == 1
