"""Setting a page: typst lays it out as PDF, PDFium draws it, and the marks in the PDF say where every element is.

That is twice as quick as typst's own PNG, which spends its time on compressing, and gives the place of every piece of
text besides. The PDF is made as PDF/A, which typst refuses to write when a sign has no glyph: no page can show the
boxes that stand for missing ones.
"""

import ctypes
import functools
import math
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.family import Rejected
from datagen.pages.template import DECORATION, MARK, TOO_WIDE

#: What typst says when a sign has no glyph.
_NO_GLYPH = "could not be displayed with font"
#: The archival profile that forbids missing glyphs; it allows transparency, which the marks need.
_PROFILE = "a-2b"

#: Differs from paper by this much, of 255, in any colour.
_INK = 60

#: Paper darker than this has no pictures printed onto it but stuck.
_DARK = 128

#: A box as left, top, right, bottom, in pixels.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Mark:
    """A piece of an element: its number, the block it was set on, and what it drew there, if anything."""

    number: int
    block: Box
    ink: Box | None


@dataclass(frozen=True)
class Sheet:
    """A page as it was set.

    Attributes:
        image: uint8, ``[height, width]`` gray or ``[height, width, 3]`` RGB.
        boxes: number of an element → where it stands, one box for each column or block; only whole elements.
        left_out: elements that were not or not wholly on the first page; nothing of them is drawn.
    """

    image: np.ndarray
    boxes: dict[int, list[Box]]
    left_out: frozenset[int]


def typeset(
    source: str, folders: tuple[str, ...], running: frozenset[int], headings: frozenset[int], coloured: bool
) -> Sheet:
    """Set ``source`` and draw its first page; elements that do not wholly fit on it are taken away.

    Args:
        source: of typst, with marks (`datagen.pages.template`).
        folders: where fonts are.
        running: elements that stand on every page.
        headings: elements that do not stay alone when what follows them is taken away.
        coloured: whether to draw RGB.

    Raises:
        Rejected: a character has no glyph in the page's typefaces, or a formula is too wide for its column.
    """
    import pypdfium2

    document = pypdfium2.PdfDocument(compile_pdf(source, folders))
    try:
        page = document[0]
        first, objects = _marks(page)
        later: set[int] = set()
        for place in range(1, min(len(document), 4)):
            found, _ = _marks(document[place])
            later |= {mark.number for mark in found}
        later -= running | {DECORATION}
        while later and min(later) - 1 in headings:
            later.add(min(later) - 1)
        gone = frozenset(later)
        if gone:
            _remove(page, objects, gone)
        image = page.render(scale=1, grayscale=not coloured, rev_byteorder=True).to_numpy().copy()
        if coloured:
            image = np.ascontiguousarray(image[..., :3])
    finally:
        document.close()
    boxes: dict[int, list[Box]] = {}
    for mark in first:
        if mark.number != DECORATION and mark.number not in gone:
            boxes.setdefault(mark.number, []).append(mark.ink or mark.block)
    return Sheet(image, boxes, gone)


_LOCK = threading.Lock()


def compile_pdf(source: str, folders: tuple[str, ...]) -> bytes:
    """Return ``source`` as PDF.

    Raises:
        Rejected: a character has no glyph, or a formula is too wide for its column.
    """
    compiler = _compiler(folders)
    from typst import TypstError

    with _LOCK:  # one compiler serves all threads; it keeps what it has read of the fonts, and nothing else
        try:
            found = compiler.compile(source.encode(), format="pdf", pdf_tags=False, pdf_standards=_PROFILE, timestamp=0)
        except TypstError as error:
            if _NO_GLYPH in str(error):
                raise Rejected("a character without a glyph") from None
            if TOO_WIDE in str(error):
                raise Rejected(TOO_WIDE) from None
            raise
    assert isinstance(found, bytes)
    return found


def draw_text(source: str, folders: tuple[str, ...]) -> np.ndarray:
    """Return the first page of ``source``, uint8 ``[height, width, 3]``; unlike pages, with any signs as they come."""
    import pypdfium2

    with _LOCK:
        found = _compiler(folders).compile(source.encode(), format="pdf", pdf_tags=False, timestamp=0)
    document = pypdfium2.PdfDocument(found)
    try:
        image = document[0].render(scale=1, rev_byteorder=True).to_numpy()
        return np.array(image[:, :, :3])
    finally:
        document.close()


@functools.lru_cache(maxsize=4)
def _compiler(folders: tuple[str, ...]) -> Any:
    # Sets are made by a process for every processor already; typst's threads would only wait for one another.
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    import typst

    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=list(folders))
    return typst.Compiler(font_paths=fonts)


