"""A run of several processes, stopped in several ways: ``python -m tests.train.hosts FOLDER [DATA]``.

As in `tests.train.killed` one process imports everything and forks the others; the run is `tests.train.toy`, or, with a
folder DATA that `tests.train.tiny` wrote, a real model. Prints how each process ended.
"""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax

from tests.train import tiny, toy
from train import loop, manifest
from train.config import TrainConfig
from train.journal import Journal

STEPS, EVERY, DEVICES = 16, 3, 4
#: The run goes back from step 9 to 6; it is killed inside the save of step 6, and stopped at step 11.
BROKEN, ROW, KILLED, STOPPED = range(7, 9), 2, 6, 11


def config_of(run: Path, data: str = "") -> TrainConfig:
    changes = {"steps": STEPS, "checkpoint_every": EVERY, "max_skipped": ROW}
    return tiny.tiny_config(Path(data), out=run, **changes) if data else toy.config_of(run, **changes)


def kill_in_save(process: int) -> None:
    """Kill the first process before it writes the manifest of a step."""
    seal = manifest.seal

    def sealed(folder: Path, meta: dict) -> None:  # type: ignore[type-arg]
        if meta["step"] == KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
        seal(folder, meta)

    manifest.seal = sealed


def stop(process: int) -> None:
    """Let the second process, and no other, be told to stop at a step."""
    note = Journal.note

    def noted(self: Journal, step: int, *rest: object) -> None:
        note(self, step, *rest)  # type: ignore[arg-type]
        if step == STOPPED and process == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    Journal.note = noted  # type: ignore[method-assign]


def start(run: Path, data: str, processes: int, change: Callable[[int], None] = lambda process: None) -> list[int]:
    """Run in so many processes to their end; return the exit statuses. When one is killed, so are the others."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    children = []
    for process in range(processes):
        child = os.fork()
        if not child:
            status = 99
            try:
                jax.config.update("jax_num_cpu_devices", DEVICES // processes)
                if processes > 1:
                    jax.distributed.initialize(address, processes, process)
                if not data:
                    toy.install(BROKEN)
                change(process)
                status = loop.train(config_of(run, data))
            except BaseException as error:
                print(repr(error), file=sys.stderr)
            finally:
                sys.stderr.flush()
                os._exit(status)
        children.append(child)
    statuses: dict[int, int] = {}
    while len(statuses) < processes:
        for child in children:
            if child not in statuses and (ended := os.waitpid(child, os.WNOHANG)) != (0, 0):
                statuses[child] = os.waitstatus_to_exitcode(ended[1])
                if statuses[child] < 0:
                    for other in set(children) - set(statuses):
                        os.kill(other, signal.SIGKILL)
        time.sleep(0.01)
    return [statuses[child] for child in children]


def main(folder: Path, data: str = "") -> None:
    report = {
        "one": start(folder / "one", data, 1),
        "two": start(folder / "two", data, 2),
        "killed": start(folder / "stopped", data, 2, kill_in_save),
        "left": sorted(path.name for path in (folder / "stopped" / "checkpoints").iterdir()),
        "stopped": start(folder / "stopped", data, 2, stop),
        "listed": sorted(path.name for path in (folder / "stopped" / "checkpoints").iterdir()),
        "ended": start(folder / "stopped", data, 2),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
