"""What a training run is: frozen dataclasses. `train.checks` says what does not go together.

A configuration file (``configs/*.py``) holds one visible object, ``config``; the command line may override
any field. An option that could have no effect is refused rather than ignored.
"""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from dsocr_jax.config import ModelConfig, RivalConfig, config_to_dict, preset
from dsocr_jax.modes import Mode, find_mode

#: Command-line form of the model: the name of a preset. Other sizes are written in the configuration file.
_PRESET_NAME: Any = tyro.constructors.PrimitiveConstructorSpec(
    nargs=1,
    metavar="PRESET",
    instance_from_str=lambda words: words[0],
    is_instance=lambda value: isinstance(value, str | ModelConfig),
    str_from_instance=lambda value: [value if isinstance(value, str) else "(sizes of the file)"],
)


def _pairs(kind: Callable[[str], Any], metavar: str) -> Any:
    """Command-line form of a dictionary: names and values in turn; it replaces the file's as a whole."""

    def read(words: list[str]) -> dict[str, Any]:
        if len(words) % 2:
            raise ValueError(f"names and values come in pairs ({metavar}), and {words[-1]!r} stands alone")
        return {name: kind(value) for name, value in zip(words[::2], words[1::2], strict=True)}

    return tyro.constructors.PrimitiveConstructorSpec(
        nargs="*",
        metavar=f"[{metavar} ...]",
        instance_from_str=read,
        is_instance=lambda value: isinstance(value, dict),
        str_from_instance=lambda value: [str(word) for pair in value.items() for word in pair],
    )


_SHARES, _FOLDERS = _pairs(float, "NAME SHARE"), _pairs(Path, "PATTERN FOLDER")

#: What the schedules do when nothing else is said.
FINAL_FRACTION, STEP_EVERY, STEP_FACTOR = 0.1, 2000, 0.5

#: Fields that may change between two starts of one run: they do not change what a step computes.
HARMLESS = (
    "steps",
    "out",
    "data",
    "workers",
    "checkpoint_every",
    "keep",
    "log_every",
    "mesh",
    "accumulate",
    "backends",
    "overlap",
    "evaluate_every",
    "evaluate_on",
    "evaluate_samples",
    "tensorboard",
    "profile",
    "max_skipped",
    "max_rollbacks",
    "max_bad",
)


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """AdamW or Muon with a learning-rate schedule, decoupled weight decay and clipping by the global norm."""

    #: Muon moves the matrices of layers along the orthogonalised mean of their gradients, each by the root mean square
    #: that AdamW has, so learning rates are AdamW's (arXiv 2502.16982); whatever else there is, AdamW moves.
    name: Literal["adamw", "muon"] = "adamw"
    #: Learning rate after the warmup.
    peak_lr: float = 1e-3
    #: What follows the warmup: a half cosine down to `final_fraction`, nothing, a factor every `step_every` steps, or
    #: nothing until a straight line leads to `final_fraction` in the last `decay_steps` steps.
    schedule: Literal["cosine", "constant", "step", "decay"] = "cosine"
    #: Steps of linear rise from 0.
    warmup: int = 100
    #: Step at which that rise begins: of a run whose learning rate has fallen before, and is to rise again.
    begin: int = 0
    #: Cosine and decay: the last learning rate, as a share of the peak (0.1 when not given).
    final_fraction: float | None = None
    #: Decay only: steps of the line, which must be given.
    decay_steps: int | None = None
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
    #: Decay of the first moment; Muon's matrices have 0.95.
    b1: float = 0.9
    #: Decay of the second moment.
    b2: float = 0.95
    #: Added to the root of the second moment.
    eps: float = 1e-8
    #: Type in which the first moment is kept; the second is always float32.
    first_moment: Literal["float32", "bfloat16"] = "float32"


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
    #: Stages of the pipeline (experimental, `train.pipeline`); 1 for none.
    stage: int = 1


@dataclasses.dataclass(frozen=True)
class BackendsConfig:
    """How the model computes (`dsocr_jax.model.backends.Backends`); None takes what is best on this platform."""

    relative: str | None = None
    attention: str | None = None
    grouped: str | None = None
    layers: str | None = None
    remat: str | None = None
    gathered: str | None = None
    capacity: float | None = None


