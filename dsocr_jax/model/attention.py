"""Attention: one function for SAM's decomposed relative positions, one for everything else; several forms of each.

The forms agree, forward and backward, up to rounding; the tests hold them against the first one.
"""

import math
from functools import partial
from typing import Literal, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import import_tokamax, need_cudnn

#: cuDNN takes heads of at most this many channels (on Hopper), in multiples of `CUDNN_STEP`.
CUDNN_WIDTH, CUDNN_STEP = 256, 8

Implementation = Literal["xla", "cudnn"]
Heads = Float[Array, "b l n d"]
Table = Float[Array, "s s d"]


@runtime_checkable
class RelativeForm(Protocol):
    """Attention over a square map whose scores have a term for the row and one for the column of the key."""

    def __call__(self, q: Heads, k: Heads, v: Heads, rows: Table, columns: Table) -> Heads:
        """Attend from every position to every position.

        Args:
            q, k, v: of a map of s * s positions in row-major order.
            rows: ``[y, y']`` is the vector that scores, with a query of row y, all keys of row y'.
            columns: the same for columns.
        """
        ...


def relative_scores(q: Heads, rows: Table, columns: Table) -> tuple[Float[Array, "b l n s"], Float[Array, "b l n s"]]:
    """Score every query against every row and every column, in float32; the query is taken unscaled."""
    b, length, n, d = q.shape
    side = rows.shape[0]
    maps = q.reshape(b, side, side, n, d)
    by_row = jnp.einsum("bywnd,ykd->bywnk", maps, rows, preferred_element_type=jnp.float32)
    by_column = jnp.einsum("byxnd,xkd->byxnk", maps, columns, preferred_element_type=jnp.float32)
    return by_row.reshape(b, length, n, side), by_column.reshape(b, length, n, side)


def plain(q: Heads, k: Heads, v: Heads, rows: Table, columns: Table) -> Heads:
    """The reference: the bias ``[b, n, s * s, s * s]`` is there as a whole."""
    b, length, n, _ = q.shape
    by_row, by_column = (scores.astype(q.dtype).swapaxes(1, 2) for scores in relative_scores(q, rows, columns))
    bias = (by_row[..., :, None] + by_column[..., None, :]).reshape(b, n, length, length)
    return jax.nn.dot_product_attention(q, k, v, bias=bias)


def fold(q: Heads, k: Heads, rows: Table, columns: Table, step: int = 1) -> tuple[Array, Array]:
    """Return longer queries and keys whose dot products, times ``d ** -0.5``, are the scores with the bias in them.

    A query gets its scores of all rows and columns as further channels, a key the one-hot codes of its own row and
    column. The codes are exact in every float type, and the sum is that of the product itself, in float32.

    Args:
        q, k, rows, columns: see `RelativeForm`.
        step: the new width is padded to a multiple of this.

    Returns:
        Two arrays ``[b, s * s, n, d + 2 * s + padding]``.
    """
    b, length, n, d = q.shape
    side = rows.shape[0]
    # The product is scaled as a whole; the bias is not.
    extra = [(scores * math.sqrt(d)).astype(q.dtype) for scores in relative_scores(q, rows, columns)]
    one_hot = jnp.eye(side, dtype=k.dtype)
    codes = jnp.concatenate([jnp.repeat(one_hot, side, axis=0), jnp.tile(one_hot, (side, 1))], axis=-1)
    padding = jnp.zeros((b, length, n, -(d + 2 * side) % step), q.dtype)
    codes = jnp.broadcast_to(codes[:, None], (b, length, n, 2 * side))
    return jnp.concatenate([q, *extra, padding], axis=-1), jnp.concatenate([k, codes, padding.astype(k.dtype)], axis=-1)


def folded(q: Heads, k: Heads, v: Heads, rows: Table, columns: Table) -> Heads:
    """Fold the positions into queries and keys; XLA, on every device. The scores are there as a whole, no bias is."""
    long_q, long_k = fold(q, k, rows, columns)
    scores = jnp.einsum("bqnc,bknc->bnqk", long_q, long_k, preferred_element_type=jnp.float32)
    weights = jax.nn.softmax(scores * (q.shape[-1] ** -0.5), axis=-1)
    return jnp.einsum("bnqk,bknd->bqnd", weights.astype(v.dtype), v)


