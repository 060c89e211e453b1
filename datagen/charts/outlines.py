"""Outlines of glyphs, for renderers that draw text as shapes.

matplotlib and resvg open font files but take neither a weight of a variable font nor a face of a collection on every
version that we support, so the shapes of `datagen.fonts`' faces are read here, by fontTools. Glyphs are set one after
the other without kerning, which is how the scripts that charts are written in are set.
"""

import functools
import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from datagen import fonts
from datagen.charts import reasons
from datagen.charts.plan import DoesNotFitError

#: How many glyphs and how many open font files are kept; a file of Noto Sans CJK takes 75 MB.
GLYPHS, FILES = 16384, 6

#: Drawing commands, numbered as in matplotlib's paths.
MOVE, LINE, QUADRATIC, CUBIC, CLOSE = 1, 2, 3, 4, 79
_LETTERS = {LINE: "l", QUADRATIC: "q", CUBIC: "c"}


class Glyph(NamedTuple):
    """A glyph, in ems, upwards from the baseline.

    Attributes:
        points: float64 ``[n, 2]``, control points included.
        codes: uint8 ``[n]``: for each point the command that it belongs to.
        path: the same as SVG path data, relative to the pen, in thousandths of an em, downwards.
        advance: how far the pen moves.
    """

    points: np.ndarray
    codes: np.ndarray
    path: str
    advance: float


@functools.lru_cache(maxsize=GLYPHS)
def glyph(face: str, character: str) -> Glyph:
    """Return the glyph of a character.

    Raises:
        DoesNotFitError: the face does not draw it.
    """
    if not fonts.covers(face, character):
        raise DoesNotFitError(reasons.UNDRAWABLE)
    font, characters, glyphs = _open(face)
    # A no-break space is blank in every face, whether or not it has a glyph.
    name = characters.get(ord(character), characters.get(0x20))
    shape = glyphs[name]
    pen = _pen_type()(glyphs)
    shape.draw(pen)
    scale = 1 / font["head"].unitsPerEm
    points = np.array(pen.points, float).reshape(-1, 2) * scale
    codes = np.array(pen.codes, np.uint8)
    return Glyph(points, codes, _svg(points, codes), shape.width * scale)


@functools.lru_cache(maxsize=8192)
def width(face: str, text: str) -> float:
    """Return the width of a level text in ems."""
    return sum(glyph(face, character).advance for character in text)


@functools.lru_cache(maxsize=256)
def capital(face: str) -> float:
    """Return the height of a capital letter in ems."""
    return float(glyph(face, "H").points[:, 1].max())


@functools.lru_cache(maxsize=256)
def line(face: str) -> tuple[float, float]:
    """Return how far a face's lines reach above and below the baseline, in ems (both positive)."""
    font = _open(face)[0]
    scale = 1 / font["head"].unitsPerEm
    return font["hhea"].ascent * scale, -font["hhea"].descent * scale


@functools.lru_cache(maxsize=2048)
def svg(face: str, text: str) -> str:
    """Return a level text as SVG path data, in thousandths of an em, downwards from the baseline's start."""
    parts, pen = [], 0.0
    for character in text:
        shape = glyph(face, character)
        if shape.path:
            parts.append(f"M{1000 * pen:.0f} 0{shape.path}")
        pen += shape.advance
    return "".join(parts)


def _svg(points: np.ndarray, codes: np.ndarray) -> str:
    places = np.rint(points * (1000, -1000)).astype(int).tolist()
    parts: list[str] = []
    pen = start = (0, 0)
    index = 0
    while index < len(places):
        code = int(codes[index])
        if code == CLOSE:
            parts.append("z")
            pen = start
            index += 1
            continue
        count = {QUADRATIC: 2, CUBIC: 3}.get(code, 1)
        steps = " ".join(f"{x - pen[0]} {y - pen[1]}" for x, y in places[index : index + count])
        parts.append(_LETTERS.get(code, "m") + steps)
        pen = tuple(places[index + count - 1])
        if code == MOVE:
            start = pen
        index += count
    return "".join(parts)


@functools.lru_cache(maxsize=64)
def _open(face: str) -> tuple[Any, dict[int, str], Any]:
    """Return a face's font, glyph names by code point, and glyphs at its weight."""
    known = fonts.face(face)
    font, characters = _file(fonts.path(face), known.index)
    return font, characters, font.getGlyphSet(location=None if known.weight is None else {"wght": known.weight})


@functools.lru_cache(maxsize=FILES)
def _file(file: Path, index: int) -> tuple[Any, dict[int, str]]:
    from fontTools.ttLib import TTFont

    # The Computer Modern files have no sensible date, which does not matter here.
    logging.getLogger("fontTools.ttLib.tables._h_e_a_d").setLevel(logging.ERROR)
    font = TTFont(file, fontNumber=index, lazy=True)
    if "cmap" not in font or (characters := font.getBestCmap()) is None:
        # Old symbol fonts (Computer Modern): their codes are those of ASCII, in a table of another kind.
        characters = {code & 0xFF: name for table in font["cmap"].tables for code, name in table.cmap.items()}
    return font, characters


@functools.cache
def _pen_type() -> type:
    from fontTools.pens.basePen import BasePen

    class Pen(BasePen):
        """Collects absolute points and commands."""

        def __init__(self, glyphs: Any) -> None:
            super().__init__(glyphs)
            self.points: list[tuple[float, float]] = []
            self.codes: list[int] = []

        def _add(self, code: int, *points: tuple[float, float]) -> None:
            self.points += points
            self.codes += [code] * len(points)

        def _moveTo(self, pt: tuple[float, float]) -> None:
            self._add(MOVE, pt)

        def _lineTo(self, pt: tuple[float, float]) -> None:
            self._add(LINE, pt)

        def _curveToOne(self, *points: tuple[float, float]) -> None:
            self._add(CUBIC, *points)

        def _qCurveToOne(self, *points: tuple[float, float]) -> None:
            self._add(QUADRATIC, *points)

        def _closePath(self) -> None:
            self._add(CLOSE, self.points[-1])

    return Pen
