"""The lines of the table in the order in which they are measured: what matters most comes first."""

import dataclasses
import math

from dsocr_jax.errors import UserError
from train.bench.works import Work
from train.config import MeshConfig

#: Stages of the pipeline, and microbatches for each of them at most.
STAGES, MICROBATCHES = 4, 4
#: Meshes with other axes than fsdp are measured on all devices first, and on fewer down to so many at last.
SEVERAL = 4


@dataclasses.dataclass(frozen=True)
class Task:
    """One line that trains.

    Attributes:
        work: what a device is given.
        axes: of the mesh, those larger than 1.
        devices: their product.
        accumulate: parts of a step's batch; microbatches where there is a pipeline.
    """

    work: Work
    axes: tuple[tuple[str, int], ...]
    devices: int
    accumulate: int = 1

    @property
    def name(self) -> str:
        """Of the line."""
        axes = " x ".join(f"{axis} {size}" for axis, size in self.axes) or "1 device"
        return f"{self.work.name}, {axes}"

    @property
    def mesh(self) -> MeshConfig:
        """The arrangement of the devices."""
        sizes = dict.fromkeys((field.name for field in dataclasses.fields(MeshConfig)), 1)
        return MeshConfig(**{**sizes, **dict(self.axes)})


@dataclasses.dataclass(frozen=True)
class Restart:
    """The line of a checkpoint that is saved by one line's devices and continued on another's."""

    before: Task
    after: Task

    @property
    def name(self) -> str:
        """Of the line."""
        return f"checkpoint on {self.before.devices} devices, continued on {self.after.devices}"


def plan(works: tuple[Work, ...], counts: tuple[int, ...]) -> list[Task | Restart]:
    """Return the lines for these works on these numbers of devices.

    Args:
        works: text and pages; the first one's checkpoint is saved and continued.
        counts: numbers of devices; the largest is that of the lines which are measured on all devices only.

    Raises:
        UserError: a number makes no sense.
    """
    if not counts or min(counts) < 1:
        raise UserError("--devices takes numbers from 1 on")
    most = max(counts)
    order = sorted(set(counts), key=lambda count: (count != 1, -count))
    pages = [work for work in works if work.mode is not None]
    tasks: list[Task | Restart] = [task(work, fsdp=count) for work in works for count in order]
    if most > 1:
        tasks += [task(work, expert=most) for work in works]
    if most > 1 and most % 2 == 0:
        tasks += [task(work, tensor=2, fsdp=most // 2) for work in works]
    if most % STAGES == 0:
        # Text alone would leave the two stages of the pictures without work.
        tasks += [task(work, stage=STAGES, fsdp=most // STAGES) for work in pages]
    if most > 1 and most % 2 == 0:
        tasks.append(Restart(task(works[0], fsdp=most), task(works[0], fsdp=most // 2)))
    for count in order:
        if SEVERAL <= count < most:
            tasks += [task(work, expert=count) for work in works]
            tasks += [task(work, tensor=2, fsdp=count // 2) for work in works if count % 2 == 0]
    return tasks


def task(work: Work, **axes: int) -> Task:
    """Return the line of a work on a mesh."""
    larger = tuple((axis, size) for axis, size in axes.items() if size > 1)
    stages = axes.get("stage", 1)
    # Rows of a group of stages fall into equal microbatches.
    each = max(n for n in range(1, MICROBATCHES + 1) if work.rows % n == 0)
    return Task(work, larger, math.prod(axes.values()), stages * each if stages > 1 else 1)


def chosen(names: list[str], only: tuple[str, ...]) -> list[str]:
    """Return the names that begin with one of ``only``, or all.

    Raises:
        UserError: no name begins so.
    """
    found = [name for name in names if not only or name.startswith(only)]
    if not found:
        raise UserError(f"--only: no line begins so; there are: {'; '.join(names)}")
    return found
