"""AdamW, its schedule, and which parameters decay or stay frozen."""

import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from dsocr_jax.errors import UserError
from dsocr_jax.model.scan import first_of
from train.config import FINAL_FRACTION, STEP_EVERY, STEP_FACTOR, OptimizerConfig, TrainConfig, suggest
from train.trained import named_by


def make_schedule(config: OptimizerConfig, steps: int) -> optax.Schedule:
    """Return the learning rate as a function of the steps already made: linear warmup, then the chosen schedule."""
    after = steps - config.warmup
    final = FINAL_FRACTION if config.final_fraction is None else config.final_fraction
    if config.schedule == "cosine":
        then = optax.cosine_decay_schedule(config.peak_lr, after, alpha=final)
    elif config.schedule == "step":
        factor = STEP_FACTOR if config.step_factor is None else config.step_factor
        then = optax.exponential_decay(config.peak_lr, config.step_every or STEP_EVERY, factor, staircase=True)
    elif config.schedule == "decay":
        length = config.decay_steps or after
        then = optax.linear_schedule(config.peak_lr, final * config.peak_lr, length, after - length)
    else:
        then = optax.constant_schedule(config.peak_lr)
    # The first step has a learning rate above 0: a step that moves nothing would be wasted.
    warm = optax.linear_schedule(config.peak_lr / (config.warmup + 1), config.peak_lr, config.warmup)
    return optax.join_schedules([warm, then], [config.warmup]) if config.warmup else then


def check_patterns(params: Mapping[str, Any], config: TrainConfig) -> None:
    """Refuse a pattern that names no parameter, and a run that would freeze everything.

    Raises:
        UserError: the message names the pattern and the nearest paths.
    """
    near = sorted({part for name in params for part in (*name.split("/"), "/".join(name.split("/")[:2]))})
    given = [pattern for pattern in config.optimizer.decay if pattern not in OptimizerConfig().decay]
    adapted = config.lora.on if config.lora else ()
    for option, patterns in (("--freeze", config.freeze), ("--optimizer.decay", given), ("--lora.on", adapted)):
        for pattern in patterns:
            if not any(re.search(pattern, first_of(name)) for name in params):
                hint = suggest(pattern.strip("^$/"), near)
                raise UserError(f"{option}: {pattern!r} names no parameter{hint} (`--dry-run` lists them all)")
    if config.freeze and all(named_by(name, config.freeze) for name in params):
        raise UserError("--freeze: every parameter is frozen; leave some to be trained")


def make_optimizer(config: TrainConfig) -> optax.GradientTransformation:
    """Return the optimizer of the trained parameters, a dictionary by name; clipping is `clipped`."""
    settings = config.optimizer
    return optax.adamw(
        make_schedule(settings, config.steps),
        b1=settings.b1,
        b2=settings.b2,
        eps=settings.eps,
        mu_dtype=settings.first_moment,
        weight_decay=settings.weight_decay,
        mask=lambda tree: {name: named_by(name, settings.decay) for name in tree},
    )


def clipped(gradients: dict[str, jax.Array], norm: jax.Array, most: float | None) -> dict[str, jax.Array]:
    """Return the gradients in float32, scaled so that their global norm, which is ``norm``, is at most ``most``."""
    scale = jnp.ones(()) if most is None else jnp.minimum(1.0, most / jnp.maximum(norm, most))
    return {name: x.astype(jnp.float32) * scale for name, x in gradients.items()}
