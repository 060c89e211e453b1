"""``grouped_matmul``: rows sorted by expert, each multiplied by its own expert's weights.

One function, several forms that agree; the tests hold them against each other.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

GroupedMatmul = Callable[[Float[Array, "r k"], Float[Array, "e k n"], Int[Array, " e"]], Float[Array, "r n"]]


def ragged(x: Float[Array, "r k"], w: Float[Array, "e k n"], sizes: Int[Array, " e"]) -> Float[Array, "r n"]:
    """The reference. XLA makes it a dense product over all experts on CPU and GPU: exact, and slow."""
    return jax.lax.ragged_dot(x, w, sizes)


def blocked(
    x: Float[Array, "r k"], w: Float[Array, "e k n"], sizes: Int[Array, " e"], block: int | None = None
) -> Float[Array, "r n"]:
    """Pad every expert's rows to whole blocks, then give each block its expert's weights; drops nothing.

    Args:
        x: rows sorted by expert.
        w: weights of every expert.
        sizes: rows of every expert; they sum to ``r``.
        block: rows of a block. By default about half of an expert's fair share, so that neither padding nor
            copies of weights outweigh the product.
    """
    rows, experts = x.shape[0], w.shape[0]
    block = block or min(128, max(8, 1 << max(rows // (2 * experts), 1).bit_length() - 1))
    count = -(-rows // block) + experts  # enough blocks for any split of the rows
    blocks = -(-sizes // block)
    first = jnp.cumsum(blocks) - blocks
    expert_of_block = jnp.searchsorted(jnp.cumsum(blocks), jnp.arange(count), side="right").clip(max=experts - 1)
    expert_of_row = jnp.searchsorted(jnp.cumsum(sizes), jnp.arange(rows), side="right")
    place = first[expert_of_row] * block + jnp.arange(rows) - (jnp.cumsum(sizes) - sizes)[expert_of_row]
    padded = jnp.zeros((count * block, x.shape[1]), x.dtype).at[place].set(x, unique_indices=True)
    out = jnp.einsum("brk,bkn->brn", padded.reshape(count, block, -1), w[expert_of_block])
    return out.reshape(count * block, -1)[place]


BACKENDS: dict[str, GroupedMatmul] = {"ragged": ragged, "blocked": blocked}
