"""Mixtures as settings write them: ``("en:30", "zh-Hans:8", "all:62")``, names with weights."""

import bisect
import difflib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dsocr_jax.errors import UserError


class _Dice(Protocol):
    def roll(self) -> float: ...


@dataclass(frozen=True)
class Mixture:
    """Names, each as likely as its weight."""

    names: tuple[str, ...]
    sums: tuple[float, ...]

    def draw(self, dice: _Dice) -> str:
        """Return one of the names."""
        return self.names[min(bisect.bisect_right(self.sums, dice.roll() * self.sums[-1]), len(self.names) - 1)]

    def only(self, names: Sequence[str]) -> "Mixture":
        """Return the mixture of those of its names that are among ``names``."""
        weights = {name: self.sums[n] - (self.sums[n - 1] if n else 0.0) for n, name in enumerate(self.names)}
        kept = {name: weight for name, weight in weights.items() if name in names}
        return Mixture(tuple(kept), tuple(itertools.accumulate(kept.values())))


def read_mixture(setting: str, words: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Mixture:
    """Read a mixture.

    Args:
        setting: the setting's name, for messages.
        words: ``NAME`` or ``NAME:WEIGHT``; the weight, 1 if there is none, is shared by all names that NAME means.
        groups: what may be named → the names it means (itself alone, or the members of a group).

    Raises:
        UserError: no name, an unknown one, or a weight that is no number, negative, or zero for all.
    """
    weights: dict[str, float] = {}
    for word in words:
        name, _, weight = str(word).partition(":")
        if name not in groups:
            near = difflib.get_close_matches(name, groups, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(itertools.islice(groups, 20))}."
            raise UserError(f"pages.{setting} names {name!r}, which there is not; {hint}")
        try:
            value = float(weight or "1")
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e9:
            raise UserError(f"pages.{setting}: {word!r} must be NAME or NAME:WEIGHT with a weight of at least 0.")
        for member in groups[name]:
            weights[member] = weights.get(member, 0.0) + value / len(groups[name])
    chosen = {name: weight for name, weight in weights.items() if weight > 0}
    if not chosen:
        raise UserError(f"pages.{setting} must name something with a weight above 0.")
    return Mixture(tuple(chosen), tuple(itertools.accumulate(chosen.values())))
