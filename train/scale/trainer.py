"""The process that trains: it measures line after line and tells each as soon as it is known.

A process of its own gives the devices' memory back for reading, and may die without taking the table with it.
"""

import dataclasses
import gc
import os
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsocr_jax.errors import UserError
from train.scale.compiling import set_up
from train.scale.line import Line
from train.scale.options import READING, Begun, Finished, Options, Planned, Refused

if TYPE_CHECKING:
    import jax

    from dsocr_jax.bench.device import DeviceSpeed
    from train.config import TrainConfig
    from train.scale.measure import Alone
    from train.scale.plan import Restart, Task
    from train.scale.program import Program

#: Lines compiled at the same time at first, so that there are soon some figures.
FIRST = 4
#: Characters of an error that the table has room for.
ERROR = 300


def serve(options: Options, skip: tuple[str, ...], until: float | None, connection: Connection) -> None:
    """Measure what ``options`` ask for; messages and lines go to the parent.

    Args:
        options: what is measured.
        skip: names of lines that an earlier process has begun.
        until: ``time.monotonic()`` after which nothing is begun; None for no such time.
        connection: to the parent.
    """
    try:
        for message in work(options, skip, until):
            connection.send(message)
        connection.send(Finished())
    except UserError as error:
        connection.send(Refused(str(error)))
    except BrokenPipeError:  # the parent has gone
        os._exit(1)


def work(options: Options, skip: tuple[str, ...] = (), until: float | None = None) -> Iterator[Any]:
    """Yield what is told to the parent: `Planned`, the device's speed, `Begun` and a `Line` for each line."""
    import jax

    from dsocr_jax.bench.device import measure_device
    from train.scale.plan import chosen, plan

    on_cpu = set_up(options.compile_cache)
    config, works = options.training(on_cpu)
    counts = options.devices or (simulated if on_cpu else powers)(jax.device_count())
    if wrong := [count for count in counts if count > jax.device_count()]:
        raise UserError(f"--devices {wrong[0]}: there are {jax.device_count()} devices")
    every = plan(works, counts)
    names = chosen([*(one.name for one in every), READING], options.only)
    wanted = [one for one in every if one.name in names]
    yield Planned(
        options.filled(on_cpu), jax.devices()[0].device_kind, jax.device_count(), tuple(one.name for one in wanted)
    )
    wanted = [one for one in wanted if one.name not in skip]
    if not wanted:
        return
    if skip:  # a process has died: what kills the next one, if something does, must be known
        options = dataclasses.replace(options, together=1)
    speed = measure_device(*((512, 64) if on_cpu else (8192, 2048)), config.compute_dtype)
    yield speed
    run = _Run(options, config, jax.devices(), speed, max(counts), wanted)
    for one in wanted:
        if until is not None and time.monotonic() > until:
            break
        yield Begun(one.name)
        yield run.line(one)
    run.end()


def powers(devices: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ... and all devices."""
    return tuple(sorted({*(1 << i for i in range(devices.bit_length())), devices}))


def simulated(devices: int) -> tuple[int, ...]:
    """Return one and all devices: enough to see on CPUs that everything runs."""
    return tuple(sorted({1, devices}))


class _Run:
    """Compiles lines some at a time, ahead of those that are measured."""

    def __init__(
        self,
        options: Options,
        config: "TrainConfig",
        devices: "list[jax.Device]",
        speed: "DeviceSpeed",
        most: int,
        wanted: "Sequence[Task | Restart]",
    ):
        from train.scale.plan import Task

        self.options, self.config, self.devices, self.speed, self.most = options, config, devices, speed, most
        self.alone: dict[str, Alone] = {}
        self.pool = ThreadPoolExecutor(options.at_once(), "compile")
        # A line of two programs takes those of others where it can.
        programs = [part for one in wanted for part in ((one,) if isinstance(one, Task) else (one.before, one.after))]
        self.left = Counter(programs)
        self.waiting = list(self.left)
        self.building: dict[Task, Future[Program]] = {}
        self.begun = False

    def line(self, one: "Task | Restart") -> Line:
        """Return a line, or one that says what became of it."""
        from train.scale.plan import Task

        try:
            return self._train(one) if isinstance(one, Task) else self._restart(one)
        except UserError as error:
            return Line(one.name, error=str(error))
        except Exception as error:  # what a driver or compiler raises; the next line may well work
            traceback.print_exc(limit=-3)
            return Line(one.name, error=f"{type(error).__name__}: {error}"[:ERROR])
        finally:
            gc.collect()

    def _program(self, task: "Task") -> "Program":
        """Return a line's program; compiles it together with those that come next.

        Nothing is compiled while a line is timed: finding the best kernels would take the devices' time.
        """
        from train.scale.program import build

        if task not in self.building:
            count = self.options.at_once() if self.begun else min(FIRST, self.options.at_once())
            several, self.waiting = self.waiting[:count], self.waiting[count:]
            self.begun = True
            self.building |= {one: self.pool.submit(build, one, self.config, self.devices) for one in several}
            wait(self.building.values())
        self.left[task] -= 1
        return (self.building[task] if self.left[task] else self.building.pop(task)).result()

    def _train(self, task: "Task") -> Line:
        from train.scale.measure import measure

        program = self._program(task)
        alone = self.alone.get(task.work.name)
        line, alone = measure(program, self.speed, self.options.steps, alone, self.most, self.options.trace)
        if alone is not None:
            self.alone[task.work.name] = alone
        return line

    def _restart(self, one: "Restart") -> Line:
        from train.scale.restart import restart

        before, after = self._program(one.before), self._program(one.after)
        with tempfile.TemporaryDirectory(dir=self.options.scratch) as folder:
            return restart(one.name, before, after, Path(folder))

    def end(self) -> None:
        """Give up what was compiled for nothing."""
        self.pool.shutdown(wait=False, cancel_futures=True)
