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


def row_losses(
    logits: Callable[[Float[Array, "b c h"]], Float[Array, "b c v"]],
    hidden: Float[Array, "b t h"],
    labels: Int[Array, "b t"],
    chunk: int,
) -> tuple[Float[Array, " b"], Int[Array, " b"]]:
    """Sum the cross-entropy of each row over its labelled tokens.

    Args:
        logits: the output head, float32.
        hidden: the decoder's output; position i predicts token i + 1.
        labels: aligned with the tokens, `IGNORED` outside the answer.
        chunk: positions whose logits exist at one time; backward computes them again.

    Returns:
        float32 [b], the sum in nats, and int32 [b], the number of labelled tokens.
    """
    targets = labels[:, 1:]
    rows, length = targets.shape
    chunks = -(-length // chunk)
    room = chunks * chunk - length
    targets = jnp.pad(targets, ((0, 0), (0, room)), constant_values=IGNORED).reshape(rows, chunks, chunk)
    hidden = jnp.pad(hidden[:, :-1], ((0, 0), (0, room), (0, 0))).reshape(rows, chunks, chunk, -1)

    @jax.checkpoint
    def add(total: Array, part: tuple[Array, Array]) -> tuple[Array, None]:
        return total + jnp.sum(cross_entropy(logits(part[0]), part[1]), axis=-1), None

    parts = (hidden.swapaxes(0, 1), targets.swapaxes(0, 1))
    total, _ = jax.lax.scan(add, jnp.zeros(rows, jnp.float32), parts)
    return total, jnp.sum(targets != IGNORED, axis=(1, 2))