def folded_padded(
    q: Heads, k: Heads, v: Heads, rows: Table, columns: Table, implementation: Implementation = "xla"
) -> Heads:
    """Fold, and pad the values to the width of the keys, as `jax.nn.dot_product_attention` wants them."""
    d = q.shape[-1]
    long_q, long_k = fold(q, k, rows, columns, CUDNN_STEP)
    long_v = jnp.pad(v, ((0, 0), (0, 0), (0, 0), (0, long_q.shape[-1] - d)))
    return masked(long_q, long_k, long_v, None, False, implementation, d**-0.5)[..., :d]


def folded_cudnn(q: Heads, k: Heads, v: Heads, rows: Table, columns: Table) -> Heads:
    """Fold; cuDNN's flash attention, which holds no scores.

    Raises:
        UserError: there is no such GPU, the floats are not of 16 bits, or the map's side is too large.
    """
    need_cudnn(q, "folded_cudnn")
    if (width := q.shape[-1] + 2 * rows.shape[0]) > CUDNN_WIDTH:
        raise UserError(
            f"relative attention over {rows.shape[0]} rows and columns makes heads of {width} channels, and cuDNN "
            f"takes at most {CUDNN_WIDTH}; take the backend folded"
        )
    return folded_padded(q, k, v, rows, columns, "cudnn")


def folded_tokamax(q: Heads, k: Heads, v: Heads, rows: Table, columns: Table) -> Heads:
    """Fold; the kernels of tokamax, which do not need padded values.

    Raises:
        UserError: tokamax is not installed.
    """
    tokamax = import_tokamax("folded_tokamax")
    long_q, long_k = fold(q, k, rows, columns, CUDNN_STEP)
    return tokamax.dot_product_attention(long_q, long_k, v, scale=q.shape[-1] ** -0.5)


RELATIVE: dict[str, RelativeForm] = {
    "plain": plain,
    "folded": folded,
    "folded_cudnn": folded_cudnn,
    "folded_tokamax": folded_tokamax,
}


def attend(
    q: Heads,
    k: Float[Array, "b s m d"],
    v: Float[Array, "b s m d"],
    mask: Bool[Array, "#b 1 l s"] | None = None,
    causal: bool = False,
    backend: str = "xla",
) -> Heads:
    """Multi-head attention; head h of the queries looks at head ``h // (n // m)`` of the keys.

    Args:
        q, k, v: queries, keys and values.
        mask: what each query sees; every query must see something.
        causal: promises that ``mask`` shows nothing behind a query's own place, so that it need not be computed.
        backend: see `dsocr_jax.model.backends.Backends.attention`.

    Raises:
        UserError: cuDNN is asked for and does not run here.
    """
    # One query a row is a matter of bytes, not of products: a flash kernel has nothing to gain.
    if backend == "xla" or q.shape[1] == 1:
        return jax.nn.dot_product_attention(q, k, v, mask=mask)
    need_cudnn(q, backend)
    return masked(q, k, v, mask, causal, "cudnn")


def masked(
    q: Array,
    k: Array,
    v: Array,
    mask: Array | None,
    causal: bool,
    implementation: Implementation,
    scale: float | None = None,
) -> Array:
    """`attend` through the named implementation of JAX's function.

    cuDNN has a gradient only for even numbers of queries and keys: one is added that is dropped again, and that is seen
    by no other. Without a mask, cuDNN is told the number of keys, since a mask would be there as a whole; the added
    query counts as one of the others, since what cuDNN writes for queries that do not count may be anything.
    """
    run = partial(jax.nn.dot_product_attention, is_causal=causal, scale=scale, implementation=implementation)
    (batch, queries), keys = q.shape[:2], k.shape[1]
    more_q, more_k = queries % 2, keys % 2
    if not more_q and not more_k:
        return run(q, k, v, mask=mask)
    q = jnp.pad(q, ((0, 0), (0, more_q), (0, 0), (0, 0)))
    k, v = (jnp.pad(x, ((0, 0), (0, more_k), (0, 0), (0, 0))) for x in (k, v))
    if mask is None:
        lengths = jnp.full(batch, queries + more_q, jnp.int32), jnp.full(batch, keys, jnp.int32)
        return run(q, k, v, query_seq_lengths=lengths[0], key_value_seq_lengths=lengths[1])[:, :queries]
    mask = jnp.pad(mask, ((0, 0), (0, 0), (0, more_q), (0, more_k)))
    mask = mask.at[:, :, queries:, 0].set(True)
    return run(q, k, v, mask=mask)[:, :queries]
