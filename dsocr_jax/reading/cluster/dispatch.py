"""Hands shards to workers until each is read or given up; workers may die at any time.

What runs the workers is a `Crew`. A shard whose worker died is read again by another one, and alone, so that a page
that kills its reader does not take the neighbours' tries along.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster.lines import Tally
from dsocr_jax.reading.cluster.plan import Shard

#: How often progress and signals are looked at while workers work, in seconds.
POLL = 0.1
#: So many workers may die in a row before any of them is ready.
MAX_FALSE_STARTS = 3
#: So many may die in a row while they had nothing to read.
MAX_IDLE_LOSSES = 10
#: Seconds without a page or a ready worker after which something hangs.
PATIENCE = 1800.0


@dataclass(frozen=True)
class Ready:
    """A worker has loaded its model."""

    worker: int


@dataclass(frozen=True)
class Told:
    """So many pages of a shard are done."""

    worker: int
    shard: int
    pages: int


@dataclass(frozen=True)
class Done:
    """A shard is written."""

    worker: int
    shard: int
    tally: Tally


@dataclass(frozen=True)
class Lost:
    """A worker has ended, and nothing more comes from it."""

    worker: int
    reason: str


@dataclass(frozen=True)
class Refused:
    """A worker says what the user must mend; the run cannot go on."""

    message: str


Event = Ready | Told | Done | Lost | Refused


class Crew(Protocol):
    """Workers, each known by a number that is never used again."""

    def start(self) -> int:
        """Begin a worker; its `Ready` comes later, or never."""

    def give(self, worker: int, shard: Shard) -> None:
        """Let a worker read a shard, beside those that it has."""

    def end(self, worker: int) -> None:
        """End a worker at once, whatever it is doing; no event follows."""

    def events(self, seconds: float) -> list[Event]:
        """Return what has happened, after so many seconds at the latest."""


class Stopped(Exception):
    """The user asked to stop."""


@dataclass(frozen=True)
class GivenUp:
    """A shard that was tried too often, and why the last worker died."""

    shard: int
    reason: str


@dataclass
class _Worker:
    number: int
    shards: dict[int, Shard] = field(default_factory=dict)
    alone: bool = False
    heard: float = field(default_factory=time.monotonic)


class Dispatcher:
    """One run.

    Args:
        crew: runs the workers.
        workers: how many.
        at_once: shards that a worker reads at the same time.
        retries: how often a shard is begun again after the worker that read it died.
        advance: told of pages done; a negative number takes back those that must be read again.
        stop: asked often.
    """

    def __init__(
        self, crew: Crew, *, workers: int, at_once: int, retries: int, advance: Callable[[int], None],
        stop: Callable[[], bool],
    ):  # fmt: skip
        self._crew, self._at_once, self._retries = crew, at_once, retries
        self._advance, self._stop = advance, stop
        self._ready: dict[int, _Worker] = {}
        self._starting = {crew.start() for _ in range(workers)}
        self._fresh: deque[Shard] = deque()
        self._again: deque[Shard] = deque()
        self._losses: Counter[int] = Counter()
        self._lost_by: dict[int, int] = {}
        self._told: Counter[int] = Counter()
        self._false_starts = self._idle_losses = 0
        self._heard = time.monotonic()

    def run(self, shards: Sequence[Shard]) -> Iterator[Done | GivenUp]:
        """Have the shards read; yield each as it is finished or given up, in any order.

        Raises:
            UserError: the user must mend something, or no worker is left.
            Stopped: ``stop`` said so.
        """
        self._fresh.extend(shards)
        left = {shard.number for shard in shards}
        while left:
            self._hand_out()
            for event in self._crew.events(POLL):
                for outcome in self._take(event):
                    left.discard(outcome.shard)
                    yield outcome
            for lost in self._hanging():
                self._crew.end(lost.worker)
                for outcome in self._take(lost):
                    left.discard(outcome.shard)
                    yield outcome
            if self._stop():
                raise Stopped

    def _hand_out(self) -> None:
        # Turn by turn, so that the last shards are spread evenly.
        for held in range(self._at_once):
            for worker in self._ready.values():
                if len(worker.shards) != held or worker.alone:
                    continue
                shard = self._fresh.popleft() if self._fresh else None
                if shard is None and held == 0:
                    shard = self._suspect(worker.number)
                    worker.alone = shard is not None
                if shard is not None:
                    worker.shards[shard.number] = shard
                    worker.heard = time.monotonic()
                    self._crew.give(worker.number, shard)

    def _suspect(self, worker: int) -> Shard | None:
        """Take a shard that has lost a worker; another than the one in whose stead this one stands, if there is one."""
        for shard in self._again:
            if self._lost_by[shard.number] != worker or len(self._ready) == 1:
                self._again.remove(shard)
                return shard
        return None

    def _take(self, event: Event) -> list[Done | GivenUp]:
        if isinstance(event, Refused):
            raise UserError(event.message)
        self._heard = time.monotonic()
        if isinstance(event, Ready):
            if event.worker in self._starting:
                self._starting.discard(event.worker)
                self._ready[event.worker] = _Worker(event.worker)
                self._false_starts = 0
            return []
        if isinstance(event, Lost):
            return self._lose(event)
        worker = self._ready.get(event.worker)
        if worker is None or event.shard not in worker.shards:
            return []
        pages = event.pages if isinstance(event, Told) else worker.shards[event.shard].pages
        if pages != self._told[event.shard]:  # an answer without progress does not count: it may hang
            worker.heard = time.monotonic()
        self._tell(event.shard, pages)
        if isinstance(event, Told):
            return []
        del worker.shards[event.shard]
        worker.alone = False
        self._idle_losses = 0
        return [event]

    def _tell(self, shard: int, pages: int) -> None:
        if pages != self._told[shard]:
            self._advance(pages - self._told[shard])
            self._told[shard] = pages

    def _lose(self, event: Lost) -> list[Done | GivenUp]:
        """Put back what a dead worker had, and begin another."""
        worker = self._ready.pop(event.worker, None)
        given_up: list[Done | GivenUp] = []
        if worker is None:
            if event.worker not in self._starting:
                return []
            self._starting.discard(event.worker)
            self._false_starts += 1
            enough = self._false_starts < MAX_FALSE_STARTS
        else:
            self._idle_losses += not worker.shards
            enough = self._idle_losses < MAX_IDLE_LOSSES
            for shard in worker.shards.values():
                self._losses[shard.number] += 1
                self._tell(shard.number, 0)
                if self._losses[shard.number] > self._retries:
                    self._tell(shard.number, shard.pages)
                    given_up.append(GivenUp(shard.number, event.reason))
                    continue
                self._lost_by[shard.number] = event.worker
                self._again.append(shard)
        if enough:
            new = self._crew.start()
            self._starting.add(new)
            if worker is not None:  # the new one stands in the place of the old, perhaps on the same bad device
                for shard in worker.shards.values():
                    self._lost_by[shard.number] = new
        elif not (self._ready or self._starting):
            raise UserError(
                f"no worker is left: the last one ended with {event.reason}; what was finished is kept. "
                "Mend that and run the same command again"
            )
        return given_up

    def _hanging(self) -> list[Lost]:
        now = time.monotonic()
        if not self._ready and now - self._heard > PATIENCE:
            raise UserError(
                f"no worker became ready within {PATIENCE:g} seconds (are the devices that they ask for free?); what "
                "was finished is kept, run the same command again"
            )
        return [
            Lost(worker.number, f"no page within {PATIENCE:g} seconds")
            for worker in self._ready.values()
            if worker.shards and now - worker.heard > PATIENCE
        ]
