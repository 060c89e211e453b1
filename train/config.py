"""What a training run is: frozen dataclasses, and the checks that need neither a device nor the data.

A configuration file (``configs/*.py``) holds one visible object, ``config``; the command line may override
any field. An option that could have no effect is refused rather than ignored.
"""

import dataclasses
import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from dsocr_jax.config import ModelConfig, config_to_dict, preset
from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode, count_tokens, find_mode

#: Command-line form of the model: the name of a preset. Other sizes are written in the configuration file.
_PRESET_NAME: Any = tyro.constructors.PrimitiveConstructorSpec(
    nargs=1,
    metavar="PRESET",
    instance_from_str=lambda words: words[0],
    is_instance=lambda value: isinstance(value, str | ModelConfig),
    str_from_instance=lambda value: [value if isinstance(value, str) else "(sizes of the file)"],
)

#: What the schedules do when nothing else is said.
FINAL_FRACTION, STEP_EVERY, STEP_FACTOR = 0.1, 2000, 0.5

#: Fields that may change between two starts of one run: they do not change what a step computes.
HARMLESS = ("steps", "out", "data", "workers", "checkpoint_every", "keep", "log_every", "mesh")


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with a learning-rate schedule, decoupled weight decay and clipping by the global norm."""

    #: Learning rate after the warmup.
    peak_lr: float = 1e-3
    #: What follows the warmup: a half cosine down to `final_fraction`, nothing, or a factor every `step_every` steps.
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    #: Steps of linear rise from 0.
    warmup: int = 100
    #: Cosine only: the last learning rate, as a share of the peak (0.1 when not given).
    final_fraction: float | None = None
    #: Step schedule only: steps between two cuts (2000 when not given).
    step_every: int | None = None
    #: Step schedule only: factor of one cut (0.5 when not given).
    step_factor: float | None = None
    #: Decay of the weights per step, times the learning rate.
    weight_decay: float = 0.1
    #: Path patterns of the parameters that decay: matrices, but not norms, biases, tables, embeddings (and the one
    #: kernel that is stored and never used).
    decay: tuple[str, ...] = (r"(?<!clip/patch_embed)/kernel$", r"/experts/(gate|up|down)$")
    #: Largest global norm of the gradient; None for no clipping.
    clip: float | None = 1.0
    #: Decay of the first moment.
    b1: float = 0.9
    #: Decay of the second moment.
    b2: float = 0.95
    #: Added to the root of the second moment.
    eps: float = 1e-8


@dataclasses.dataclass(frozen=True)
class MeshConfig:
    """Devices along each axis; one axis may be -1: whatever is left."""

    #: Whole copies of the parameters, each with its share of the batch.
    data: int = -1
    #: Parameters split over devices and gathered when used; the batch is split as well.
    fsdp: int = 1
    #: Experts split over devices; the batch is split as well.
    expert: int = 1
    #: Matrices split over devices; the batch is not.
    tensor: int = 1


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training run. Relative paths count from the working directory."""

    #: Name of a preset; in a configuration file also a `ModelConfig`.
    model: Annotated[str | ModelConfig, _PRESET_NAME] = "nano"
    #: A ``tokenizer.json`` or its folder; None for the small one of this package.
    tokenizer: Path | None = None
    #: Folder of a parameter checkpoint to start from; None for random parameters.
    init_from: Path | None = None
    #: Folders of sample sets, as ``dsocr-data build`` writes them.
    data: tuple[Path, ...] = ()
    #: Share of each kind of sample, such as ``charts 2 pages 1``; not given: by their number. 0 leaves a kind out.
    mixture: dict[str, float] = dataclasses.field(default_factory=dict)
    #: Resolution modes of the model; batches take turns.
    modes: tuple[str, ...] = ("tiny",)
    #: Tokens of a row, placeholders of the picture included; longer samples are left out and counted.
    length: int = 512
    #: Samples of a step, over all devices.
    batch_size: int = 64
    #: Rows that the samples of a step are packed into; None gives each its own row. Samples for which there is no
    #: place are left out and counted.
    rows: int | None = None
    #: Optimizer steps of the whole run.
    steps: int = 2000
    #: Folder of the run; an existing run goes on where it was.
    out: Path = Path("runs/train")
    #: Seed of the first parameters and of the order of the samples.
    seed: int = 0
    #: Threads that read, decode and collate.
    workers: int = 2
    optimizer: OptimizerConfig = OptimizerConfig()
    mesh: MeshConfig = MeshConfig()
    #: Type of activations and of the parameters where they are used; the parameters themselves stay float32.
    compute_dtype: Literal["float32", "bfloat16"] = "float32"
    #: Positions of a row whose logits are held at one time.
    loss_chunk: int = 64
    #: Path patterns of parameters that keep their values, such as ``^sam/``.
    freeze: tuple[str, ...] = ()
    #: Steps between two checkpoints; there is always one at the end.
    checkpoint_every: int = 500
    #: Newest checkpoints that are kept.
    keep: int = 2
    #: Steps between two lines of the metrics.
    log_every: int = 10

    @property
    def model_config(self) -> ModelConfig:
        """The model's sizes, whether given by name or in full."""
        return preset(self.model) if isinstance(self.model, str) else self.model

    @property
    def model_modes(self) -> tuple[Mode, ...]:
        """The modes in the order of their turns.

        Raises:
            UserError: the model has no mode of that name.
        """
        known = {mode.name: mode for mode in self.model_config.modes}
        return tuple(find_mode(name, known) for name in self.modes)


