"""The ink of texts: masks put together from cached glyphs, because drawing a string afresh is what costs most.

Simple scripts (Latin, Greek, Cyrillic, Chinese, Japanese, Korean and the like) are set glyph by glyph without kerning;
every other text is shaped and drawn as a whole by the font's own layout engine.
"""

import functools
import math
import re
from typing import NamedTuple

import cv2
import numpy as np

from datagen import fonts
from datagen.charts import reasons
from datagen.charts.plan import DoesNotFitError

#: How many strings, turned strings, fonts' glyph tables are kept.
STRINGS, TURNED, TABLES = 8192, 2048, 512
#: Glyphs kept for one face at one size; the table starts afresh when it is full.
MAX_GLYPHS = 4096
#: Widest and highest text, in pixels: what is longer has no room on any page.
MAX_WIDTH = 4000


class Ink(NamedTuple):
    """A text's mask (uint8 ``[height, width]``, 255 is ink), its size, and its rows above the baseline."""

    mask: np.ndarray
    width: int
    height: int
    base: int


#: A glyph: its ink column by column (as bytes, each column as high as the face's lines), its rows of ink, its width.
Glyph = tuple[bytes, int, int, int]


class _Widths(dict[str, int]):
    """The widths of the glyphs of a table."""

    def __init__(self, table: "_Table") -> None:
        super().__init__()
        self.table = table

    def __missing__(self, character: str) -> int:
        self[character] = width = self.table[character][3]
        return width


class _Table(dict[str, Glyph]):
    """The glyphs of one face at one size by character, drawn when they are first asked for."""

    def __init__(self, face: str, size: int) -> None:
        super().__init__()
        self.face, self.font = face, fonts.load(face, size)
        self.widths = _Widths(self)
        above, below = self.font.getmetrics()
        self.above, self.height = above + 1, above + below + 2

    def __missing__(self, character: str) -> Glyph:
        if not fonts.covers(self.face, character):
            raise DoesNotFitError(reasons.UNDRAWABLE)
        if len(self) >= MAX_GLYPHS:
            self.clear()
            self.widths.clear()
        mask, (left, top) = _drawn(self.font, character)
        # What reaches beyond its advance (the hook of a J) is pulled in, and the column widened if it must be.
        width = max(1, round(self.font.getlength(character)), mask.shape[1])
        left = max(0, min(left, width - mask.shape[1]))
        columns = np.zeros((self.height, width), np.uint8)
        first = max(0, self.above + top)
        mask = mask[: self.height - first]
        columns[first : first + mask.shape[0], left : left + mask.shape[1]] = mask
        top, bottom = (first, first + mask.shape[0]) if mask.size else (self.height, 0)
        self[character] = glyph = (columns.T.tobytes(), top, bottom, width)
        return glyph


@functools.lru_cache(maxsize=TABLES)
def _table(face: str, size: int) -> _Table:
    return _Table(face, size)


def _drawn(font: object, text: str) -> tuple[np.ndarray, tuple[int, int]]:
    """Return the ink of ``text`` and where its top left is, from the start of its baseline."""
    core, offset = font.getmask2(text, mode="L", anchor="ls")  # type: ignore[attr-defined]
    width, height = core.size
    mask = (
        np.frombuffer(bytes(core), np.uint8).reshape(height, width) if width and height else np.zeros((0, 0), np.uint8)
    )
    return mask, (int(offset[0]), int(offset[1]))


#: Texts of characters that are set by themselves, from left to right, whatever stands beside them.
_SIMPLE = re.compile(
    "["
    "\u0020-\u02ff\u0370-\u058f\u10a0-\u10ff\u1e00-\u200a\u2010-\u2027\u2030-\u205f"
    "\u2070-\u20cf\u2100-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef"
    "]*"
).fullmatch


@functools.lru_cache(maxsize=STRINGS)
def ink(face: str, size: int, text: str) -> Ink:
    """Return the ink of a level text."""
    table = _table(face, size)
    if not text:
        return Ink(np.zeros((1, 1), np.uint8), 1, 1, 1)
    if _SIMPLE(text):
        columns, tops, bottoms, _ = zip(*map(table.__getitem__, text), strict=True)
        top, bottom = min(tops), max(bottoms)
        if bottom <= top:
            top, bottom = table.above - 1, table.above
        # Joining bytes is much quicker than joining arrays.
        mask = np.frombuffer(b"".join(columns), np.uint8).reshape(-1, table.height)[:MAX_WIDTH, top:bottom].T
        return Ink(np.ascontiguousarray(mask), mask.shape[1], bottom - top, table.above - top)
    if not fonts.covers(face, text):
        raise DoesNotFitError(reasons.UNDRAWABLE)
    mask, (_, top) = _drawn(table.font, text)
    inked, across = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not inked.size:
        return Ink(np.zeros((1, 1), np.uint8), 1, 1, 1)
    top += int(inked[0])
    mask = np.ascontiguousarray(mask[inked[0] : inked[-1] + 1, across[0] : across[-1] + 1][:, :MAX_WIDTH])
    return Ink(mask, mask.shape[1], mask.shape[0], -top)


@functools.lru_cache(maxsize=STRINGS)
def measure(face: str, size: int, text: str) -> int:
    """Return the width of a level text, without its ink if that is not at hand."""
    if _SIMPLE(text):
        table = _table(face, size)
        return sum(map(table.widths.__getitem__, text))
    return ink(face, size, text).width


@functools.lru_cache(maxsize=TURNED)
def turned(face: str, size: int, text: str, angle: int) -> Ink:
    """Return the ink of a text turned by ``angle`` degrees counter-clockwise; its baseline has no meaning."""
    level = ink(face, size, text)
    if angle == 90:
        mask = np.ascontiguousarray(np.rot90(level.mask))
        return Ink(mask, mask.shape[1], mask.shape[0], 0)
    turn = math.radians(angle)
    sine, cosine = math.sin(turn), math.cos(turn)
    width = math.ceil(level.width * cosine + level.height * sine) + 2
    height = math.ceil(level.width * sine + level.height * cosine) + 2
    matrix = np.array([[cosine, sine, 1.0], [-sine, cosine, 1.0 + level.width * sine]])
    mask = cv2.warpAffine(level.mask, matrix, (width, height), flags=cv2.INTER_LINEAR)
    return Ink(mask, width, height, 0)


@functools.lru_cache(maxsize=1024)
def cap(face: str, size: int) -> int:
    """Return the height of a capital letter in pixels."""
    return ink(face, size, "H").base


@functools.lru_cache(maxsize=1024)
def shades(colour: tuple[int, int, int], ground: tuple[int, int, int]) -> np.ndarray:
    """Return the colours of ``colour`` ink on flat ``ground`` for the 256 values of a mask, uint8 ``[256, 1, 3]``."""
    share = np.arange(256, dtype=np.float32)[:, None] / 255
    mixed = np.asarray(ground, np.float32) * (1 - share) + np.asarray(colour, np.float32) * share
    return np.ascontiguousarray(np.rint(mixed).astype(np.uint8)[:, None])
