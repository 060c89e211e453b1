"""Make shards on a Ray cluster: one task per shard, written to a folder that every node shares.

Ray does the scheduling and repeats tasks whose worker or node died. Half-written files have names of their own, so
that two tries at one shard never meet.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from datagen.manifest import Shard
from datagen.shards import Made, Stopped
from datagen.work import POLL, Job, handed_out, make_shard
from dsocr_jax.errors import UserError
from dsocr_jax.ray_cluster import connected, require_ray

#: How often Ray begins a task again whose worker or node died.
MAX_RETRIES = 5

#: How many tasks are submitted at a time: this many for every processor, so that a cluster that can grow does.
_TASKS_PER_PROCESSOR = 4

#: How long cancelled tasks are waited for, in seconds.
_GRACE = 20

#: How long a shard that another node wrote may take to be seen here (network folders cache what they list), in seconds.
_SEEN_WITHIN = 60


def run(
    work: Job,
    missing: Sequence[Shard],
    *,
    workers: int,
    advance: Callable[[int, str], None],
    stop: Callable[[], bool],
) -> Iterator[tuple[Shard, Made]]:
    """Make the ``missing`` shards as Ray tasks and yield each as it is finished, in any order.

    The cluster is the one that this process or this machine is connected to (``RAY_ADDRESS``, ``ray start``);
    without one, Ray is started here for the time of the build. A task takes one processor.

    Args:
        work: what every task must know; every node must reach its folders under the same path.
        missing: the shards to make.
        workers: processors of the Ray that is started here; a running cluster keeps its own number.
        advance: told of every finished shard's samples.
        stop: asked often; when it is true the tasks are cancelled and the run ends with `Stopped`.

    Raises:
        UserError: workers died again and again, a node has other versions, or the folder is not shared.
    """
    ray = require_ray()
    work = replace(work, directory=work.directory.resolve(), temporary=work.temporary.resolve())
    with connected(ray, workers):
        task = ray.remote(make_shard).options(max_retries=MAX_RETRIES)
        running: set[Any] = set()
        job = ray.put(work)

        def submit(shard: Shard) -> Any:
            ref = task.remote(job, shard)
            running.add(ref)
            return ref

        def finished(refs: Sequence[Any]) -> list[Any]:
            ready, _ = ray.wait(list(refs), num_returns=len(refs), timeout=POLL)
            running.difference_update(ready)
            return list(ready)

        def window() -> int:
            return _TASKS_PER_PROCESSOR * max(int(ray.cluster_resources().get("CPU", 1)), 1)

        try:
            for shard, ref in handed_out(missing, submit, finished, window, stop):
                made = _result(ray, ref, work.directory)
                _await_file(work.directory / shard.name, made.written.bytes, stop)
                advance(shard.records, "")
                yield shard, made
        finally:
            for ref in running:
                ray.cancel(ref)
            if running:  # a cancelled task tidies up first
                ray.wait(list(running), num_returns=len(running), timeout=_GRACE)


def _result(ray: Any, ref: Any, directory: Path) -> Made:
    """Return what a task returned, or raise what it raised."""
    try:
        made: Made = ray.get(ref)
        return made
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise UserError(
            f"a Ray worker died {MAX_RETRIES + 1} times ({type(error).__name__}; was memory short?); what was finished "
            f"in {directory} is kept, run the same command to continue."
        ) from None


def _await_file(file: Path, size: int, stop: Callable[[], bool]) -> None:
    """Wait until the shard is seen here as it was written.

    Raises:
        UserError: it does not appear: the node wrote somewhere else.
    """
    deadline = time.monotonic() + _SEEN_WITHIN
    while not (file.exists() and file.stat().st_size == size):
        if time.monotonic() > deadline:
            raise UserError(
                f"a Ray node made {file.name}, but it does not appear in {file.parent}; "
                "build in a folder that all nodes share under the same path."
            )
        if stop():
            raise Stopped
        time.sleep(POLL)
