"""How fast a training step runs: compile it, time it, trace it, and say what it could be."""

import dataclasses
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from dsocr_jax.bench.chance import chance
from dsocr_jax.bench.device import DeviceSpeed
from dsocr_jax.weights.params import abstract_model
from train.bench.works import Work, random_batch
from train.config import MeshConfig, TrainConfig
from train.flops import peak_flops, step_flops, work_of
from train.optimizer import make_optimizer
from train.profile import profile_table
from train.setup import abstract_state, backends_of
from train.sharding import batch_shards, make_mesh
from train.step import TrainState, compile_step, make_step, put_batch

#: Steps before the clock starts, and in a trace.
WARM, TRACED = 2, 2


@dataclasses.dataclass(frozen=True)
class Line:
    """What was measured of one work.

    Attributes:
        work: its name.
        devices: so many.
        tokens_per_s: of all devices, padding not counted.
        pictures_per_s: the same.
        milliseconds: of a step.
        flops: useful operations of a step on one device.
        share: of the peak that was measured by a large product.
        nominal: of the peak that the maker states; None where that is not known.
        gigabytes: most memory of one device; None where the device does not tell.
        compile_s: seconds to compile.
        loss: of the last step; it must be a number.
        finite: every step's loss and gradients were numbers.
        parts: (part, milliseconds of a step), if it was traced.
        options: what else decides.
    """

    work: str
    devices: int
    tokens_per_s: float
    pictures_per_s: float
    milliseconds: float
    flops: float
    share: float
    nominal: float | None
    gigabytes: float | None
    compile_s: float
    loss: float
    finite: bool
    parts: tuple[tuple[str, float], ...]
    options: str


def measure(
    config: TrainConfig, work: Work, devices: list[jax.Device], speed: DeviceSpeed, steps: int, traced: bool
) -> Line:
    """Time ``steps`` steps of ``work`` on ``devices``, optimizer included.

    Args:
        config: the model, the optimizer, the mesh and how to compute; its rows and what it freezes are the work's.
        work: the batch.
        devices: of the mesh.
        speed: what one device can do.
        steps: that are timed.
        traced: also trace some.
    """
    mesh = make_mesh(config.mesh, devices)
    shards = batch_shards(mesh)
    model = config.model_config
    config = dataclasses.replace(config, freeze=work.freeze, rows=work.rows * shards, length=work.length(model))
    batch = random_batch(work, model, work.rows * shards, shards * config.accumulate)
    useful = sum(step_flops(config, counted := work_of(batch, model)).values()) / len(devices)
    optimizer = make_optimizer(config)
    backends = backends_of(config)
    step, shardings = compile_step(
        make_step(config, abstract_model(model)[0], optimizer, mesh, backends),
        abstract := abstract_state(config, optimizer),
        mesh,
        config.overlap,
    )
    placed = put_batch(batch, mesh)
    state = random_state(abstract, shardings)
    start = time.perf_counter()
    state, metrics = step(state, placed)
    jax.block_until_ready(metrics)
    compile_s = time.perf_counter() - start
    skipped = [metrics["skipped"]]
    for _ in range(WARM):
        state, metrics = step(state, placed)
        skipped.append(metrics["skipped"])
    jax.block_until_ready(state)
    start = time.perf_counter()
    for _ in range(steps):
        state, metrics = step(state, placed)
        skipped.append(metrics["skipped"])
    jax.block_until_ready(state)
    took = (time.perf_counter() - start) / steps
    parts: tuple[tuple[str, float], ...] = ()
    if traced:
        with tempfile.TemporaryDirectory() as folder:
            options = jax.profiler.ProfileOptions()
            options.python_tracer_level = 0  # it would slow the steps down
            jax.profiler.start_trace(folder, profiler_options=options)
            for _ in range(TRACED):
                state, metrics = step(state, placed)
            jax.block_until_ready(state)
            jax.profiler.stop_trace()
            parts = tuple((part, 1e3 * seconds / TRACED) for part, seconds in profile_table(Path(folder)))
    peak = peak_flops(devices[0].device_kind, config.compute_dtype)
    memory = devices[0].memory_stats() or {}
    return Line(
        work=work.name,
        devices=len(devices),
        tokens_per_s=counted.tokens / took,
        pictures_per_s=sum(counted.views.values()) / took,
        milliseconds=1e3 * took,
        flops=useful,
        share=useful / took / speed.flops,
        nominal=useful / took / peak if peak else None,
        gigabytes=memory["peak_bytes_in_use"] / 1e9 if "peak_bytes_in_use" in memory else None,
        compile_s=compile_s,
        loss=float(metrics["loss"]),
        finite=not any(map(bool, skipped)),
        parts=parts,
        options=describe(config, work, mesh),
    )


def describe(config: TrainConfig, work: Work, mesh: Mesh) -> str:
    """Say in a line what decides the figures beside the work."""
    backends = backends_of(config)
    axes = ", ".join(f"{axis} {size}" for axis, size in mesh.shape.items() if size > 1)
    parts = [
        f"{work.rows} x {config.length} a device",
        f"{backends.layers} layers, remat {backends.remat}, experts {backends.grouped}",
        f"first moment {config.optimizer.first_moment}",
    ]
    return "; ".join(parts + ([f"mesh {axes}"] if axes else []))


def random_state(abstract: TrainState, shardings: TrainState) -> TrainState:
    """Return a state with random parameters, made on the devices: each draws what it holds."""

    def parameter(number: int, name: str, leaf: jax.ShapeDtypeStruct) -> jax.Array:
        if name.endswith("/scale"):
            return jnp.ones(leaf.shape, leaf.dtype)
        return chance(number, leaf.shape, leaf.dtype, leaf.shape[-2] ** -0.5 if len(leaf.shape) > 1 else 0.02)

    def make() -> TrainState:
        params = {name: parameter(i, name, leaf) for i, (name, leaf) in enumerate(abstract.params.items())}
        rest = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), (abstract.opt_state, abstract.step))
        return TrainState(params, *rest)

    return jax.jit(make, out_shardings=shardings)()


def mesh_of(name: str) -> MeshConfig:
    """Return the mesh of all devices that puts them on one axis."""
    return MeshConfig(**{**dataclasses.asdict(MeshConfig(data=1)), name: -1})
