"""The whole routed part of a mixture of experts with its own backward pass, on the kernels beside this module.

What it saves against separate products: tokens are not copied into sorted rows and back, in either direction; the
tokens' gradient leaves one kernel; nothing elementwise is a pass over memory of its own but the sum of a token's rows.

A token's weights scale the hidden rows instead of the outputs, which is the same sum. So the weights' gradient is a
by-product of the hidden rows' one, and the outputs need not be kept.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from dsocr_jax.model.kernels import experts, experts_gradient
from dsocr_jax.model.kernels.grouped import Blocks
from dsocr_jax.model.kernels.sorting import sort_by_expert
from dsocr_jax.model.scan import keep_product


@dataclasses.dataclass(frozen=True)
class Tiling:
    """The tiles of each kernel; ``rows`` of the last two is the step along the summed axis.

    Attributes:
        gated, down: of the forward pass; the first holds two tiles of results.
        hidden, rows: of the gradients of the hidden rows and the tokens.
        pair, outer: of the gradients of the weights; the first holds two tiles of results.
    """

    gated: Blocks
    down: Blocks
    hidden: Blocks
    rows: Blocks
    pair: Blocks
    outer: Blocks


MANY = Tiling(
    gated=Blocks(rows=128, columns=128, depth=32, warps=8, stages=4),
    down=Blocks(rows=128, columns=256, depth=32, warps=8, stages=5),
    hidden=Blocks(rows=128, columns=128, depth=64, warps=8, stages=3),
    rows=Blocks(rows=128, columns=256, depth=64, warps=8, stages=3),
    # Half of the stages go to the rows' numbers, which must be known before the rows are asked for: as deep as 3 above.
    pair=Blocks(rows=64, columns=128, depth=128, warps=8, stages=5),
    outer=Blocks(rows=64, columns=256, depth=128, warps=8, stages=5),
)
#: For experts whose fair share is at most `FEW_ROWS` rows, and for 32 bits, whose tiles take twice the room.
FEW = Tiling(*(Blocks(rows=32, columns=64, depth=64, warps=4, stages=3),) * 6)
FEW_ROWS = 64


def choose_tiling(rows: int, experts: int, dtype: Any) -> Tiling:
    """Return the tiles for ``rows`` rows in all of the type ``dtype``."""
    return FEW if rows <= FEW_ROWS * experts or jnp.dtype(dtype).itemsize > 2 else MANY


@partial(jax.custom_vjp, nondiff_argnums=(6, 7, 8))
def routed_mlp(
    x: Float[Array, "g t h"],
    weights: Float[Array, "g t k"],
    gate: Float[Array, "e h n"],
    up: Float[Array, "e h n"],
    down: Float[Array, "e n h"],
    chosen: Int[Array, "g t k"],
    tiling: Tiling | None = None,
    interpret: bool = False,
    some: bool = False,
) -> Float[Array, "g t h"]:
    """Return the sum of each token's chosen experts (SwiGLU), times its weights; summed in float32.

    With gradients for all but ``chosen``. Equal runs give equal bits.

    Args:
        x: tokens, in groups: each is sorted by expert apart from the others. What runs on several devices divides the
            groups first (`dsocr_jax.model.placement`): a compiler would bring all of them to every device.
        weights: float32, of the choices.
        gate, up, down: the experts' weights, of the tokens' type.
        chosen: experts.
        tiling: tiles of the kernels; by default `choose_tiling`.
        interpret: run without a GPU, for tests: very slow.
        some: a choice may be the number of experts: nobody, which adds nothing.
    """
    run = partial(_group_forward, _choose(tiling, chosen, gate), interpret, some, False)
    return _by_group(run, (x, weights, chosen), (gate, up, down))[0]


#: Tokens, their weights, the experts' weights, the choices if nobody may be one; the pairs by expert, rows of every
#: expert, the two first products.
Kept = tuple[Array, Array, Array, Array, Array, Array | None, Array, Array, Array, Array]


def _by_group(
    function: Callable[..., tuple[Array, ...]], grouped: Sequence[Array | None], whole: Sequence[Array]
) -> tuple[Array, ...]:
    """Return ``function(*group, *whole)`` of every group, with the groups first in every result."""
    first = grouped[0]
    if first is not None and first.shape[0] == 1:  # no kernel has to know how to be batched
        return tuple(out[None] for out in function(*(jax.tree.map(lambda x: x[0], part) for part in grouped), *whole))
    return jax.vmap(function, in_axes=(0,) * len(grouped) + (None,) * len(whole))(*grouped, *whole)


def _choose(tiling: Tiling | None, chosen: Array, gate: Array) -> Tiling:
    return tiling or choose_tiling(chosen[0].size, gate.shape[0], gate.dtype)


def _forward(
    x: Array,
    weights: Array,
    gate: Array,
    up: Array,
    down: Array,
    chosen: Array,
    tiling: Tiling | None,
    interpret: bool,
    some: bool,
) -> tuple[Array, Kept]:
    run = partial(_group_forward, _choose(tiling, chosen, gate), interpret, some, True)
    y, *kept = _by_group(run, (x, weights, chosen), (gate, up, down))
    # What is named is what a layer with `remat="dots"` keeps of its experts. The backward pass needs nothing else of
    # the forward one, so that none of its kernels runs again; `test_routed` looks at both.
    order, sizes, gated, lifted = map(keep_product, kept)
    return y, (x, weights, gate, up, down, chosen if some else None, order, sizes, gated, lifted)


def _backward(
    tiling: Tiling | None, interpret: bool, some: bool, kept: Kept, dy: Array
) -> tuple[Array, Array, Array, Array, Array, None]:
    x, weights, gate, up, down, chosen, order, sizes, gated, lifted = kept
    run = partial(_group_backward, _choose(tiling, weights, gate), interpret)
    grouped = x, weights, chosen, order, sizes, gated, lifted, dy
    dx, dweights, *matrices = _by_group(run, grouped, (gate, up, down))
    dgate, dup, ddown = (matrix[0] if x.shape[0] == 1 else matrix.sum(axis=0) for matrix in matrices)
    return dx, dweights, dgate, dup, ddown, None


routed_mlp.defvjp(_forward, _backward)


def _group_forward(tiling: Tiling, interpret: bool, some: bool, keep: bool, *arrays: Array) -> tuple[Array, ...]:
    """Return a group's sums, and if it is to ``keep`` them, what the backward pass needs that only this pass knows."""
    x, weights, chosen, gate, up, down = arrays
    count = gate.shape[0]
    order, sizes = sort_by_expert(chosen.reshape(-1), count + some, interpret=interpret)
    sizes = sizes[:count]  # nobody's rows come last, and no kernel has a tile for them
    hidden, *products = experts.gated(
        x, gate, up, weights.reshape(-1), order, sizes, tiling.gated, keep=keep, interpret=interpret
    )
    pairs = experts.down(hidden, down, order, sizes, tiling.down, interpret=interpret)
    y = sum_pairs(pairs, chosen.shape, chosen < count if some else None)
    return (y, order, sizes, *products) if keep else (y,)


