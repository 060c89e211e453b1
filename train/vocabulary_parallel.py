"""The two large tables of the vocabulary over devices: embeddings and head, both split along the hidden width.

Left to itself the compiler adds up whole gradients of both, in float32, on every device: of the released model 1.3 GB.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float, Int

from train.loss import head_loss

#: Axis that the hidden width is split over; it splits the rows of a batch as well.
AXIS = "fsdp"


def can_split(mesh: Mesh, axes: tuple[str, ...], hidden: int, ids: Int[Array, "b ..."]) -> bool:
    """Tell whether the functions below can be used: the tables are split over `AXIS` alone, and shapes divide.

    Args:
        mesh: the devices.
        axes: of the mesh, over which ``b`` is split.
        hidden: width of the tables.
        ids: tokens or labels.
    """
    alone = mesh.shape["tensor"] == mesh.shape["stage"] == 1 < mesh.shape[AXIS]
    return alone and hidden % mesh.shape[AXIS] == 0 and ids.shape[0] % math.prod(mesh.shape[axis] for axis in axes) == 0


def look_up_split(
    mesh: Mesh, axes: tuple[str, ...], table: Float[Array, "v h"], ids: Int[Array, "b ..."], dtype: Any
) -> Float[Array, "b ... h"]:
    """Return ``table[ids]`` in a type: each device looks its columns up for all devices, which then exchange them.

    A batch has tens of thousands of tokens on a device and the table more than a hundred thousand rows, so its rows for
    those tokens are fewer bytes than the table, and so are their gradients.

    Args:
        mesh: the devices.
        axes: of the mesh, over which ``b`` is split; `AXIS` is one of them.
        table: its columns are split over `AXIS`.
        ids: of tokens.
        dtype: of the result, and of what travels.
    """

    def local(columns: Array, ids: Array) -> Array:
        every = jax.lax.all_gather(ids, AXIS, tiled=True)
        rows = jnp.take(columns, every, axis=0).astype(dtype)
        return jax.lax.all_to_all(rows, AXIS, split_axis=0, concat_axis=rows.ndim - 1, tiled=True)

    run = jax.shard_map(local, mesh=mesh, in_specs=(P(None, AXIS), P(axes)), out_specs=P(axes), check_vma=False)
    return run(table, ids)


def head_loss_split(
    mesh: Mesh,
    axes: tuple[str, ...],
    hidden: Float[Array, "b t h"],
    kernel: Float[Array, "h v"],
    labels: Int[Array, "b t"],
    chunk: int,
) -> tuple[Float[Array, ""], Float[Array, "b t"]]:
    """Return what `train.loss.head_loss` returns; the head's gradient is added up once, in its own type, and split.

    Args:
        mesh, axes: see `look_up_split`.
        hidden, labels, chunk: see `train.loss.token_losses`.
        kernel: of the head, its rows split over `AXIS`.
    """

    def local(hidden: Array, rows: Array, labels: Array) -> tuple[Array, Array]:
        total, losses = head_loss(hidden, jax.lax.all_gather(rows, AXIS, tiled=True), labels, chunk)
        return total[None], losses

    specs = (P(axes), P(AXIS), P(axes))
    run = jax.shard_map(local, mesh=mesh, in_specs=specs, out_specs=(P(axes), P(axes)), check_vma=False)
    totals, losses = run(hidden, kernel, labels)
    return jnp.sum(totals), losses
