"""Runs that are killed again and again: ``python -m tests.train.killed RUN KILLS SEED [DATA]``.

Importing JAX takes seconds, so one process imports everything and forks a child for every start of the run; the child
initialises JAX by itself. Without DATA the run is `tests.train.toy`, some of whose data break it, so that it must also
go back and past them.

A child is killed by SIGKILL, without a chance to clean up: at a chosen one of the system calls by which Python changes
the run's folder (opening for writing, renaming, deleting, flushing), or, for what the storage library writes from its
own threads, at a random time. Nothing of this is known to the code under test.
"""

import json
import math
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.train import tiny, toy
from train import loop
from train.config import TrainConfig

#: Steps and steps between checkpoints, of the toy and of the real model.
STEPS, EVERY, REAL_STEPS, REAL_EVERY = 44, 1, 350, 2
#: Batches whose loss is no number; as many as let the run go back.
BROKEN, ROW = range(21, 24), 3
#: Checkpoints that one start may make: some are left for the others.
PROGRESS = 3

#: What Python reports when a file is about to be changed.
CALLS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")


def config_of(run: Path) -> TrainConfig:
    return toy.config_of(run, steps=STEPS, checkpoint_every=EVERY, max_skipped=ROW)


def die_at(run: Path, number: int) -> None:
    """Kill this process at the ``number``-th call that changes a file of ``run``."""
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in CALLS or not str(arguments[0]).startswith(str(run)):
            return
        if event != "open" or (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            count()

    sys.addaudithook(hook)
    fsync = os.fsync

    def counted(descriptor: Any) -> None:
        count()
        fsync(descriptor)

    os.fsync = counted


def start(config: TrainConfig, prepare_death: Callable[[], None] = lambda: None) -> int:
    """Fork a child that trains; return its process id."""
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        prepare_death()
        status = loop.train(config)
    except BaseException as error:
        print(repr(error), file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)


def listed(run: Path) -> int:
    """Return the newest step that is listed; 0 for none."""
    folder = run / "checkpoints"
    steps = [int(path.name) for path in folder.iterdir() if path.name.isdecimal()] if folder.exists() else []
    return max(steps, default=0)


def kill_once(config: TrainConfig, rng: random.Random, calls: int, window: float) -> dict[str, Any]:
    """Start the run, kill it, and say when.

    Args:
        config: of the run.
        rng: decides.
        calls: half of the kills come at one of the first so many calls; 0 for none.
        window: the others come at most so many seconds after the first checkpoint that the child made.
    """
    before, first = listed(config.out), math.inf
    if calls and rng.random() < 0.5:
        when: dict[str, Any] = {"call": rng.randint(1, calls)}
        child = start(config, lambda: die_at(config.out, when["call"]))
    else:
        when = {"seconds": rng.uniform(0, window)}
        child = start(config)
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        now, done = time.monotonic(), (listed(config.out) - before) // config.checkpoint_every
        if done and first == math.inf:
            first = now
        if done >= PROGRESS or now - first >= when.get("seconds", math.inf):
            os.kill(child, signal.SIGKILL)
            ended = os.waitpid(child, 0)
            break
        time.sleep(0.005)
    left = [path.name for path in (config.out / "checkpoints").glob("*.partial")]
    after, status = listed(config.out), os.waitstatus_to_exitcode(ended[1])
    return {**when, "before": before, "after": after, "left": left, "status": status}


def main(run: Path, kills: int, seed: int, data: str = "") -> None:
    rng = random.Random(seed)
    if data:  # a folder as `tests.train.tiny` writes it: the real model with its input
        config = tiny.tiny_config(Path(data), out=run, steps=REAL_STEPS, checkpoint_every=REAL_EVERY)
        calls, window = 0, 2.0
    else:
        toy.install(BROKEN)
        config, calls, window = config_of(run), 150, 0.2
    for _ in range(kills):
        print(json.dumps(kill_once(config, rng, calls, window)), flush=True)
    _, status = os.waitpid(start(config), 0)
    print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
