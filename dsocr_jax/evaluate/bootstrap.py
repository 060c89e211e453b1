"""How sure is a mean? Percentile bootstrap over examples, with a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dsocr_jax.evaluate.scoring import PARTS, RATIOS, Row

#: Resampled sets held at one time are limited to so many numbers.
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A number about a set and how far chance alone may have moved it.

    Attributes:
        value: mean over the examples that the metric applies to; None if there are none.
        low, high: ends of the interval; None for fewer than two examples.
        count: number of examples that the metric applies to.
    """

    value: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made.

    Attributes:
        samples: resampled sets; 0 gives no intervals.
        level: share of the resampled means inside the interval.
        seed: of the resampling.
    """

    samples: int = 1000
    level: float = 0.95
    seed: int = 0


def estimate(rows: Sequence[Row], how: Bootstrap) -> dict[str, Estimate]:
    """Return mean and interval of every metric over the same examples.

    Whole examples are drawn with replacement, as many as there are, `Bootstrap.samples` times; the interval holds the
    middle `Bootstrap.level` of the resampled means. Equal rows and settings give equal intervals. Metrics whose names
    begin with an underscore are parts of others (`dsocr_jax.evaluate.scoring.RATIOS`) and are not told.

    Args:
        rows: metric → value of each example, None where it does not apply; a missing name is None.
        how: samples, level and seed.
    """
    table = _Table.of(rows)
    low, high = _ends(table.resampled(how), how)
    return {
        name: Estimate(value, *_interval(low[at], high[at], count), count)
        for at, (name, value, count) in enumerate(table.told())
    }


def difference(first: Sequence[Row], second: Sequence[Row], how: Bootstrap) -> dict[str, tuple[float, float, Estimate]]:
    """Return every metric over the first rows, over the second, and the second less the first with its interval.

    The rows are pairs: both are of the same example, and examples are drawn together. An example counts for a metric
    where the metric applies on both sides.

    Args:
        first: metric → value of each example.
        second: of the same examples in the same order.
        how: samples, level and seed.
    """
    names = list(dict.fromkeys(name for row in first for name in row))
    both = [
        {name for name in names if a.get(name) is not None and b.get(name) is not None} for a, b in _zip(first, second)
    ]
    sides = [
        [{n: row.get(n) if n in known else None for n in names} for row, known in _zip(s, both)]
        for s in (first, second)
    ]
    tables = [_Table.of(side) for side in sides]
    low, high = _ends(tables[1].resampled(how) - tables[0].resampled(how), how)
    found = {}
    for at, ((name, a, count), (_, b, _)) in enumerate(_zip(tables[0].told(), tables[1].told())):
        if a is not None and b is not None:
            found[name] = a, b, Estimate(b - a, *_interval(low[at], high[at], count), count)
    return found


@dataclass(frozen=True)
class _Table:
    """Rows as arrays: float64 [examples, metrics], zeros where ``known`` is 0; names of what is told of them."""

    names: list[str]
    values: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "_Table":
        names = list(dict.fromkeys(name for row in rows for name in row))
        values = np.array([[_number(row.get(name)) for name in names] for row in rows], np.float64)
        values = values.reshape(len(rows), len(names))
        known = ~np.isnan(values)
        return cls(names, np.where(known, values, 0.0), known.astype(np.float64))

    def statistics(self, sums: np.ndarray, counts: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Return names and values of all that is told, from sums and counts of each metric: float64 [..., metrics]."""
        place = {name: at for at, name in enumerate(self.names)}
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(counts > 0, sums / counts, np.nan)
            columns = {name: means[..., at] for name, at in place.items() if not name.startswith("_")}
            for name, (over, under) in RATIOS.items():
                if over in place and under in place:
                    below = sums[..., place[under]]
                    columns[name] = np.where(below > 0, sums[..., place[over]] / below, np.nan)
        for name, parts in PARTS.items():
            here = [columns[part] for part in parts if part in columns]
            if here:
                stacked = np.stack(here)
                count = (~np.isnan(stacked)).sum(axis=0)
                total = np.nansum(stacked, axis=0)
                columns[name] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return list(columns), np.stack(list(columns.values()), axis=-1) if columns else sums[..., :0]

    def told(self) -> list[tuple[str, float | None, int]]:
        """Return (name, value, examples) of all that is told."""
        # Summed in order by Python, so that a mean of few examples is what one gets by hand.
        sums = np.array([sum(column) for column in self.values.T.tolist()], np.float64)
        counts = self.known.sum(axis=0)
        names, values = self.statistics(sums, counts)
        numbers = dict(zip(self.names, counts.astype(int).tolist(), strict=True))
        for name, (_, under) in RATIOS.items():
            numbers[name] = int(sums[self.names.index(under)]) if under in self.names else 0
        for name, parts in PARTS.items():
            numbers[name] = max(numbers.get(part, 0) for part in parts)
        shown = [None if np.isnan(value) else float(value) for value in values]
        return [(name, value, numbers[name]) for name, value in zip(names, shown, strict=True)]

    def resampled(self, how: Bootstrap) -> np.ndarray:
        """Return what is told of every resampled set: float64 [samples, metrics]; NaN where nothing was drawn."""
        examples = len(self.values)
        parts = [
            self.statistics(drawn @ self.values, drawn @ self.known)[1]
            for drawn in _draws(examples, how)
            if self.values.size
        ]
        width = len(self.told())
        return np.concatenate(parts) if parts else np.zeros((0, width))


def _draws(examples: int, how: Bootstrap) -> Iterator[np.ndarray]:
    """Yield how often each example is drawn: float64 [some samples, examples]."""
    rng = np.random.default_rng(how.seed)
    left, most = how.samples, max(1, _CHUNK // max(examples, 1))
    while left and examples:
        now = min(left, most)
        yield rng.multinomial(examples, np.full(examples, 1 / examples), size=now).astype(np.float64)
        left -= now


def _ends(resampled: np.ndarray, how: Bootstrap) -> np.ndarray:
    """Return float64 [2, metrics]: both ends of each interval; NaN where there is none."""
    ends = np.full((2, resampled.shape[1]), np.nan)
    seen = ~np.isnan(resampled).all(axis=0) if len(resampled) else np.zeros(resampled.shape[1], bool)
    if seen.any():
        tail = 50 * (1 - how.level)
        ends[:, seen] = np.nanpercentile(resampled[:, seen], [tail, 100 - tail], axis=0)
    return ends


def _interval(low: float, high: float, count: int) -> tuple[float | None, float | None]:
    return (None, None) if count < 2 or np.isnan(low) else (float(low), float(high))


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _zip(first: Sequence[Any], second: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(first, second, strict=True)
