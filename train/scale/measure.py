"""Measure a line: is it right, how fast is it, and where does the time go."""

import dataclasses
import time
from collections.abc import Sequence

import jax
import numpy as np

from dsocr_jax.batch import Batch
from dsocr_jax.bench.device import DeviceSpeed
from train.flops import step_flops, work_of
from train.scale.line import TOLERANCES, Check, Line
from train.scale.program import Program, host_batch, traced
from train.sharding import batch_shards
from train.step import TrainState, put_batch

#: Steps before the clock starts, beside those that are compared.
WARM = 1
#: Characters of an error that a note has room for.
ERROR = 200


@dataclasses.dataclass(frozen=True)
class Alone:
    """What one device computes, which the lines of several are held against.

    Attributes:
        losses: of the first step with each share of rows, from the same state.
        same: (loss, norm of the gradient) of two steps, one after the other, with the rows of the first share.
        rate: of a second.
    """

    losses: tuple[float, ...]
    same: tuple[tuple[float, float], ...]
    rate: float


def measure(
    program: Program, speed: DeviceSpeed, steps: int, alone: Alone | None, most: int, trace: bool = True
) -> tuple[Line, Alone | None]:
    """Return a line, and what it says of one device if it is that of one device.

    Equal rows on all devices must give the loss and the gradient's norm of one device with these rows, and after the
    update the next loss as well; different rows must give the mean of the losses that one device has with each.

    Args:
        program: what is measured.
        speed: what one device can do.
        steps: that are timed.
        alone: of the same work; None is not compared.
        most: devices of the largest line, so many shares does one device try.
        trace: whether to trace some steps.
    """
    task, count = program.task, program.task.devices
    if count == 1:
        losses = tuple(_first(program, [number])[0] for number in range(most))
    rows = host_batch(task, program.config, range(count), batch_shards(program.mesh))
    own = put_batch(rows, program.mesh)
    same = _steps(program, program.batch([0] * count), 2)
    first, state = _first(program, own)
    for _ in range(WARM):
        state, metrics = program.step(state, own)
    jax.block_until_ready((state, metrics))
    start = time.perf_counter()
    for _ in range(steps):
        state, metrics = program.step(state, own)
    jax.block_until_ready((state, metrics))
    took = (time.perf_counter() - start) / steps
    seen, notes = None, [program.note]
    if trace:
        try:
            seen = traced(program, state, own)
        except Exception as error:  # whatever the profiler has: the line's other figures stand
            notes.append(f"not traced: {type(error).__name__}: {error}"[:ERROR])
    del state
    counted = work_of(rows, program.model)
    flops = sum(step_flops(program.config, counted).values()) / count
    done = counted.tokens
    if task.work.mode is not None:
        done = task.work.pages * task.work.rows * count
        notes.append(f"{counted.tokens / took:,.0f} tokens/s")
    if count == 1:
        alone = Alone(losses, tuple(same), done / took)
    line = Line(
        name=task.name,
        work=task.work.name,
        axes=dict(task.axes),
        devices=count,
        unit="tokens" if task.work.mode is None else "pages",
        rate=done / took,
        milliseconds=1e3 * took,
        flops=flops,
        share=flops / took / speed.flops,
        efficiency=None if alone is None else done / took / count / alone.rate,
        traffic=program.traffic,
        communication=None if seen is None else seen.share(seen.communication),
        exposed=None if seen is None else seen.share(seen.exposed),
        gigabytes=program.gigabytes,
        loss=first,
        checks=() if alone is None or count == 1 else compare(program, first, same, alone),
        compile_s=program.compile_s,
        note="; ".join(notes),
    )
    return line, alone if count == 1 else None


def compare(program: Program, first: float, same: Sequence[tuple[float, float]], alone: Alone) -> tuple[Check, ...]:
    """Return the numbers of a line beside those of one device."""
    of_loss, of_norm = TOLERANCES[program.config.compute_dtype]
    checks = [Check("loss", first, float(np.mean(alone.losses[: program.task.devices])), of_loss)]
    for number, (found, right) in enumerate(zip(same, alone.same, strict=True), 1):
        checks.append(Check(f"loss {number} of equal rows", found[0], right[0], of_loss))
        checks.append(Check(f"gradient {number}", found[1], right[1], of_norm))
    return tuple(checks)


def _first(program: Program, rows: Batch | Sequence[int]) -> tuple[float, TrainState]:
    """Return the loss of one step from a fresh state, and the state behind it."""
    batch = rows if isinstance(rows, Batch) else program.batch(rows)
    state, metrics = program.step(program.make(), batch)
    return float(metrics["loss"]), state


def _steps(program: Program, batch: Batch, steps: int) -> list[tuple[float, float]]:
    """Return loss and norm of the gradient of some steps from a fresh state."""
    state, found = program.make(), []
    for _ in range(steps):
        state, metrics = program.step(state, batch)
        found.append((float(metrics["loss"]), float(metrics["grad_norm"])))
    return found
