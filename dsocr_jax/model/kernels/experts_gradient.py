"""The gradients of the routed experts' products, as Triton kernels: see `dsocr_jax.model.kernels.rows`.

In the kernels ``e``, ``f`` and ``n`` are the three arrays of a `Plan`: each tile's expert, first row and end.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu
from jaxtyping import Array, Float, Int

from dsocr_jax.model.kernels.experts import call, fit
from dsocr_jax.model.kernels.grouped import Blocks, tiles
from dsocr_jax.model.kernels.rows import Axis, Rows, axis, dot, each_tile, load, product, sorted_rows, store, tokens_of

Ref = Any

#: Columns of a tile whose elementwise part is done at once.
STRIP = 32


def _experts_hidden_gradient(
    dy: Ref,
    down: Ref,
    gate: Ref,
    up: Ref,
    scales: Ref,
    order: Ref,
    e: Ref,
    f: Ref,
    n: Ref,
    hidden: Ref,
    dgate: Ref,
    dup: Ref,
    dscales: Ref,
    *,
    blocks: Blocks,
    k: int,
    interpret: bool,
) -> None:
    part = pl.program_id(0)
    columns = axis(part, blocks.columns, down.shape[1])
    strip = min(STRIP, blocks.columns)
    strips = blocks.columns // strip

    def wait() -> None:
        if not interpret:
            plgpu.debug_barrier()

    def work(rows: Rows) -> None:
        zero = jnp.zeros((blocks.rows, blocks.columns), jnp.float32)
        tokens = tokens_of(rows.pairs, k)
        total = product(dy, tokens, down, rows.expert, columns, blocks.depth, zero, transposed=True)
        # What follows takes several times the product's registers if it is done at once. So the product is put where
        # a result comes later, and everything elementwise is done strip by strip: two programs fit side by side, and
        # one multiplies while the other reads and writes.
        store(dgate, total, rows.out, columns)
        wait()
        scale = plgpu.load(scales.at[rows.pairs.index])[:, None]

        def step(number: Any, dots: Array) -> Array:
            some = axis(part * strips + number, strip, down.shape[1], blocks.columns)
            g, u, d = (load(ref, rows.here, some).astype(jnp.float32) for ref in (gate, up, dgate))
            wait()
            share = jax.nn.sigmoid(g)
            act = g * share
            store(hidden, scale * (act * u), rows.out, some)
            scaled = scale * d
            store(dup, scaled * act, rows.out, some)
            store(dgate, scaled * u * (share + act * (1 - share)), rows.out, some)
            # Columns that do not exist are 0 in every factor.
            return dots + jnp.sum(d * (act * u), axis=1)

        dots = jax.lax.fori_loop(0, strips, step, jnp.zeros((blocks.rows,), jnp.float32))
        plgpu.store(dscales.at[part, rows.out_pairs.index], dots, mask=rows.out_pairs.mask)

    each_tile((e, f, n), order, blocks.rows, work)


def _experts_rows_gradient(
    dgate: Ref, dup: Ref, gate: Ref, up: Ref, order: Ref, e: Ref, f: Ref, n: Ref, out: Ref, *, blocks: Blocks
) -> None:
    columns = axis(pl.program_id(0), blocks.columns, gate.shape[1])

    def work(rows: Rows) -> None:
        total = jnp.zeros((blocks.rows, blocks.columns), jnp.float32)
        # Two loops, not two products a step: a product that another one waits for would not run beside the loads.
        for a, w in ((dgate, gate), (dup, up)):
            total = product(a, rows.here, w, rows.expert, columns, blocks.depth, total, transposed=True)
        store(out, total, rows.out_pairs, columns)

    each_tile((e, f, n), order, blocks.rows, work)


def _experts_pair_gradient(
    x: Ref, dgate: Ref, dup: Ref, order: Ref, start: Ref, end: Ref, *outs: Ref, blocks: Blocks, k: int
) -> None:
    expert = pl.program_id(2)
    deep = axis(pl.program_id(1), blocks.depth, x.shape[1])
    columns = axis(pl.program_id(0), blocks.columns, dgate.shape[1])
    first, last = start[expert], end[expert]

    def step(number: Any, totals: tuple[Array, Array]) -> tuple[Array, Array]:
        rows = sorted_rows(order, first + number * blocks.rows, last, expert, blocks.rows)
        a = load(x, tokens_of(rows.pairs, k), deep)
        # One factor's rows beyond the expert's are 0; the other's repeat its last.
        dg, du = (
            dot(a, load(ref, Axis(rows.here.index, rows.out.mask), columns), trans_a=True) for ref in (dgate, dup)
        )
        return totals[0] + dg, totals[1] + du

    zero = jnp.zeros((blocks.depth, blocks.columns), jnp.float32)
    totals = jax.lax.fori_loop(0, pl.cdiv(last - first, blocks.rows), step, (zero, zero))
    for out, total in zip(outs, totals, strict=True):
        store(out, total, deep, columns, expert)


def _experts_outer_gradient(
    hidden: Ref, dy: Ref, order: Ref, start: Ref, end: Ref, out: Ref, *, blocks: Blocks, k: int
) -> None:
    expert = pl.program_id(2)
    deep = axis(pl.program_id(1), blocks.depth, hidden.shape[1])
    columns = axis(pl.program_id(0), blocks.columns, dy.shape[1])
    first, last = start[expert], end[expert]

    def step(number: Any, total: Array) -> Array:
        rows = sorted_rows(order, first + number * blocks.rows, last, expert, blocks.rows)
        a = load(hidden, Axis(rows.here.index, rows.out.mask), deep)
        return total + dot(a, load(dy, tokens_of(rows.pairs, k), columns), trans_a=True)

    zero = jnp.zeros((blocks.depth, blocks.columns), jnp.float32)
    total = jax.lax.fori_loop(0, pl.cdiv(last - first, blocks.rows), step, zero)
    store(out, total, deep, columns, expert)


def hidden_gradient(
    dy: Float[Array, "t h"],
    down: Float[Array, "e n h"],
    gate: Float[Array, "r n"],
    up: Float[Array, "r n"],
    scales: Float[Array, " r"],
    order: Int[Array, " r"],
    sizes: Int[Array, " e"],
    blocks: Blocks,
    *,
    interpret: bool = False,
) -> tuple[Float[Array, "r n"], Float[Array, "r n"], Float[Array, "r n"], Float[Array, " r"]]:
    """Return the hidden rows of the forward pass again, the gradients of ``gate`` and ``up``, and of ``scales``.

    Args:
        dy: gradient of the tokens' sums.
        down: the experts' weights.
        gate, up: sorted rows, what `dsocr_jax.model.kernels.experts.gated` keeps.
        scales, order, sizes, blocks, interpret: as there.
    """
    rows, columns = gate.shape
    blocks = fit(blocks, columns, dy.shape[1])
    plan = tiles(sizes, rows, blocks.rows)
    parts = pl.cdiv(columns, blocks.columns)
    like = jax.ShapeDtypeStruct(gate.shape, gate.dtype)
    hidden, dgate, dup, dscales = call(
        partial(_experts_hidden_gradient, blocks=blocks, k=rows // dy.shape[0], interpret=interpret),
        (like, like, like, jax.ShapeDtypeStruct((parts, rows), jnp.float32)),
        (parts, plan[0].shape[0]),
        blocks,
        "experts_hidden_gradient",
        interpret,
    )(dy, down, gate, up, scales, order, *plan)
    return hidden, dgate, dup, dscales.sum(axis=0)


def rows_gradient(
    dgate: Float[Array, "r n"],
    dup: Float[Array, "r n"],
    gate: Float[Array, "e h n"],
    up: Float[Array, "e h n"],
    order: Int[Array, " r"],
    sizes: Int[Array, " e"],
    blocks: Blocks,
    *,
    interpret: bool = False,
) -> Float[Array, "r h"]:
    """Return the gradient of every pair's token, ``dgate @ gateT + dup @ upT``, as pairs."""
    rows, columns = order.shape[0], gate.shape[1]
    blocks = fit(blocks, columns, gate.shape[2])
    plan = tiles(sizes, rows, blocks.rows)
    return call(
        partial(_experts_rows_gradient, blocks=blocks),
        jax.ShapeDtypeStruct((rows, columns), dgate.dtype),
        (pl.cdiv(columns, blocks.columns), plan[0].shape[0]),
        blocks,
        "experts_rows_gradient",
        interpret,
    )(dgate, dup, gate, up, order, *plan)


