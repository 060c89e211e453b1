"""Cross-entropy over the answer, without ever holding all logits."""

from collections.abc import Callable

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


def token_losses(
    logits: Callable[[Float[Array, "b c h"]], Float[Array, "b c v"]],
    hidden: Float[Array, "b t h"],
    labels: Int[Array, "b t"],
    chunk: int,
) -> Float[Array, "b t"]:
    """Return the cross-entropy of every labelled token, float32, in nats; 0 for all others.

    Args:
        logits: the output head, float32.
        hidden: the decoder's output; position i predicts token i + 1.
        labels: aligned with the tokens, `IGNORED` outside the answer; nothing predicts a row's first token.
        chunk: positions of a row whose logits exist at one time; backward computes them again.
    """
    rows, length = labels.shape
    # One place to the left: position i meets its own target.
    targets = jnp.concatenate([labels[:, 1:], jnp.full((rows, 1), IGNORED, labels.dtype)], axis=1)
    chunks = -(-length // chunk)
    room = chunks * chunk - length
    targets = jnp.pad(targets, ((0, 0), (0, room)), constant_values=IGNORED).reshape(rows, chunks, chunk)
    hidden = jnp.pad(hidden, ((0, 0), (0, room), (0, 0))).reshape(rows, chunks, chunk, -1)

    @jax.checkpoint
    def part(_: None, inputs: tuple[Array, Array]) -> tuple[None, Array]:
        return None, cross_entropy(logits(inputs[0]), inputs[1])

    _, losses = jax.lax.scan(part, None, (hidden.swapaxes(0, 1), targets.swapaxes(0, 1)))
    losses = losses.swapaxes(0, 1).reshape(rows, chunks * chunk)[:, :length]
    return jnp.roll(losses, 1, axis=1)  # the last position predicts nothing: its 0 comes to the front


def row_losses(
    logits: Callable[[Float[Array, "b c h"]], Float[Array, "b c v"]],
    hidden: Float[Array, "b t h"],
    labels: Int[Array, "b t"],
    chunk: int,
) -> tuple[Float[Array, " b"], Int[Array, " b"]]:
    """Sum `token_losses` over each row: float32 [b], in nats, and int32 [b], the number of labelled tokens."""
    return token_losses(logits, hidden, labels, chunk).sum(axis=1), jnp.sum(labels[:, 1:] != IGNORED, axis=1)
