"""How sure is a mean? Percentile bootstrap over examples, with a seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

#: Resampled sets held at one time are limited to so many numbers.
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A mean and how far chance alone may have moved it.

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


def estimate(rows: Sequence[Mapping[str, float | None]], how: Bootstrap) -> dict[str, Estimate]:
    """Return mean and interval of every metric over the same examples.

    Whole examples are drawn with replacement, as many as there are, `Bootstrap.samples` times; the interval holds the
    middle `Bootstrap.level` of the resampled means. Equal rows and settings give equal intervals.

    Args:
        rows: metric → value of each example, None where it does not apply; a missing name is None.
        how: samples, level and seed.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    values = np.array([[_number(row.get(name)) for name in names] for row in rows], np.float64).reshape(len(rows), -1)
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    ends = _ends(np.where(known, values, 0.0), known.astype(np.float64), how)
    estimates = {}
    for column, name in enumerate(names):
        count = int(counts[column])
        # Summed in order by Python, so that a mean of one or two examples is what one gets by hand.
        mean = sum(values[known[:, column], column].tolist()) / count if count else None
        low, high = ends[:, column].tolist() if count > 1 and how.samples else (None, None)
        estimates[name] = Estimate(mean, low, high, count)
    return estimates


def _ends(values: np.ndarray, known: np.ndarray, how: Bootstrap) -> np.ndarray:
    """Return float64 [2, metrics]: both ends of each metric's interval; NaN where there is none."""
    examples, metrics = values.shape
    if not examples or not metrics or not how.samples:
        return np.full((2, metrics), np.nan)
    means = []
    for drawn in _draws(examples, how):
        weights = drawn @ known
        with np.errstate(invalid="ignore", divide="ignore"):
            means.append(np.where(weights > 0, (drawn @ values) / weights, np.nan))
    tail = 50 * (1 - how.level)
    means_ = np.concatenate(means)
    ends = np.full((2, metrics), np.nan)
    seen = ~np.isnan(means_).all(axis=0)
    ends[:, seen] = np.nanpercentile(means_[:, seen], [tail, 100 - tail], axis=0)
    return ends


def _draws(examples: int, how: Bootstrap) -> Iterator[np.ndarray]:
    """Yield how often each example is drawn: float64 [some samples, examples]."""
    rng = np.random.default_rng(how.seed)
    left, most = how.samples, max(1, _CHUNK // examples)
    while left:
        now = min(left, most)
        yield rng.multinomial(examples, np.full(examples, 1 / examples), size=now).astype(np.float64)
        left -= now


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
