"""Grouped matrix products as Triton kernels: every expert's weights are read once, no row is padded or dropped.

Rows are sorted by expert. Each expert's rows are cut into tiles of ``rows``; a tile ends where its expert's rows end,
and tiles beyond the last one do nothing, so that the grid's size does not depend on how the router chose.
"""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu
from jaxtyping import Array, Float, Int

Ref = Any
#: Each tile's expert, first row and end.
Plan = tuple[Array, Array, Array]


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Sizes of a kernel's tiles, powers of two, and how the compiler lays them out.

    Attributes:
        rows, columns, depth: of a tile of the output, and of the steps along the summed axis.
        warps, stages: of the kernel.
    """

    rows: int = 128
    columns: int = 128
    depth: int = 64
    warps: int = 8
    stages: int = 3


#: For few rows an expert (decoding): the weights' bytes count, not the products.
SMALL = Blocks(rows=16, columns=64, depth=64, warps=4, stages=4)
#: For the weights' gradients: ``rows`` is the step along the summed axis.
OUTER = Blocks(rows=64, columns=128, depth=128, warps=8, stages=3)


def choose_blocks(rows: int, experts: int) -> Blocks:
    """Return the tiles for ``rows`` rows in all."""
    fair = -(-rows // experts)
    if fair <= 16:
        return SMALL
    if fair <= 64:
        return Blocks(rows=32 if fair <= 32 else 64, columns=64, depth=64, warps=4, stages=4)
    return Blocks()


def tiles(sizes: Int[Array, " e"], rows: int, step: int) -> Plan:
    """Return each tile's expert, first row and the end of its expert's rows; int32 [rows // step + e].

    Tiles that are not needed begin and end at row 0.
    """
    count = rows // step + sizes.shape[0]
    ends = jnp.cumsum(sizes)
    needed = -(-sizes // step)
    last = jnp.cumsum(needed)
    number = jnp.arange(count)
    # Comparing all is one small kernel; a binary search would be a loop of many.
    expert = jnp.searchsorted(last, number, side="right", method="compare_all").clip(max=sizes.shape[0] - 1)
    used = number < last[-1]
    first = (ends - sizes)[expert] + (number - (last - needed)[expert]) * step
    begin, end = jnp.where(used, first, 0), jnp.where(used, ends[expert], 0)
    return expert.astype(jnp.int32), begin.astype(jnp.int32), end.astype(jnp.int32)


def single_tiles(experts: Int[Array, " r"]) -> Plan:
    """Return a tile for each row, in the order in which they are: for a few unsorted rows."""
    number = jnp.arange(experts.shape[0], dtype=jnp.int32)
    return experts.astype(jnp.int32), number, number + 1


def _span(start: Any, size: int) -> tuple[Any, Array]:
    return pl.ds(start, size), start + jnp.arange(size)


def _load(ref: Ref, mask: Array | None) -> Array:
    return plgpu.load(ref, mask=mask, other=None if mask is None else 0.0)


def _both(left: Array | None, right: Array | None) -> Array | None:
    if left is None or right is None:
        return left if right is None else right
    return left & right


def _product(x: Ref, w: Ref, where: tuple[Any, Any, Any, Any], blocks: Blocks, transposed: bool = False) -> Array:
    """Return the tile of ``x @ w[expert]`` (float32) that begins at a row and a column; ``x`` may differ by expert."""
    expert, row, end, column = where
    depth, columns = (w.shape[2], w.shape[1]) if transposed else (w.shape[1], w.shape[2])
    rows, row_index = _span(row, blocks.rows)
    cols, col_index = _span(column, blocks.columns)
    row_mask = (row_index < end)[:, None]
    col_mask = None if columns % blocks.columns == 0 else col_index < columns

    def step(number: Any, total: Array) -> Array:
        deep, deep_index = _span(number * blocks.depth, blocks.depth)
        deep_mask = None if depth % blocks.depth == 0 else deep_index < depth
        a = _load(
            x.at[rows, deep] if len(x.shape) == 2 else x.at[expert, rows, deep],
            _both(row_mask, None if deep_mask is None else deep_mask[None, :]),
        )
        if transposed:
            mask = _both(
                None if col_mask is None else col_mask[:, None], None if deep_mask is None else deep_mask[None, :]
            )
            b = _load(w.at[expert, cols, deep], mask)
        else:
            mask = _both(
                None if deep_mask is None else deep_mask[:, None], None if col_mask is None else col_mask[None, :]
            )
            b = _load(w.at[expert, deep, cols], mask)
        return total + plgpu.dot(a, b, trans_b=transposed, allow_tf32=False).astype(jnp.float32)

    total = jnp.zeros((blocks.rows, blocks.columns), jnp.float32)
    return jax.lax.fori_loop(0, pl.cdiv(depth, blocks.depth), step, total)


def _store(out: Ref, value: Array, where: tuple[Any, Any, Any, Any], blocks: Blocks) -> None:
    _, row, end, column = where
    rows, row_index = _span(row, blocks.rows)
    cols, col_index = _span(column, blocks.columns)
    mask = (row_index < end)[:, None] & (col_index < out.shape[1])[None, :]
    plgpu.store(out.at[rows, cols], value.astype(out.dtype), mask=mask)


def _tile(expert: Ref, first: Ref, end: Ref, blocks: Blocks) -> tuple[Any, Any, Any, Any]:
    number = pl.program_id(1)
    return expert[number], first[number], end[number], pl.program_id(0) * blocks.columns


def _matmul_kernel(
    x: Ref, w: Ref, expert: Ref, first: Ref, end: Ref, out: Ref, *, blocks: Blocks, transposed: bool
) -> None:
    where = _tile(expert, first, end, blocks)

    @pl.when(where[1] < where[2])
    def _() -> None:
        _store(out, _product(x, w, where, blocks, transposed), where, blocks)


def _gated_kernel(x: Ref, gate: Ref, up: Ref, expert: Ref, first: Ref, end: Ref, out: Ref, *, blocks: Blocks) -> None:
    where = _tile(expert, first, end, blocks)

    @pl.when(where[1] < where[2])
    def _() -> None:
        # Rounded as two separate products would be.
        g, u = (_product(x, w, where, blocks).astype(out.dtype).astype(jnp.float32) for w in (gate, up))
        act = (g * jax.nn.sigmoid(g)).astype(out.dtype).astype(jnp.float32)
        _store(out, act * u, where, blocks)


def _every_gated_kernel(x: Ref, gate: Ref, up: Ref, weights: Ref, out: Ref, *, blocks: Blocks) -> None:
    """All rows through one expert, unless no row wants it."""
    expert, rows = pl.program_id(1), x.shape[0]
    where = expert, 0, rows, pl.program_id(0) * blocks.columns
    index = jnp.arange(blocks.rows)
    asked = plgpu.load(weights.at[expert, pl.ds(0, blocks.rows)], mask=index < rows, other=0.0)

    @pl.when(jnp.max(asked) > 0)
    def _() -> None:
        g, u = (_product(x, w, where, blocks).astype(out.dtype).astype(jnp.float32) for w in (gate, up))
        value = (g * jax.nn.sigmoid(g)).astype(out.dtype).astype(jnp.float32) * u
        cols, col_index = _span(where[3], blocks.columns)
        mask = (index < rows)[:, None] & (col_index < out.shape[2])[None, :]
        plgpu.store(out.at[expert, pl.ds(0, blocks.rows), cols], value.astype(out.dtype), mask=mask)


def _every_down_kernel(x: Ref, w: Ref, weights: Ref, out: Ref, *, blocks: Blocks, share: int) -> None:
    """The weighted sum of ``share`` experts' outputs for all rows."""
    number, rows, column = pl.program_id(1), x.shape[1], pl.program_id(0) * blocks.columns
    index = jnp.arange(blocks.rows)
    cols, col_index = _span(column, blocks.columns)

    def add(i: Any, total: Array) -> Array:
        expert = number * share + i
        weight = plgpu.load(weights.at[expert, pl.ds(0, blocks.rows)], mask=index < rows, other=0.0)

        def product() -> Array:
            where = expert, 0, rows, column
            value = _product(x, w, where, blocks).astype(out.dtype).astype(jnp.float32)
            # What rows that did not ask for the expert hold may be anything.
            return jnp.where((weight > 0)[:, None], weight[:, None] * value, 0.0)

        return total + jax.lax.cond(jnp.max(weight) > 0, product, lambda: jnp.zeros_like(total))

    total = jax.lax.fori_loop(0, share, add, jnp.zeros((blocks.rows, blocks.columns), jnp.float32))
    mask = (index < rows)[:, None] & (col_index < out.shape[2])[None, :]
    plgpu.store(out.at[number, pl.ds(0, blocks.rows), cols], total, mask=mask)


def _outer_kernel(x: Ref, y: Ref, start: Ref, end: Ref, out: Ref, *, blocks: Blocks) -> None:
    expert = pl.program_id(2)
    deep, deep_index = _span(pl.program_id(1) * blocks.depth, blocks.depth)
    cols, col_index = _span(pl.program_id(0) * blocks.columns, blocks.columns)
    deep_mask = None if x.shape[1] % blocks.depth == 0 else (deep_index < x.shape[1])[None, :]
    col_mask = None if y.shape[1] % blocks.columns == 0 else (col_index < y.shape[1])[None, :]
    first, last = start[expert], end[expert]

    def step(number: Any, total: Array) -> Array:
        rows, row_index = _span(first + number * blocks.rows, blocks.rows)
        row_mask = (row_index < last)[:, None]
        a = _load(x.at[rows, deep] if len(x.shape) == 2 else x.at[expert, rows, deep], _both(row_mask, deep_mask))
        b = _load(y.at[rows, cols], _both(row_mask, col_mask))
        return total + plgpu.dot(a, b, trans_a=True, allow_tf32=False).astype(jnp.float32)

    steps = pl.cdiv(last - first, blocks.rows)
    total = jax.lax.fori_loop(0, steps, step, jnp.zeros((blocks.depth, blocks.columns), jnp.float32))
    mask = (deep_index < x.shape[1])[:, None] & (col_index < y.shape[1])[None, :]
    plgpu.store(out.at[expert, deep, cols], total.astype(out.dtype), mask=mask)


def _params(blocks: Blocks) -> Any:
    return plgpu.CompilerParams(num_warps=blocks.warps, num_stages=blocks.stages)


def matmul(
    x: Float[Array, "r k"],
    w: Float[Array, "e i j"],
    sizes: Int[Array, " e"],
    *,
    transposed: bool = False,
    blocks: Blocks | None = None,
    plan: Plan | None = None,
    interpret: bool = False,
) -> Float[Array, "r n"]:
    """Multiply each expert's rows by its weights; with ``transposed`` by their transposes.

    Args:
        x: rows sorted by expert.
        w: ``[e, k, n]``, or ``[e, n, k]`` with ``transposed``.
        sizes: rows of every expert; they sum to ``r``.
        blocks: tiles of the kernel.
        plan: the tiles' experts and rows; by default `tiles`.
        interpret: run without a GPU, for tests.
    """
    rows, columns = x.shape[0], w.shape[1 if transposed else 2]
    blocks = blocks or choose_blocks(rows, w.shape[0])
    plan = plan or tiles(sizes, rows, blocks.rows)
    return pl.pallas_call(
        partial(_matmul_kernel, blocks=blocks, transposed=transposed),
        out_shape=jax.ShapeDtypeStruct((rows, columns), x.dtype),
        grid=(pl.cdiv(columns, blocks.columns), plan[0].shape[0]),
        compiler_params=_params(blocks),
        interpret=interpret,
        name="grouped_matmul",
    )(x, w, *plan)


def gated(
    x: Float[Array, "r k"],
    gate: Float[Array, "e k n"],
    up: Float[Array, "e k n"],
    sizes: Int[Array, " e"],
    *,
    blocks: Blocks | None = None,
    plan: Plan | None = None,
    interpret: bool = False,
) -> Float[Array, "r n"]:
    """``silu(x @ gate) * (x @ up)`` of each row's expert, in one kernel."""
    rows, columns = x.shape[0], gate.shape[2]
    blocks = blocks or choose_blocks(rows, gate.shape[0])
    plan = plan or tiles(sizes, rows, blocks.rows)
    return pl.pallas_call(
        partial(_gated_kernel, blocks=blocks),
        out_shape=jax.ShapeDtypeStruct((rows, columns), x.dtype),
        grid=(pl.cdiv(columns, blocks.columns), plan[0].shape[0]),
        compiler_params=_params(blocks),
        interpret=interpret,
        name="grouped_gated",
    )(x, gate, up, *plan)


#: Most rows of `every_expert`, and the experts whose outputs one program sums.
FEW_ROWS, SUMMED = 64, 4


def every_expert(
    x: Float[Array, "r h"],
    gate: Float[Array, "e h n"],
    up: Float[Array, "e h n"],
    down: Float[Array, "e n h"],
    weights: Float[Array, "r e"],
    *,
    blocks: Blocks | None = None,
    interpret: bool = False,
) -> Float[Array, "r h"]:
    """The weighted sum of all experts' outputs, for at most `FEW_ROWS` rows: nothing is sorted.

    So few rows pass through an expert in less time than its weights take to arrive, whoever asked for it; an expert
    that no row asked for (weight 0) is not read.

    Args:
        x: rows.
        gate, up, down: the experts' weights.
        weights: float32, of each expert for each row.
        blocks: tiles of the kernels; ``rows`` must hold all rows.
        interpret: run without a GPU, for tests.
    """
    asked, hidden = x.shape
    experts, _, inner = gate.shape
    blocks = blocks or Blocks(max(16, 1 << (asked - 1).bit_length()), columns=64, depth=64, warps=4, stages=4)
    share = SUMMED if experts % SUMMED == 0 else 1
    # The tile holds all rows, and JAX refuses tiles that reach beyond an array: rows that ask for nobody fill it up.
    room = ((0, blocks.rows - asked), (0, 0))
    x, rows = jnp.pad(x, room), blocks.rows
    by_expert = jnp.pad(weights.astype(jnp.float32), room).T
    middle = pl.pallas_call(
        partial(_every_gated_kernel, blocks=blocks),
        out_shape=jax.ShapeDtypeStruct((experts, rows, inner), x.dtype),
        grid=(pl.cdiv(inner, blocks.columns), experts),
        compiler_params=_params(blocks),
        interpret=interpret,
        name="every_gated",
    )(x, gate, up, by_expert)
    sums = pl.pallas_call(
        partial(_every_down_kernel, blocks=blocks, share=share),
        out_shape=jax.ShapeDtypeStruct((experts // share, rows, hidden), jnp.float32),
        grid=(pl.cdiv(hidden, blocks.columns), experts // share),
        compiler_params=_params(blocks),
        interpret=interpret,
        name="every_down",
    )(middle, down, by_expert)
    return sums.sum(axis=0)[:asked].astype(x.dtype)


def outer(
    x: Float[Array, "r k"],
    y: Float[Array, "r n"],
    sizes: Int[Array, " e"],
    *,
    blocks: Blocks = OUTER,
    interpret: bool = False,
) -> Float[Array, "e k n"]:
    """Sum of the outer products of each expert's rows: the gradient of its weights."""
    ends = jnp.cumsum(sizes).astype(jnp.int32)
    depth, columns = x.shape[1], y.shape[1]
    return pl.pallas_call(
        partial(_outer_kernel, blocks=blocks),
        out_shape=jax.ShapeDtypeStruct((sizes.shape[0], depth, columns), x.dtype),
        grid=(pl.cdiv(columns, blocks.columns), pl.cdiv(depth, blocks.depth), sizes.shape[0]),
        compiler_params=_params(blocks),
        interpret=interpret,
        name="grouped_outer",
    )(x, y, ends - sizes.astype(jnp.int32), ends)


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def triton(x: Array, w: Array, sizes: Array, interpret: bool = False) -> Array:
    """`matmul` with gradients for rows and weights."""
    return matmul(x, w, sizes, interpret=interpret)


def _forward(x: Array, w: Array, sizes: Array, interpret: bool) -> tuple[Array, tuple[Array, Array, Array]]:
    return matmul(x, w, sizes, interpret=interpret), (x, w, sizes)


def _backward(interpret: bool, kept: tuple[Array, Array, Array], dy: Array) -> tuple[Array, Array, None]:
    x, w, sizes = kept
    dx = matmul(dy, w, sizes, transposed=True, interpret=interpret)
    return dx, outer(x, dy, sizes, interpret=interpret), None


triton.defvjp(_forward, _backward)
