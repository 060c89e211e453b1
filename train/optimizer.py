"""AdamW, its schedule, and which parameters decay or stay frozen."""

import re
from collections.abc import Sequence
from typing import Any

import jax
import optax

from dsocr_jax.errors import UserError
from dsocr_jax.weights.params import path_name
from train.config import FINAL_FRACTION, STEP_EVERY, STEP_FACTOR, OptimizerConfig, TrainConfig, suggest


def make_schedule(config: OptimizerConfig, steps: int) -> optax.Schedule:
    """Return the learning rate as a function of the steps already made: linear warmup, then the chosen schedule."""
    after = steps - config.warmup
    if config.schedule == "cosine":
        final = FINAL_FRACTION if config.final_fraction is None else config.final_fraction
        then = optax.cosine_decay_schedule(config.peak_lr, after, alpha=final)
    elif config.schedule == "step":
        factor = STEP_FACTOR if config.step_factor is None else config.step_factor
        then = optax.exponential_decay(config.peak_lr, config.step_every or STEP_EVERY, factor, staircase=True)
    else:
        then = optax.constant_schedule(config.peak_lr)
    # The first step has a learning rate above 0: a step that moves nothing would be wasted.
    warm = optax.linear_schedule(config.peak_lr / (config.warmup + 1), config.peak_lr, config.warmup)
    return optax.join_schedules([warm, then], [config.warmup]) if config.warmup else then


def matching(params: Any, patterns: Sequence[str]) -> Any:
    """Return a tree of bool like ``params``: whether any pattern is found in the leaf's path."""
    return jax.tree.map_with_path(lambda path, _: any(re.search(p, path_name(path)) for p in patterns), params)


def check_patterns(params: Any, config: TrainConfig) -> None:
    """Refuse a pattern that names no parameter, and a run that would freeze everything.

    Raises:
        UserError: the message names the pattern and the nearest paths.
    """
    names = [path_name(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    near = sorted({part for name in names for part in (*name.split("/"), "/".join(name.split("/")[:2]))})
    given = [pattern for pattern in config.optimizer.decay if pattern not in OptimizerConfig().decay]
    for option, patterns in (("--freeze", config.freeze), ("--optimizer.decay", given)):
        for pattern in patterns:
            if not any(re.search(pattern, name) for name in names):
                hint = suggest(pattern.strip("^$/"), near)
                raise UserError(f"{option}: {pattern!r} names no parameter{hint} (`--dry-run` lists them all)")
    if config.freeze and all(jax.tree.leaves(matching(params, config.freeze))):
        raise UserError("--freeze: every parameter is frozen; leave some to be trained")


def make_optimizer(params: Any, config: TrainConfig) -> optax.GradientTransformation:
    """Return the optimizer for ``params`` (only their paths count); frozen parameters have no moments.

    The norm that is clipped is that of the trained parameters alone.
    """
    settings = config.optimizer
    adamw = optax.adamw(
        make_schedule(settings, config.steps),
        b1=settings.b1,
        b2=settings.b2,
        eps=settings.eps,
        weight_decay=settings.weight_decay,
        mask=lambda tree: matching(tree, settings.decay),
    )
    trained = adamw if settings.clip is None else optax.chain(optax.clip_by_global_norm(settings.clip), adamw)
    if not config.freeze:
        return trained
    labels = jax.tree.map(lambda frozen: "frozen" if frozen else "trained", matching(params, config.freeze))
    return optax.partition({"trained": trained, "frozen": optax.set_to_zero()}, labels)
