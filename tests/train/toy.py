"""A run whose model is a toy that compiles at once, for tests of what surrounds the model.

Loop, checkpoints, journal and files are the real ones. Some batches are no numbers, so that the run must skip steps, go
back, and past them. Works over any number of devices and processes.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from dsocr_jax.batch import TEXT, Batch
from train import loop
from train.checkpoint import Checkpoints
from train.config import MeshConfig, TrainConfig
from train.data import Fed
from train.sharding import make_mesh
from train.step import TrainState

#: Rows of a batch over all processes, tokens of a row.
ROWS, LENGTH = 4, 4
#: The token of a broken batch.
NAN = -1
#: Floats of the state, so that writing takes a while.
SIZE = 2**18


@dataclasses.dataclass(frozen=True)
class Source:
    """Batches of these numbers are broken."""

    broken: range


class Feed:
    """Batch n holds tokens that depend on n alone; each process has its rows."""

    kinds = ("charts",)

    def __init__(self, source: Source, workers: int, place: Callable[[Batch], Batch]) -> None:
        self.broken, self.number, self.place = source.broken, 0, place

    def __next__(self) -> Fed:
        tokens = np.random.default_rng(self.number).integers(100, size=(ROWS, LENGTH), dtype=np.int32)
        if self.number in self.broken:
            tokens[-1, 0] = NAN
        each = ROWS // jax.process_count()
        tokens = tokens[each * jax.process_index() :][:each]
        ones = np.ones_like(tokens)
        name = f"toy {self.number}"
        self.number += 1
        batch = self.place(Batch(tokens, tokens, ones, ones, ones * TEXT, {}))
        return Fed(batch, Counter(charts=each), Counter(), samples=[name])

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
    mesh: Mesh
    source: Source
    step: Any
    abstract: TrainState
    shardings: TrainState
    sets: tuple[()] = ()


def initial() -> TrainState:
    weights = jnp.linspace(-1, 1, SIZE, dtype=jnp.float32)
    return TrainState({"kernel": weights}, {"mu": weights * 0}, jnp.zeros((), jnp.int32))


def step(state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Any]]:
    weights, mean = state.params["kernel"], state.opt_state["mu"]
    values = jnp.where(batch.tokens == NAN, jnp.nan, batch.tokens / 100)
    change = values.mean() * jnp.cos(weights)
    loss = jnp.mean((weights - values.max()) ** 2) + jnp.sum(values)
    ok = jnp.isfinite(loss)
    mean = jnp.where(ok, 0.9 * mean + change, mean)
    weights = jnp.where(ok, weights - 0.1 * mean, weights)
    metrics = {"loss": loss, "router_loss": loss * 0, "grad_norm": jnp.abs(change).max(), "lr": jnp.float32(0.1)}
    metrics |= {"answer_tokens": jnp.int32(ROWS * LENGTH), "skipped": 1.0 - ok}
    return TrainState({"kernel": weights}, {"mu": mean}, state.step + 1), metrics


def prepare(config: TrainConfig, broken: range = range(0)) -> Setup:
    """Return a run over all devices, the state split over them."""
    mesh = make_mesh(MeshConfig())
    abstract = jax.eval_shape(initial)
    shardings = jax.tree.map(lambda x: NamedSharding(mesh, P("data") if x.ndim else P()), abstract)
    everywhere = NamedSharding(mesh, P())
    jitted = jax.jit(step, donate_argnums=0, out_shardings=(shardings, everywhere))
    return Setup(config, mesh, Source(broken), jitted, abstract, shardings)


def first_state(setup: Setup) -> TrainState:
    return jax.jit(initial, out_shardings=setup.shardings)()


def install(broken: range) -> None:
    """Put the toys in place of the real parts; the model's folder and the curve are left out."""
    changes: dict[str, Any] = {
        "prepare": lambda config: prepare(config, broken),
        "first_state": first_state,
        "Feed": Feed,
        "digest": lambda sets: "toys",
        "publisher": lambda *_: lambda: None,
        "plot_loss": lambda *_, **__: False,
    }
    for name, value in changes.items():
        assert hasattr(loop, name)
        setattr(loop, name, value)


def config_of(run: Path, **changes: Any) -> TrainConfig:
    return dataclasses.replace(TrainConfig(out=run, log_every=1, tensorboard=False, rows=ROWS), **changes)


def final_state(config: TrainConfig) -> TrainState:
    """Return the state after the last step, on the host."""
    setup = prepare(config)
    with Checkpoints(config.out, config.keep) as checkpoints:
        assert checkpoints.newest() == config.steps
        return jax.device_get(checkpoints.restore(config.steps, setup.abstract, setup.shardings))
