"""Random arrays made on the device at once: a generator would take longer to compile, and a host longer to send."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

#: One odd number for each axis of an array.
_ODD = (0x27D4EB2F, 0x165667B1, 0xC2B2AE3D, 0x2545F491)


def chance(number: int, shape: tuple[int, ...], dtype: jnp.dtype, scale: float) -> jax.Array:
    """Return the array ``number`` of some: uniform, mean 0, standard deviation ``scale``.

    Places, multiplied and shuffled bit by bit, are random enough to measure speed with.
    """
    bits = jnp.full(shape, np.uint32(number * 0x9E3779B1 & 0xFFFFFFFF))
    for axis, odd in zip(range(len(shape)), itertools.cycle(_ODD), strict=False):
        bits = (bits + jax.lax.broadcasted_iota(jnp.uint32, shape, axis)) * np.uint32(odd)
        bits ^= bits >> 15
    bits = bits * np.uint32(0x85EBCA77)
    uniform = (bits >> 8).astype(jnp.float32) * 2**-23 - 1
    return (uniform * np.float32(3**0.5 * scale)).astype(dtype)