def _group_backward(tiling: Tiling, interpret: bool, *arrays: Any) -> tuple[Array, ...]:
    """Return the gradients of a group's tokens and weights, and its part of those of the experts' weights."""
    x, weights, chosen, order, sizes, gated, lifted, dy, gate, up, down = arrays
    hidden, dgated, dlifted, dweights = experts_gradient.hidden_gradient(
        dy, down, gated, lifted, weights.reshape(-1), order, sizes, tiling.hidden, interpret=interpret
    )
    pairs = experts_gradient.rows_gradient(dgated, dlifted, gate, up, order, sizes, tiling.rows, interpret=interpret)
    dgate, dup = experts_gradient.pair_gradient(x, dgated, dlifted, order, sizes, tiling.pair, interpret=interpret)
    ddown = experts_gradient.outer_gradient(hidden, dy, order, sizes, tiling.outer, interpret=interpret)
    there = None if chosen is None else chosen < gate.shape[0]
    dx = sum_pairs(pairs, weights.shape, there)
    if there is not None:
        dweights = jnp.where(there.reshape(-1), dweights, 0.0)
    return dx, dweights.reshape(weights.shape).astype(weights.dtype), dgate, dup, ddown


def sum_pairs(
    pairs: Float[Array, "r h"], shape: tuple[int, ...], there: Bool[Array, "t k"] | None = None
) -> Float[Array, "t h"]:
    """Return the sum of each token's k rows, added in float32 from the first to the last.

    Args:
        pairs: the rows.
        shape: ``[t, k]``.
        there: which rows count; the others may hold anything.
    """
    rows = pairs.reshape(*shape, -1)
    if there is not None:
        rows = jnp.where(there[..., None], rows, 0)
    # One elementwise pass that reads every row once, which others may join; a reduction over k would not be.
    return reduce(jnp.add, [rows[:, i].astype(jnp.float32) for i in range(shape[1])]).astype(pairs.dtype)
