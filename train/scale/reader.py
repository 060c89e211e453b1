"""A process that reads pages on one device, when it is told to.

Everything heavy is imported within functions, so that the environment that chooses the device is there before JAX is.
"""

import dataclasses
import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from dsocr_jax.errors import UserError
from train.scale.compiling import set_up

if TYPE_CHECKING:
    from dsocr_jax.reading.reader import Reader

#: Pages that are read before the clock starts.
WARM = 4
#: Ids that a row gets between two looks of the host.
STEPS = 16


@dataclasses.dataclass(frozen=True)
class ReadJob:
    """What each process reads.

    Attributes:
        preset: size of the model; its weights are random, the same in all processes.
        mode: name of the mode.
        files: pictures, one after the other.
        tokens: of each answer.
        rows: answers written at the same time.
        threads: pages opened and prepared at the same time.
        compile_cache: whether to keep compiled programs.
    """

    preset: str
    mode: str
    files: tuple[Path, ...]
    tokens: int
    rows: int
    threads: int
    compile_cache: bool


@dataclasses.dataclass(frozen=True)
class Ready:
    """Everything is compiled.

    Attributes:
        kind: of the device.
        seconds: that it took.
    """

    kind: str
    seconds: float


@dataclasses.dataclass(frozen=True)
class Read:
    """The files were read.

    Attributes:
        pages: so many.
        start, end: by the machine's clock (``time.monotonic``), which processes share.
    """

    pages: int
    start: float
    end: float


def serve(environment: dict[str, str], job: ReadJob, connection: Connection) -> None:
    """Make ready, then read all files each time that something comes, until nothing more does.

    Args:
        environment: variables that give the process its device.
        job: what is read.
        connection: to the parent; `Ready`, then `Read` each time, or the text of an error.
    """
    os.environ.update(environment)
    try:
        answer(job, connection)
    except UserError as error:
        connection.send(str(error))
    except (EOFError, BrokenPipeError):  # the parent wants no more, or has gone
        pass
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}"[:300])
        raise


def answer(job: ReadJob, connection: Connection) -> None:
    """Do what `serve` says, in this process.

    Raises:
        EOFError: the parent's end is closed.
    """
    import jax

    start = time.monotonic()
    set_up(job.compile_cache)
    reader = make_reader(job)
    reader.warm_up()
    read_all(reader, job.files[:WARM], job)
    connection.send(Ready(jax.devices()[0].device_kind, time.monotonic() - start))
    while True:
        connection.recv()
        start = time.monotonic()
        pages = read_all(reader, job.files, job)
        connection.send(Read(pages, start, time.monotonic()))


def make_reader(job: ReadJob) -> "Reader":
    """Return a reader whose random weights are made on the device, and whose answers never end by themselves."""
    import jax
    import jax.numpy as jnp
    from flax import nnx

    from dsocr_jax.bench.pages import WORDS_ROOM, StandInTokenizer
    from dsocr_jax.config import preset
    from dsocr_jax.modes import NO_TILES, count_tokens, find_mode
    from dsocr_jax.reading.asking import ReadOptions
    from dsocr_jax.reading.reader import Reader
    from dsocr_jax.weights.checkpoint import LoadedModel
    from dsocr_jax.weights.params import abstract_model, flatten, unflatten
    from train.bench.measure import random_state
    from train.step import TrainState

    config = preset(job.preset)
    dtype = jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16
    graph, shapes = abstract_model(config)
    leaves = {name: jax.ShapeDtypeStruct(leaf.shape, dtype) for name, leaf in flatten(shapes).items()}
    state = TrainState(leaves, (), jnp.zeros((), jnp.int32))
    here = jax.tree.map(lambda _: jax.sharding.SingleDeviceSharding(jax.devices()[0]), state)
    model = nnx.merge(graph, unflatten(config, random_state(state, here).params))
    mode = find_mode(job.mode, {one.name: one for one in config.modes})
    length = count_tokens(mode, NO_TILES, config.stride) + WORDS_ROOM + job.tokens
    options = ReadOptions(
        job.mode,
        max_new_tokens=job.tokens,
        loops=None,
        blank=False,
        rows=job.rows,
        steps=STEPS,
        threads=job.threads,
        length=min(length, config.decoder.max_positions),
    )
    reader = Reader(LoadedModel(config, model, StandInTokenizer(config)), options)
    engine = reader.desk.engine
    engine.compiled = dataclasses.replace(engine.compiled, end=-1)  # no id is the end mark
    return reader


def read_all(reader: "Reader", files: Sequence[Path], job: ReadJob) -> int:
    """Read pages; return how many.

    Raises:
        UserError: one was not read.
    """
    from dsocr_jax.reading.documents import Failure
    from dsocr_jax.reading.loading import load_documents

    count = 0
    for item in reader.read(load_documents(files, threads=job.threads), ordered=False):
        if isinstance(item, Failure):
            raise UserError(item.message)
        if len(item.token_ids) != job.tokens:
            raise UserError(f"{item.page.source}: {len(item.token_ids)} tokens instead of {job.tokens}")
        count += 1
    return count
