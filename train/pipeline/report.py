"""What the dry run says of a pipeline."""

import math

import jax
import jax.numpy as jnp

from dsocr_jax.batch import Batch
from dsocr_jax.weights.params import abstract_model, flatten
from train.config import TrainConfig
from train.pipeline.parts import STAGES, handed_on, part_of
from train.pipeline.schedule import AXIS
from train.sharding import AnyMesh, batch_shards


def bubble(stages: int, microbatches: int) -> float:
    """Return the share of the time in which a stage waits, if all stages take equally long."""
    return (stages - 1) / (microbatches + stages - 1)


def stage_parameters(config: TrainConfig, stages: int) -> list[int]:
    """Return how many parameters each of so many stages computes with."""
    parts = [0, 0, 0, 0]
    for name, leaf in flatten(abstract_model(config.model_config)[1]).items():
        parts[part_of(name, config.model_config.decoder.layers)] += math.prod(leaf.shape)
    return [sum(parts[part] for part in several) for several in STAGES[stages]]


def bytes_per_tick(config: TrainConfig, mesh: AnyMesh, batch: Batch) -> int:
    """Return what a device sends forward at every tick, and as much backward.

    Args:
        config: of the run.
        mesh: the devices.
        batch: of the whole step, arrays or their shapes.
    """
    handed = [jax.tree.leaves(handed_on(parts[-1], batch, config)) for parts in STAGES[mesh.shape[AXIS]]]
    size = max(sum(math.prod(x.shape) * x.dtype.itemsize for x in shapes) for shapes in handed)
    return size // batch_shards(mesh) // config.accumulate


def step_bytes(config: TrainConfig, stages: int) -> int:
    """Return what a step takes of each device beside the state: the largest stage's parameters and their gradients."""
    # In the type of the computation: the buffer, the parameters taken from it, a microbatch's gradient; then its sum.
    return max(stage_parameters(config, stages)) * (3 * jnp.dtype(config.compute_dtype).itemsize + 4)


def describe(config: TrainConfig, mesh: AnyMesh, batch: Batch) -> list[str]:
    """Return lines on stages, waiting, memory and what travels, for the arguments of `bytes_per_tick`."""
    stages, mib = mesh.shape[AXIS], 2**20
    numbers = stage_parameters(config, stages)
    return [
        f"pipeline of {stages} stages, of {', '.join(f'{number:,}' for number in numbers)} parameters",
        f"waiting {bubble(stages, config.accumulate):.1%} of the time (if all stages took equally long), with "
        f"{config.accumulate} microbatches",
        f"during a step {step_bytes(config, stages) / mib:,.1f} MiB per device for the largest stage and its gradients",
        f"sent at every tick {bytes_per_tick(config, mesh, batch) / mib:,.2f} MiB forward and as much backward",
    ]
