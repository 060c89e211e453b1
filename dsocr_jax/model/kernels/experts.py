"""The routed experts' products, forward, as Triton kernels: see `dsocr_jax.model.kernels.rows`.

In the kernels ``e``, ``f`` and ``n`` are the three arrays of a `Plan`: each tile's expert, first row and end.
"""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu
from jaxtyping import Array, Float, Int

from dsocr_jax.model.kernels.grouped import Blocks, tiles
from dsocr_jax.model.kernels.rows import Rows, axis, dot, each_tile, load, product, store, tokens_of

Ref = Any


def _swiglu(gate: Array, up: Array) -> Array:
    g = gate.astype(jnp.float32)
    return g * jax.nn.sigmoid(g) * up.astype(jnp.float32)


def _experts_gated(
    x: Ref, gate: Ref, up: Ref, scales: Ref, order: Ref, e: Ref, f: Ref, n: Ref, *outs: Ref, blocks: Blocks, k: int
) -> None:
    columns = axis(pl.program_id(0), blocks.columns, gate.shape[2])

    def work(rows: Rows) -> None:
        tokens = tokens_of(rows.pairs, k)

        def step(number: Any, totals: tuple[Array, Array]) -> tuple[Array, Array]:
            deep = axis(number, blocks.depth, x.shape[1])
            a = load(x, tokens, deep)
            g, u = (dot(a, load(w, deep, columns, rows.expert)) for w in (gate, up))
            return totals[0] + g, totals[1] + u

        zero = jnp.zeros((blocks.rows, blocks.columns), jnp.float32)
        totals = jax.lax.fori_loop(0, pl.cdiv(x.shape[1], blocks.depth), step, (zero, zero))
        # Rounded before they are used, as the backward pass finds them.
        g, u = (total.astype(x.dtype) for total in totals)
        scale = plgpu.load(scales.at[rows.pairs.index])[:, None]
        store(outs[0], scale * _swiglu(g, u), rows.out, columns)
        if len(outs) == 3:
            store(outs[1], g, rows.out, columns)
            store(outs[2], u, rows.out, columns)

    each_tile((e, f, n), order, blocks.rows, work)


def _experts_down(hidden: Ref, down: Ref, order: Ref, e: Ref, f: Ref, n: Ref, out: Ref, *, blocks: Blocks) -> None:
    columns = axis(pl.program_id(0), blocks.columns, down.shape[2])

    def work(rows: Rows) -> None:
        zero = jnp.zeros((blocks.rows, blocks.columns), jnp.float32)
        total = product(hidden, rows.here, down, rows.expert, columns, blocks.depth, zero)
        store(out, total, rows.out_pairs, columns)

    each_tile((e, f, n), order, blocks.rows, work)


def fit(blocks: Blocks, columns: int, depth: int) -> Blocks:
    """Return ``blocks``, not wider than the arrays' next powers of two; at least 16, which a product needs."""

    def least(block: int, size: int) -> int:
        return min(block, max(16, 1 << (size - 1).bit_length()))

    return dataclasses.replace(blocks, columns=least(blocks.columns, columns), depth=least(blocks.depth, depth))


def call(kernel: Any, out: Any, grid: tuple[int, ...], blocks: Blocks, name: str, interpret: bool) -> Any:
    """Return the compiled kernel; ``out`` is the tree of its results' shapes."""
    return pl.pallas_call(
        kernel,
        out_shape=out,
        grid=grid,
        compiler_params=plgpu.CompilerParams(num_warps=blocks.warps, num_stages=blocks.stages),
        interpret=interpret,
        name=name,
    )


def gated(
    x: Float[Array, "t h"],
    gate: Float[Array, "e h n"],
    up: Float[Array, "e h n"],
    scales: Float[Array, " r"],
    order: Int[Array, " r"],
    sizes: Int[Array, " e"],
    blocks: Blocks,
    *,
    keep: bool = True,
    interpret: bool = False,
) -> tuple[Float[Array, "r n"], ...]:
    """``scale * silu(x @ gate) * (x @ up)`` of every pair's token and expert, as sorted rows.

    Args:
        x: tokens.
        gate, up: the experts' weights.
        scales: float32, of the pairs.
        order: the pairs, sorted by expert; r is a multiple of t.
        sizes: rows of every expert.
        blocks: sizes of a tile.
        keep: also return ``x @ gate`` and ``x @ up``, which the backward pass needs.
        interpret: run without a GPU, for tests.
    """
    rows, columns = order.shape[0], gate.shape[2]
    blocks = fit(blocks, columns, x.shape[1])
    plan = tiles(sizes, rows, blocks.rows)
    return call(
        partial(_experts_gated, blocks=blocks, k=rows // x.shape[0]),
        (jax.ShapeDtypeStruct((rows, columns), x.dtype),) * (3 if keep else 1),
        (pl.cdiv(columns, blocks.columns), plan[0].shape[0]),
        blocks,
        "experts_gated",
        interpret,
    )(x, gate, up, scales, order, *plan)


def down(
    hidden: Float[Array, "r n"],
    w: Float[Array, "e n h"],
    order: Int[Array, " r"],
    sizes: Int[Array, " e"],
    blocks: Blocks,
    *,
    interpret: bool = False,
) -> Float[Array, "r h"]:
    """Sorted rows times their expert's weights, stored as pairs; the arguments are those of `gated`."""
    rows, columns = order.shape[0], w.shape[2]
    blocks = fit(blocks, columns, hidden.shape[1])
    plan = tiles(sizes, rows, blocks.rows)
    return call(
        partial(_experts_down, blocks=blocks),
        jax.ShapeDtypeStruct((rows, columns), hidden.dtype),
        (pl.cdiv(columns, blocks.columns), plan[0].shape[0]),
        blocks,
        "experts_down",
        interpret,
    )(hidden, w, order, *plan)
