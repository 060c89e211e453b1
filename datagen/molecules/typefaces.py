"""The letters of atom labels: font files, the sizes of their glyphs, and cached masks."""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from datagen import fonts
from dsocr_jax.errors import UserError

#: Faces that RDKit ships, by their place in its package.
_RDKIT = {
    "FreeSans": ("Chem", "Draw", "FreeSans.ttf"),
    "Telex": ("Data", "Fonts", "Telex-Regular.ttf"),
    "ComicNeue-Regular": ("Data", "Fonts", "ComicNeue-Regular.ttf"),
}
#: Signs that few fonts have, or that look odd in them; they come from one font that has them all.
_SIGNS = "\u2212\u2022\u2295\u2296"
_SIGN_FONT = "DejaVuSans"
#: Size (pixels per em) at which glyphs are measured, and sizes at which they are drawn.
_REFERENCE, _DRAWN = 200, (36, 72, 144, 288)


@dataclass(frozen=True, slots=True)
class Glyph:
    """Sizes of a glyph in em: how far the pen moves, and the ink's box relative to the pen on the baseline, y down."""

    advance: float
    left: float
    top: float
    right: float
    bottom: float


@functools.cache
def path(name: str) -> Path:
    """Return the file of the face called ``name``: one of RDKit's, or one of `datagen.fonts`."""
    if name not in _RDKIT:
        return fonts.path(name)
    spec = importlib.util.find_spec("rdkit")
    for place in (spec.submodule_search_locations or []) if spec else []:
        file = Path(place, *_RDKIT[name])
        if file.is_file():
            return file
    raise UserError(f"the font {name} comes with rdkit, which is not installed whole; run `pip install -U rdkit`.")


@functools.lru_cache(maxsize=256)
def load(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Return the face called ``name`` at ``size`` pixels per em."""
    if name not in _RDKIT:
        return fonts.load(name, size)
    return ImageFont.truetype(str(path(name)), size, layout_engine=ImageFont.Layout.BASIC)


@functools.cache
def glyph(name: str, character: str) -> Glyph:
    """Return the sizes of a character's glyph."""
    font = load(_face(name, character), _REFERENCE)
    left, top, right, bottom = (value / _REFERENCE for value in font.getbbox(character, anchor="ls"))
    return Glyph(font.getlength(character) / _REFERENCE, left, top, right, bottom)


@functools.lru_cache(maxsize=4096)
def mask(name: str, character: str, size: int) -> tuple[np.ndarray, int, int]:
    """Return the coverage of a glyph, uint8 ``[height, width]``, and where its top left is from the pen (x, y).

    It is reduced from one of a few pictures: pictures of molecules have letters of any size, and opening a font at each
    size takes longer than drawing the molecule.
    """
    reference = next((known for known in _DRAWN if known >= size), _DRAWN[-1])
    large, left, top = _large_mask(name, character, reference)
    factor = size / reference
    shape = max(1, round(large.shape[1] * factor)), max(1, round(large.shape[0] * factor))
    return cv2.resize(large, shape, interpolation=cv2.INTER_AREA), round(left * factor), round(top * factor)


@functools.cache
def _large_mask(name: str, character: str, size: int) -> tuple[np.ndarray, int, int]:
    font = load(_face(name, character), size)
    left, top, right, bottom = (int(value) for value in font.getbbox(character, anchor="ls"))
    image = Image.new("L", (right - left + 2, bottom - top + 2), 0)
    ImageDraw.Draw(image).text((1 - left, 1 - top), character, 255, font, anchor="ls")
    return np.array(image), left - 1, top - 1


def _face(name: str, character: str) -> str:
    return _SIGN_FONT if character in _SIGNS else name
