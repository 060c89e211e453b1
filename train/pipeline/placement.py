"""Where the pipeline keeps parameters: split evenly between steps, each stage's own on its devices during a step.

Stages are unequal and a program has one shape on all devices: a stage's parameters lie in one flat buffer with room for
the largest stage. One exchange along ``stage`` brings them there (every device sends each stage its pieces) and one
gathering along ``fsdp``. Gradients go back by the transpose of this linear map.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jaxtyping import Array

from dsocr_jax.model.scan import unstack_arrays
from train.pipeline.schedule import AXIS
from train.sharding import axes_of, partition

#: The axes that parameters are split over; in a buffer they come first.
AXES = ("fsdp", AXIS)

Leaf = jax.ShapeDtypeStruct


class Layout(NamedTuple):
    """The parameters of every stage, by name, with their shardings."""

    stages: list[dict[str, Leaf]]
    #: Elements of a device's pieces of the largest stage.
    size: int

    def bring(self, pieces: Mapping[str, Array], dtype: Any) -> Array:
        """Return all pieces ``[fsdp, stage, size]`` of this device's stage, as ``dtype``; inside `jax.shard_map`.

        Args:
            pieces: this device's of all parameters, by name; equal layers may be stacked.
            dtype: in which they travel.
        """
        single = unstack_arrays({name: x.astype(dtype) for name, x in pieces.items()})
        rows = [jnp.concatenate([single[name].reshape(-1) for name in leaves]) for leaves in self.stages]
        rows = [jnp.pad(row, (0, self.size - row.size)) for row in rows]
        return jax.lax.all_gather(jax.lax.all_to_all(jnp.stack(rows), AXIS, 0, 0), "fsdp")

    def take_back(self, gradient: Array, pieces: Mapping[str, Array]) -> dict[str, Array]:
        """Return the gradient of this device's ``pieces`` from all stages' buffers of gradients, in their type."""
        shapes = {name: Leaf(x.shape, gradient.dtype) for name, x in pieces.items()}
        (grads,) = jax.linear_transpose(partial(self.bring, dtype=gradient.dtype), shapes)(gradient)
        return grads

    def params(self, stage: int, buffer: Array) -> dict[str, Array]:
        """Return a stage's parameters by name, whole, from its buffer."""
        leaves = self.stages[stage]
        sizes = [_piece(leaf) for leaf in leaves.values()]
        # A split's gradient is one concatenation; that of slices would be a sum of padded buffers.
        parts = jax.lax.split(buffer, (*sizes, self.size - sum(sizes)), axis=buffer.ndim - 1)
        return {name: _join(part, leaf) for (name, leaf), part in zip(leaves.items(), parts, strict=False)}


def make_layout(shapes: Mapping[str, Leaf], mesh: Mesh, stage_of: Callable[[str], int]) -> Layout:
    """Return how parameters of these names and shapes, layers not stacked, fall to the stages of the mesh."""
    stages: list[dict[str, Leaf]] = [{} for _ in range(mesh.shape[AXIS])]
    for name, leaf in shapes.items():
        sharding = NamedSharding(mesh, partition(name, leaf.shape, mesh))
        stages[stage_of(name)][name] = Leaf(leaf.shape, leaf.dtype, sharding=sharding)
    return Layout(stages, max(sum(map(_piece, leaves.values())) for leaves in stages))


def _piece(leaf: Any) -> int:
    return math.prod(leaf.sharding.shard_shape(leaf.shape))


def _join(pieces: Array, leaf: Any) -> Array:
    """Return a parameter from the pieces ``[fsdp, stage, size]`` that the devices hold."""
    axes = [[a for a in several if a in AXES] for several in axes_of(leaf.sharding.spec, len(leaf.shape))]
    used = [axis for axis in AXES if any(axis in several for several in axes)]
    # Devices that differ only in an axis that does not split it hold the same piece.
    pieces = pieces[tuple(slice(None) if axis in used else 0 for axis in AXES)]
    pieces = pieces.reshape(*pieces.shape[: len(used)], *leaf.sharding.shard_shape(leaf.shape))
    order = [i for d, several in enumerate(axes) for i in (*map(used.index, several), len(used) + d)]
    return pieces.transpose(order).reshape(leaf.shape).astype(leaf.dtype)
