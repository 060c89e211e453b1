"""What is wrong in a configuration by itself: checks that need neither a device nor the data, all told at once."""

import dataclasses
import re

from datagen.degradation import NAMES
from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import CHOICES
from dsocr_jax.modes import count_tokens
from train.config import STEP_EVERY, OptimizerConfig, TrainConfig


def check(config: TrainConfig) -> None:
    """Raise one `UserError` with everything that is wrong in ``config`` itself; files and devices come later."""
    found = [*_check_numbers(config), *_check_schedule(config), *_check_patterns(config), *_check_model(config)]
    found += [*_check_together(config), *_check_backends(config), *_check_rival(config)]
    found += [
        f"--mixture: the weight of {kind} is {w:g}; give 0 or more" for kind, w in config.mixture.items() if w < 0
    ]
    if config.mixture and not any(weight > 0 for weight in config.mixture.values()):
        found.append("--mixture: every weight is 0; give one kind a weight")
    if not config.data:
        found.append("--data: no sample set is given; name the folder that `dsocr-data build` wrote")
    if found:
        raise UserError("; ".join(found))


def _check_numbers(config: TrainConfig) -> list[str]:
    found = []
    for name in (
        *("length", "rows", "steps", "loss_chunk", "checkpoint_every", "keep", "log_every"),
        *("accumulate", "pictures_per_row", "evaluate_every", "evaluate_samples", "max_skipped"),
    ):
        value = getattr(config, name)
        if value is not None and value < 1:
            found.append(f"--{name.replace('_', '-')} must be at least 1, not {value}")
    for name in ("profile", "max_rollbacks", "workers"):
        if getattr(config, name) < 0:
            found.append(f"--{name.replace('_', '-')} must be 0 or more, not {getattr(config, name)}")
    if not 0 <= config.max_bad <= 1:
        found.append(f"--max-bad must be in [0, 1], not {config.max_bad:g}")
    if config.epochs is not None and config.epochs <= 0:
        found.append(f"--epochs must be above 0, not {config.epochs:g}")
    if config.rows % max(config.accumulate, 1):
        found.append(f"--rows {config.rows} does not split into --accumulate {config.accumulate} equal parts")
    if config.seed < 0:
        found.append(f"--seed must be 0 or more, not {config.seed}")
    mesh = dataclasses.asdict(config.mesh)
    found += [f"--mesh.{axis} must be at least 1, or -1 for the rest" for axis, n in mesh.items() if n < 1 and n != -1]
    if list(mesh.values()).count(-1) > 1:
        found.append("only one axis of --mesh may be -1")
    optimizer = config.optimizer
    rules = {
        "peak-lr must be above 0": optimizer.peak_lr > 0,
        "warmup must be 0 or more": optimizer.warmup >= 0,
        "begin must be 0 or more": optimizer.begin >= 0,
        "weight-decay must be 0 or more": optimizer.weight_decay >= 0,
        "clip must be above 0; None switches clipping off": optimizer.clip is None or optimizer.clip > 0,
        "b1 must be in [0, 1)": 0 <= optimizer.b1 < 1,
        "b2 must be in [0, 1)": 0 <= optimizer.b2 < 1,
        "eps must be above 0": optimizer.eps > 0,
    }
    return found + [f"--optimizer.{rule}" for rule, holds in rules.items() if not holds]


def _check_together(config: TrainConfig) -> list[str]:
    """Options that mean something only beside others."""
    found = []
    for mode, share in config.mode_shares.items():
        if mode not in config.modes:
            found.append(f"--mode-shares: {mode} is not one of --modes {' '.join(config.modes)}")
        if share < 0:
            found.append(f"--mode-shares: the share of {mode} is {share:g}; give 0 or more")
    if config.mode_shares and set(config.modes) - set(config.mode_shares):
        missing = ", ".join(mode for mode in config.modes if mode not in config.mode_shares)
        found.append(f"--mode-shares: no share for {missing}; give every mode one")
    if config.mode_shares and not any(share > 0 for share in config.mode_shares.values()):
        found.append("--mode-shares: every share is 0; give one mode a share")
    if (config.evaluate_every is None) != (config.evaluate_on is None):
        found.append("--evaluate-every and --evaluate-on go together; give both or neither")
    if config.degradation not in NAMES:
        found.append(f"--degradation {config.degradation!r} is not one of {', '.join(NAMES)}")
    if config.lora is not None:
        if config.lora.rank < 1 or config.lora.alpha <= 0:
            found.append("--lora: rank must be at least 1 and alpha above 0")
        if config.init_from is None:
            found.append("--lora: adapters need a model to adapt; name it by --init-from")
        if config.freeze:
            found.append("--freeze has no effect with --lora, which trains the adapters alone; leave it out")
        if config.optimizer.name == "muon":
            found.append("--optimizer.name muon moves whole matrices, and --lora trains none; take adamw")
    return found


