"""A worker process of this machine.

Everything heavy is imported within functions, so that the environment that chooses the device is there before JAX is.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from dsocr_jax.errors import UserError

if TYPE_CHECKING:
    from dsocr_jax.reading.cluster.dispatch import Event
    from dsocr_jax.reading.cluster.plan import Shard
    from dsocr_jax.reading.cluster.shard import ShardReader


def serve(number: int, environment: dict[str, str], connection: Connection, log: Path) -> None:
    """Load a model and read shards until the parent ends.

    Args:
        number: of this worker.
        environment: variables that give it its device.
        connection: first a `Job` and how many shards are read at once, then shards; events go back.
        log: file for all that is printed.
    """
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone handles Ctrl-C
    threading.Thread(target=_follow_parent, daemon=True).start()
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for stream in (1, 2):
        os.dup2(handle, stream)
    sending = threading.Lock()

    def send(event: "Event") -> None:
        with sending:
            connection.send(event)

    with _fatal(send):
        from dsocr_jax.reading.cluster.dispatch import Ready
        from dsocr_jax.reading.cluster.shard import ShardReader

        job, at_once = connection.recv()
        reader = ShardReader(job)
        send(Ready(number))
        with ThreadPoolExecutor(at_once, "shard") as pool:
            while True:
                pool.submit(_read, number, reader, connection.recv(), send)


def _read(number: int, reader: "ShardReader", shard: "Shard", send: "Callable[[Event], None]") -> None:
    from dsocr_jax.reading.cluster.dispatch import Done, Told

    with _fatal(send):
        tally = reader.read(shard, lambda pages: send(Told(number, shard.number, pages)))
        send(Done(number, shard.number, tally))


@contextlib.contextmanager
def _fatal(send: "Callable[[Event], None]") -> Iterator[None]:
    """End the process with whatever is raised within: at once, since threads of the engine may be stuck."""
    from dsocr_jax.reading.cluster.dispatch import Refused

    try:
        yield
    except BaseException as error:
        if isinstance(error, UserError):
            send(Refused(str(error)))
        elif not isinstance(error, EOFError):  # the parent has closed its end
            traceback.print_exception(error)
        sys.stderr.flush()
        os._exit(1)


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
