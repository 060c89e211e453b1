"""``--dry-run``: where every array would live, and how much of each device it would take."""

import math

import jax
from rich.table import Table

from dsocr_jax.console import console
from train.config import TrainConfig
from train.setup import prepare
from train.sharding import sharding_table


def dry_run(config: TrainConfig) -> int:
    """Print the table of parameters and the sums; nothing is allocated and no file is touched."""
    setup = prepare(config)
    table = Table("parameter", "shape", "partition", "bytes per device", "trained", box=None)
    rows = sharding_table(setup.abstract.params, setup.mesh)
    moments = sharding_table(setup.abstract.opt_state, setup.mesh)
    trained = {name for row in moments for name in [row.name.partition("/mu/")[2]] if name}
    for row in rows:
        shape = " x ".join(map(str, row.shape))
        spec = ", ".join(str(axis) if axis else "-" for axis in row.spec) or "replicated"
        table.add_row(row.name, shape, spec, f"{row.bytes_per_device:,}", "yes" if row.name in trained else "frozen")
    console.print(table)
    axes = ", ".join(f"{axis} {size}" for axis, size in setup.mesh.shape.items())
    console.print(f"mesh: {axes} ({jax.device_count()} devices)")
    gradients = sum(row.bytes_per_device for row in rows if row.name in trained)
    sums = {
        "parameters": sum(row.bytes_per_device for row in rows),
        "moments": sum(row.bytes_per_device for row in moments),
        "gradients": gradients,
    }
    for name, size in sums.items():
        console.print(f"{name}: {size / 2**20:,.1f} MiB per device")
    console.print(f"together, without activations: {sum(sums.values()) / 2**20:,.1f} MiB per device")
    parameters = sum(math.prod(row.shape) for row in rows)
    console.print(f"{parameters:,} parameters; {config.steps} steps of {config.batch_size} rows")
    return 0
