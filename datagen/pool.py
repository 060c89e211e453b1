"""Work through shards one after another: in this process, or on several, which may die."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, Protocol, TypeVar

from datagen import families
from datagen.manifest import Shard
from datagen.shards import Made, Stopped
from datagen.work import POLL, Job, handed_out, make_shard
from dsocr_jax.errors import UserError
from dsocr_jax.stop_signals import stop_signals

#: So often in a row may workers die before any piece is finished.
MAX_DEATHS = 3

#: Every worker counts in a slot of its own, by its process id.
_SLOTS = 1024

Result = TypeVar("Result")


class Piece(Protocol):
    """A piece of work: a shard, or what is to be done with one. Its name is unique, and it counts as ``records``."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def records(self) -> int: ...  # noqa: D102


Work = TypeVar("Work", bound=Piece)

#: What is done with a piece; it tells its second argument of every sample, and asks its third before each whether to
#: stop. It must be importable (`functools.partial` of a function) to travel to processes.
Worker = Callable[[Work, Callable[[], None], Callable[[], bool]], Result]


def run(
    work: Job,
    missing: Sequence[Shard],
    *,
    workers: int,
    advance: Callable[[int, str], None],
    stop: Callable[[], bool],
) -> Iterator[tuple[Shard, Made]]:
    """Make the ``missing`` shards and yield each as it is finished, in any order; arguments as in `each`."""
    return each(partial(make_shard, work), missing, workers=workers, advance=advance, stop=stop)


def each(
    worker: Worker[Work, Result],
    pieces: Sequence[Work],
    *,
    workers: int,
    advance: Callable[[int, str], None],
    stop: Callable[[], bool],
) -> Iterator[tuple[Work, Result]]:
    """Call ``worker`` for every piece and yield each with its result as it is finished, in any order.

    A worker process that dies (killed, or short of memory) takes the unfinished pieces of the others with it; all of
    them are begun again on new processes.

    Args:
        worker: what is done.
        pieces: the pieces.
        workers: the number of processes; 1 means this one.
        advance: told of the samples done since it was last called.
        stop: asked often; when it is true the run ends with `Stopped`.

    Raises:
        UserError: workers died `MAX_DEATHS` times, and no piece was finished in between.
    """
    if workers == 1 or len(pieces) <= 1:
        for piece in pieces:
            yield piece, worker(piece, lambda: advance(1, ""), stop)
        return
    left = {piece.name: piece for piece in pieces}
    deaths = 0
    while left:
        try:
            for piece, result in _on_workers(worker, list(left.values()), min(workers, len(left)), advance, stop):
                deaths = 0
                del left[piece.name]
                yield piece, result
        except BrokenProcessPool:
            deaths += 1
            if deaths == MAX_DEATHS:
                raise UserError(
                    f"worker processes died {deaths} times in a row, before {next(iter(left))} or its neighbours were "
                    "finished (was memory short?); what was finished is kept, run the same command with fewer "
                    "--workers to continue."
                ) from None


def _on_workers(
    worker: Worker[Work, Result],
    pieces: Sequence[Work],
    workers: int,
    advance: Callable[[int, str], None],
    stop: Callable[[], bool],
) -> Iterator[tuple[Work, Result]]:
    # Never fork: this process may hold threads (jax, Pillow), whose locks a forked child would inherit locked.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    # Shared memory without locks: a process that is killed while it holds one would stop all the others.
    done, halt = context.RawArray("Q", _SLOTS), context.RawValue("b", 0)
    shown = settled = 0
    pool = ProcessPoolExecutor(workers, context, _start_worker, (done, halt, dict(families.MODULES)))

    def submit(piece: Work) -> Future[Result]:
        return pool.submit(_work, worker, piece)

    def finished(running: Sequence[Future[Result]]) -> set[Future[Result]]:
        nonlocal shown
        ready, _ = wait(running, timeout=POLL, return_when=FIRST_COMPLETED)
        if (total := sum(done)) > shown:
            advance(total - shown, "")
            shown = total
        return ready

    try:
        for piece, task in handed_out(pieces, submit, finished, lambda: 2 * workers, stop):
            result = task.result()
            settled += piece.records
            yield piece, result
    except BrokenProcessPool:
        advance(min(settled - shown, 0), "")  # what is to be done again
        raise
    finally:
        halt.value = 1
        pool.shutdown(wait=True, cancel_futures=True)


_worker: dict[str, Any] = {}


def _start_worker(done: Any, halt: Any, modules: dict[str, str]) -> None:
    """Prepare a worker process: the parent alone handles Ctrl-C, and takes the worker along if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.update(done=done, halt=halt, slot=os.getpid() % _SLOTS)
    families.MODULES.update(modules)
    os.environ["OPENCV_FOR_THREADS_NUM"] = "1"  # one processor a worker, whoever imports OpenCV
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(worker: Worker[Work, Result], piece: Work) -> Result:
    done, halt, slot = _worker["done"], _worker["halt"], _worker["slot"]

    def advance() -> None:
        done[slot] += 1

    return worker(piece, advance, lambda: bool(halt.value))


@contextlib.contextmanager
def stopping(message: str) -> Iterator[Callable[[], bool]]:
    """Yield what tells whether Ctrl-C or SIGTERM asked to stop; `Stopped` comes out as UserError with ``message``."""
    with stop_signals() as stop:
        try:
            yield stop.is_set
        except Stopped:
            raise UserError(message) from None
