"""Shares of a whole: they add up to exactly 100 as written."""

import math

from datagen.charts.content.dice import Dice
from datagen.charts.content.language import Language


def percentages(weights: list[float], decimals: int) -> list[float]:
    """Return ``weights`` as percentages with ``decimals`` that add up to exactly 100 (largest remainders).

    Args:
        weights: positive numbers.
        decimals: digits after the decimal sign.
    """
    scale, total = 10**decimals, sum(weights)
    exact = [weight / total * 100 * scale for weight in weights]
    parts = [math.floor(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for index in order[: 100 * scale - sum(parts)]:
        parts[index] += 1
    return [part / scale for part in parts]


#: Pools whose names stand in the order of their usual size.
_BY_SIZE = frozenset(
    {
        "expenses",
        "functions",
        "transport",
        "drives",
        "channels",
        "cost_types",
        "media",
        "sports",
        "carriers",
        "freight_modes",
        "emitters",
        "answers",
    }
)


def importance(words: Language, pool: str, names: tuple[str, ...]) -> list[float]:
    """Return how large each part of a pool usually is, relative to the others."""
    if pool not in _BY_SIZE:
        return [1.0] * len(names)
    order = words.pools[pool].names
    return [math.exp(-0.22 * order.index(name)) if name in order else 0.5 for name in names]


def split(dice: Dice, parts: int, least: float = 0.03, usual: list[float] | None = None) -> list[float]:
    """Return the weights of the parts of a whole, each at least ``least``: some even, some with a long tail.

    Args:
        dice: the randomness.
        parts: how many.
        least: the least weight.
        usual: how large each part usually is (`importance`).
    """
    if usual and min(usual) < max(usual):
        raw = [size * math.exp(dice.normal(0.2)) for size in usual]
    elif dice.chance(0.5):
        power = dice.between(0.4, 1.3)
        raw = [(number + 1) ** -power * math.exp(dice.normal(0.15)) for number in range(parts)]
        raw = dice.some(raw, parts)
    else:
        deviation = dice.between(0.2, 0.8)
        raw = [math.exp(dice.normal(deviation)) for _ in range(parts)]
    total, free = sum(raw), 1 - least * parts
    return [least + free * weight / total for weight in raw]


def drifting(dice: Dice, usual: list[float], rows: int, *, in_time: bool, least: float = 0.02) -> list[list[float]]:
    """Return weights of the parts for each row: in time they drift steadily, else rows differ at random."""
    parts = len(usual)
    start = [math.log(weight) for weight in split(dice, parts, usual=usual)]
    if in_time:
        drifts = [dice.normal(0.5) for _ in range(parts)]
        levels = [
            [
                base + drift * (row / max(1, rows - 1) - 0.5) + dice.normal(0.03)
                for base, drift in zip(start, drifts, strict=True)
            ]
            for row in range(rows)
        ]
    else:
        levels = [[base + dice.normal(0.3) for base in start] for _ in range(rows)]
    weights = [[math.exp(level) for level in row] for row in levels]
    free = 1 - least * parts
    return [[least + free * weight / sum(row) for weight in row] for row in weights]
