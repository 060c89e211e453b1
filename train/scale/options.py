"""What the command is asked, and what its processes tell each other. Light to import: no JAX here."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from train.bench.works import Work
    from train.config import TrainConfig

#: Cores that compiling one line keeps busy.
CORES = 8
#: Rows of a device on CPUs, where the table proves only that everything runs.
CPU_ROWS = 1
#: Name of the lines that read begin so.
READING = "reading"


@dataclasses.dataclass(frozen=True)
class Links:
    """How devices are linked, for predictions; each way, for one device."""

    #: Gigabytes a second between devices of one host.
    inside: float = 450.0
    #: Gigabits a second between hosts.
    between: float = 400.0
    #: Devices of a host.
    host: int = 8
    #: Microseconds that each step of a ring takes beside its bytes.
    latency: float = 5.0


@dataclasses.dataclass(frozen=True)
class Options:
    """What is measured, with random weights and random batches, optimizer included."""

    #: Size of the model; by default nano on CPUs and released elsewhere.
    preset: Literal["released", "nano"] | None = None
    #: Lines by the beginnings of their names; all of them by default.
    only: tuple[str, ...] = ()
    #: Numbers of devices; by default 1, 2, 4, ... and all. Expert, tensor and pipeline take the largest.
    devices: tuple[int, ...] = ()
    #: Rows of a device, instead of each work's own.
    rows: int | None = None
    #: Steps that are timed.
    steps: int = 8
    #: Begin no new line after so many seconds.
    seconds: float | None = None
    #: Type of activations, and of the parameters where they are used; bfloat16 but on CPUs by default.
    dtype: Literal["float32", "bfloat16"] | None = None
    #: Type of the first moment.
    first_moment: Literal["float32", "bfloat16"] = "float32"
    #: What the backward pass finds kept.
    remat: str | None = None
    #: Whether it finds the parameters that came together for the forward pass kept: "again" or "kept".
    gathered: str | None = None
    #: Have the compiler run communication behind computation.
    overlap: bool = True
    #: Positions of a row whose logits exist at one time.
    loss_chunk: int = 512
    #: Also trace some steps: what is communication, and what of it is hidden.
    trace: bool = True
    #: Lines compiled at the same time; by default one for every 8 cores.
    together: int | None = None
    #: Processes that read, one for each GPU by default (two on CPUs).
    readers: int | None = None
    #: Pages that each of them reads.
    pages: int | None = None
    #: Folder for the checkpoint; by default one for temporary files.
    scratch: Path | None = None
    #: Keep compiled programs in $DSOCR_COMPILE_CACHE, by default a folder in the user's cache.
    compile_cache: bool = True
    #: File for the table as JSON.
    out: Path | None = None
    #: Numbers of devices to predict the table for, from this run or from --measured.
    predict: tuple[int, ...] = ()
    #: Predict from this file, which --out wrote; nothing is run.
    measured: Path | None = None
    #: Speeds that the predictions assume.
    links: Links = Links()

    def filled(self, on_cpu: bool) -> "Options":
        """Return the options with what decides the sizes said."""
        dtype = self.dtype or ("float32" if on_cpu else "bfloat16")
        rows = self.rows or (CPU_ROWS if on_cpu else None)
        return dataclasses.replace(self, preset=self.preset_on(on_cpu), dtype=dtype, rows=rows)

    def preset_on(self, on_cpu: bool) -> Literal["released", "nano"]:
        """Return the model's size."""
        return self.preset or ("nano" if on_cpu else "released")

    def training(self, on_cpu: bool) -> tuple["TrainConfig", tuple["Work", ...]]:
        """Return how lines train, and the works: text and pages."""
        from train.bench.works import WORKS
        from train.config import BackendsConfig, OptimizerConfig, TrainConfig

        said = self.filled(on_cpu)
        works = [work for work in WORKS[self.preset_on(on_cpu)] if work.mode in (None, "base")]
        if said.rows is not None:
            works = [dataclasses.replace(work, rows=said.rows) for work in works]
        config = TrainConfig(
            model=self.preset_on(on_cpu),
            optimizer=OptimizerConfig(peak_lr=1e-6, schedule="constant", warmup=0, first_moment=self.first_moment),
            backends=BackendsConfig(remat=self.remat, layers="scanned", gathered=self.gathered),
            overlap=self.overlap,
            compute_dtype=said.dtype or "bfloat16",
            loss_chunk=self.loss_chunk,
        )
        return config, tuple(works)

    def at_once(self) -> int:
        """Return how many lines are compiled at the same time."""
        return self.together or max(2, (os.cpu_count() or 1) // CORES)


@dataclasses.dataclass(frozen=True)
class Planned:
    """What the process that trains has found: devices, the lines that it will measure, and options without blanks."""

    options: Options
    kind: str
    devices: int
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Begun:
    """A line is at work."""

    name: str


@dataclasses.dataclass(frozen=True)
class Refused:
    """The user asked for what there is not."""

    message: str


@dataclasses.dataclass(frozen=True)
class Finished:
    """Nothing more is measured; however the process ends after that."""
