"""Rows in work on a device: prompts go in as places get free, ids come out a few steps at a time."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from dsocr_jax.reading.choose import MAX_PERIOD, Choice, LoopRule, ban, choose, extend_runs, looping, no_choice
from dsocr_jax.reading.fused import FusedDecoder, Pages, decode, prefill, scores

#: How a row stands: nobody's, at work, or ended by the end mark, its limit or the detector of loops.
IDLE, ACTIVE, STOP, LENGTH, REPETITION = range(5)


@dataclasses.dataclass(frozen=True)
class SlotOptions:
    """What is compiled in.

    Attributes:
        end: id of the end mark.
        look: how far back rules look, in ids.
        longest: the longest n-gram of any rule; 0 for no rules.
        sampled: whether any row samples.
        loops: the detector's rule; None leaves it out.
        kernels: use the GPU's kernels.
    """

    end: int
    look: int = 0
    longest: int = 0
    sampled: bool = False
    loops: LoopRule | None = None
    kernels: bool = False


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Slots:
    """State of all rows.

    Attributes:
        pages: the cache.
        ids: int32 [b, s], prompts and answers; s bounds a row's length.
        lengths: int32 [b], ids of each row; the last one has not passed the decoder yet.
        limits: int32 [b], lengths at which rows end.
        status: int32 [b].
        runs: int32 [b, MAX_PERIOD], see `dsocr_jax.reading.choose.extend_runs`.
        choice: what rows ask for.
    """

    pages: Pages
    ids: Array
    lengths: Array
    limits: Array
    status: Array
    runs: Array
    choice: Choice


def empty_slots(pages: Pages, rows: int, length: int) -> Slots:
    """Return ``rows`` idle rows of at most ``length`` ids."""
    whole = partial(jnp.zeros, rows, jnp.int32)
    ids, runs = jnp.zeros((rows, length), jnp.int32), jnp.zeros((rows, MAX_PERIOD), jnp.int32)
    return Slots(pages, ids, whole(), whole(), whole(), runs, no_choice(rows))


def _emit(
    slots: Slots, rows: Array, logits: Float[Array, "b v"], options: SlotOptions
) -> tuple[Slots, Int[Array, " b"], Float[Array, " b"]]:
    """Choose the next id of ``rows`` (numbers of slots; those out of range only fill up) and note it."""
    take = partial(jnp.take, indices=rows, axis=0, mode="clip")
    ids, lengths, choice = take(slots.ids), take(slots.lengths), jax.tree.map(take, slots.choice)
    allowed = ban(logits, ids, lengths, choice, options.look, options.longest)
    new = choose(allowed, lengths, choice, options.sampled)
    log_prob = jnp.take_along_axis(logits, new[:, None], axis=1)[:, 0] - jax.nn.logsumexp(logits, axis=-1)
    runs = extend_runs(take(slots.runs), ids, lengths, new)
    active = take(slots.status) == ACTIVE
    status = jnp.where(lengths + 1 >= take(slots.limits), LENGTH, ACTIVE)
    if options.loops is not None:
        status = jnp.where(looping(runs, options.loops), REPETITION, status)
    status = jnp.where(new == options.end, STOP, status)
    here = jnp.where(active, rows, slots.status.shape[0])
    slots = dataclasses.replace(
        slots,
        ids=slots.ids.at[here, lengths].set(new, mode="drop"),
        lengths=slots.lengths.at[here].add(1, mode="drop"),
        status=slots.status.at[here].set(status, mode="drop"),
        runs=slots.runs.at[here].set(runs, mode="drop"),
    )
    return slots, jnp.where(active, new, -1), log_prob


@partial(jax.jit, static_argnames="options", donate_argnames="slots")
def insert(
    decoder: FusedDecoder,
    slots: Slots,
    vision: Float[Array, "r h"],
    tokens: Int[Array, "g t"],
    index: Int[Array, "g t"],
    lengths: Int[Array, " g"],
    rows: Int[Array, " g"],
    limits: Int[Array, " g"],
    table: Int[Array, "g p"],
    choice: Choice,
    options: SlotOptions,
) -> tuple[Slots, Int[Array, " g"], Float[Array, " g"]]:
    """Pass prompts through the decoder, put them into free rows, and choose their first ids.

    Args:
        decoder: the weights.
        slots: the state; given away.
        vision: rows for the prompts' placeholders.
        tokens, index: prompts padded on the right; ``index`` names a row of ``vision``, or -1 for text.
        lengths: of the prompts.
        rows: the slots they go to; a number out of range for prompts that only fill up.
        limits: lengths at which rows end, prompts included.
        table: the pages of each prompt.
        choice: what each prompt asks for.
        options: what is compiled in.

    Returns:
        The state, and the first ids with their log-probabilities.
    """
    seen = jnp.where(
        (index < 0)[..., None], decoder.embed[tokens], vision[index.clip(min=0)].astype(decoder.embed.dtype)
    )
    hidden, pages = prefill(decoder, seen, lengths, slots.pages, table, options.kernels)
    t = min(tokens.shape[1], slots.ids.shape[1])

    def put(old: Array, new: Array | int) -> Array:
        return old.at[rows].set(new, mode="drop")

    slots = Slots(
        pages,
        slots.ids.at[rows, :t].set(tokens[:, :t], mode="drop"),
        put(slots.lengths, lengths),
        put(slots.limits, limits),
        put(slots.status, ACTIVE),
        put(slots.runs, 0),
        jax.tree.map(put, slots.choice, choice),
    )
    return _emit(slots, rows, scores(decoder, hidden), options)


@partial(jax.jit, static_argnames=("steps", "options"), donate_argnames="slots")
def advance(
    decoder: FusedDecoder, slots: Slots, table: Int[Array, "b p"], steps: int, options: SlotOptions
) -> tuple[Slots, Int[Array, "n b"], Float[Array, "n b"], Int[Array, " b"]]:
    """Decode ``steps`` ids for every active row, fewer when all have ended.

    Args:
        decoder: the weights.
        slots: the state; given away.
        table: the pages of every row, as many as ``steps`` more ids need.
        steps: n.
        options: what is compiled in.

    Returns:
        The state; the ids (-1 where a row was not active) and their log-probabilities; and the rows' status.
    """
    b = slots.status.shape[0]
    every = jnp.arange(b)

    def go(carry: tuple[Array, Slots, Array, Array]) -> tuple[Array, Slots, Array, Array]:
        step, slots, ids, log_probs = carry
        active = slots.status == ACTIVE
        last = jnp.take_along_axis(slots.ids, jnp.maximum(slots.lengths - 1, 0)[:, None], axis=1)[:, 0]
        positions = jnp.where(active, slots.lengths - 1, -1)
        hidden, pages = decode(decoder, last, positions, slots.pages, table, options.kernels)
        slots = dataclasses.replace(slots, pages=pages)
        slots, new, log_prob = _emit(slots, every, scores(decoder, hidden), options)
        return step + 1, slots, ids.at[step].set(new), log_probs.at[step].set(log_prob)

    def more(carry: tuple[Array, Slots, Array, Array]) -> Array:
        return (carry[0] < steps) & (carry[1].status == ACTIVE).any()

    start = jnp.int32(0), slots, jnp.full((steps, b), -1, jnp.int32), jnp.zeros((steps, b), jnp.float32)
    _, slots, ids, log_probs = jax.lax.while_loop(more, go, start)
    return slots, ids, log_probs, slots.status


@partial(jax.jit, donate_argnames="slots")
def release(slots: Slots, rows: Int[Array, " g"]) -> Slots:
    """Make rows idle; numbers out of range only fill up."""
    return dataclasses.replace(slots, status=slots.status.at[rows].set(IDLE, mode="drop"))
