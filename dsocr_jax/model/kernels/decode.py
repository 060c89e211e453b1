"""Attention of one new token a row over a paged cache, as a Triton kernel.

It turns the new query and key by their position, stores the new key and value, and attends: each key and value of the
cache is read once, and nothing of the row's length is written. Long rows of small batches are cut into parts that run
side by side; the parts' results are put together afterwards.
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

#: Programs that keep every multiprocessor of a large GPU busy, and into how many parts rows are cut at most: more for
#: one or two rows. On an H100 64 rows are a seventh quicker in four parts than in one, 256 rows in one.
PROGRAMS = 2560
MAX_PARTS, FEW_ROWS, FEW_ROWS_PARTS = 4, 2, 16


def _kernel(qkv: Ref, cos: Ref, sin: Ref, positions: Ref, table: Ref, *refs: Ref, heads: int, parts: int) -> None:
    """One head of one row over one part of its pages."""
    out, top, total, keys, values = refs[-5:]
    head, number, row = pl.program_id(0), pl.program_id(1), pl.program_id(2)
    page, kv_heads, dim = keys.shape[1:]
    group = heads // kv_heads
    kv = head // group
    low, high = pl.ds(0, dim // 2), pl.ds(dim // 2, dim // 2)
    position = positions[row]
    c, s = cos[row, :], sin[row, :]
    dtype = keys.dtype

    def turned(index: Any) -> tuple[Array, Array]:
        first, second = qkv[row, index, low].astype(jnp.float32), qkv[row, index, high].astype(jnp.float32)
        # Rounded to the model's type, as the plain form rounds.
        return tuple(x.astype(dtype).astype(jnp.float32) for x in (first * c - second * s, second * c + first * s))

    q1, q2 = (x * (1 / math.sqrt(dim)) for x in turned(head))
    k1, k2 = turned(heads + kv)
    v = qkv[row, heads + kv_heads + kv, :].astype(jnp.float32)
    pages = pl.cdiv(position, page)
    share = pl.cdiv(pages, parts)
    # The part that holds the new token's page stores it, and looks at it from registers.
    mine = (position >= 0) & (number == 0)

    @pl.when(mine & (head % group == 0))
    def _() -> None:
        where, place = table[row, position // page], position % page
        keys[where, place, kv, low] = k1.astype(dtype)
        keys[where, place, kv, high] = k2.astype(dtype)
        values[where, place, kv, :] = v.astype(dtype)

    def step(i: Any, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        acc, highest, norm = state
        at = number * share + i
        seen = at * page + jnp.arange(page) < position
        where, mask = table[row, at], seen[:, None]
        a = plgpu.load(keys.at[where, :, kv, low], mask=mask, other=0.0).astype(jnp.float32)
        b = plgpu.load(keys.at[where, :, kv, high], mask=mask, other=0.0).astype(jnp.float32)
        scores = jnp.where(seen, jnp.sum(a * q1[None, :] + b * q2[None, :], axis=1), -jnp.inf)
        new = jnp.maximum(highest, jnp.max(scores))
        shrink, p = jnp.exp(highest - new), jnp.exp(scores - new)
        old = plgpu.load(values.at[where, :, kv, :], mask=mask, other=0.0).astype(jnp.float32)
        return acc * shrink + jnp.sum(p[:, None] * old, axis=0), new, norm * shrink + jnp.sum(p)

    own = jnp.sum(k1 * q1) + jnp.sum(k2 * q2)
    one = mine.astype(jnp.int32).astype(jnp.float32)
    # A finite start: a part with nothing to see must not make NaN.
    start = v * one, jnp.where(mine, own, -1e30).astype(jnp.float32), one
    steps = jnp.minimum(pages - number * share, share)
    acc, highest, norm = jax.lax.fori_loop(0, jnp.maximum(steps, 0), step, start)
    out[row, number, head, :] = (acc / jnp.maximum(norm, 1e-30) if parts == 1 else acc).astype(out.dtype)
    top[row, number, head] = highest
    total[row, number, head] = norm


def paged_decode(
    qkv: Float[Array, "b c d"],
    cos: Float[Array, "b e"],
    sin: Float[Array, "b e"],
    positions: Int[Array, " b"],
    table: Int[Array, "b t"],
    keys: Float[Array, "p page m d"],
    values: Float[Array, "p page m d"],
    *,
    parts: int | None = None,
    interpret: bool = False,
) -> tuple[Float[Array, "b n d"], Float[Array, "p page m d"], Float[Array, "p page m d"]]:
    """Attend from one new token a row to itself and all before it; scores and sums are float32.

    Args:
        qkv: n query heads, m key heads and m value heads of the new token, before rotation; c = n + 2 m.
        cos, sin: float32, of the first half of the head's channels (e = d / 2).
        positions: of the new token; rows at -1 are idle: nothing is stored, and their output is 0.
        table: the numbers of each row's pages, in order.
        keys, values: the pages, already turned by their positions; written in place where the caller gives them away.
        parts: into how many parts rows are cut; by default as many as keep a GPU busy.
        interpret: run without a GPU, for tests.

    Returns:
        The heads' outputs, and the pages with the new token.
    """
    b, d, m = qkv.shape[0], qkv.shape[2], keys.shape[2]
    n = qkv.shape[1] - 2 * m
    most = FEW_ROWS_PARTS if b <= FEW_ROWS else MAX_PARTS
    parts = parts or max(1, min(most, PROGRAMS // (b * n), table.shape[1]))
    partial_type = qkv.dtype if parts == 1 else jnp.float32
    out, top, total, keys, values = pl.pallas_call(
        partial(_kernel, heads=n, parts=parts),
        out_shape=(
            jax.ShapeDtypeStruct((b, parts, n, d), partial_type),
            jax.ShapeDtypeStruct((b, parts, n), jnp.float32),
            jax.ShapeDtypeStruct((b, parts, n), jnp.float32),
            jax.ShapeDtypeStruct(keys.shape, keys.dtype),
            jax.ShapeDtypeStruct(values.shape, values.dtype),
        ),
        grid=(n, parts, b),
        input_output_aliases={5: 3, 6: 4},
        compiler_params=plgpu.CompilerParams(num_warps=4, num_stages=3),
        interpret=interpret,
        name="paged_decode",
    )(qkv, cos, sin, positions.astype(jnp.int32), table.astype(jnp.int32), keys, values)
    if parts == 1:
        return out[:, 0], keys, values
    share = jnp.exp(top - top.max(axis=1, keepdims=True))
    norm = jnp.maximum((total * share).sum(axis=1), 1e-30)
    return ((out * share[..., None]).sum(axis=1) / norm[..., None]).astype(qkv.dtype), keys, values
