import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.weights.params import abstract_model, path_name
from tests.train import tiny
from train.config import OptimizerConfig
from train.optimizer import check_patterns, make_optimizer, make_schedule

PARAMS = {"a": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}, "b": {"kernel": jnp.ones(2)}}


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


def one_update(tmp_path, gradient: float, freeze: tuple[str, ...] = (), **changes: object):
    settings = {"peak_lr": 0.5, "warmup": 0, "schedule": "constant", "weight_decay": 0.0, "clip": None, **changes}
    config = tiny.tiny_config(tmp_path, optimizer=OptimizerConfig(**settings), freeze=freeze)
    optimizer = make_optimizer(PARAMS, config)
    state = optimizer.init(PARAMS)
    updates, _ = optimizer.update(jax.tree.map(lambda x: gradient * jnp.ones_like(x), PARAMS), state, PARAMS)
    return updates, state


def test_only_named_parameters_decay(tmp_path):
    updates, _ = one_update(tmp_path, 0.0, weight_decay=0.1, decay=("a/kernel$",))
    np.testing.assert_allclose(updates["a"]["kernel"], -0.05, rtol=1e-6)
    assert not updates["a"]["bias"].any()
    assert not updates["b"]["kernel"].any()


def test_frozen_parameters_have_neither_updates_nor_moments(tmp_path):
    updates, state = one_update(tmp_path, 1.0, freeze=("^a/",), weight_decay=0.1)
    assert not updates["a"]["kernel"].any()
    assert updates["b"]["kernel"].all()
    moments = [path_name(path) for path, _ in jax.tree_util.tree_leaves_with_path(state)]
    assert [name for name in moments if "/mu/" in name and "/a/" in name] == []
    assert any("/mu/b/kernel" in name for name in moments)


def test_norm_of_the_gradient_is_clipped(tmp_path):
    # After one step Adam's first moment is (1 - b1) * clipped gradient; b1 = 0 leaves the clipped gradient itself.
    config = tiny.tiny_config(tmp_path, optimizer=OptimizerConfig(clip=2.0, b1=0.0, warmup=0))
    optimizer = make_optimizer(PARAMS, config)
    _, state = optimizer.update(jax.tree.map(lambda x: 9.0 * jnp.ones_like(x), PARAMS), optimizer.init(PARAMS), PARAMS)
    moments = [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state) if "/mu/" in path_name(path)]
    assert np.sqrt(sum(float((leaf**2).sum()) for leaf in moments)) == pytest.approx(2.0, rel=1e-5)


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
        check_patterns(abstract_model(tiny.MODEL)[1], config)


def test_default_patterns_decay_matrices_and_experts_only():
    params = abstract_model(tiny.MODEL)[1]
    from train.optimizer import matching

    marked = jax.tree_util.tree_leaves_with_path(matching(params, OptimizerConfig().decay))
    decayed = {path_name(path) for path, yes in marked if yes}
    kept = {path_name(path) for path, yes in marked if not yes}
    assert {"decoder/lm_head/kernel", "decoder/layers/0/moe/experts/up", "encoder/sam/patch_embed/kernel"} <= decayed
    assert {
        "decoder/embed/embedding",
        "encoder/sam/pos_embed",
        "decoder/norm/scale",
        "encoder/clip/patch_embed/kernel",
    } <= kept
