"""A stable counting sort of small numbers as two Triton kernels: which rows go to which expert.

The rows are cut into chunks. The first kernel counts each chunk's rows by expert; the second begins, in every chunk,
where the experts before and the chunks before end, and ranks the chunk's rows among those of the same expert.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu
from jaxtyping import Array, Int

Ref = Any

#: Rows that are ranked at once, and the most chunks: the second kernel holds all chunks' counts in registers.
STEP, CHUNKS = 128, 128
WARPS = 4


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _one_hot(ids: Ref, first: Any, experts: int) -> tuple[Array, Array, Array]:
    """Return a step's row numbers, whether they exist, and for each row which expert it chose (bool [s, e])."""
    rows = first + jnp.arange(STEP)
    exists = rows < ids.shape[0]
    chosen = plgpu.load(ids.at[rows], mask=exists, other=-1)
    return rows, exists, chosen[:, None] == jnp.arange(experts)[None, :]


def _count_experts(ids: Ref, counts: Ref, *, steps: int) -> None:
    chunk, experts = pl.program_id(0), counts.shape[1]

    def step(number: Any, total: Array) -> Array:
        _, _, chosen = _one_hot(ids, (chunk * steps + number) * STEP, experts)
        return total + jnp.sum(chosen.astype(jnp.int32), axis=0)

    total = jax.lax.fori_loop(0, steps, step, jnp.zeros((experts,), jnp.int32))
    plgpu.store(counts.at[chunk, pl.ds(0, experts)], total)


def _place_rows(ids: Ref, counts: Ref, order: Ref, sizes: Ref, *, steps: int) -> None:
    chunk, (chunks, experts) = pl.program_id(0), counts.shape
    every = plgpu.load(counts.at[pl.ds(0, chunks), pl.ds(0, experts)])
    total = jnp.sum(every, axis=0)
    before = jnp.sum(jnp.where((jnp.arange(chunks) < chunk)[:, None], every, 0), axis=0)
    number = jnp.arange(experts)
    smaller = jnp.sum(jnp.where(number[:, None] < number[None, :], total[:, None], 0), axis=0)

    @pl.when(chunk == 0)
    def _() -> None:
        plgpu.store(sizes.at[pl.ds(0, experts)], total)

    earlier = (jnp.arange(STEP)[:, None] > jnp.arange(STEP)[None, :]).astype(jnp.bfloat16)

    def step(number: Any, start: Array) -> Array:
        rows, exists, chosen = _one_hot(ids, (chunk * steps + number) * STEP, experts)
        # Sums of at most STEP ones: exact in float32.
        rank = plgpu.dot(earlier, chosen.astype(jnp.bfloat16)).astype(jnp.int32)
        place = jnp.sum(jnp.where(chosen, rank + start[None, :], 0), axis=1)
        # Where there is no row, the place is beyond the end: nothing is stored there in either mode.
        plgpu.store(order.at[jnp.where(exists, place, ids.shape[0])], rows, mask=exists)
        return start + jnp.sum(chosen.astype(jnp.int32), axis=0)

    jax.lax.fori_loop(0, steps, step, smaller + before)


def sort_by_expert(
    ids: Int[Array, " r"], experts: int, *, interpret: bool = False
) -> tuple[Int[Array, " r"], Int[Array, " e"]]:
    """Return the rows' numbers sorted by expert, in each expert as they were, and how many rows each expert has.

    The same as `jnp.argsort(ids, stable=True)` and `jnp.bincount(ids, length=experts)`, both int32.

    Args:
        ids: each row's expert, from 0 to ``experts - 1``.
        experts: their number.
        interpret: run without a GPU, for tests.
    """
    rows = ids.shape[0]
    steps = pl.cdiv(rows, STEP * CHUNKS)
    chunks, wide = pl.cdiv(rows, STEP * steps), max(16, _power_of_two(experts))
    ids = ids.astype(jnp.int32)
    # Chunks beyond the rows count nothing.
    counts = pl.pallas_call(
        partial(_count_experts, steps=steps),
        out_shape=jax.ShapeDtypeStruct((_power_of_two(chunks), wide), jnp.int32),
        grid=(_power_of_two(chunks),),
        compiler_params=plgpu.CompilerParams(num_warps=WARPS, num_stages=1),
        interpret=interpret,
        name="count_experts",
    )(ids)
    order, sizes = pl.pallas_call(
        partial(_place_rows, steps=steps),
        out_shape=(jax.ShapeDtypeStruct((rows,), jnp.int32), jax.ShapeDtypeStruct((wide,), jnp.int32)),
        grid=(chunks,),
        compiler_params=plgpu.CompilerParams(num_warps=WARPS, num_stages=1),
        interpret=interpret,
        name="place_rows",
    )(ids, counts)
    return order, sizes[:experts]
