"""How often a set says the same thing twice: an exact count over the digests of contents, in bounded memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from datagen.shards import DIGEST_BYTES

#: Digests that are held at a time (512 MB while they are sorted); a larger set is counted in several passes.
MAX_HELD = 16_000_000

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


def count_duplicates(read: Callable[[], Iterable[bytes]], samples: int) -> Duplicates:
    """Count equal contents.

    Args:
        read: returns the digests, `DIGEST_BYTES` each, in blocks of any size; called once for every pass.
        samples: about how many digests there are, which decides the number of passes.
    """
    passes = min(max(-(-samples // MAX_HELD), 1), _PREFIXES)
    total = Duplicates()
    for number in range(passes):
        low, high = (_PREFIXES * bound // passes for bound in (number, number + 1))
        # An array a block: as Python objects digests would take four times the memory.
        held = [_within(block, low, high) for block in read()]
        total = _sum(total, _count(np.concatenate(held) if held else np.empty((0, 2), np.uint64)))
    return total


def _within(block: bytes, low: int, high: int) -> np.ndarray:
    """Return the digests whose prefix is in ``low <= prefix < high``, as uint64 ``[digests, 2]``."""
    rows = np.frombuffer(block, ">u8").reshape(-1, DIGEST_BYTES // 8).astype(np.uint64)
    prefix = rows[:, 0] >> np.uint64(48)
    return rows if (low, high) == (0, _PREFIXES) else rows[(prefix >= low) & (prefix < high)]


def _count(rows: np.ndarray) -> Duplicates:
    if not len(rows):
        return Duplicates()
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    starts = np.flatnonzero(np.r_[True, (rows[1:] != rows[:-1]).any(axis=1)])
    sizes = np.diff(np.r_[starts, len(rows)])
    return Duplicates(len(rows), len(starts), int((sizes > 1).sum()), int(sizes.max()))


def _sum(one: Duplicates, two: Duplicates) -> Duplicates:
    return Duplicates(
        one.samples + two.samples,
        one.distinct + two.distinct,
        one.repeated + two.repeated,
        max(one.most, two.most),
    )
