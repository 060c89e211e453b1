import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.weights.params import abstract_model, flatten, path_name
from tests.train import tiny
from train.config import OptimizerConfig
from train.optimizer import check_patterns, clipped, make_optimizer, make_schedule
from train.trained import named_by

PARAMS = {"a/kernel": jnp.ones((2, 2)), "a/bias": jnp.ones(2), "b/layers/0-1by1/kernel": jnp.ones((2, 2))}


def values(config: OptimizerConfig, steps: int, at: list[int]) -> list[float]:
    schedule = make_schedule(config, steps)
    return [float(schedule(step)) for step in at]


def test_warmup_rises_in_equal_parts_from_the_first_step_to_the_peak():
    config = OptimizerConfig(peak_lr=1.0, schedule="constant", warmup=4)
    np.testing.assert_allclose(values(config, 10, [0, 1, 2, 3, 4, 9]), [0.2, 0.4, 0.6, 0.8, 1.0, 1.0], rtol=1e-6)


def test_cosine_ends_at_its_share_of_the_peak():
    config = OptimizerConfig(peak_lr=2.0, schedule="cosine", warmup=0, final_fraction=0.25)
    np.testing.assert_allclose(values(config, 10, [0, 5, 10]), [2.0, (2.0 + 0.5) / 2, 0.5], rtol=1e-6)


def test_steps_are_cut_by_their_factor():
    config = OptimizerConfig(peak_lr=8.0, schedule="step", warmup=2, step_every=3, step_factor=0.5)
    np.testing.assert_allclose(values(config, 20, [2, 4, 5, 7, 8]), [8.0, 8.0, 4.0, 4.0, 2.0], rtol=1e-6)


def test_the_line_begins_where_as_many_steps_are_left():
    config = OptimizerConfig(peak_lr=8.0, schedule="decay", warmup=2, decay_steps=4, final_fraction=0.5)
    np.testing.assert_allclose(values(config, 20, [2, 15, 16, 18, 20]), [8.0, 8.0, 8.0, 6.0, 4.0], rtol=1e-6)


def test_only_named_parameters_decay(tmp_path):
    settings = OptimizerConfig(
        peak_lr=0.5, warmup=0, schedule="constant", weight_decay=0.1, decay=("a/kernel$", "layers/0/")
    )
    optimizer = make_optimizer(tiny.tiny_config(tmp_path, optimizer=settings))
    updates, _ = optimizer.update(jax.tree.map(jnp.zeros_like, PARAMS), optimizer.init(PARAMS), PARAMS)
    np.testing.assert_allclose(updates["a/kernel"], -0.05, rtol=1e-6)
    np.testing.assert_allclose(updates["b/layers/0-1by1/kernel"], -0.05, rtol=1e-6)
    assert not updates["a/bias"].any()


def test_first_moment_is_kept_in_the_type_asked_for(tmp_path):
    settings = OptimizerConfig(first_moment="bfloat16", schedule="constant", warmup=0)
    state = make_optimizer(tiny.tiny_config(tmp_path, optimizer=settings)).init(PARAMS)
    types = {
        path_name(path).split("/")[1]: leaf.dtype
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
        if "kernel" in path_name(path)
    }
    assert types == {"mu": jnp.bfloat16, "nu": jnp.float32}


def test_a_rate_that_rises_again_starts_at_its_step():
    config = OptimizerConfig(peak_lr=1.0, schedule="decay", warmup=3, begin=10, decay_steps=4, final_fraction=0.5)
    found = values(config, 20, [10, 11, 12, 13, 16, 18, 20])
    np.testing.assert_allclose(found, [0.25, 0.5, 0.75, 1.0, 1.0, 0.75, 0.5], rtol=1e-6)


MATRICES = {
    "decoder/layers/1-3by1/moe/experts/up": (3, 4, 16, 8),
    "decoder/layers/1-3by1/moe/router/kernel": (3, 16, 4),
    "decoder/lm_head/kernel": (16, 32),
    "encoder/sam/compressor/conv1/kernel": (3, 3, 4, 8),
    "encoder/sam/blocks/2/mlp/fc1/kernel": (16, 64),
    "encoder/sam/blocks/2/mlp/fc1/bias": (64,),
    "encoder/clip/patch_embed/kernel": (2, 2, 3, 8),
}


