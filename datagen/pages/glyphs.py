"""Drawing thousands of words quickly: every glyph is rasterised once per face and size, then only copied.

Pillow draws a page of 600 words in tens of milliseconds, because FreeType renders each letter anew. Here the non-zero
pixels of all glyphs stand in flat arrays, and one indexed copy sets all words of a page.
"""

import functools
import string
import unicodedata
from collections.abc import Sequence

import numpy as np

from datagen import fonts

#: The characters that every face begins with; others are added when they are first asked for.
CHARACTERS = string.ascii_letters + string.digits + string.punctuation + "“”‘’–—"


class Glyphs:
    """The glyphs of one face at one size, in pixels: how far each moves the pen, and which pixels it darkens."""

    def __init__(self, name: str, size: int) -> None:
        self._font = fonts.load(name, size)
        self.space = max(round(self._font.getlength(" ")), 2)
        self.ascent = -int(self._font.getbbox("Hd", anchor="ls")[1])
        self._index = np.full(max(map(ord, CHARACTERS)) + 1, -1, np.int32)
        self._advance, self._count = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._row, self._column, self._value = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8)
        self._add(CHARACTERS)

    def _add(self, characters: str) -> None:
        """Rasterise characters that are not there yet."""
        most = max(map(ord, characters))
        if most >= len(self._index):
            self._index = np.append(self._index, np.full(most + 1 - len(self._index), -1, np.int32))
        known = len(self._advance)
        self._index[[ord(character) for character in characters]] = known + np.arange(len(characters))
        rows, columns, values = [self._row], [self._column], [self._value]
        for character in characters:
            mask, (left, top) = self._font.getmask2(character, mode="L", anchor="ls")
            raster = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1])
            row, column = np.nonzero(raster)
            rows.append(row + top)
            columns.append(column + left)
            values.append(raster[row, column])
        advances = [round(self._font.getlength(character)) for character in characters]
        self._advance = np.append(self._advance, np.array(advances, np.int64))
        self._count = np.append(self._count, np.array([len(value) for value in values[1:]], np.int64))
        self._start = np.cumsum(self._count) - self._count
        self._row, self._column = np.concatenate(rows), np.concatenate(columns)
        self._value = np.concatenate(values)
        #: How far the glyphs reach beyond pen and baseline: left, above, right, below.
        self.reach = tuple(
            int(np.abs(side).max(initial=0))
            for side in (self._column.clip(max=0), self._row.clip(max=0), self._column, self._row.clip(min=0))
        )

    def measure(self, words: Sequence[str]) -> np.ndarray:
        """Return the widths of ``words``, int64 ``[words]``, in pixels.

        Raises:
            ValueError: a word holds a blank, or a mark that belongs to the letter before it.
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
        if codes.size and (np.max(codes) >= len(self._index) or (self._index[codes] < 0).any()):
            new = sorted({chr(code) for code in codes} - {chr(code) for code in np.flatnonzero(self._index >= 0)})
            if not all(is_simple(character) for character in new):
                raise ValueError(f"page text may hold no blanks and no combining marks, as in {''.join(new)!r}")
            self._add("".join(new))
        return self._index[codes], lengths


def is_simple(character: str) -> bool:
    """Tell whether a character stands for itself: no blank, no control, no mark on another letter."""
    return unicodedata.category(character)[0] in "LNPS" and unicodedata.bidirectional(character) not in ("R", "AL")


@functools.lru_cache(maxsize=1024)
def load(name: str, size: int) -> Glyphs:
    """Return the glyphs of a face at a size; the last 1024 are kept, some 30 kB each."""
    return Glyphs(name, size)