@dataclasses.dataclass(frozen=True)
class LoraConfig:
    """Low-rank adapters; every other parameter keeps its value."""

    #: Rank of the adapters.
    rank: int = 16
    #: Scale: the product of an adapter's two matrices is multiplied by ``alpha / rank``.
    alpha: float = 32.0
    #: Path patterns of the matrices that get adapters.
    on: tuple[str, ...] = (r"^decoder/layers/.*/attn/(q|k|v|o)/kernel$",)


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training run. Relative paths count from the working directory."""

    #: Name of a preset; in a configuration file also a `ModelConfig`.
    model: Annotated[str | ModelConfig, _PRESET_NAME] = "nano"
    #: Train a simple rival of the encoder (`dsocr_jax.model.rivals`), which is given the pages' text instead of their
    #: pictures, at equal numbers of tokens; None trains the model as it is.
    rival: Literal["mean", "convolved", "truncated"] | None = None
    #: A ``tokenizer.json`` or its folder; None for the small one of this package.
    tokenizer: Path | None = None
    #: Folder of a parameter checkpoint to start from; None for random parameters.
    init_from: Path | None = None
    #: Folders of parameters for parts of the model, by path pattern, such as ``^encoder/ runs/stage1``; they come after
    #: `init_from`, and only the parts named must fit.
    init_parts: Annotated[dict[str, Path], _FOLDERS] = dataclasses.field(default_factory=dict)
    #: Folders of sample sets, as ``dsocr-data build`` writes them; files of lines of JSON (pictures and turns, or text
    #: alone); ``live:LEVEL`` or ``live:LEVEL:charts,pages``, samples drawn while training goes on.
    data: tuple[str, ...] = ()
    #: Share of each kind of sample, such as ``charts 2 pages 1``; not given: by their number. 0 leaves a kind out.
    mixture: Annotated[dict[str, float], _SHARES] = dataclasses.field(default_factory=dict)
    #: What is done to pictures on the fly: one of `datagen.degradation.NAMES`.
    degradation: str = "none"
    #: Resolution modes of the model; steps take turns.
    modes: tuple[str, ...] = ("tiny",)
    #: Share of each mode's steps, such as ``base 2 tiny 1``; not given: equal shares.
    mode_shares: Annotated[dict[str, float], _SHARES] = dataclasses.field(default_factory=dict)
    #: Tokens of a row, placeholders of the picture included; in place of a longer sample another of its kind is taken,
    #: which is counted.
    length: int = 512
    #: Rows of a step, over all devices; each is packed with as many samples as fit.
    rows: int = 16
    #: Most pictures of a row; None takes what the data asks for on average, and a little more.
    pictures_per_row: int | None = None
    #: Parts that the rows of a step are computed in, one after the other: less memory, the same result.
    accumulate: int = 1
    #: Optimizer steps of the whole run.
    steps: int = 2000
    #: Passes over the data, instead of ``steps``; needs data that ends.
    epochs: float | None = None
    #: Folder of the run; an existing run goes on where it was.
    out: Path = Path("runs/train")
    #: Seed of the first parameters and of the order of the samples.
    seed: int = 0
    #: Processes that read, draw, decode and pack; 0 does it between the steps.
    workers: int = 2
    optimizer: OptimizerConfig = OptimizerConfig()
    mesh: MeshConfig = MeshConfig()
    backends: BackendsConfig = BackendsConfig()
    #: On several GPUs: have the compiler run communication behind computation.
    overlap: bool = True
    #: Train low-rank adapters alone; None trains the parameters themselves.
    lora: LoraConfig | None = None
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
    #: Steps between two evaluations; None for none.
    evaluate_every: int | None = None
    #: A sample set that is not trained on, for the evaluations.
    evaluate_on: Path | None = None
    #: Samples of each kind in an evaluation.
    evaluate_samples: int = 8
    #: Write the metrics for TensorBoard, too.
    tensorboard: bool = True
    #: Write a trace of this many steps (after the first ones, which compile); 0 writes none.
    profile: int = 0
    #: Steps in a row whose loss or gradient may be infinite or no number; each is skipped, then the run goes back to
    #: its last checkpoint and past the data that came after it.
    max_skipped: int = 10
    #: How often a run may go back in that way.
    max_rollbacks: int = 3
    #: Largest share of samples that cannot be used (pictures that do not decode, live samples that a generator fails to
    #: draw); more of them end the run.
    max_bad: float = 0.01

    @property
    def model_config(self) -> ModelConfig:
        """The model's sizes, whether given by name or in full."""
        model = preset(self.model) if isinstance(self.model, str) else self.model
        if self.rival is None:
            return model
        return dataclasses.replace(model, rival=dataclasses.replace(model.rival or RivalConfig(), kind=self.rival))

    @property
    def model_modes(self) -> tuple[Mode, ...]:
        """The modes in the order of their turns.

        Raises:
            UserError: the model has no mode of that name.
        """
        known = {mode.name: mode for mode in self.model_config.modes}
        return tuple(find_mode(name, known) for name in self.modes)


def flatten(config: TrainConfig) -> dict[str, Any]:
    """Return every field by dotted name, as JSON holds it; a preset is written out in full."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    values["model"] = config_to_dict(config.model_config)
    for name in ("optimizer", "mesh", "backends", "lora"):
        values[name] = values[name] and dataclasses.asdict(values[name])
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
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        value = {item["name"]: item for item in value}  # the modes of a model
    if isinstance(value, dict):
        return [item for key in value for item in _flat(f"{prefix}.{key}" if prefix else str(key), value[key])]
    return [(prefix, _plain(value))]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
