"""Quick small choices: random numbers are drawn from the generator by the hundred."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
_BLOCK = 128


class Dice:
    """Choices that take their randomness from one generator."""

    __slots__ = ("_left", "_normals", "_rng")

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._left: list[float] = []
        self._normals: list[float] = []

    def roll(self) -> float:
        """Return a uniform number of [0, 1)."""
        if not self._left:
            self._left = self._rng.random(_BLOCK).tolist()
        return self._left.pop()

    def chance(self, probability: float) -> bool:
        """Return True with ``probability``."""
        return self.roll() < probability

    def below(self, end: int) -> int:
        """Return a whole number of [0, end)."""
        return int(self.roll() * end)

    def whole(self, low: int, high: int) -> int:
        """Return a whole number of [low, high]; ``low`` if there is none."""
        return low + int(self.roll() * (high - low + 1)) if high > low else low

    def between(self, low: float, high: float) -> float:
        """Return a uniform number of [low, high)."""
        return low + (high - low) * self.roll()

    def magnitude(self, low: float, high: float) -> float:
        """Return a number of [low, high) whose logarithm is uniform."""
        return low * math.exp(self.roll() * math.log(high / low))

    def normal(self, deviation: float = 1.0) -> float:
        """Return a normal number around 0, cut off at three deviations."""
        if not self._normals:
            self._normals = np.minimum(np.maximum(self._rng.standard_normal(_BLOCK), -3), 3).tolist()
        return deviation * self._normals.pop()

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of ``items``."""
        return items[int(self.roll() * len(items))]

    def pick_by(self, shares: Sequence[tuple[Item, float]]) -> Item:
        """Return one of the items of pairs (item, share)."""
        left = self.roll() * sum(share for _, share in shares)
        for item, share in shares:
            left -= share
            if left < 0:
                return item
        return shares[-1][0]

    def some(self, items: Sequence[Item], count: int) -> list[Item]:
        """Return ``count`` different ones of ``items``, in random order."""
        pool = list(items)
        for place in range(count):
            other = place + int(self.roll() * (len(pool) - place))
            pool[place], pool[other] = pool[other], pool[place]
        return pool[:count]