def check(config: TrainConfig) -> None:
    """Raise one `UserError` with everything that is wrong in ``config`` itself; files and devices come later."""
    found = [*_check_numbers(config), *_check_schedule(config), *_check_patterns(config), *_check_model(config)]
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
    for name in ("length", "batch_size", "steps", "workers", "loss_chunk", "checkpoint_every", "keep", "log_every"):
        if getattr(config, name) < 1:
            found.append(f"--{name.replace('_', '-')} must be at least 1, not {getattr(config, name)}")
    if config.rows is not None and not 1 <= config.rows < config.batch_size:
        found.append(f"--rows must be at least 1 and less than --batch-size {config.batch_size}, or None")
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
        "weight-decay must be 0 or more": optimizer.weight_decay >= 0,
        "clip must be above 0; None switches clipping off": optimizer.clip is None or optimizer.clip > 0,
        "b1 must be in [0, 1)": 0 <= optimizer.b1 < 1,
        "b2 must be in [0, 1)": 0 <= optimizer.b2 < 1,
        "eps must be above 0": optimizer.eps > 0,
    }
    return found + [f"--optimizer.{rule}" for rule, holds in rules.items() if not holds]


def _check_schedule(config: TrainConfig) -> list[str]:
    optimizer, found = config.optimizer, []
    if optimizer.warmup >= config.steps >= 1:
        found.append(
            f"--optimizer.warmup {optimizer.warmup} is not shorter than --steps {config.steps}: the peak would "
            "never be reached; shorten the warmup"
        )
    for name, schedule in (("final_fraction", "cosine"), ("step_every", "step"), ("step_factor", "step")):
        value, option = getattr(optimizer, name), f"--optimizer.{name.replace('_', '-')}"
        if value is not None and optimizer.schedule != schedule:
            found.append(
                f"{option} has no effect with a {optimizer.schedule} schedule; leave it out or take "
                f"--optimizer.schedule {schedule}"
            )
    if optimizer.final_fraction is not None and not 0 <= optimizer.final_fraction <= 1:
        found.append("--optimizer.final-fraction must be in [0, 1]")
    every = STEP_EVERY if optimizer.step_every is None else optimizer.step_every
    if optimizer.schedule == "step" and not 1 <= every < config.steps - optimizer.warmup:
        found.append(f"--optimizer.step-every {every} must be at least 1 and leave a cut before the last step")
    if optimizer.step_factor is not None and not 0 < optimizer.step_factor < 1:
        found.append("--optimizer.step-factor must be in (0, 1)")
    if optimizer.weight_decay == 0 and optimizer.decay != OptimizerConfig().decay:
        found.append("--optimizer.decay has no effect with --optimizer.weight-decay 0; leave it out")
    return found


def _check_patterns(config: TrainConfig) -> list[str]:
    found = []
    for option, patterns in (("--freeze", config.freeze), ("--optimizer.decay", config.optimizer.decay)):
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


def flatten(config: TrainConfig) -> dict[str, Any]:
    """Return every field by dotted name, as JSON holds it; a preset is written out in full."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    values["model"] = config_to_dict(config.model_config)
    values["optimizer"], values["mesh"] = dataclasses.asdict(config.optimizer), dataclasses.asdict(config.mesh)
    return dict(_flat("", values))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return ``name: old → new`` for every field that differs and is not one of `HARMLESS`."""
    names = sorted(name for name in {*old, *new} if name.split(".")[0] not in HARMLESS)
    return [
        f"{name}: {old.get(name, 'absent')} → {new.get(name, 'absent')}"
        for name in names
        if old.get(name) != new.get(name)
    ]


def suggest(name: str, known: list[str]) -> str:
    """Return ``; did you mean …?`` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [item for key in value for item in _flat(f"{prefix}.{key}" if prefix else str(key), value[key])]
    return [(prefix, _plain(value))]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
