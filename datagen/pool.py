"""Make shards one after another: in this process, or on several."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from datagen import families
from datagen.manifest import SetConfig, Shard, Written
from datagen.shards import Stopped, write_shard
from dsocr_jax.errors import UserError

#: How often the progress bar and the signals are looked at while workers work, in seconds.
_POLL = 0.1

#: A finished shard, and the processor time that it took in seconds.
Result = tuple[Shard, Written, float]


def run(
    config: SetConfig,
    directory: Path,
    missing: Sequence[Shard],
    *,
    workers: int,
    advance: Callable[[int, str], None],
    stop: Callable[[], bool],
) -> Iterator[Result]:
    """Make the ``missing`` shards and yield each as it is finished, in any order.

    Args:
        config: what the set holds.
        directory: where the shards go.
        missing: the shards to make.
        workers: the number of processes; 1 means this one.
        advance: told of the samples made since it was last called.
        stop: asked often; when it is true the run ends with `Stopped`, and half-written shards are removed.
    """
    if workers == 1:
        return _in_this_process(config, directory, missing, advance, stop)
    return _on_workers(config, directory, missing, min(workers, len(missing)), advance=advance, stop=stop)


def _in_this_process(
    config: SetConfig,
    directory: Path,
    missing: Sequence[Shard],
    advance: Callable[[int, str], None],
    stop: Callable[[], bool],
) -> Iterator[Result]:
    for shard in missing:
        start = time.process_time()
        written = write_shard(directory, shard, config, advance=lambda: advance(1, ""), stop=stop)
        yield shard, written, time.process_time() - start


def _on_workers(
    config: SetConfig,
    directory: Path,
    missing: Sequence[Shard],
    workers: int,
    *,
    advance: Callable[[int, str], None],
    stop: Callable[[], bool],
) -> Iterator[Result]:
    # Never fork: this process may hold threads (jax, Pillow), whose locks a forked child would inherit locked.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    counter, halt = context.Value("Q", 0), context.Event()
    shown = 0
    pool = ProcessPoolExecutor(workers, context, _start_worker, (counter, halt, dict(families.MODULES)))
    try:
        tasks: dict[Future[tuple[Written, float]], Shard] = {
            pool.submit(_work, directory, shard, config): shard for shard in missing
        }
        pending = set(tasks)
        while pending:
            finished, pending = wait(pending, timeout=_POLL, return_when=FIRST_COMPLETED)
            if (total := counter.value) > shown:
                advance(total - shown, "")
                shown = total
            for task in finished:
                written, seconds = task.result()
                yield tasks[task], written, seconds
            if stop():
                raise Stopped
    except BrokenProcessPool:
        raise UserError(
            f"a worker process died (was memory short?); what was finished in {directory} is kept, "
            "run the same command with fewer --workers to continue."
        ) from None
    finally:
        halt.set()
        pool.shutdown(wait=True, cancel_futures=True)


_worker: dict[str, Any] = {}


def _start_worker(counter: Any, halt: Any, modules: dict[str, str]) -> None:
    """Prepare a worker process: the parent alone handles Ctrl-C, and takes the worker along if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.update(counter=counter, halt=halt)
    families.MODULES.update(modules)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(directory: Path, shard: Shard, config: SetConfig) -> tuple[Written, float]:
    counter, halt = _worker["counter"], _worker["halt"]

    def advance() -> None:
        with counter.get_lock():
            counter.value += 1

    start = time.process_time()
    written = write_shard(directory, shard, config, advance=advance, stop=halt.is_set)
    return written, time.process_time() - start


@contextlib.contextmanager
def signals() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C and SIGTERM set; a second Ctrl-C interrupts at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def on_signal(number: int, frame: Any) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
