"""AdamW and Muon, their schedule, and which parameters decay or stay frozen."""

import math
import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
import optax.contrib

from dsocr_jax.errors import UserError
from dsocr_jax.model.scan import first_of
from train.config import FINAL_FRACTION, STEP_EVERY, STEP_FACTOR, OptimizerConfig, TrainConfig, suggest
from train.trained import named_by


def make_schedule(config: OptimizerConfig, steps: int) -> optax.Schedule:
    """Return the learning rate as a function of the steps already made: linear warmup, then the chosen schedule."""
    risen = config.begin + config.warmup
    after = steps - risen
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
    parts = [optax.constant_schedule(0.0)] * bool(config.begin) + [warm] * bool(config.warmup)
    ends = [config.begin] * bool(config.begin) + [risen] * bool(config.warmup)
    return optax.join_schedules([*parts, then], ends) if parts else then


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


#: What Muon moves: matrices between activations. Tables, heads and routers meet single tokens or experts.
MATRICES = (r"(?<!patch_embed)(?<!lm_head)(?<!router)/kernel$", r"/experts/(gate|up|down)$")

#: Root mean square of Muon's updates, about that of AdamW's (arXiv 2502.16982, section 2.2).
MUON_RMS = 0.2


def make_optimizer(config: TrainConfig) -> optax.GradientTransformation:
    """Return the optimizer of the trained parameters, a dictionary by name; clipping is `clipped`."""
    settings = config.optimizer
    schedule = make_schedule(settings, config.steps)

    def decays(tree: Mapping[str, Any]) -> dict[str, bool]:
        return {name: named_by(name, settings.decay) for name in tree}

    adamw = optax.adamw(
        schedule,
        b1=settings.b1,
        b2=settings.b2,
        eps=settings.eps,
        mu_dtype=settings.first_moment,
        weight_decay=settings.weight_decay,
        mask=decays,
    )
    if settings.name == "adamw":
        return adamw
    muon = optax.chain(
        optax.contrib.scale_by_muon(mu_dtype=settings.first_moment, weight_dimension_numbers=_axes),
        optax.stateless(_to_muon_rms),
        optax.add_decayed_weights(settings.weight_decay, decays),
        optax.scale_by_learning_rate(schedule),
    )
    return optax.partition(
        {"matrices": muon, "others": adamw},
        lambda tree: {name: "matrices" if named_by(name, MATRICES) else "others" for name in tree},
    )


def _axes(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return which axes of each matrix are summed over and which remain; those in front count layers and experts."""
    return {name: _matrix_axes(name) if hasattr(x, "shape") else x for name, x in tree.items()}


def _matrix_axes(name: str) -> optax.contrib.MuonDimensionNumbers:
    # A convolution is a matrix over all that its window sees.
    window = re.search(r"/(neck|compressor)/conv\d+/kernel$", name)
    return optax.contrib.MuonDimensionNumbers((-4, -3, -2) if window else (-2,), (-1,))


def _to_muon_rms(updates: Mapping[str, Any], params: Any = None) -> dict[str, Any]:
    """Return orthogonal matrices scaled so that the root mean square of each is `MUON_RMS`."""

    def scale(name: str, shape: tuple[int, ...]) -> float:
        inputs = math.prod(shape[axis] for axis in _matrix_axes(name).reduction_axis)
        return MUON_RMS * math.sqrt(max(inputs, shape[-1]))

    return {name: x * scale(name, x.shape) if hasattr(x, "shape") else x for name, x in updates.items()}


def started_at(opt_state: Any, step: jax.Array) -> Any:
    """Return new moments whose learning rate goes on where that of ``step`` steps stood."""

    def counts(x: Any) -> bool:
        return isinstance(x, optax.ScaleByScheduleState)

    return jax.tree.map(lambda x: x._replace(count=step) if counts(x) else x, opt_state, is_leaf=counts)


def clipped(gradients: dict[str, jax.Array], norm: jax.Array, most: float | None) -> dict[str, jax.Array]:
    """Return the gradients in float32, scaled so that their global norm, which is ``norm``, is at most ``most``."""
    scale = jnp.ones(()) if most is None else jnp.minimum(1.0, most / jnp.maximum(norm, most))
    return {name: x.astype(jnp.float32) * scale for name, x in gradients.items()}
