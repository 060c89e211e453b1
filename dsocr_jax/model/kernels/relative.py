"""Flash attention with decomposed relative positions, as a Triton kernel.

The keys of one row of the map are one step of the kernel. Their scores need, for each query, one number for the row
and one for each column; the columns' numbers stay in registers, so that neither a bias nor longer heads are made.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu
from jaxtyping import Array, Float

Ref = Any

#: Queries of a program.
QUERIES = 64
_LOG2_E = math.log2(math.e)


def _kernel(
    q: Ref, k: Ref, v: Ref, by_row: Ref, by_column: Ref, out: Ref, *, side: int, queries: int, width: int
) -> None:
    """One head of one picture for some queries."""
    start, head, picture = pl.program_id(0) * queries, pl.program_id(1), pl.program_id(2)
    length, dim = q.shape[1], q.shape[3]
    here, place = pl.ds(start, queries), start + jnp.arange(queries)
    inside = None if length % queries == 0 else place < length
    tall = None if inside is None else inside[:, None]
    fill = None if inside is None else 0.0
    query = plgpu.load(q.at[picture, here, head, :], mask=tall, other=fill)
    across = jnp.arange(width)
    real = None if width == side else (across < side)
    mask = real if real is None else real[None, :]
    both = mask if tall is None else tall if mask is None else tall & mask
    columns = plgpu.load(
        by_column.at[picture, here, head, pl.ds(0, width)], mask=both, other=None if both is None else 0.0
    )
    columns = columns.astype(jnp.float32) * _LOG2_E
    if mask is not None:
        columns = jnp.where(mask, columns, -jnp.inf)
    scale = _LOG2_E / math.sqrt(dim)

    def step(row: Any, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        acc, highest, norm = state
        keys = pl.ds(row * side, width)
        wide = None if real is None else real[:, None]
        other = None if wide is None else 0.0
        block = plgpu.load(k.at[picture, keys, head, :], mask=wide, other=other)
        bias = plgpu.load(by_row.at[picture, head, row, here], mask=inside, other=fill).astype(jnp.float32) * _LOG2_E
        scores = plgpu.dot(query, block, trans_b=True).astype(jnp.float32) * scale + columns + bias[:, None]
        new = jnp.maximum(highest, jnp.max(scores, axis=1))
        shrink, p = jnp.exp2(highest - new), jnp.exp2(scores - new[:, None])
        block = plgpu.load(v.at[picture, keys, head, :], mask=wide, other=other)
        acc = acc * shrink[:, None] + plgpu.dot(p.astype(block.dtype), block).astype(jnp.float32)
        return acc, new, norm * shrink + jnp.sum(p, axis=1)

    empty = (
        jnp.zeros((queries, dim), jnp.float32),
        jnp.full(queries, -1e30, jnp.float32),
        jnp.zeros(queries, jnp.float32),
    )
    acc, _, norm = jax.lax.fori_loop(0, side, step, empty)
    plgpu.store(out.at[picture, here, head, :], (acc / norm[:, None]).astype(out.dtype), mask=tall)


def relative_attention(
    q: Float[Array, "b l n d"],
    k: Float[Array, "b l n d"],
    v: Float[Array, "b l n d"],
    by_row: Float[Array, "b n s l"],
    by_column: Float[Array, "b l n s"],
    *,
    queries: int | None = None,
    interpret: bool = False,
) -> Float[Array, "b l n d"]:
    """Attend over a map of s * s positions in row-major order; scores and sums are float32.

    Args:
        q, k, v: of all positions; d a power of two.
        by_row: what is added to the scores of a query with the keys of each row.
        by_column: what is added to the scores of a query with the keys of each column.
        queries: of a program, a power of two.
        interpret: run without a GPU, for tests.
    """
    b, length, n, _ = q.shape
    side = by_column.shape[-1]
    width = max(16, 1 << (side - 1).bit_length())
    queries = queries or min(QUERIES, max(16, 1 << (length - 1).bit_length()))
    return pl.pallas_call(
        partial(_kernel, side=side, queries=queries, width=width),
        out_shape=jax.ShapeDtypeStruct(q.shape, q.dtype),
        grid=(pl.cdiv(length, queries), n, b),
        compiler_params=plgpu.CompilerParams(num_warps=8 if queries >= 128 else 4, num_stages=3),
        interpret=interpret,
        name="relative_attention",
    )(q, k, v, by_row, by_column)
