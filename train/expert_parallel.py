"""Experts spread over devices: each device computes its own tokens, or, by a ring, its own experts for all tokens.

Kernels do not tell the compiler how they may be divided, so the division is written down here (`jax.shard_map`).
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float, Int

from dsocr_jax.model.placement import Routed


def spread(
    mesh: Mesh,
    batch_axes: tuple[str, ...],
    routed: Routed,
    weights: dict[str, Array],
    x: Float[Array, "g t h"],
    chosen: Int[Array, "g t k"],
    scales: Float[Array, "g t k"],
) -> tuple[Float[Array, "g t h"], Float[Array, ""]]:
    """Return what ``routed(weights, x, chosen, scales)`` returns, computed where tokens and weights are.

    With an expert axis of n devices the tokens go round a ring: n times a device adds what its experts make of the
    tokens that it holds, and hands tokens and sums on. With a tensor axis every device computes a slice of each
    expert's inner width, and the sums are added up.

    Args:
        mesh: the devices; groups are split over ``batch_axes``.
        batch_axes: which contain ``expert``.
        routed: what a device computes.
        weights: gate, up and down.
        x, chosen, scales: of every group.
    """
    count, _, inner = weights["gate"].shape
    ring = mesh.shape["expert"] > 1 and count % mesh.shape["expert"] == 0
    slices = mesh.shape["tensor"] > 1 and inner % mesh.shape["tensor"] == 0

    def local(weights: dict[str, Array], x: Array, chosen: Array, scales: Array) -> tuple[Array, Array]:
        out, beyond = (partial(_ring, routed) if ring else routed)(weights, x, chosen, scales)
        if slices:
            out = jax.lax.psum(out, "tensor")
        # Every device's share counts alike: they have as many tokens.
        return out, jax.lax.pmean(beyond, batch_axes)

    expert, tensor = "expert" if ring else None, "tensor" if slices else None
    specs = {"gate": P(expert, None, tensor), "up": P(expert, None, tensor), "down": P(expert, tensor, None)}
    rows = P(batch_axes)
    run = jax.shard_map(local, mesh=mesh, in_specs=(specs, rows, rows, rows), out_specs=(rows, P()), check_vma=False)
    return run(weights, x, chosen, scales)


def _ring(routed: Routed, weights: dict[str, Array], x: Array, chosen: Array, scales: Array) -> tuple[Array, Array]:
    devices, own = jax.lax.axis_size("expert"), weights["gate"].shape[0]
    first = jax.lax.axis_index("expert") * own
    following = [(i, (i + 1) % devices) for i in range(devices)]
    sums, beyond = jnp.zeros(x.shape, jnp.float32), jnp.zeros((), jnp.float32)
    for _ in range(devices):
        mine = (chosen >= first) & (chosen < first + own)
        part, share = routed(weights, x, jnp.where(mine, chosen - first, own), jnp.where(mine, scales, 0.0), some=True)
        sums, beyond = sums + part.astype(jnp.float32), beyond + share / devices
        # The last hand-over brings the sums home.
        x, chosen, scales, sums = (jax.lax.ppermute(part, "expert", following) for part in (x, chosen, scales, sums))
    return sums.astype(x.dtype), beyond
