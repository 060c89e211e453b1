"""Attention of one new token a row over its cache, as a Triton kernel that reads each key and value once.

Long rows of small batches are cut into parts that run side by side; the parts' results are put together afterwards.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu
from jaxtyping import Array, Float, Int

Ref = Any

#: Keys that a step of the kernel reads.
STEP = 64
#: Programs that keep every multiprocessor of a large GPU busy.
PROGRAMS = 1024
MAX_PARTS = 32


def _kernel(
    q: Ref, keys: Ref, values: Ref, lengths: Ref, out: Ref, top: Ref, total: Ref, *, step: int, part: int
) -> None:
    """Softmax sums of one head of one row over one part of its cache."""
    head, number, row = pl.program_id(0), pl.program_id(1), pl.program_id(2)
    dim = q.shape[2]
    query = q[row, head, :].astype(jnp.float32) * (1 / math.sqrt(dim))
    group = q.shape[1] // keys.shape[2]
    first = number * part
    last = jnp.minimum(lengths[row], first + part)

    def body(i: Any, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        acc, high, norm = state
        at = first + i * step
        seen = at + jnp.arange(step) < last
        k = plgpu.load(keys.at[row, pl.ds(at, step), head // group, :], mask=seen[:, None], other=0.0)
        scores = jnp.where(seen, jnp.sum(k.astype(jnp.float32) * query[None, :], axis=1), -jnp.inf)
        new_high = jnp.maximum(high, jnp.max(scores))
        shrink, p = jnp.exp(high - new_high), jnp.exp(scores - new_high)
        v = plgpu.load(values.at[row, pl.ds(at, step), head // group, :], mask=seen[:, None], other=0.0)
        acc = acc * shrink + jnp.sum(p[:, None] * v.astype(jnp.float32), axis=0)
        return acc, new_high, norm * shrink + jnp.sum(p)

    # A finite start: a part with nothing to see must not make NaN.
    start = jnp.zeros(dim, jnp.float32), jnp.float32(-1e30), jnp.float32(0)
    acc, high, norm = jax.lax.fori_loop(0, jnp.maximum(pl.cdiv(last - first, step), 0), body, start)
    out[row, number, head, :] = acc
    top[row, number, head] = high
    total[row, number, head] = norm


def decode_attention(
    q: Float[Array, "b n d"],
    keys: Float[Array, "b s m d"],
    values: Float[Array, "b s m d"],
    lengths: Int[Array, " b"],
    *,
    parts: int | None = None,
    interpret: bool = False,
) -> Float[Array, "b n d"]:
    """Attend from one query a row to the first ``lengths`` places of its cache; scores and sums are float32.

    Args:
        q: queries; head h looks at the keys of head ``h // (n // m)``.
        keys, values: the cache; places at and beyond a row's length are not read.
        lengths: how many places of each row count, the new token's own included.
        parts: into how many parts rows are cut; by default as many as keep a GPU busy.
        interpret: run without a GPU, for tests.
    """
    b, n, d = q.shape
    room = keys.shape[1]
    parts = parts or max(1, min(MAX_PARTS, PROGRAMS // (b * n), room // (2 * STEP)))
    part = -(-room // (parts * STEP)) * STEP
    out, top, total = pl.pallas_call(
        partial(_kernel, step=STEP, part=part),
        out_shape=(
            jax.ShapeDtypeStruct((b, parts, n, d), jnp.float32),
            jax.ShapeDtypeStruct((b, parts, n), jnp.float32),
            jax.ShapeDtypeStruct((b, parts, n), jnp.float32),
        ),
        grid=(n, parts, b),
        compiler_params=plgpu.CompilerParams(num_warps=4, num_stages=3),
        interpret=interpret,
        name="decode_attention",
    )(q, keys, values, lengths.astype(jnp.int32))
    share = jnp.exp(top - top.max(axis=1, keepdims=True))
    return ((out * share[..., None]).sum(axis=1) / (total * share).sum(axis=1)[..., None]).astype(q.dtype)
