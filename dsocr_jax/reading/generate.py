"""Autoregressive decoding with a cache: one prefill, then a loop on the device."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from dsocr_jax.batch import Batch
from dsocr_jax.model.decoder import LayerCache
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.reading.repetition import NoRepeat, banned_ids


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Generated:
    """What a batch answered.

    Attributes:
        tokens: int32 [b, n]; a row's answer is its first ``lengths`` ids, EOS included when it came.
        log_probs: float32 [b, n], of each id under the model's own distribution (before any ban).
        lengths: int32 [b].
        ended: bool [b], whether the row ended with EOS.
    """

    tokens: Int[Array, "b n"]
    log_probs: Float[Array, "b n"]
    lengths: Int[Array, " b"]
    ended: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class _Row:
    """State of the decoding loop: everything that one step reads and writes."""

    step: Array
    ids: Array
    lengths: Array
    log_probs: Array
    done: Array
    logits: Array
    caches: list[LayerCache]


@partial(jax.jit, static_argnames=("max_new_tokens", "rule", "backend"))
def generate(
    model: DeepseekOCR,
    batch: Batch,
    max_new_tokens: int,
    rule: NoRepeat | None = None,
    backend: str = "blocked",
) -> Generated:
    """Continue every row of ``batch`` greedily until EOS or ``max_new_tokens``.

    Rows are padded on the right; each keeps its own position, so a row's answer does not depend on how
    long its neighbours' prompts are.

    Args:
        rule: bans ids that would repeat an n-gram.
        backend: how the experts' products are computed, see `dsocr_jax.model.grouped`.
    """
    config = model.config
    rows, prompt_length = batch.tokens.shape
    capacity = prompt_length + max_new_tokens
    prompt_lengths = batch.mask.sum(axis=1).astype(jnp.int32)
    slots = jnp.arange(capacity)

    def decode(x: Array, positions: Array, caches: list[LayerCache]) -> tuple[Array, list[LayerCache]]:
        mask = (slots <= positions[:, :, None])[:, None]
        hidden, _, caches = model.decoder(x, positions, mask, caches, backend=backend)
        return hidden, caches

    x = model.embed(batch)
    positions = jnp.broadcast_to(jnp.arange(prompt_length), (rows, prompt_length))
    hidden, caches = decode(x, positions, model.decoder.empty_caches(rows, capacity, x.dtype))
    last = jnp.take_along_axis(hidden, (prompt_lengths - 1)[:, None, None], axis=1)[:, 0]
    ids = jnp.full((rows, capacity), config.pad_token_id, jnp.int32).at[:, :prompt_length].set(batch.tokens)

    def step(state: _Row) -> _Row:
        log_probs = jax.nn.log_softmax(state.logits)
        scores = state.logits
        if rule is not None:
            scores = jnp.where(banned_ids(rule, state.ids, state.lengths, scores.shape[-1]), -jnp.inf, scores)
        chosen = scores.argmax(axis=-1).astype(jnp.int32)
        row = jnp.arange(rows)
        # A finished row writes beyond its end, where it is dropped.
        place = jnp.where(state.done, capacity, state.lengths)
        new_ids = state.ids.at[row, place].set(chosen, mode="drop")
        new_log_probs = state.log_probs.at[row, place].set(log_probs[row, chosen], mode="drop")
        hidden, caches = decode(model.decoder.embed(chosen[:, None]), state.lengths[:, None], state.caches)
        return _Row(
            state.step + 1,
            new_ids,
            state.lengths + ~state.done,
            new_log_probs,
            state.done | (chosen == config.eos_token_id),
            model.logits(hidden[:, 0]),
            caches,
        )

    start = _Row(
        jnp.int32(0),
        ids,
        prompt_lengths,
        jnp.zeros((rows, capacity), jnp.float32),
        prompt_lengths == 0,  # rows that only fill the batch up
        model.logits(last),
        caches,
    )
    end = jax.lax.while_loop(lambda s: (s.step < max_new_tokens) & ~s.done.all(), step, start)
    new = prompt_lengths[:, None] + jnp.arange(max_new_tokens)
    return Generated(
        jnp.take_along_axis(end.ids, new, axis=1),
        jnp.take_along_axis(end.log_probs, new, axis=1),
        end.lengths - prompt_lengths,
        end.done,
    )
