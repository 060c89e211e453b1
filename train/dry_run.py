"""``--dry-run``: where every array would live, and how much of each device it would take."""

import math

import jax

from train.config import TrainConfig
from train.setup import Setup, prepare
from train.sharding import sharding_table


def dry_run(config: TrainConfig) -> int:
    """Print the table and the sums on standard output; nothing is allocated and no file is touched."""
    for line in describe(prepare(config)):
        print(line)
    return 0


def describe(setup: Setup) -> list[str]:
    """Return one line for each parameter (name, shape, partition, bytes per device), then the sums."""
    rows = sharding_table(setup.abstract.params, setup.mesh)
    moments = sharding_table(setup.abstract.opt_state, setup.mesh)
    trained = {row.name.rpartition("/mu/")[2] for row in moments if "/mu/" in row.name}
    width = max(len(row.name) for row in rows)
    lines = []
    for row in rows:
        shape = " x ".join(map(str, row.shape))
        partition = ", ".join(str(axis) if axis else "-" for axis in row.spec) or "whole"
        frozen = "" if row.name in trained else "  frozen"
        lines.append(f"{row.name:<{width}}  {shape:<18}  {partition:<20}  {row.bytes_per_device:>14,} B{frozen}")
    sums = {
        "parameters": sum(row.bytes_per_device for row in rows),
        "moments": sum(row.bytes_per_device for row in moments),
        "gradients": sum(row.bytes_per_device for row in rows if row.name in trained),
    }
    axes = ", ".join(f"{axis} {size}" for axis, size in setup.mesh.shape.items())
    lines += ["", f"{sum(math.prod(row.shape) for row in rows):,} parameters on {jax.device_count()} devices ({axes})"]
    lines += [f"{name:<11}{size / 2**20:>12,.1f} MiB per device" for name, size in sums.items()]
    lines.append(f"{'together':<11}{sum(sums.values()) / 2**20:>12,.1f} MiB per device, without activations")
    return lines
