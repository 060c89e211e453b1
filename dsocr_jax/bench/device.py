"""What the device can do, measured: the marks that the benchmarks are held against."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


@dataclasses.dataclass(frozen=True)
class DeviceSpeed:
    """Measured speed of one device.

    Attributes:
        name: as the driver calls it.
        flops: of a large square product, per second.
        bandwidth: bytes read per second by a sum over an array much larger than any cache.
        dtype: of the product.
    """

    name: str
    flops: float
    bandwidth: float
    dtype: str = "bfloat16"


def seconds(work: Callable[[], Any], least: float = 0.3, rounds: int = 3) -> float:
    """Return the median time of ``work()``, its result awaited, over rounds of at least ``least`` seconds."""
    jax.block_until_ready(work())
    start = time.perf_counter()
    jax.block_until_ready(work())
    once = max(time.perf_counter() - start, 1e-6)
    count = max(1, round(least / once))
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            out = work()
        jax.block_until_ready(out)
        times.append((time.perf_counter() - start) / count)
    return sorted(times)[len(times) // 2]


def measure_device(side: int = 8192, megabytes: int = 4096, dtype: Any = jnp.bfloat16) -> DeviceSpeed:
    """Measure the default device; smaller sizes are for tests."""
    a = jax.random.normal(jax.random.key(0), (side, side), dtype)
    square = jax.jit(lambda x: x @ x)
    flops = 2 * side**3 / seconds(lambda: square(a))
    many = jnp.ones(megabytes * 2**20 // 4, jnp.float32)
    total = jax.jit(lambda x: x.sum())
    bandwidth = many.nbytes / seconds(lambda: total(many))
    return DeviceSpeed(jax.devices()[0].device_kind, flops, bandwidth, jnp.dtype(dtype).name)
