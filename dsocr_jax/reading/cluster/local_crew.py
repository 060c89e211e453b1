"""Workers as processes of this machine, one for each device."""

import contextlib
import itertools
import multiprocessing
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster.dispatch import Event, Lost
from dsocr_jax.reading.cluster.local_worker import serve
from dsocr_jax.reading.cluster.plan import Shard
from dsocr_jax.reading.cluster.shard import Job

#: Share of a device's memory that its workers take together, where several share one.
MEMORY_SHARE = 0.9
_VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible_gpus() -> list[str]:
    """Return the names of the GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` has them; touches none."""
    if os.environ.get("JAX_PLATFORMS", "").startswith("cpu"):
        return []
    if (named := os.environ.get(_VISIBLE)) is not None:
        return [name for name in named.split(",") if name.strip() and name.strip() != "-1"]
    if (tool := shutil.which("nvidia-smi")) is None:
        return []
    try:
        said = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return re.findall(r"^GPU (\d+):", said, re.MULTILINE)


def environments(workers: int | None, gpus_per_worker: float) -> list[dict[str, str]]:
    """Return the environment variables of each worker, which give it its device.

    Args:
        workers: how many; None is as many as the GPUs hold, and one where there are none.
        gpus_per_worker: 0 computes on the CPU, up to 1; with a half, two workers share a GPU.

    Raises:
        UserError: more workers than the GPUs hold.
    """
    gpus = visible_gpus() if gpus_per_worker else []
    if not gpus:
        return [{}] * (workers or 1)
    each = int(1 / gpus_per_worker)
    most = each * len(gpus)
    if workers is not None and workers > most:
        raise UserError(
            f"{workers} actors with {gpus_per_worker:g} GPUs each are more than {len(gpus)} GPUs hold; take at most "
            f"--actors {most}, or a smaller --gpus-per-actor"
        )
    share = {} if each == 1 else {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{MEMORY_SHARE / each:.3f}"}
    # One on each GPU first.
    names = [gpu for _ in range(each) for gpu in gpus]
    return [{_VISIBLE: name, **share} for name in names[: workers or most]]


class LocalCrew:
    """Runs workers; use it in a ``with``.

    Args:
        job: what they must know.
        places: from `environments`; there are never more workers than these.
        at_once: shards that a worker reads at the same time.
        logs: folder for what they print.
    """

    def __init__(self, job: Job, places: Sequence[dict[str, str]], at_once: int, logs: Path):
        self._job, self._at_once, self._logs = job, at_once, logs
        self._places = places
        self._numbers = itertools.count()
        self._workers: dict[int, tuple[Any, Connection, int]] = {}

    def start(self) -> int:
        """Begin a worker on a device that has none."""
        number = next(self._numbers)
        place = min(set(range(len(self._places))) - {place for _, _, place in self._workers.values()})
        # A fresh interpreter: a forked one would share this one's threads' locks, and its device.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=serve, args=(number, self._places[place], theirs, self._log(number)), daemon=True
        )
        self._log(number).touch()
        process.start()
        theirs.close()  # so that its end is seen here
        self._workers[number] = process, ours, place
        self._send(ours, (self._job, self._at_once))
        return number

    def give(self, worker: int, shard: Shard) -> None:
        """Let a worker read a shard."""
        self._send(self._workers[worker][1], shard)

    def end(self, worker: int) -> None:
        """End a worker at once."""
        if worker in self._workers:
            process, connection, _ = self._workers.pop(worker)
            process.kill()
            process.join()
            connection.close()

    def events(self, seconds: float) -> list[Event]:
        """Return what has happened."""
        by_connection = {connection: number for number, (_, connection, _) in self._workers.items()}
        found: list[Event] = []
        for ready in wait(list(by_connection), seconds):
            assert isinstance(ready, Connection)
            try:
                while ready.poll():
                    found.append(ready.recv())
            except (EOFError, OSError):
                found.append(self._lost(by_connection[ready]))
        return found

    def _lost(self, number: int) -> Lost:
        process = self._workers[number][0]
        self.end(number)
        status = process.exitcode
        said = f"signal {-status}" if status is not None and status < 0 else f"status {status}"
        return Lost(number, f"{said} (see {self._log(number)})")

    def _log(self, number: int) -> Path:
        return self._logs / f"worker-{number}.log"

    @staticmethod
    def _send(connection: Connection, message: object) -> None:
        with contextlib.suppress(OSError):  # it has died, which is seen when its events are asked for
            connection.send(message)

    def __enter__(self) -> "LocalCrew":
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *error: object) -> None:
        for process, _, _ in self._workers.values():
            process.kill()
        for number in list(self._workers):
            self.end(number)
