"""Who owns which page of the cache; on the host."""

from collections.abc import Sequence

import numpy as np

from dsocr_jax.reading.fused import PAGE


class PagePool:
    """Pages of the cache, given to rows as they grow; page 0 belongs to nobody.

    Args:
        size: pages in all, one more than can be given away.
        rows: number of rows.
        width: most pages of a row.
    """

    def __init__(self, size: int, rows: int, width: int):
        self.size = size + 1
        self.width = width
        self._free = list(range(size, 0, -1))
        self._owned: list[list[int]] = [[] for _ in range(rows)]
        self._table = np.zeros((rows, width), np.int32)

    @property
    def available(self) -> int:
        """Pages that can be given away in all."""
        return self.size - 1

    @property
    def free(self) -> int:
        """Pages that nobody owns."""
        return len(self._free)

    def needed(self, length: int) -> int:
        """Pages of a row of ``length`` ids."""
        return min(self.width, -(-length // PAGE))

    def grow(self, row: int, length: int) -> bool:
        """Give a row the pages for ``length`` ids; False, and nothing given, when there are too few."""
        owned = self._owned[row]
        missing = self.needed(length) - len(owned)
        if missing > len(self._free):
            return False
        for _ in range(missing):
            self._table[row, len(owned)] = page = self._free.pop()
            owned.append(page)
        return True

    def release(self, row: int) -> None:
        """Take all pages of a row back."""
        self._free += reversed(self._owned[row])
        self._owned[row] = []
        self._table[row] = 0

    def used_width(self) -> int:
        """Pages of the longest row, rounded up to a power of two, so that few shapes occur."""
        longest = max((len(owned) for owned in self._owned), default=1)
        return min(self.width, 1 << max(longest - 1, 0).bit_length())

    def table(self, rows: Sequence[int] | np.ndarray, width: int) -> np.ndarray:
        """Page numbers int32 [len(rows), width], 0 where a row has none; rows out of range have none."""
        table = np.zeros((len(rows), width), np.int32)
        for i, row in enumerate(rows):
            if row < len(self._owned):
                most = min(width, self.width)
                table[i, :most] = self._table[row, :most]
        return table
