"""Runs that are killed again and again: ``python -m tests.train.killed RUN KILLS SEED [DATA]``.

Importing JAX takes seconds, so one process imports everything and forks a child for every start of the run; the child
initialises JAX by itself. Loop, checkpoints, journal and files are the real ones. Without DATA the model is a toy that
compiles at once, and some of its data are no numbers, so that the run must also go back and past them.

A child is killed by SIGKILL, without a chance to clean up: at a chosen one of the system calls by which Python changes
the run's folder (opening for writing, renaming, deleting, flushing), or, for what the storage library writes from its
own threads, at a random time. Nothing of this is known to the code under test.
"""

import dataclasses
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from dsocr_jax.batch import TEXT, Batch
from tests.train import tiny
from train import loop
from train.checkpoint import Checkpoints
from train.config import TrainConfig
from train.data import Fed
from train.step import TrainState

STEPS, REAL_STEPS, EVERY = 60, 250, 2
#: Batches whose loss is no number; as many as let the run go back.
BROKEN, ROW = range(31, 34), 3
#: The token of a broken batch.
NAN = -1
#: Floats of the state, so that writing takes a while.
SIZE = 2**18

#: What Python reports when a file is about to be changed.
CALLS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")


class Feed:
    """Batch n holds values that depend on n alone."""

    kinds = ("charts",)

    def __init__(self, *_: object) -> None:
        self.number = 0

    def __next__(self) -> Fed:
        tokens = np.random.default_rng(self.number).integers(100, size=(1, 4), dtype=np.int32)
        if self.number in BROKEN:
            tokens[0, 0] = NAN
        ones = np.ones_like(tokens)
        batch = Batch(tokens, tokens, ones, ones, ones * TEXT, {})
        name = f"toy {self.number}"
        self.number += 1
        return Fed(batch, Counter(charts=1), Counter(), samples=[name])

    def position(self) -> dict[str, int]:
        return {"number": self.number}

    def seek(self, position: dict[str, int]) -> None:
        self.number = position["number"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclasses.dataclass(frozen=True)
class Setup:
    """What the loop reads of `train.setup.Setup`."""

    config: TrainConfig
    step: Any
    abstract: TrainState
    shardings: TrainState
    mesh: Any = None
    source: Any = None
    sets: tuple[()] = ()


def first_state(*_: object) -> TrainState:
    weights = jnp.linspace(-1, 1, SIZE, dtype=jnp.float32)
    return TrainState({"kernel": weights}, {"mu": weights * 0}, jnp.zeros((), jnp.int32))


def toy_step(state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Any]]:
    weights, mean = state.params["kernel"], state.opt_state["mu"]
    values = jnp.where(batch.tokens == NAN, jnp.nan, batch.tokens / 100)
    change = values.mean() * jnp.cos(weights)
    loss = jnp.mean((weights - values[0, 0]) ** 2) + jnp.sum(values)
    ok = jnp.isfinite(loss)
    mean = jnp.where(ok, 0.9 * mean + change, mean)
    weights = jnp.where(ok, weights - 0.1 * mean, weights)
    metrics = {"loss": loss, "router_loss": loss * 0, "grad_norm": jnp.abs(change).max(), "lr": jnp.float32(0.1)}
    metrics |= {"answer_tokens": jnp.int32(4), "skipped": 1.0 - ok}
    return TrainState({"kernel": weights}, {"mu": mean}, state.step + 1), metrics


def prepare(config: TrainConfig) -> Setup:
    abstract = jax.eval_shape(first_state)
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    shardings = jax.tree.map(lambda _: device, abstract)
    return Setup(config, jax.jit(toy_step, donate_argnums=0), abstract, shardings)


def replace_parts() -> None:
    """Put the toys in place; the model's folder and the curve are not part of the promise."""
    loop.prepare, loop.first_state, loop.Feed = prepare, first_state, Feed  # type: ignore[assignment]
    loop.put_batch = lambda batch, mesh: batch  # type: ignore[assignment]
    loop.digest = lambda sets: "toys"  # type: ignore[assignment]
    loop.publish = lambda *_: None  # type: ignore[assignment]
    loop.plot_loss = lambda *_, **__: False  # type: ignore[assignment]


def config_of(run: Path, **changes: Any) -> TrainConfig:
    config = TrainConfig(out=run, steps=STEPS, checkpoint_every=EVERY, log_every=1, tensorboard=False)
    return dataclasses.replace(config, max_skipped=ROW, **changes)


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
    before = listed(config.out)
    if calls and rng.random() < 0.5:
        when: dict[str, Any] = {"call": rng.randint(1, calls)}
        child = start(config, lambda: die_at(config.out, when["call"]))
    else:
        child = start(config)
        while listed(config.out) == before:
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "ended by itself"
            time.sleep(0.005)
        when = {"seconds": rng.uniform(0, window)}
        time.sleep(when["seconds"])
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    left = [path.name for path in (config.out / "checkpoints").glob("*.partial")]
    after = listed(config.out)
    return {**when, "before": before, "after": after, "left": left, "status": os.waitstatus_to_exitcode(status)}


def main(run: Path, kills: int, seed: int, data: str = "") -> None:
    rng = random.Random(seed)
    if data:  # a folder as `tests.train.tiny` writes it: the real model with its input
        config = tiny.tiny_config(Path(data), out=run, steps=REAL_STEPS, checkpoint_every=EVERY)
        calls, window = 0, 2.0
    else:
        replace_parts()
        config, calls, window = config_of(run), 150, 0.2
    for _ in range(kills):
        print(json.dumps(kill_once(config, rng, calls, window)), flush=True)
    _, status = os.waitpid(start(config), 0)
    print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


def final_state(run: Path) -> TrainState:
    setup = prepare(config_of(run))
    with Checkpoints(run, 2) as checkpoints:
        assert checkpoints.newest() == STEPS
        return jax.device_get(checkpoints.restore(STEPS, setup.abstract, setup.shardings))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
