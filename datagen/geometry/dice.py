"""Random choices drawn in blocks: asking a `numpy.random.Generator` for single numbers is slower than the geometry."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

#: Numbers drawn from the generator at a time.
BLOCK = 64


class Dice:
    """Plain Python floats and choices, all taken from one generator; equal generators give equal choices."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._left: list[float] = []

    def random(self) -> float:
        """Return a number in [0, 1)."""
        if not self._left:
            self._left = self._rng.random(BLOCK).tolist()
        return self._left.pop()

    def chance(self, share: float) -> bool:
        """Return True with the probability ``share``."""
        return self.random() < share

    def uniform(self, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        return low + (high - low) * self.random()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return low + int((high - low + 1) * self.random())

    def pick(self, options: Sequence[T]) -> T:
        """Return one of ``options``, each as likely."""
        return options[int(len(options) * self.random())]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Return ``count`` different ones of ``options`` in random order (all, if there are fewer)."""
        left = list(options)
        return [left.pop(int(len(left) * self.random())) for _ in range(min(count, len(left)))]

    def sign(self) -> int:
        """Return 1 or -1."""
        return 1 if self.random() < 0.5 else -1
