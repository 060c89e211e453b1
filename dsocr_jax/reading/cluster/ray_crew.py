"""Workers as actors on a Ray cluster, each on a node with the devices that it asks for."""

import contextlib
import itertools
import os
import time
from typing import Any

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster.dispatch import Done, Event, Lost, Ready, Refused, Told
from dsocr_jax.reading.cluster.lines import Tally
from dsocr_jax.reading.cluster.local_crew import MEMORY_SHARE
from dsocr_jax.reading.cluster.plan import Shard
from dsocr_jax.reading.cluster.shard import Job, ShardReader

#: Seconds between two questions to an actor how far it is.
ASK_EVERY = 1.0


def count_actors(ray: Any, actors: int | None, gpus_per_actor: float) -> int:
    """Return how many actors to begin: as many as asked, by default one for each share of a GPU that there is.

    Raises:
        UserError: no node has what one actor asks for.
    """
    resources = ray.cluster_resources()
    gpus = float(resources.get("GPU", 0))
    if gpus_per_actor and gpus < gpus_per_actor:
        raise UserError(
            f"the Ray cluster has {gpus:g} GPUs, and an actor asks for {gpus_per_actor:g}; add nodes with GPUs, or "
            "compute on CPUs with --gpus-per-actor 0"
        )
    return actors or (max(1, int(gpus / gpus_per_actor)) if gpus_per_actor else 1)


class ReadingActor:
    """A worker on a node; Ray calls its methods on several threads."""

    def __init__(self) -> None:
        self._reader: ShardReader | None = None
        self._told: dict[int, int] = {}

    def start(self, job: Job, gpus: float) -> None:
        """Load the model. Not done when the actor is made, since Ray wraps what is raised there beyond recognition."""
        if 0 < gpus < 1:
            os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", f"{MEMORY_SHARE * gpus:.3f}")
        self._reader = ShardReader(job)

    def read(self, shard: Shard) -> Tally:
        """Read and write a shard."""
        assert self._reader is not None

        def told(pages: int) -> None:
            self._told[shard.number] = pages

        try:
            return self._reader.read(shard, told)
        finally:
            self._told.pop(shard.number, None)

    def told(self) -> dict[int, int]:
        """Return how many pages of each shard at work are done."""
        return dict(self._told)


class RayCrew:
    """Runs actors; use it in a ``with``, while `connected`.

    Args:
        ray: the module.
        job: what actors must know.
        at_once: shards that an actor reads at the same time.
        gpus, cpus: that an actor asks for; Ray shows it only these GPUs.
    """

    def __init__(self, ray: Any, job: Job, at_once: int, gpus: float, cpus: float):
        self._ray, self._gpus = ray, gpus
        # Deaths are handled here, not by Ray: a shard is to be read elsewhere, and alone.
        options = {"num_cpus": cpus, "num_gpus": gpus, "max_restarts": 0, "max_task_retries": 0}
        # One thread more, to answer how far the others are.
        self._make = ray.remote(ReadingActor).options(max_concurrency=at_once + 1, **options)
        self._job = ray.put(job)
        self._numbers = itertools.count()
        self._actors: dict[int, Any] = {}
        self._calls: dict[Any, tuple[int, str, int]] = {}
        self._asked = time.monotonic()

    def start(self) -> int:
        """Begin an actor, which waits until a node has room for it."""
        number = next(self._numbers)
        actor = self._make.remote()
        self._actors[number] = actor
        self._calls[actor.start.remote(self._job, self._gpus)] = number, "start", 0
        return number

    def give(self, worker: int, shard: Shard) -> None:
        """Let an actor read a shard."""
        self._calls[self._actors[worker].read.remote(shard)] = worker, "read", shard.number

    def end(self, worker: int) -> None:
        """End an actor at once, wherever it is."""
        actor = self._actors.pop(worker, None)
        self._calls = {ref: call for ref, call in self._calls.items() if call[0] != worker}
        if actor is not None:
            with contextlib.suppress(self._ray.exceptions.RayError, ValueError):  # it may be dead already
                self._ray.kill(actor, no_restart=True)

    def events(self, seconds: float) -> list[Event]:
        """Return what has happened."""
        self._ask()
        if not self._calls:
            time.sleep(seconds)
            return []
        ready, _ = self._ray.wait(list(self._calls), num_returns=1, timeout=seconds)
        if ready:
            ready, _ = self._ray.wait(list(self._calls), num_returns=len(self._calls), timeout=0)
        found: list[Event] = []
        for ref in ready:
            if ref in self._calls:  # not of an actor that was just ended
                found += self._result(ref)
        return found

    def _ask(self) -> None:
        """Ask every actor at work how far it is."""
        if time.monotonic() - self._asked < ASK_EVERY:
            return
        self._asked = time.monotonic()
        asked = {worker for worker, what, _ in self._calls.values() if what == "told"}
        reading = {worker for worker, what, _ in self._calls.values() if what == "read"}
        for worker in reading - asked:
            self._calls[self._actors[worker].told.remote()] = worker, "told", 0

    def _result(self, ref: Any) -> list[Event]:
        worker, what, shard = self._calls.pop(ref)
        errors = self._ray.exceptions
        try:
            result = self._ray.get(ref)
        except errors.RayTaskError as error:
            if isinstance(error.cause, UserError):
                return [Refused(str(error.cause))]
            reason = f"{type(error.cause).__name__}: {error.cause}"
        except errors.RayError as error:
            reason = type(error).__name__
        else:
            if what == "start":
                return [Ready(worker)]
            if what == "read":
                return [Done(worker, shard, result)]
            return [Told(worker, number, pages) for number, pages in result.items()]
        self.end(worker)
        return [Lost(worker, reason)]

    def __enter__(self) -> "RayCrew":
        return self

    def __exit__(self, *error: object) -> None:
        for worker in list(self._actors):
            self.end(worker)
