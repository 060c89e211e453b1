"""How often a set says the same thing twice: an exact count over the digests of contents, in bounded memory."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from datagen.shards import DIGEST_BYTES

#: Digests that are held at a time (some 700 MB while they are sorted); more are counted in several passes.
MAX_HELD = 16_000_000

#: Digests that are read at a time.
_BLOCK = 1_000_000

#: Passes are told apart by the first two bytes of a digest.
_PREFIXES = 1 << 16


@dataclass(frozen=True)
class Duplicates:
    """Of samples with equal contents.

    Attributes:
        samples: how many were looked at.
        distinct: different contents among them.
        repeated: contents that occur more than once.
        most: how often the most frequent one occurs.
    """

    samples: int = 0
    distinct: int = 0
    repeated: int = 0
    most: int = 0

    @property
    def surplus(self) -> int:
        """Samples whose content another sample has already."""
        return self.samples - self.distinct

    def __add__(self, other: "Duplicates") -> "Duplicates":
        """Return the counts of both, which share no content."""
        return Duplicates(
            self.samples + other.samples,
            self.distinct + other.distinct,
            self.repeated + other.repeated,
            max(self.most, other.most),
        )


class Digests:
    """Digests of contents, `DIGEST_BYTES` each, kept in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the object)
        self._number = 0

    def add(self, digests: bytes) -> None:
        """Keep some digests, one after another."""
        self._file.write(digests)
        self._number += len(digests) // DIGEST_BYTES

    def duplicates(self) -> Duplicates:
        """Count equal ones; the memory that it takes does not grow beyond `MAX_HELD` of them."""
        passes = min(max(-(-self._number // MAX_HELD), 1), _PREFIXES)
        total = Duplicates()
        for number in range(passes):
            low, high = (_PREFIXES * bound // passes for bound in (number, number + 1))
            total += _count(np.concatenate([np.empty((0, 2), np.uint64), *self._within(low, high)]))
        return total

    def _within(self, low: int, high: int) -> Iterator[np.ndarray]:
        """Yield the digests whose prefix is in ``low <= prefix < high``, as uint64 ``[digests, 2]``."""
        self._file.seek(0)
        while block := self._file.read(_BLOCK * DIGEST_BYTES):
            rows = np.frombuffer(block, ">u8").reshape(-1, 2).astype(np.uint64)
            prefix = rows[:, 0] >> np.uint64(48)
            yield rows[(prefix >= low) & (prefix < high)]


def _count(rows: np.ndarray) -> Duplicates:
    if not len(rows):
        return Duplicates()
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    starts = np.flatnonzero(np.r_[True, (rows[1:] != rows[:-1]).any(axis=1)])
    sizes = np.diff(np.r_[starts, len(rows)])
    return Duplicates(len(rows), len(starts), int((sizes > 1).sum()), int(sizes.max()))