def _check_rival(config: TrainConfig) -> list[str]:
    """What a rival of the encoder, which is given text, cannot do."""
    if config.model_config.rival is None:
        return []
    found = [
        f"--rival: mode {mode.name} cuts pictures into tiles, and a text has none; take another mode"
        for mode in config.model_modes
        if mode.crop
    ]
    if config.degradation != "none":
        found.append(f"--degradation {config.degradation} has no effect with --rival, which sees no picture")
    return found


def _check_backends(config: TrainConfig) -> list[str]:
    given = dataclasses.asdict(config.backends)
    found = [
        f"--backends.{name} {given[name]!r} is not one of {', '.join(known)}"
        for name, known in CHOICES.items()
        if given[name] is not None and given[name] not in known
    ]
    if config.backends.capacity is not None and config.backends.capacity <= 0:
        found.append(f"--backends.capacity must be above 0, not {config.backends.capacity:g}")
    return found


def _check_schedule(config: TrainConfig) -> list[str]:
    optimizer, found = config.optimizer, []
    risen = optimizer.begin + optimizer.warmup
    if risen >= config.steps >= 1:
        begun = f" from step {optimizer.begin} on" if optimizer.begin else ""
        found.append(
            f"--optimizer.warmup {optimizer.warmup}{begun} is not shorter than --steps {config.steps}: the peak would "
            "never be reached; shorten the warmup"
        )
    for name, schedules in (
        ("final_fraction", ("cosine", "decay")),
        ("decay_steps", ("decay",)),
        ("step_every", ("step",)),
        ("step_factor", ("step",)),
    ):
        value, option = getattr(optimizer, name), f"--optimizer.{name.replace('_', '-')}"
        schedule = schedules[0]
        if value is not None and optimizer.schedule not in schedules:
            found.append(
                f"{option} has no effect with a {optimizer.schedule} schedule; leave it out or take "
                f"--optimizer.schedule {schedule}"
            )
    if optimizer.final_fraction is not None and not 0 <= optimizer.final_fraction <= 1:
        found.append("--optimizer.final-fraction must be in [0, 1]")
    every = STEP_EVERY if optimizer.step_every is None else optimizer.step_every
    if optimizer.schedule == "step" and not 1 <= every < config.steps - risen:
        found.append(f"--optimizer.step-every {every} must be at least 1 and leave a cut before the last step")
    if optimizer.schedule == "decay" and not 1 <= (optimizer.decay_steps or 0) <= config.steps - risen:
        found.append("--optimizer.decay-steps must be at least 1, and the decay must begin behind the warmup")
    if optimizer.step_factor is not None and not 0 < optimizer.step_factor < 1:
        found.append("--optimizer.step-factor must be in (0, 1)")
    if optimizer.weight_decay == 0 and optimizer.decay != OptimizerConfig().decay:
        found.append("--optimizer.decay has no effect with --optimizer.weight-decay 0; leave it out")
    return found


def _check_patterns(config: TrainConfig) -> list[str]:
    found = []
    for option, patterns in (
        ("--freeze", config.freeze),
        ("--optimizer.decay", config.optimizer.decay),
        ("--lora.on", config.lora.on if config.lora else ()),
    ):
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                found.append(f"{option}: {pattern!r} is not a regular expression ({error})")
    return found


def _check_model(config: TrainConfig) -> list[str]:
    model, found = config.model_config, []
    if not config.modes:
        found.append("--modes: name at least one mode")
    if len(set(config.modes)) != len(config.modes):
        found.append("--modes: a mode is named twice")
    if config.length > model.decoder.max_positions:
        found.append(f"--length {config.length} is more than the model's {model.decoder.max_positions} positions")
    for mode in config.model_modes:
        placeholders = count_tokens(mode, (1, 1), model.stride)
        if placeholders >= config.length:
            found.append(
                f"--length {config.length} has no room for an answer: a picture in mode {mode.name} alone takes "
                f"{placeholders} tokens"
            )
    return found
