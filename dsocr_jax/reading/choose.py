"""The next id of every row: bans of repetition, greedy choice or sampling, the detector of loops; on the device."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from dsocr_jax.errors import UserError
from dsocr_jax.reading.repetition import NoRepeat

#: Sampling looks at this many of the most probable ids.
CANDIDATES = 128
#: Loops of at most so many ids are found.
MAX_PERIOD = 64


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
    """What rows ask for, a row each: rule (``ngram`` 0 for none, ``window`` 0 for the whole row), and sampling."""

    ngram: Int[Array, " b"]
    window: Int[Array, " b"]
    temperature: Float[Array, " b"]
    top_p: Float[Array, " b"]
    seed: Int[Array, " b"]


def choice_row(rule: NoRepeat | None, sampling: Sampling) -> tuple[int, int, float, float, int]:
    """Return one row's entries of `Choice`."""
    ngram, window = (0, 0) if rule is None else (rule.ngram, rule.window or 0)
    if rule is not None and rule.window is not None and ngram == 1:
        ngram = 0  # the windowed rule compares n - 1 = 0 ids, and bans nothing
    return ngram, window, sampling.temperature, sampling.top_p, sampling.seed


def ban(
    scores: Float[Array, "b v"],
    ids: Int[Array, "b s"],
    lengths: Int[Array, " b"],
    choice: Choice,
    whitelist: tuple[int, ...],
    look: int,
    longest: int,
) -> Float[Array, "b v"]:
    """Set the scores of ids that would complete an n-gram seen before to minus infinity.

    Args:
        scores: of the next id.
        ids: the rows so far, prompt included.
        lengths: their lengths.
        choice: each row's rule.
        whitelist: ids that are never banned.
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
    for allowed in whitelist:
        same &= last != allowed
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
