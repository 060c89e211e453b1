"""``--dry-run``: where every array would live, what each device would hold, and what the run would cost."""

import math
from collections.abc import Iterator, Mapping

import jax

from dsocr_jax.errors import UserError
from train.config import TrainConfig
from train.data.rows import RowMaker
from train.estimate import USABLE, Devices, hours, loads, memory
from train.flops import step_flops, work_of
from train.freeze import describe as describe_parts
from train.pipeline import describe as describe_pipeline
from train.pipeline.report import step_bytes
from train.setup import Checked, backends_of, check_run
from train.sharding import AnyMesh, abstract_mesh, batch_shards, make_mesh, sharding_table

#: Rows of each mode that are made to see how much work there is in them.
SAMPLED = 4


def dry_run(config: TrainConfig, on: Devices | None = None, share: float = 0.3, price: float | None = None) -> int:
    """Print the table and the sums on standard output; nothing is allocated and no file is touched.

    Args:
        config: of the run.
        on: devices to plan for; None takes those that are there.
        share: of their peak, assumed for the time.
        price: of one device for an hour.

    Raises:
        UserError: something does not fit, or the devices have too little memory.
    """
    mesh = make_mesh(config.mesh) if on is None else abstract_mesh(config.mesh, on.count)
    run = check_run(config, mesh)
    for line in describe(run, mesh, on, share, price):
        print(line)
    return 0


def describe(run: Checked, mesh: AnyMesh, on: Devices | None, share: float, price: float | None) -> Iterator[str]:
    """Yield lines: each array (name, shape, partition, bytes per device), parts, memory, work, and cost."""
    config, params = run.config, sharding_table(run.abstract.params, mesh)
    width = max(len(row.name) for row in params)
    for row in params:
        shape = " x ".join(map(str, row.shape))
        partition = ", ".join(str(axis) if axis else "-" for axis in row.spec) or "whole"
        yield f"{row.name:<{width}}  {shape:<18}  {partition:<20}  {row.bytes_per_device:>14,} B"
    yield ""
    yield from describe_parts(run.abstract.params, config)
    axes = ", ".join(f"{axis} {size}" for axis, size in mesh.shape.items() if size > 1) or "no axis"
    devices = math.prod(mesh.shape.values())
    yield ""
    yield f"{devices} {on.kind if on else jax.default_backend().upper()} device{'s' * (devices > 1)} ({axes})"
    yield from _memory(run, mesh, on)
    yield from _work(run, mesh, on, share, price)


def _memory(run: Checked, mesh: AnyMesh, on: Devices | None) -> Iterator[str]:
    config, found = run.config, {}
    moments = sharding_table(run.abstract.opt_state, mesh)
    params = sharding_table(run.abstract.params, mesh)
    rooms = run.source.plan.rooms
    backends = backends_of(config, None if on is None else "gpu")  # all that `Devices` knows are GPUs
    for mode, load in zip(config.modes, loads(config, rooms, batch_shards(mesh)), strict=True):
        found[mode] = memory(config, params, moments, load, backends, mesh.shape["fsdp"])
        if mesh.shape["stage"] > 1:
            del found[mode]["copy to compute with"]
            found[mode]["gradients"] = step_bytes(config, mesh.shape["stage"])
    mode, most = max(found.items(), key=lambda item: sum(item[1].values()))
    for name, size in most.items():
        yield f"{name:<21}{size / 2**30:>10,.2f} GiB per device"
    together = sum(most.values())
    yield f"{'together':<21}{together / 2**30:>10,.2f} GiB per device, about (mode {mode})"
    if on is not None and together > USABLE * on.memory:
        raise UserError(
            f"this run does not fit: it would take about {together / 1e9:.0f} GB of each {on.kind}'s "
            f"{on.memory / 1e9:.0f} GB ({_most(most)}). Spread the parameters over more devices (--mesh.fsdp), compute "
            "the rows in more parts (--accumulate), keep less (--backends.remat full, --optimizer.first-moment "
            "bfloat16), or take fewer --rows"
        )


def _most(sizes: Mapping[str, float]) -> str:
    largest = sorted(sizes, key=lambda name: -sizes[name])[:2]
    return ", ".join(f"{sizes[name] / 1e9:.0f} GB of {name}" for name in largest)


def _work(run: Checked, mesh: AnyMesh, on: Devices | None, share: float, price: float | None) -> Iterator[str]:
    config, source, devices = run.config, run.source, math.prod(mesh.shape.values())
    lanes = range(min(SAMPLED, config.rows))
    yield ""
    total = weight = 0.0
    for number, mode in enumerate(config.modes):
        made = RowMaker(source.plan, lanes).make(number)
        work = work_of(made.batch, config.model_config)
        scale = config.rows / len(lanes)
        flops = scale * sum(step_flops(config, work).values())
        turns = config.mode_shares.get(mode, 1.0)
        total, weight = total + turns * flops, weight + turns
        if mesh.shape["stage"] > 1 and number == 0:
            yield from describe_pipeline(config, mesh, made.batch)
        filled = work.tokens / made.batch.tokens.size
        yield (
            f"mode {mode}: {scale * work.tokens:,.0f} tokens and {scale * made.pictures:,.0f} pictures in "
            f"{config.rows:,} rows ({filled:.1%} filled), {flops / 1e12:,.3f} TFLOP a step"
        )
    mean = total / weight
    yield f"{config.steps:,} steps of {mean / 1e12:,.3f} TFLOP on average: {config.steps * mean / 1e18:,.3f} EFLOP"
    if len(lanes) < config.rows:
        yield f"(from the first {len(lanes)} rows of each mode)"
    if on is not None:
        time = hours(mean, on, share, config.steps)
        cost = "" if price is None else f", {time * devices * price:,.0f} at {price:g} per device and hour"
        yield (
            f"at an assumed {share:.0%} of the {on.peak / 1e12:,.0f} TFLOP/s that the maker states: {time:,.1f} hours, "
            f"{time * devices:,.0f} device-hours{cost}"
        )
