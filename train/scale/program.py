"""One line's programs: compiled, and run from the same random state as often as asked."""

import dataclasses
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
from jax.sharding import Mesh

from dsocr_jax.batch import Batch
from dsocr_jax.config import ModelConfig
from dsocr_jax.weights.params import abstract_model
from train.bench.measure import describe, random_state
from train.config import TrainConfig
from train.optimizer import make_optimizer
from train.pipeline import make_pipelined_step
from train.scale.batches import join, share
from train.scale.collectives import Traffic, collective_names, count_traffic, unknown_loops
from train.scale.overlap import Overlap, overlap
from train.scale.plan import Task
from train.setup import abstract_state, backends_of
from train.sharding import batch_sharding, batch_shards, make_mesh
from train.step import TrainState, compile_step, make_step, put_batch
from train.xplane import find_trace, operations

#: Steps in a trace.
TRACED = 2


@dataclasses.dataclass(frozen=True)
class Program:
    """A line that can be run.

    Attributes:
        task: the line.
        config: of its run.
        mesh: its devices.
        make: gives a fresh state; always the same numbers, however they are spread.
        step: the compiled step, which takes the state away.
        abstract: the state's shapes.
        shardings: where each leaf of the state lives.
        traffic: of a step.
        communicates: names of its operations that do.
        gigabytes: of one device.
        compile_s: seconds that it took.
        note: what else decides.
    """

    task: Task
    config: TrainConfig
    mesh: Mesh
    make: Any
    step: Any
    abstract: TrainState
    shardings: TrainState
    traffic: tuple[Traffic, ...]
    communicates: frozenset[str]
    gigabytes: float | None
    compile_s: float
    note: str

    @property
    def model(self) -> ModelConfig:
        """The model's configuration."""
        return self.config.model_config

    def batch(self, numbers: Sequence[int]) -> Batch:
        """Return the batch whose devices have these shares, one after the other, on the devices."""
        return put_batch(host_batch(self.task, self.config, numbers, batch_shards(self.mesh)), self.mesh)


def host_batch(task: Task, config: TrainConfig, numbers: Sequence[int], shards: int) -> Batch:
    """Return the shares of these numbers in as many groups as a mesh that splits rows ``shards`` times needs."""
    shares = {number: share(task.work, config.model_config, number) for number in set(numbers)}
    return join([shares[number] for number in numbers], shards * task.accumulate, config.model_config)


def build(task: Task, config: TrainConfig, devices: Sequence[jax.Device]) -> Program:
    """Compile a line; safe to be called by several threads.

    Args:
        task: the line.
        config: the model, the optimizer and how to compute; the rest is the line's.
        devices: at least as many as the line's.
    """
    start = time.perf_counter()
    work, model = task.work, config.model_config
    mesh = make_mesh(task.mesh, list(devices)[: task.devices])
    config = dataclasses.replace(
        config,
        freeze=work.freeze,
        rows=work.rows * task.devices,
        length=work.length(model),
        mesh=task.mesh,
        accumulate=task.accumulate,
    )
    optimizer = make_optimizer(config)
    make = make_pipelined_step if mesh.shape["stage"] > 1 else make_step
    step = make(config, abstract_model(model)[0], optimizer, mesh, backends_of(config))
    jitted: Any
    jitted, shardings = compile_step(step, abstract := abstract_state(config, optimizer), mesh, config.overlap)
    on_devices = jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), abstract, shardings)
    batch = host_batch(task, config, [0] * task.devices, batch_shards(mesh))
    place = batch_sharding(mesh)
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place), batch)
    compiled = jitted.lower(on_devices, shapes).compile()
    fresh = jax.jit(lambda: random_state(abstract, shardings), out_shardings=shardings).lower().compile()
    text = compiled.as_text()
    note = describe(config, work, mesh)
    if task.accumulate > 1:
        note += f"; {task.accumulate} microbatches"
    if loops := unknown_loops(text):
        note += f"; {loops} loops of unknown length, whose bytes count once"
    return Program(
        task=task,
        config=config,
        mesh=mesh,
        make=fresh,
        step=compiled,
        abstract=abstract,
        shardings=shardings,
        traffic=count_traffic(text),
        communicates=collective_names(text),
        gigabytes=_gigabytes(compiled),
        compile_s=time.perf_counter() - start,
        note=note,
    )


def _gigabytes(compiled: Any) -> float | None:
    """What one device holds while the program runs; None where the compiler does not tell."""
    sizes = compiled.memory_analysis()
    if sizes is None:
        return None
    held = sizes.argument_size_in_bytes + sizes.output_size_in_bytes - sizes.alias_size_in_bytes
    return (held + sizes.temp_size_in_bytes) / 1e9


def traced(program: Program, state: TrainState, batch: Batch) -> Overlap:
    """Run some steps under the profiler, which take the state away; return what of their time was communication.

    Raises:
        UserError: there is no trace, or nothing in it.
    """
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0  # it would slow the steps down
    with tempfile.TemporaryDirectory() as folder:
        jax.profiler.start_trace(folder, profiler_options=options)
        try:
            for _ in range(TRACED):
                state, metrics = program.step(state, batch)
            jax.block_until_ready((state, metrics))
        finally:
            jax.profiler.stop_trace()
        return overlap(operations(find_trace(Path(folder))), program.communicates)
