"""The batches of a run, one after the other."""

import dataclasses
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from dsocr_jax.batch import Batch, regroup
from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from train.data.ahead import Ahead
from train.data.lanes import LaneState
from train.data.positions import gathered
from train.data.rows import Made, RowMaker
from train.data.source import BatchSource
from train.data.workers import Workers
from train.flops import Work, work_of

#: So many samples must have been tried before the share of unusable ones is judged.
JUDGED_AFTER = 200

#: Unusable samples that an error names, and so many are named as they come.
NAMED = 5

#: Batches that are kept ready.
READY = 2


@dataclasses.dataclass(frozen=True)
class Fed:
    """One batch and how it came about; everything is of this process's rows.

    Attributes:
        batch: rows of this process: numpy leaves, or what ``place`` made of them.
        kinds: samples of each kind.
        left_out: samples in whose place another one of their kind was put, by kind and reason: "charts too long".
        mode: name of the mode.
        tokens: all tokens that are not padding.
        pictures: number of pictures.
        filled: share of the rows' tokens in use.
        views_filled: share of the views in use (1 where there is no room for any).
        samples: what a user needs to find each sample, e.g. "data/easy charts 123", row by row.
        bad: samples that could not be used, by reason.
        work: what the batch holds; None where nobody counted.
        awaited: seconds that its samples, asked for long before, were waited for. Who waits longer for the batch waits
            for the devices: its way to them lies behind the steps that they were given.
    """

    batch: Batch
    kinds: Counter[str]
    left_out: Counter[str]
    mode: str = ""
    tokens: int = 0
    pictures: int = 0
    filled: float = 1.0
    views_filled: float = 1.0
    samples: list[str] = dataclasses.field(default_factory=list)
    bad: Counter[str] = dataclasses.field(default_factory=Counter)
    work: Work | None = None
    awaited: float = 0.0


@dataclasses.dataclass(frozen=True)
class _Step:
    """A batch, where the lanes stand behind it, and samples that could not be used for it by name."""

    fed: Fed
    mode: int
    states: list[LaneState]
    bad_names: list[str]


def copied(batch: Batch) -> Batch:
    """Return a batch of numpy arrays in memory of its own."""
    arrays: dict[str, Any] = {name: x.copy() for name, x in vars(batch).items() if isinstance(x, np.ndarray)}
    return dataclasses.replace(batch, **arrays, views={size: views.copy() for size, views in batch.views.items()})


class Feed:
    """Iterates over the batches of a `BatchSource`; a context manager.

    Args:
        source: what to make.
        workers: processes that make it ahead of time; 0 does it in this one, when a batch is asked for.
        place: puts a batch where it is used, ahead of time, too; its arrays are overwritten afterwards. By default
            they are copied.

    Attributes:
        kinds: names of the kinds; their places are the numbers in `Batch.kinds`.
    """

    def __init__(self, source: BatchSource, workers: int, place: Callable[[Batch], Batch] | None = None) -> None:
        self.source, self.kinds, self._place = source, source.kinds, place or copied
        self._count = workers
        self._workers: Workers | None = None
        self._maker = RowMaker(source.plan, source.lanes)
        self._ahead: Ahead[_Step] | None = None
        self._step, self._states = 0, dict[int, list[LaneState]]()
        self._asked = self._made = 0
        self._tried = self._bad = 0

    def __next__(self) -> Fed:
        """Return the next batch.

        Raises:
            UserError: the data cannot be used, or a worker died too often.
        """
        if self._count == 0:
            mode, began = self.source.mode_of(self._step), time.monotonic()
            made = self._maker.make(mode)
            step = self._finished(mode, made, time.monotonic() - began)
        else:
            step = self._begun().get()
        self._step += 1
        self._states[step.mode] = step.states
        self._judge(step)
        return step.fed

    def _begun(self) -> Ahead[_Step]:
        """Return the thread that works ahead; where there is none, start it from where the feed stands."""
        if self._ahead is None:
            if self._workers is None:
                self._workers = Workers(self.source.plan, self.source.lanes, self._count)
            self._workers.seek(self._states)
            self._asked = self._made = self._step
            self._ahead = Ahead(self._produce, READY)
        return self._ahead

    def _produce(self) -> _Step:
        assert self._workers is not None
        while self._workers.ask(self.source.mode_of(self._asked)):
            self._asked += 1
        began = time.monotonic()
        made = self._workers.take()
        self._made += 1
        return self._finished(self.source.mode_of(self._made - 1), made, time.monotonic() - began)

    def _finished(self, mode: int, made: Made, awaited: float) -> _Step:
        plan = self.source.plan
        batch = regroup([made.batch], plan.model, self.source.groups)
        tokens = int(batch.mask.sum())
        room = sum(plan.rooms[mode].values()) * len(batch.tokens)
        fed = Fed(
            self._place(batch),
            made.kinds,
            made.count.left_out,
            plan.modes[mode].name,
            tokens,
            made.pictures,
            tokens / batch.tokens.size,
            made.views / room if room else 1.0,
            made.samples,
            made.count.bad,
            work_of(batch, plan.model),
            awaited,
        )
        return _Step(fed, mode, made.states, made.count.bad_names)

    def _judge(self, step: _Step) -> None:
        """Name the first samples that cannot be used; raise UserError if there are too many."""
        most, bad = self.source.config.max_bad, step.fed.bad.total()
        for name in step.bad_names[: max(0, NAMED - self._bad)]:
            console.print(f"skipped: {name}", markup=False)
        self._bad += bad
        self._tried += step.fed.kinds.total() + bad
        if bad and self._tried >= JUDGED_AFTER and self._bad > most * self._tried:
            raise UserError(
                f"--data: {self._bad} of {self._tried} samples cannot be used, which is more than --max-bad {most:g}; "
                f"the last: {'; '.join(step.bad_names[-NAMED:])}"
            )

    def position(self) -> dict[str, Any]:
        """Return where the iterator stands, as JSON holds it, for any number of processes and workers.

        Every process of a run must call it at the same step.
        """
        modes = self.source.config.modes
        lanes = {modes[mode]: states for mode, states in self._states.items()}
        return {"step": self._step, "lanes": gathered(lanes, self.source.processes)}

    def seek(self, position: dict[str, Any]) -> None:
        """Go on behind the batch after which ``position`` was taken."""
        modes, own, lanes = self.source.config.modes, self.source.lanes, position["lanes"]
        self._pause()
        self._states = {modes.index(name): lanes[name][own.start : own.stop] for name in lanes}
        self._step = position["step"]
        self._maker.seek(self._states)

    def _pause(self) -> None:
        if self._ahead is not None:
            self._ahead.close()
            self._ahead.join()
            self._ahead = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ahead is not None:
            self._ahead.close()
        if self._workers is not None:
            self._workers.kill()  # which ends what the thread waits for
        self._pause()
        if self._workers is not None:
            self._workers.close()
