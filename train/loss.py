"""Cross-entropy over the answer, without ever holding all logits."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from dsocr_jax.batch import IGNORED


def cross_entropy(logits: Float[Array, "... v"], targets: Int[Array, "..."]) -> Float[Array, "..."]:
    """Return -log p(target) for every position; 0 where the target is `IGNORED`."""
    # A comparison instead of a gather: it also works where the vocabulary is split over devices.
    vocabulary = jnp.arange(logits.shape[-1])
    chosen = jnp.sum(jnp.where(vocabulary == targets[..., None], logits, 0.0), axis=-1)
    return jnp.where(targets == IGNORED, 0.0, jax.nn.logsumexp(logits, axis=-1) - chosen)


Logits = Callable[[Float[Array, "b c h"]], Float[Array, "b c v"]]


def token_losses(
    logits: Logits, hidden: Float[Array, "b t h"], labels: Int[Array, "b t"], chunk: int
) -> Float[Array, "b t"]:
    """Return the cross-entropy of every labelled token, float32, in nats; 0 for all others.

    Args:
        logits: the output head, float32.
        hidden: the decoder's output; position i predicts token i + 1.
        labels: aligned with the tokens, `IGNORED` outside the answer; nothing predicts a row's first token.
        chunk: positions of a row whose logits exist at one time; backward computes them again.
    """

    @jax.checkpoint
    def part(_: None, inputs: tuple[Array, Array]) -> tuple[None, Array]:
        return None, cross_entropy(logits(inputs[0]), inputs[1])

    _, losses = jax.lax.scan(part, None, (_cut(hidden, chunk), _cut(_targets(labels), chunk, IGNORED)))
    return _aligned(losses, labels.shape)


def _targets(labels: Int[Array, "b t"]) -> Int[Array, "b t"]:
    """One place to the left: position i meets its own target."""
    return jnp.concatenate([labels[:, 1:], jnp.full_like(labels[:, :1], IGNORED)], axis=1)


def _cut(x: Array, chunk: int, fill: int = 0) -> Array:
    """Rows ``[b, t, ...]`` in pieces of ``chunk`` positions: ``[n, b, chunk, ...]``."""
    room = -x.shape[1] % chunk
    x = jnp.pad(x, ((0, 0), (0, room), *((0, 0),) * (x.ndim - 2)), constant_values=fill)
    return x.reshape(x.shape[0], -1, chunk, *x.shape[2:]).swapaxes(0, 1)


def _joined(pieces: Array, length: int) -> Array:
    """Undo `_cut`."""
    pieces = pieces.swapaxes(0, 1)
    return pieces.reshape(pieces.shape[0], -1, *pieces.shape[3:])[:, :length]


def _aligned(losses: Array, shape: tuple[int, ...]) -> Float[Array, "b t"]:
    """Losses in pieces, each where its target stands; the last position predicts nothing: its 0 comes to the front."""
    return jnp.roll(_joined(losses, shape[1]), 1, axis=1)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def head_loss(
    hidden: Float[Array, "b t h"], kernel: Float[Array, "h v"], labels: Int[Array, "b t"], chunk: int
) -> tuple[Float[Array, ""], Float[Array, "b t"]]:
    """Return the sum of `token_losses` through a linear head, and these losses themselves, which have no gradient.

    The sum's gradients are computed along with it, piece by piece: no product with the head is computed twice.

    Args:
        hidden, labels, chunk: see `token_losses`.
        kernel: of the head.
    """
    losses = token_losses(lambda x: (x @ kernel).astype(jnp.float32), hidden, labels, chunk)
    return jnp.sum(losses), losses


def _head_loss_forward(hidden: Array, kernel: Array, labels: Array, chunk: int) -> tuple[Any, tuple[Array, Array]]:
    vocabulary = jnp.arange(kernel.shape[1])

    def part(slope: Array, inputs: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        x, targets = inputs
        logits = (x @ kernel).astype(jnp.float32)
        total = jax.nn.logsumexp(logits, axis=-1)
        hit, counts = vocabulary == targets[..., None], targets != IGNORED
        losses = jnp.where(counts, total - jnp.sum(jnp.where(hit, logits, 0.0), axis=-1), 0.0)
        d_logits = jnp.where(counts[..., None], jnp.exp(logits - total[..., None]) - hit, 0.0).astype(x.dtype)
        slope += jnp.einsum("bch,bcv->hv", x, d_logits, preferred_element_type=jnp.float32)
        return slope, (losses, jnp.einsum("bcv,hv->bch", d_logits, kernel))

    # The head's gradient is a sum over many pieces: it needs more bits than they have.
    zeros = jnp.zeros(kernel.shape, jnp.float32)
    pieces = (_cut(hidden, chunk), _cut(_targets(labels), chunk, IGNORED))
    d_kernel, (losses, d_hidden) = jax.lax.scan(part, zeros, pieces)
    aligned = _aligned(losses, labels.shape)
    kept = _joined(d_hidden, hidden.shape[1]), d_kernel.astype(kernel.dtype)
    return (jnp.sum(aligned), aligned), kept


def _head_loss_backward(chunk: int, kept: tuple[Array, Array], cotangents: tuple[Array, Array]) -> tuple[Any, ...]:
    return (*((x * cotangents[0]).astype(x.dtype) for x in kept), None)


head_loss.defvjp(_head_loss_forward, _head_loss_backward)


def row_losses(
    logits: Logits, hidden: Float[Array, "b t h"], labels: Int[Array, "b t"], chunk: int
) -> tuple[Float[Array, " b"], Int[Array, " b"]]:
    """Sum `token_losses` over each row: float32 [b], in nats, and int32 [b], the number of labelled tokens."""
    return token_losses(logits, hidden, labels, chunk).sum(axis=1), jnp.sum(labels[:, 1:] != IGNORED, axis=1)
