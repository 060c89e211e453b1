"""Rows sorted by expert, each multiplied by its own expert's weights: one product, several forms that agree.

A form is a `Layout`: it arranges the rows once, multiplies the arranged rows as often as an expert has matrices, and
puts the result back in order. The tests hold every form against `Ragged`.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from dsocr_jax.model.backends import Backends, import_tokamax

Sizes = Int[Array, " e"]
Rows = Float[Array, "r k"]
Weights = Float[Array, "e k n"]


@runtime_checkable
class Layout(Protocol):
    """Where the rows of every expert stand."""

    def arrange(self, x: Rows) -> Array:
        """Rows sorted by expert, in this layout's order."""
        ...

    def product(self, x: Array, w: Weights) -> Array:
        """Arranged rows times their expert's weights, arranged."""
        ...

    def restore(self, x: Array) -> Rows:
        """Arranged rows, sorted by expert again."""
        ...


@dataclasses.dataclass(frozen=True)
class Ragged:
    """The reference. XLA makes it a dense product over all experts on CPU and GPU: exact, and slow."""

    sizes: Sizes

    def arrange(self, x: Rows) -> Array:
        """As they are."""
        return x

    def product(self, x: Array, w: Weights) -> Array:
        """`jax.lax.ragged_dot`."""
        return jax.lax.ragged_dot(x, w, self.sizes)

    def restore(self, x: Array) -> Rows:
        """As they are."""
        return x


@dataclasses.dataclass(frozen=True)
class Tokamax(Ragged):
    """The kernels of the package tokamax on GPUs that they know; elsewhere the same as `Ragged`."""

    def product(self, x: Array, w: Weights) -> Array:
        """`tokamax.ragged_dot`."""
        return import_tokamax("tokamax").ragged_dot(x, w, self.sizes)


@dataclasses.dataclass(frozen=True)
class Triton(Ragged):
    """Our own kernels (`dsocr_jax.model.kernels.grouped`): every weight is read once, no row is padded."""

    def product(self, x: Array, w: Weights) -> Array:
        """The kernels, or what they compute step by step where there is no GPU (for tests: very slow)."""
        from dsocr_jax.model.kernels import grouped as kernels  # its imports are slow

        return kernels.triton(x, w, self.sizes, jax.default_backend() != "gpu")


@dataclasses.dataclass(frozen=True)
class Slots:
    """Rows in blocks of equal size, with empty places between them.

    Attributes:
        place: of each row, counted over all blocks; beyond the end for a row that is dropped.
        shape: number of blocks and rows of a block.
        expert: of each block; None where block i is expert i's.
    """

    place: Int[Array, " r"]
    shape: tuple[int, int]
    expert: Int[Array, " c"] | None

    def arrange(self, x: Rows) -> Array:
        """Blocks ``[c, block, k]``; empty places are 0."""
        count, block = self.shape
        empty = jnp.zeros((count * block, x.shape[1]), x.dtype)
        return empty.at[self.place].set(x, mode="drop", unique_indices=True).reshape(count, block, -1)

    def product(self, x: Array, w: Weights) -> Array:
        """One product for each block."""
        return jnp.einsum("cbk,ckn->cbn", x, w if self.expert is None else w[self.expert])

    def restore(self, x: Array) -> Rows:
        """The rows; 0 for those that were dropped."""
        return x.reshape(-1, x.shape[-1]).at[self.place].get(mode="fill", fill_value=0)


def count_rows(experts: Int[Array, " r"], count: int) -> Sizes:
    """Return how many rows go to each of ``count`` experts, int32.

    Comparing every row with every expert is one pass; `jnp.bincount` would be as many additions in memory as rows.
    """
    return jnp.sum(experts[:, None] == jnp.arange(count), axis=0, dtype=jnp.int32)


def _rank(sizes: Sizes, rows: int) -> tuple[Array, Array]:
    """Return each row's expert, and its number among that expert's rows."""
    expert = jnp.searchsorted(jnp.cumsum(sizes), jnp.arange(rows), side="right")
    return expert, jnp.arange(rows) - (jnp.cumsum(sizes) - sizes)[expert]


