"""Tiles of rows that are sorted by expert, gathered where they are loaded and scattered where they are stored.

``order`` holds, sorted by expert, the numbers of the (token, choice) pairs; pair ``p`` belongs to token ``p // k``.
Arrays of *sorted rows* follow it; arrays of *pairs* hold a token's k rows side by side.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu
from jaxtyping import Array

Ref = Any


@dataclasses.dataclass(frozen=True)
class Axis:
    """Places along an axis; ``mask`` is None where all of them exist."""

    index: Array
    mask: Array | None = None


def axis(number: Any, block: int, size: int, within: int | None = None) -> Axis:
    """Return the places of block ``number`` of an axis of ``size``.

    Args:
        number, block, size: see above.
        within: the blocks are parts of larger ones of this size, so that whole blocks may lie beyond the end.
    """
    index = number * block + jnp.arange(block)
    return Axis(index, None if size % (within or block) == 0 else index < size)


def _places(rows: Axis, columns: Axis) -> tuple[tuple[Array, Array], Array | None]:
    """Return the places of a tile, and which of them exist."""
    shape = rows.index.shape + columns.index.shape
    index = jnp.broadcast_to(rows.index[:, None], shape), jnp.broadcast_to(columns.index[None, :], shape)
    mask = None if rows.mask is None else jnp.broadcast_to(rows.mask[:, None], shape)
    if columns.mask is not None:
        there = jnp.broadcast_to(columns.mask[None, :], shape)
        mask = there if mask is None else mask & there
    return index, mask


def load(ref: Ref, rows: Axis, columns: Axis, *expert: Any) -> Array:
    """Load a tile; what does not exist is 0."""
    index, mask = _places(rows, columns)
    return plgpu.load(ref.at[(*expert, *index)], mask=mask, other=None if mask is None else 0.0)


def store(ref: Ref, value: Array, rows: Axis, columns: Axis, *expert: Any) -> None:
    """Store those parts of a tile that exist, in the array's type."""
    index, mask = _places(rows, columns)
    plgpu.store(ref.at[(*expert, *index)], value.astype(ref.dtype), mask=mask)


def dot(a: Array, b: Array, **transposed: bool) -> Array:
    """Return the product of two tiles, float32."""
    return plgpu.dot(a, b, allow_tf32=False, **transposed).astype(jnp.float32)


@dataclasses.dataclass(frozen=True)
class Rows:
    """A tile's rows: one expert's, sorted.

    Attributes:
        here: their places, to load from; the tile's end repeats the last row, so that no load needs a mask.
        pairs: their pairs, likewise.
        out, out_pairs: the same to store to: each row once.
    """

    expert: Any
    here: Axis
    pairs: Axis
    out: Axis
    out_pairs: Axis


def sorted_rows(order: Ref, first: Any, end: Any, expert: Any, block: int) -> Rows:
    """Return the ``block`` rows of an expert that begin at ``first``; the expert's rows end at ``end``."""
    index = first + jnp.arange(block)
    exists = index < end
    here = jnp.minimum(index, end - 1)
    pairs = plgpu.load(order.at[here])
    beyond = order.shape[0]  # outside every array: the interpreter stores nothing there, and a mask forbids it anyway
    out, out_pairs = (Axis(jnp.where(exists, place, beyond), exists) for place in (index, pairs))
    return Rows(expert, Axis(here), Axis(pairs), out, out_pairs)


def tokens_of(pairs: Axis, k: int) -> Axis:
    """Return the pairs' tokens."""
    return Axis(jax.lax.div(pairs.index, jnp.int32(k)))


def each_tile(plan: tuple[Ref, Ref, Ref], order: Ref, block: int, work: Callable[[Rows], None]) -> None:
    """Run ``work`` for this program's tile of rows, if it has any."""
    expert, first, end = (ref[pl.program_id(1)] for ref in plan)

    @pl.when(first < end)
    def _() -> None:
        work(sorted_rows(order, first, end, expert, block))


def product(
    a: Ref, rows: Axis, w: Ref, expert: Any, columns: Axis, depth: int, total: Array, transposed: bool = False
) -> Array:
    """Add the rows' product with an expert's weights, or their transposes, to ``total``."""
    size = a.shape[1]

    def step(number: Any, total: Array) -> Array:
        deep = axis(number, depth, size)
        x = load(a, rows, deep)
        if transposed:
            return total + dot(x, load(w, columns, deep, expert), trans_b=True)
        return total + dot(x, load(w, deep, columns, expert))

    return jax.lax.fori_loop(0, pl.cdiv(size, depth), step, total)
