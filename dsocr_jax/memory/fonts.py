"""The fonts of a memory, as installed with matplotlib and manimgx-fonts-cjk.

Pillow's basic layout sets one glyph after another, with the same result everywhere. It cannot write from right to left
or join letters, so such characters count as unknown, like those without a glyph.
"""

import functools
import importlib.util
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from dsocr_jax.errors import UserError

if TYPE_CHECKING:
    from PIL import ImageFont

#: What stands visibly in place of a character that cannot be drawn.
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
#: Faces to choose from, with their bold companions (DejaVu, Bitstream Vera licence).
FONTS = {
    "DejaVuSans": "DejaVuSans-Bold",
    "DejaVuSerif": "DejaVuSerif-Bold",
    "DejaVuSansMono": "DejaVuSansMono-Bold",
}
#: Draws what DejaVu has no glyph for, Chinese, Japanese and Korean above all (SIL Open Font License 1.1).
WIDE = "NotoSansCJK-VF"
#: In its collection: the simplified Chinese face; and the weight of regular letters.
_WIDE_INDEX, _WIDE_WEIGHT = 2, 400
_RIGHT_TO_LEFT = {"R", "AL", "AN"}
_PACKAGES = {
    "matplotlib": ("matplotlib", "mpl-data/fonts/ttf/{}.ttf"),
    "manimgx_fonts_cjk": ("manimgx-fonts-cjk", "{}.otf.ttc"),
}


@functools.cache
def font_file(face: str) -> Path:
    """Return the file of a face.

    Raises:
        UserError: the package that brings it is not installed whole.
    """
    module = "manimgx_fonts_cjk" if face == WIDE else "matplotlib"
    distribution, pattern = _PACKAGES[module]
    spec = importlib.util.find_spec(module)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (file := Path(place, pattern.format(face))).is_file():
            return file
    raise UserError(f"the font {face} comes with the package {distribution}; run `pip install -U {distribution}`")


@functools.lru_cache(maxsize=64)
def load_font(face: str, size: int) -> "ImageFont.FreeTypeFont":
    """Return a face at ``size`` pixels per em."""
    from PIL import ImageFont

    index = _WIDE_INDEX if face == WIDE else 0
    font = ImageFont.truetype(str(font_file(face)), size, index=index, layout_engine=ImageFont.Layout.BASIC)
    if face == WIDE:
        font.set_variation_by_axes([_WIDE_WEIGHT])
    return font


@functools.cache
def _glyphs(face: str) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(font_file(face), fontNumber=_WIDE_INDEX if face == WIDE else 0, lazy=True) as font:
        return frozenset(font.getBestCmap())


@functools.lru_cache(maxsize=1 << 16)
def face_for(character: str, face: str) -> str | None:
    """Return the face that draws a character: the chosen one, the wide one, or None when neither can."""
    if character == " ":
        return face
    kind = unicodedata.category(character)
    if kind[0] in "CMZ" or unicodedata.bidirectional(character) in _RIGHT_TO_LEFT:
        return None
    return next((one for one in (face, WIDE) if ord(character) in _glyphs(one)), None)