def _marks(page: Any) -> tuple[list[Mark], list[tuple[int, Any]]]:
    """Return the marks of a page, and all its objects with the numbers of the elements they belong to."""
    from pypdfium2 import raw

    height = page.get_height()
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    number = -1  # of nothing yet: the paper is drawn first
    block: Box = (0.0, 0.0, 0.0, 0.0)
    ink: Box | None = None
    marks: list[Mark] = []
    objects: list[tuple[int, Any]] = []
    for place in range(raw.FPDFPage_CountObjects(page)):
        item = raw.FPDFPage_GetObject(page, place)
        raw.FPDFPageObj_GetBounds(item, left, bottom, right, top)
        box = (left.value, height - top.value, right.value, height - bottom.value)
        if raw.FPDFPageObj_GetType(item) == raw.FPDF_PAGEOBJ_PATH:
            raw.FPDFPageObj_GetFillColor(item, red, green, blue, alpha)
            if alpha.value == 0 and red.value == MARK:
                if number >= 0:
                    marks.append(Mark(number, block, ink))
                number, block, ink = green.value * 256 + blue.value, box, None
                objects.append((number, item))
                continue
        objects.append((number, item))
        ink = box if ink is None else union(ink, box)
    if number >= 0:
        marks.append(Mark(number, block, ink))
    return marks, objects


def union(one: Box, two: Box) -> Box:
    """Return the smallest box that holds both."""
    return min(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), max(one[3], two[3])


def grow(image: np.ndarray, paper: tuple[int, int, int], boxes: dict[int, list[Box]], most: float) -> None:
    """Widen boxes to the ink that marks above and below letters have beyond their outlines as PDFium tells them.

    Args:
        image: the page.
        paper: its colour.
        boxes: number of an element → its boxes, which are changed.
        most: how far a side may move, in pixels; where ink goes on further, it belongs to something else.
    """
    reach = int(most) + 1
    for pieces in boxes.values():
        for place, box in enumerate(pieces):
            left, top = max(math.floor(box[0]), 0), max(math.floor(box[1]), 0)
            right, bottom = max(math.ceil(box[2]), 0), max(math.ceil(box[3]), 0)
            top -= _run(_lines(image[max(top - reach, 0) : top, left:right], paper, 0)[::-1], reach)
            bottom += _run(_lines(image[bottom : bottom + reach, left:right], paper, 0), reach)
            left -= _run(_lines(image[top:bottom, max(left - reach, 0) : left], paper, 1)[::-1], reach)
            right += _run(_lines(image[top:bottom, right : right + reach], paper, 1), reach)
            pieces[place] = min(box[0], left), min(box[1], top), max(box[2], right), max(box[3], bottom)


def _lines(part: np.ndarray, paper: tuple[int, int, int], axis: int) -> np.ndarray:
    """Return which rows (axis 0) or columns (axis 1) of a part hold something else than paper, bool ``[lines]``."""
    other = np.abs(part.astype(np.int16) - np.array(paper if part.ndim == 3 else paper[0], np.int16)) > _INK
    return np.asarray(np.any(other, axis=tuple(side for side in range(part.ndim) if side != axis)))


def _run(ink: np.ndarray, reach: int) -> int:
    """Return how many of the first lines have ink, or 0 if all that are within reach do."""
    free = np.flatnonzero(~ink)
    return int(free[0]) if free.size and free[0] < reach else 0


def _remove(page: Any, objects: list[tuple[int, Any]], gone: frozenset[int]) -> None:
    from pypdfium2 import raw

    for number, item in objects:
        if number in gone and raw.FPDFPage_RemoveObject(page, item):
            raw.FPDFPageObj_Destroy(item)


def paste(image: np.ndarray, pictures: Mapping[int, np.ndarray], boxes: Mapping[int, list[Box]]) -> None:
    """Print pictures onto their places in ``image``, which is changed: as if ink of both lay on one paper."""
    import cv2

    for number, picture in pictures.items():
        if number not in boxes:
            continue
        left, top, right, bottom = (round(side) for side in boxes[number][0])
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, image.shape[1]), min(bottom, image.shape[0])
        if right <= left or bottom <= top:
            continue
        small = cv2.resize(picture, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        if small.ndim == 2 and image.ndim == 3:
            small = np.repeat(small[:, :, None], 3, axis=2)
        if small.ndim == 3 and image.ndim == 2:
            small = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        part = image[top:bottom, left:right]
        # On dark paper, a slide's, pictures keep their own ground.
        part[:] = small if part.mean() < _DARK else (part.astype(np.uint16) * small // 255).astype(np.uint8)