def block_size(rows: int, experts: int) -> int:
    """Return a power of two of about half of an expert's fair share.

    Then neither the padding nor the copies of weights outweigh the product.
    """
    return min(128, max(8, 1 << max(rows // (2 * experts), 1).bit_length() - 1))


def blocked(sizes: Sizes, rows: int, block: int | None = None) -> Slots:
    """Pad every expert's rows to whole blocks and give each block its expert's weights; drops nothing."""
    experts = sizes.shape[0]
    block = block or block_size(rows, experts)
    count = -(-rows // block) + experts  # enough blocks for any split of the rows
    blocks = -(-sizes // block)
    expert, rank = _rank(sizes, rows)
    expert_of_block = jnp.searchsorted(jnp.cumsum(blocks), jnp.arange(count), side="right").clip(max=experts - 1)
    place = (jnp.cumsum(blocks) - blocks)[expert] * block + rank
    return Slots(place, (count, block), expert_of_block)


def room(rows: int, experts: int, capacity: float) -> int:
    """Return an expert's room: ``capacity`` times its fair share, in whole groups of 8 rows."""
    return min(-(-rows // 8) * 8, max(8, -(-int(rows * capacity / experts) // 8) * 8))


def limited(sizes: Sizes, rows: int, capacity: float) -> Slots:
    """Give every expert the same room; its rows beyond that are dropped (their results are 0)."""
    experts = sizes.shape[0]
    most = room(rows, experts, capacity)
    expert, rank = _rank(sizes, rows)
    place = jnp.where(rank < most, expert * most + rank, experts * most)
    return Slots(place, (experts, most), None)


def overflow(sizes: Int[Array, "*g e"], rows: int, capacity: float) -> Float[Array, ""]:
    """Return the share of all rows that do not fit into their experts' room, float32."""
    beyond = jnp.maximum(sizes - room(rows, sizes.shape[-1], capacity), 0)
    return jnp.sum(beyond) / jnp.maximum(jnp.sum(sizes), 1).astype(jnp.float32)


#: Every form that does not depend on how the rows fall: sizes, number of rows, capacity → layout.
LAYOUTS: dict[str, Callable[[Array, int, float], Layout]] = {
    "ragged": lambda sizes, rows, capacity: Ragged(sizes),
    "blocked": lambda sizes, rows, capacity: blocked(sizes, rows),
    "capacity_drop": limited,
    "tokamax": lambda sizes, rows, capacity: Tokamax(sizes),
    "triton": lambda sizes, rows, capacity: Triton(sizes),
}

#: What is done with one group's arranged rows: layout, then arrays that all begin with the groups' axis.
Grouped = Callable[..., Array]


def over_groups(
    function: Grouped, sizes: Int[Array, "g e"], rows: int, backends: Backends, *arrays: Any
) -> tuple[Array, Float[Array, ""]]:
    """Apply ``function(layout, *arrays)`` to each group of rows, in the form that ``backends.grouped`` names.

    ``capacity`` takes the fast form while every row of every group has room, else a form without limits; which is
    decided once for all groups, as devices that share a program must.

    Args:
        function: of a group's layout and its part of every array.
        sizes: rows of every expert in each group; each group's sum to ``rows``.
        rows: of one group.
        backends: its ``grouped`` and ``capacity`` are used.
        arrays: what the function is given, groups first.

    Returns:
        The results, groups first, and a float32 scalar: the share of rows without room, of those that
        ``capacity_drop`` drops and ``capacity`` takes the slow way for; 0 for all other forms.
    """

    def run(form: str, sizes: Array, *arrays: Array) -> Array:
        def one(sizes: Array, *arrays: Array) -> Array:
            return function(LAYOUTS[form](sizes, rows, backends.capacity), *arrays)

        if sizes.shape[0] == 1:  # no kernel has to know how to be batched
            return one(sizes[0], *(array[0] for array in arrays))[None]
        return jax.vmap(one)(sizes, *arrays)

    if not backends.grouped.startswith("capacity"):
        return run(backends.grouped, sizes, *arrays), jnp.zeros((), jnp.float32)
    beyond = overflow(sizes, rows, backends.capacity)
    fast = partial(run, "capacity_drop")
    if backends.grouped == "capacity_drop":
        return fast(sizes, *arrays), beyond
    # The slow form keeps nothing for the backward pass, or room for it would be taken at every step.
    exact = jax.checkpoint(partial(run, "blocked"))
    return jax.lax.cond(beyond > 0, exact, fast, sizes, *arrays), beyond


def grouped_matmul(
    x: Rows, w: Weights, sizes: Sizes, backends: Backends
) -> tuple[Float[Array, "r n"], Float[Array, ""]]:
    """Multiply each row by its expert's weights.

    Args:
        x: rows sorted by expert.
        w: weights of every expert.
        sizes: rows of every expert; they sum to ``r``.
        backends: names the form.

    Returns:
        The products, and the share of rows without room (see `over_groups`).
    """

    def product(layout: Layout, x: Array) -> Array:
        return layout.restore(layout.product(layout.arrange(x), w))

    out, beyond = over_groups(product, sizes[None], x.shape[0], backends, x[None])
    return out[0], beyond