def pair_gradient(
    x: Float[Array, "t h"],
    dgate: Float[Array, "r n"],
    dup: Float[Array, "r n"],
    order: Int[Array, " r"],
    sizes: Int[Array, " e"],
    blocks: Blocks,
    *,
    interpret: bool = False,
) -> tuple[Float[Array, "e h n"], Float[Array, "e h n"]]:
    """Return the gradients of the weights of ``gate`` and ``up``; an expert without rows has 0."""
    rows, columns = dgate.shape
    experts, depth = sizes.shape[0], x.shape[1]
    blocks = fit(blocks, columns, depth)
    like = jax.ShapeDtypeStruct((experts, depth, columns), x.dtype)
    return call(
        partial(_experts_pair_gradient, blocks=blocks, k=rows // x.shape[0]),
        (like, like),
        (pl.cdiv(columns, blocks.columns), pl.cdiv(depth, blocks.depth), experts),
        blocks,
        "experts_pair_gradient",
        interpret,
    )(x, dgate, dup, order, *_spans(sizes))


def outer_gradient(
    hidden: Float[Array, "r n"],
    dy: Float[Array, "t h"],
    order: Int[Array, " r"],
    sizes: Int[Array, " e"],
    blocks: Blocks,
    *,
    interpret: bool = False,
) -> Float[Array, "e n h"]:
    """Return the gradient of the weights of ``down``; an expert without rows has 0."""
    (rows, depth), columns, experts = hidden.shape, dy.shape[1], sizes.shape[0]
    blocks = fit(blocks, columns, depth)
    return call(
        partial(_experts_outer_gradient, blocks=blocks, k=rows // dy.shape[0]),
        jax.ShapeDtypeStruct((experts, depth, columns), hidden.dtype),
        (pl.cdiv(columns, blocks.columns), pl.cdiv(depth, blocks.depth), experts),
        blocks,
        "experts_outer_gradient",
        interpret,
    )(hidden, dy, order, *_spans(sizes))


def _spans(sizes: Array) -> tuple[Array, Array]:
    """Return where every expert's rows begin and end."""
    ends = jnp.cumsum(sizes)
    return ends - sizes, ends
