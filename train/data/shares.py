"""Who comes next: exact shares, and orders that no memory holds. All of it is a pure function of integers."""

import functools
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

#: Most numbers of one period. Weights that need a longer one are rounded to this many parts.
MAX_PERIOD = 2**16

_MASK = 2**64 - 1


class Turns:
    """An endless sequence of names in which each has its share of every beginning, to within one.

    The names come as Tijdeman's solution of the chairman assignment problem (Discrete Mathematics 32, 1980) says: of
    those that are due, the one whose turn must come soonest.

    Args:
        weights: of each name; 0 or more, not all of them 0. Their ratio is kept exactly (0.1 means a tenth) unless it
            needs a period longer than `MAX_PERIOD`.

    Attributes:
        names: in the order of ``weights``.
        weights: whole numbers in the ratio of the weights.
        period: their sum; the sequence repeats after it.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.names = tuple(weights)
        self.weights = _whole([Fraction(repr(float(weight))) for weight in weights.values()])
        self.period = sum(self.weights)
        self._places, self._before = _chairmen(self.weights)

    def at(self, number: int) -> tuple[int, int]:
        """Return the place in `names` of the one whose turn is ``number`` (from 0), and how many it had before."""
        rounds, rest = divmod(number, self.period)
        place = int(self._places[rest])
        return place, rounds * self.weights[place] + int(self._before[rest])


def _whole(weights: list[Fraction]) -> list[int]:
    """Return whole numbers in the ratio of ``weights``, whose sum is at most `MAX_PERIOD`."""
    scale = math.lcm(*(weight.denominator for weight in weights))
    whole = [int(weight * scale) for weight in weights]
    divisor = math.gcd(*whole)
    whole = [weight // divisor for weight in whole]
    total = sum(whole)
    if total <= MAX_PERIOD:
        return whole
    # Nobody with a weight loses it: each gets one part, and the others are shared out by largest remainders.
    parts = MAX_PERIOD - sum(weight > 0 for weight in whole)
    shares = [(weight > 0) + weight * parts // total for weight in whole]
    order = sorted(range(len(whole)), key=lambda i: -(whole[i] * parts % total))
    for i in order[: MAX_PERIOD - sum(shares)]:
        shares[i] += 1
    return shares


def _chairmen(weights: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each number of one period whose turn it is, and how many turns that one had before."""
    alive = [i for i, weight in enumerate(weights) if weight > 0]
    period, counts = sum(weights), [0] * len(weights)
    places, before = np.zeros(period, np.int32), np.zeros(period, np.int32)
    slack = max(2 * len(alive) - 2, 1)
    for number in range(period):
        due = [i for i in alive if slack * (weights[i] * (number + 1) - counts[i] * period) >= period]
        # Its next turn must come before ((counts + 1) - 1 / slack) * period / weight.
        chosen = min(due or alive, key=lambda i: (slack * (counts[i] + 1) - 1) / weights[i])
        places[number], before[number] = chosen, counts[chosen]
        counts[chosen] += 1
    return places, before


def mixed(*numbers: int) -> int:
    """Return 64 bits that look random and depend on every one of ``numbers`` (splitmix64 over all of them)."""
    state = 0
    for number in numbers:
        state = (state ^ (number & _MASK)) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def shuffled(place: int, count: int, seed: int) -> int:
    """Return what stands at ``place`` of a random order of 0 ... count - 1; Grain's, which takes no memory."""
    return int(_order(count, seed & 0xFFFFFFFF)[place])


@functools.lru_cache(maxsize=256)
def _order(count: int, seed: int) -> Any:
    import grain

    return grain.MapDataset.range(count).seed(seed).shuffle()