def muon_updates(tmp_path, **changes):
    """Updates of the first step for random gradients, without decay of the weights."""
    settings = OptimizerConfig(name="muon", peak_lr=1.0, warmup=0, schedule="constant", weight_decay=0.0, **changes)
    optimizer = make_optimizer(tiny.tiny_config(tmp_path, optimizer=settings))
    keys = jax.random.split(jax.random.key(0), len(MATRICES))
    grads = {n: jax.random.normal(key, s) for (n, s), key in zip(MATRICES.items(), keys, strict=True)}
    params = jax.tree.map(jnp.zeros_like, grads)
    return optimizer.update(grads, optimizer.init(params), params)[0], grads


def test_muon_moves_each_layers_and_experts_matrix_in_all_directions_alike(tmp_path):
    updates, _ = muon_updates(tmp_path)
    for name, inputs in (("decoder/layers/1-3by1/moe/experts/up", 16), ("encoder/sam/compressor/conv1/kernel", 36)):
        for matrix in updates[name].reshape(-1, inputs, updates[name].shape[-1]):
            sizes = np.linalg.svd(matrix, compute_uv=False) / (0.2 * np.sqrt(inputs))
            assert sizes.min() > 0.6 and sizes.max() < 1.3  # between these Newton and Schulz's iteration leaves them
            assert np.sqrt(np.mean(np.square(matrix))) == pytest.approx(0.2, rel=0.3)


def test_muon_leaves_heads_routers_tables_and_biases_to_adamw(tmp_path):
    updates, grads = muon_updates(tmp_path)
    for name in ("decoder/lm_head/kernel", "decoder/layers/1-3by1/moe/router/kernel"):
        np.testing.assert_allclose(updates[name], -jnp.sign(grads[name]), atol=1e-3)
    for name in ("encoder/clip/patch_embed/kernel", "encoder/sam/blocks/2/mlp/fc1/bias"):
        np.testing.assert_allclose(updates[name], -jnp.sign(grads[name]), atol=1e-3)


def test_muons_weights_decay_as_adamws_do(tmp_path):
    settings = OptimizerConfig(name="muon", peak_lr=0.5, warmup=0, schedule="constant", weight_decay=0.1)
    optimizer = make_optimizer(tiny.tiny_config(tmp_path, optimizer=settings))
    params = {"a/fc1/kernel": jnp.ones((2, 2)), "a/lm_head/kernel": jnp.ones((2, 2)), "a/bias": jnp.ones(2)}
    updates, _ = optimizer.update(jax.tree.map(jnp.zeros_like, params), optimizer.init(params), params)
    np.testing.assert_allclose(updates["a/fc1/kernel"], -0.05, rtol=1e-6)
    np.testing.assert_allclose(updates["a/lm_head/kernel"], -0.05, rtol=1e-6)
    assert not updates["a/bias"].any()


@pytest.mark.parametrize(("most", "length"), [(2.0, 2.0), (50.0, 30.0), (None, 30.0)])
def test_norm_of_the_gradient_is_clipped_in_float32(most, length):
    gradients = {"a": jnp.full(100, 3.0, jnp.bfloat16)}  # of norm 30
    found = clipped(gradients, jnp.float32(30.0), most)["a"]
    assert found.dtype == jnp.float32
    assert float(jnp.linalg.norm(found)) == pytest.approx(length, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"freeze": ("^encoder/sma",)}, "--freeze: '.encoder/sma' names no parameter; did you mean 'encoder/sam'"),
        ({"freeze": ("sma",)}, "--freeze: 'sma' names no parameter; did you mean 'sam'"),
        ({"optimizer": OptimizerConfig(decay=("kernels$",))}, "--optimizer.decay: 'kernels.' .* did you mean 'kernel'"),
        ({"freeze": ("encoder", "decoder")}, "every parameter is frozen"),
    ],
)
def test_patterns_must_mean_something(tmp_path, changes, message):
    config = dataclasses.replace(tiny.tiny_config(tmp_path), **changes)
    with pytest.raises(UserError, match=message):
        check_patterns(flatten(abstract_model(tiny.MODEL)[1]), config)


def test_default_patterns_decay_matrices_and_experts_only():
    params = flatten(abstract_model(tiny.MODEL)[1])
    decayed = {name for name in params if named_by(name, OptimizerConfig().decay)}
    kept = params.keys() - decayed
    assert {"decoder/lm_head/kernel", "decoder/layers/0/moe/experts/up", "encoder/sam/patch_embed/kernel"} <= decayed
    assert {
        "decoder/embed/embedding",
        "encoder/sam/pos_embed",
        "decoder/norm/scale",
        "encoder/clip/patch_embed/kernel",
    } <= kept
