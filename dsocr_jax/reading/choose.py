"""The next id of every row: bans of repetition, greedy choice or sampling, the detector of loops; on the device."""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from dsocr_jax.errors import UserError
from dsocr_jax.reading.repetition import NoRepeat

#: Sampling looks at this many of the most probable ids.
CANDIDATES = 128
#: Loops of at most so many ids are found.
MAX_PERIOD = 64
#: Most ids that a rule spares.
MAX_WHITELIST = 4


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How ids are chosen.

    Attributes:
        temperature: 0 takes the most probable id.
        top_p: with a temperature, only the most probable ids that together have this probability (1: all of the
            `CANDIDATES` most probable ones).
        seed: the same seed gives the same answer, whatever else is in the batch.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if not self.temperature >= 0:
            raise UserError(f"--temperature must be 0 or more, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise UserError(f"--top-p must be above 0 and at most 1, got {self.top_p}")
        if not 0 <= self.seed < 2**31:
            raise UserError(f"--seed must be between 0 and {2**31 - 1}, got {self.seed}")


@dataclasses.dataclass(frozen=True)
class LoopRule:
    """When an answer counts as a loop: its last ids repeat with a period of at most `MAX_PERIOD`.

    Attributes:
        length: for at least so many ids beyond the first period.
        repeats: and at least so many times.
    """

    length: int = 256
    repeats: int = 8


GREEDY = Sampling()
LOOPS = LoopRule()


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Choice:
    """What rows ask for, a row each.

    Attributes:
        ngram: of the rule against repetition; 0 for none.
        window: of the rule; 0 for the whole row.
        whitelist: int32 [b, MAX_WHITELIST], ids that the rule spares; -1 for none.
        temperature, top_p, seed: see `Sampling`.
    """

    ngram: Int[Array, " b"]
    window: Int[Array, " b"]
    whitelist: Int[Array, "b w"]
    temperature: Float[Array, " b"]
    top_p: Float[Array, " b"]
    seed: Int[Array, " b"]


#: One row's entries of `Choice`.
ChoiceRow = tuple[int, int, tuple[int, ...], float, float, int]


def choice_row(rule: NoRepeat | None, sampling: Sampling) -> ChoiceRow:
    """Return one row's entries of `Choice`.

    Raises:
        UserError: the rule spares more than `MAX_WHITELIST` ids.
    """
    ngram, window, spared = (0, 0, ()) if rule is None else (rule.ngram, rule.window or 0, rule.whitelist)
    if len(spared) > MAX_WHITELIST:
        raise UserError(f"no-repeat rule: {len(spared)} ids in the whitelist, the limit is {MAX_WHITELIST}")
    if rule is not None and rule.window is not None and ngram == 1:
        ngram = 0  # the windowed rule compares n - 1 = 0 ids, and bans nothing
    spared += (-1,) * (MAX_WHITELIST - len(spared))
    return ngram, window, spared, sampling.temperature, sampling.top_p, sampling.seed


def stack_choices(rows: Sequence[ChoiceRow]) -> Choice:
    """Put rows together."""
    kinds = (np.int32, np.int32, np.int32, np.float32, np.float32, np.int32)
    return Choice(*(jnp.asarray(np.array(v, kind)) for v, kind in zip(zip(*rows, strict=True), kinds, strict=True)))


def no_choice(rows: int) -> Choice:
    """Return what ``rows`` idle rows ask for."""
    return stack_choices([choice_row(None, GREEDY)] * rows)


def ban(
    scores: Float[Array, "b v"],
    ids: Int[Array, "b s"],
    lengths: Int[Array, " b"],
    choice: Choice,
    look: int,
    longest: int,
) -> Float[Array, "b v"]:
    """Set the scores of ids that would complete an n-gram seen before to minus infinity.

    Args:
        scores: of the next id.
        ids: the rows so far, prompt included.
        lengths: their lengths.
        choice: each row's rule.
        look: how far back any row's rule looks, in ids; at most s.
        longest: the largest n of any row's rule.
    """
    if longest == 0:
        return scores
    row = jnp.arange(ids.shape[0])[:, None]
    back = jnp.minimum(lengths, look)
    start = (lengths - back)[:, None]
    seen = jnp.take_along_axis(ids, jnp.minimum(start + jnp.arange(look), ids.shape[1] - 1), axis=1)
    n, place = choice.ngram[:, None], jnp.arange(look)[None]
    window = jnp.where(choice.window > 0, jnp.minimum(choice.window, back), back)[:, None]
    # An n-gram counts when it lies wholly inside the window, its last id included.
    same = (n > 0) & (place >= back[:, None] - window) & (place <= back[:, None] - n)
    for k in range(longest - 1):
        ahead = jnp.concatenate([seen[:, k:], jnp.zeros_like(seen[:, :k])], axis=1)
        prefix = jnp.take_along_axis(seen, jnp.maximum(back[:, None] - n + 1 + k, 0).clip(max=look - 1), axis=1)
        same &= (ahead == prefix) | (k >= n - 1)
    last = jnp.take_along_axis(seen, jnp.minimum(place + jnp.maximum(n - 1, 0), look - 1), axis=1)
    for spared in range(choice.whitelist.shape[1]):
        same &= last != choice.whitelist[:, spared, None]
    return scores.at[row, jnp.where(same, last, scores.shape[1])].set(-jnp.inf, mode="drop")


def choose(scores: Float[Array, "b v"], positions: Int[Array, " b"], choice: Choice, sampled: bool) -> Int[Array, " b"]:
    """The next ids: the most probable ones, or with ``sampled`` by each row's temperature, share and seed."""
    best = scores.argmax(axis=-1).astype(jnp.int32)
    if not sampled:
        return best
    count = min(CANDIDATES, scores.shape[1])
    top, ids = jax.lax.top_k(scores, count)
    scaled = top / jnp.maximum(choice.temperature, 1e-6)[:, None]
    probabilities = jax.nn.softmax(scaled, axis=-1)
    before = jnp.cumsum(probabilities, axis=-1) - probabilities
    scaled = jnp.where(before < choice.top_p[:, None], scaled, -jnp.inf)

    def noise(seed: Array, position: Array) -> Array:
        return jax.random.gumbel(jax.random.fold_in(jax.random.key(seed), position), (count,))

    drawn = jnp.argmax(scaled + jax.vmap(noise)(choice.seed, positions), axis=-1)
    drawn_ids = jnp.take_along_axis(ids, drawn[:, None], axis=1)[:, 0].astype(jnp.int32)
    return jnp.where(choice.temperature > 0, drawn_ids, best)


def extend_runs(
    runs: Int[Array, "b p"], ids: Int[Array, "b s"], lengths: Int[Array, " b"], new: Int[Array, " b"]
) -> Int[Array, "b p"]:
    """For each period p = 1 ...: how many of the last ids, ``new`` included, equal the id p places before."""
    periods = jnp.arange(1, runs.shape[1] + 1)
    before = lengths[:, None] - periods
    old = jnp.take_along_axis(ids, jnp.maximum(before, 0), axis=1)
    return jnp.where((before >= 0) & (old == new[:, None]), runs + 1, 0)


def looping(runs: Int[Array, "b p"], rule: LoopRule) -> Bool[Array, " b"]:
    """Whether a row's runs are a loop by ``rule``."""
    periods = jnp.arange(1, runs.shape[1] + 1)
    return (runs >= jnp.maximum(rule.length, periods * (rule.repeats - 1))).any(axis=-1)
