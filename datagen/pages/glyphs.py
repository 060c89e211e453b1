"""Drawing thousands of words quickly: every glyph is rasterised once per face and size, then only copied.

Pillow draws a page of 600 words in tens of milliseconds, because FreeType renders each letter anew. Here the non-zero
pixels of all glyphs stand in flat arrays, and one indexed copy sets all words of a page.
"""

import functools
import string
from collections.abc import Sequence

import numpy as np

from datagen import fonts

#: Every character that page text may hold, except the space.
CHARACTERS = string.ascii_letters + string.digits + string.punctuation + "“”‘’–—"


class Glyphs:
    """The glyphs of one face at one size, in pixels: how far each moves the pen, and which pixels it darkens."""

    def __init__(self, name: str, size: int) -> None:
        font = fonts.load(name, size)
        self.space = max(round(font.getlength(" ")), 2)
        self.ascent = -int(font.getbbox("Hd", anchor="ls")[1])
        self._index = np.full(max(map(ord, CHARACTERS)) + 1, -1, np.int32)
        self._index[[ord(character) for character in CHARACTERS]] = np.arange(len(CHARACTERS))
        self._advance = np.array([round(font.getlength(character)) for character in CHARACTERS], np.int64)
        rows, columns, values = [], [], []
        for character in CHARACTERS:
            mask, (left, top) = font.getmask2(character, mode="L", anchor="ls")
            raster = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1])
            row, column = np.nonzero(raster)
            rows.append(row + top)
            columns.append(column + left)
            values.append(raster[row, column])
        self._count = np.array([len(value) for value in values], np.int64)
        self._start = np.cumsum(self._count) - self._count
        self._row, self._column, self._value = map(np.concatenate, (rows, columns, values))
        #: How far the glyphs reach beyond pen and baseline: left, above, right, below.
        self.reach = tuple(
            int(np.abs(side).max(initial=0))
            for side in (self._column.clip(max=0), self._row.clip(max=0), self._column, self._row.clip(min=0))
        )

    def measure(self, words: Sequence[str]) -> np.ndarray:
        """Return the widths of ``words``, int64 ``[words]``, in pixels.

        Raises:
            ValueError: a word holds a character that is not in `CHARACTERS`.
        """
        glyphs, lengths = self._glyphs(words)
        ends = np.cumsum(np.append(0, self._advance[glyphs]))
        stops = np.cumsum(lengths)
        return ends[stops] - ends[stops - lengths]

    def draw(self, canvas: np.ndarray, words: Sequence[str], xs: np.ndarray, ys: np.ndarray) -> None:
        """Draw ``words`` onto ``canvas``.

        Args:
            canvas: uint8 ``[height, width]`` of ink: 0 is bare paper, 255 full ink. It is changed in place, and must
                be C-contiguous. Everything drawn must lie inside (see ``reach``).
            words: what to draw, without blanks.
            xs: int64 ``[words]``, where each word's pen starts.
            ys: int64 ``[words]``, its baseline.
        """
        if not words:
            return
        glyphs, lengths = self._glyphs(words)
        advances = self._advance[glyphs]
        pen = np.cumsum(advances) - advances
        first = np.cumsum(lengths) - lengths
        pen += np.repeat(xs - pen[first], lengths)
        base = np.repeat(ys, lengths) * canvas.shape[1] + pen
        offset = self._row * canvas.shape[1] + self._column
        ink = canvas.reshape(-1)
        # Neighbours may overlap (slanted letters): each half of the glyphs is free of overlaps in itself.
        for half in (slice(0, None, 2), slice(1, None, 2)):
            chosen = glyphs[half]
            counts = self._count[chosen]
            before = np.cumsum(counts) - counts
            pixel = np.arange(counts.sum()) + np.repeat(self._start[chosen] - before, counts)
            place = offset[pixel] + np.repeat(base[half], counts)
            ink[place] = np.maximum(ink[place], self._value[pixel])

    def _glyphs(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.array([len(word) for word in words], np.int64)
        codes = np.frombuffer("".join(words).encode("utf-32-le"), np.uint32)
        if codes.size and np.max(codes) >= len(self._index):
            raise ValueError(f"page text may hold only {CHARACTERS!r}")
        glyphs = self._index[codes]
        if (glyphs < 0).any():
            raise ValueError(f"page text may hold only {CHARACTERS!r}")
        return glyphs, lengths


@functools.lru_cache(maxsize=1024)
def load(name: str, size: int) -> Glyphs:
    """Return the glyphs of a face at a size; the last 1024 are kept, some 30 kB each."""
    return Glyphs(name, size)
