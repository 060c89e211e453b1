"""``grouped_matmul``: rows sorted by expert, each multiplied by its own expert's weights.

One function, several forms that agree; the tests hold them against each other.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

GroupedMatmul = Callable[[Float[Array, "r k"], Float[Array, "e k n"], Int[Array, " e"]], Float[Array, "r n"]]


def ragged(x: Float[Array, "r k"], w: Float[Array, "e k n"], sizes: Int[Array, " e"]) -> Float[Array, "r n"]:
    """The reference. XLA makes it a dense product over all experts on CPU and GPU: exact, and slow."""
    return jax.lax.ragged_dot(x, w, sizes)


def blocked(
    x: Float[Array, "r k"], w: Float[Array, "e k n"], sizes: Int[Array, " e"], block: int = 32
) -> Float[Array, "r n"]:
    """Pad every expert's rows to whole blocks, then give each block its expert's weights; drops nothing."""
    rows, experts = x.shape[0], w.shape[0]
    count = -(-rows // block) + experts  # enough blocks for any split of the rows
    blocks = -(-sizes // block)
    first = jnp.cumsum(blocks) - blocks
    expert_of_block = jnp.searchsorted(jnp.cumsum(blocks), jnp.arange(count), side="right").clip(max=experts - 1)
    expert_of_row = jnp.searchsorted(jnp.cumsum(sizes), jnp.arange(rows), side="right")
    place = first[expert_of_row] * block + jnp.arange(rows) - (jnp.cumsum(sizes) - sizes)[expert_of_row]
    padded = jnp.zeros((count * block, x.shape[1]), x.dtype).at[place].set(x, unique_indices=True)
    out = jnp.einsum("brk,bkn->brn", padded.reshape(count, block, -1), w[expert_of_block])
    return out.reshape(count * block, -1)[place]


BACKENDS: dict[str, GroupedMatmul] = {"ragged": ragged, "blocked": blocked, "blocked128": partial(blocked, block=128)}
