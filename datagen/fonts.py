"""The fonts that every installation has: the DejaVu, STIX and Computer Modern files that matplotlib ships.

They are found as files, without importing matplotlib, and drawn by Pillow with its basic layout engine (one glyph
after another with kerning): quick, and the same on machines with and without Raqm.
"""

import functools
import importlib.util
import string
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageFont

from dsocr_jax.errors import UserError

#: No font has a glyph for a noncharacter, so this draws the font's replacement box ("tofu").
_NO_CHARACTER = "\U0010fffe"

#: What the Computer Modern files draw as typed. The rest of their ASCII follows an old TeX encoding
#: (``<`` draws an inverted exclamation mark), and a straight apostrophe comes out curly.
_COMPUTER_MODERN = frozenset(string.ascii_letters + string.digits + " .,:;!?()[]/+=*&%#@-")

#: Blank in every font, whether or not there is a glyph: whoever sets text moves the pen.
_BLANK = frozenset(" \n\u00a0")


@dataclass(frozen=True)
class Face:
    """One font file: its name (the file's stem), and what it looks like ("sans", "serif" or "mono")."""

    name: str
    kind: str
    bold: bool = False
    italic: bool = False


_FACES = {
    face.name: face
    for face in (
        Face("DejaVuSans", "sans"),
        Face("DejaVuSans-Bold", "sans", bold=True),
        Face("DejaVuSans-Oblique", "sans", italic=True),
        Face("DejaVuSans-BoldOblique", "sans", bold=True, italic=True),
        Face("cmss10", "sans"),
        Face("DejaVuSerif", "serif"),
        Face("DejaVuSerif-Bold", "serif", bold=True),
        Face("DejaVuSerif-Italic", "serif", italic=True),
        Face("DejaVuSerif-BoldItalic", "serif", bold=True, italic=True),
        Face("STIXGeneral", "serif"),
        Face("STIXGeneralBol", "serif", bold=True),
        Face("STIXGeneralItalic", "serif", italic=True),
        Face("STIXGeneralBolIta", "serif", bold=True, italic=True),
        Face("cmr10", "serif"),
        Face("cmb10", "serif", bold=True),
        Face("DejaVuSansMono", "mono"),
        Face("DejaVuSansMono-Bold", "mono", bold=True),
        Face("DejaVuSansMono-Oblique", "mono", italic=True),
        Face("DejaVuSansMono-BoldOblique", "mono", bold=True, italic=True),
        Face("cmtt10", "mono"),
    )
}

#: The kinds that `names` knows.
KINDS = ("sans", "serif", "mono", "all")


def names(kind: str = "all", *, bold: bool | None = None, italic: bool | None = None) -> tuple[str, ...]:
    """Return the names of the faces of one kind ("sans", "serif", "mono" or "all"), always in the same order.

    Args:
        kind: one of `KINDS`.
        bold: only bold faces (True), only others (False), or both (None).
        italic: likewise for italic and oblique faces.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}, not {kind!r}")
    return tuple(
        face.name
        for face in _FACES.values()
        if kind in ("all", face.kind) and bold in (None, face.bold) and italic in (None, face.italic)
    )


def face(name: str) -> Face:
    """Return what is known about the face called ``name``; KeyError for an unknown name."""
    return _FACES[name]


@functools.cache
def directory() -> Path:
    """Return the folder that holds matplotlib's TrueType files."""
    spec = importlib.util.find_spec("matplotlib")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place, "mpl-data", "fonts", "ttf")
        if folder.is_dir():
            return folder
    raise UserError("the fonts come with matplotlib, which is not installed whole; run `pip install -U matplotlib`.")


def path(name: str) -> Path:
    """Return the file of the face called ``name``."""
    return directory() / f"{face(name).name}.ttf"


@functools.lru_cache(maxsize=512)
def load(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Return the face called ``name`` at ``size`` pixels per em, ready to draw with; the last 512 are kept."""
    file = path(name)
    try:
        return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise UserError(f"cannot read the font {file} ({error}); run `pip install -U matplotlib`.") from None


def covers(name: str, text: str) -> bool:
    """Tell whether the face called ``name`` draws every character of ``text`` as what it is."""
    drawn = _drawn(name)
    for character in set(text) - drawn:
        if not _draws(name, character):
            return False
        drawn.add(character)
    return True


@functools.cache
def _drawn(name: str) -> set[str]:
    """Return the characters that a face is known to draw; `covers` adds to them."""
    return set(_BLANK)


def _draws(name: str, character: str) -> bool:
    if name.startswith("cm"):
        return character in _COMPUTER_MODERN
    font = load(name, 32)
    glyph, box = font.getmask(character), font.getmask(_NO_CHARACTER)
    return (glyph.size, bytes(glyph)) != (box.size, bytes(box))
