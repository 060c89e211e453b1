"""What a set holds, in numbers that add up: every shard's are counted where it is made, and a set's are their sum.

Counting is deterministic and the sums do not depend on the order, so a card written after an undisturbed build, after
a resumed one, or from the records themselves has the same numbers.
"""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dsocr_jax.tokenizer import Tokenizer

#: Label tokens are counted for one sample in this many: the tokenizer would take a sixth of the time of geometry.
TOKENS_EVERY = 16

#: A remark with more different values than this is a description, not a type, and is not counted.
MAX_VALUES = 96

#: So is one with a longer value.
MAX_VALUE_LENGTH = 40

#: What the names of quantities among the remarks begin with.
META = "meta"

#: Remarks of the engine that stand elsewhere on the card.
_OWN = ("content", "level")


@dataclass
class Quantity:
    """Whole numbers of 0 or more: their count, sum, range and a histogram with eight bins an octave.

    Attributes:
        count: how many numbers.
        total: their sum.
        low: the smallest; 0 when there is none.
        high: the largest.
        bins: the smallest number of a bin (`bin_of`) → how many fell into it.
    """

    count: int = 0
    total: int = 0
    low: int = 0
    high: int = 0
    bins: Counter[int] = field(default_factory=Counter)

    def add(self, number: int) -> None:
        """Count one number."""
        self.low = min(self.low, number) if self.count else number
        self.high = max(self.high, number)
        self.count += 1
        self.total += number
        self.bins[bin_of(number)] += 1

    def merge(self, other: "Quantity") -> None:
        """Count what ``other`` counted."""
        if other.count:
            self.low = min(self.low, other.low) if self.count else other.low
        self.high = max(self.high, other.high)
        self.count += other.count
        self.total += other.total
        self.bins.update(other.bins)

    @property
    def mean(self) -> float:
        """The mean; 0 when there is no number."""
        return self.total / max(self.count, 1)

    def quantile(self, share: float) -> int:
        """Return the smallest number of the bin that holds the quantile; it is at most 12 % below the quantile."""
        left = share * self.count
        for start in sorted(self.bins):
            left -= self.bins[start]
            if left <= 0:
                return max(start, self.low)
        return self.high


def bin_of(number: int) -> int:
    """Return the smallest number that shares a bin with ``number``: its leading four bits, the others zero."""
    shift = max(number.bit_length() - 4, 0)
    return number >> shift << shift


def bin_end(start: int) -> int:
    """Return the smallest number above the bin that starts at ``start``."""
    return start + (1 << max(start.bit_length() - 4, 0))


@dataclass
class Statistics:
    """What the samples of one kind are like.

    Attributes:
        samples: how many.
        quantities: by name: width and height in pixels, record bytes, label characters, label tokens (of one sample
            in `TOKENS_EVERY`), and the whole numbers among the family's remarks.
        values: by remark: how often each value stands there; None when there are too many different ones.
    """

    samples: int = 0
    quantities: dict[str, Quantity] = field(default_factory=dict)
    values: dict[str, Counter[str] | None] = field(default_factory=dict)

    def add(self, index: int, size: tuple[int, int], encoded: int, label: str, meta: Mapping[str, Any]) -> None:
        """Count one sample.

        Args:
            index: the sample's index within its kind.
            size: width and height in pixels.
            encoded: bytes of the record.
            label: the answer.
            meta: the remarks.
        """
        self.samples += 1
        for name, number in zip(("width", "height"), size, strict=True):
            self._quantity(name, number)
        self._quantity("record bytes", encoded)
        self._quantity("label characters", len(label))
        if index % TOKENS_EVERY == 0:
            self._quantity("label tokens", len(_tokenizer().encode(label)))
        for name, value, times in _flat(meta):
            if isinstance(value, str):
                self._value(name, value, times)
            elif value >= 0:
                self._quantity(f"{META} {name}", value)

    def _quantity(self, name: str, number: int) -> None:
        if name not in self.quantities:
            self.quantities[name] = Quantity()
        self.quantities[name].add(number)

    def _value(self, name: str, value: str, times: int) -> None:
        counts = self.values.setdefault(name, Counter())
        if counts is not None:
            counts[value] += times
            if len(counts) > MAX_VALUES or len(value) > MAX_VALUE_LENGTH:
                self.values[name] = None

    def merge(self, other: "Statistics") -> None:
        """Count what ``other`` counted."""
        self.samples += other.samples
        for name, quantity in other.quantities.items():
            self.quantities.setdefault(name, Quantity()).merge(quantity)
        for name, counts in other.values.items():
            mine = self.values.setdefault(name, Counter())
            if mine is None or counts is None:
                self.values[name] = None
                continue
            mine.update(counts)
            if len(mine) > MAX_VALUES:
                self.values[name] = None

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as JSON has them."""
        return {
            "samples": self.samples,
            "quantities": {name: vars(quantity) for name, quantity in self.quantities.items()},
            "values": self.values,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Statistics":
        """Return what `as_json` gave; KeyError, TypeError, ValueError or AttributeError if it is something else."""
        quantities = {}
        for name, known in data["quantities"].items():
            bins = Counter({int(start): int(number) for start, number in known["bins"].items()})
            quantities[name] = Quantity(known["count"], known["total"], known["low"], known["high"], bins)
        values = {name: None if counts is None else Counter(counts) for name, counts in data["values"].items()}
        return cls(data["samples"], quantities, values)


def _flat(meta: Mapping[str, Any]) -> Iterator[tuple[str, str | int, int]]:
    """Yield names and values of remarks, and how often to count them.

    These are text, whole numbers, yes and no, and what lists of text hold. Of maps it is their text ("degradation
    preset"), what they count ("repairs": each of them as often as it says), and what they hold facts of ("degradation
    parts").
    """
    for name, value in meta.items():
        if name in _OWN:
            continue
        if isinstance(value, bool):
            yield name, "yes" if value else "no", 1
        elif isinstance(value, str | int):
            yield name, value, 1
        elif isinstance(value, list):
            yield from ((name, item, 1) for item in value if isinstance(item, str))
        elif isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(inner, str):
                    yield f"{name} {key}", inner, 1
                elif type(inner) is int and inner > 0:
                    yield name, key, inner
                elif isinstance(inner, dict) and key == "parts":
                    yield from ((f"{name} {key}", part, 1) for part in inner)


@functools.cache
def _tokenizer() -> "Tokenizer":
    from dsocr_jax.tokenizer import Tokenizer

    return Tokenizer.load()
