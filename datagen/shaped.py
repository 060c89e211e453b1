"""Text of any script on a picture: letters that join, stack or run from right to left, as Pillow does not set them.

typst does, with all fonts that pages have.
"""

import unicodedata

import numpy as np

from datagen.pages import typefaces
from datagen.pages.glyphs import is_simple
from datagen.pages.languages import known
from datagen.pages.rich import quote
from datagen.pages.typeset import draw_text

#: Longer texts are cut before they are set: no sheet shows so much.
_MOST_CHARACTERS = 6_000


def needs_shaping(text: str) -> bool:
    """Tell whether ``text`` has letters that change with their neighbours, or run from right to left."""
    return not all(character.isspace() or is_simple(character) for character in set(text))


def draw_lines(
    text: str, width: int, size: int, line: int, ink: tuple[int, int, int], language: str | None = None
) -> np.ndarray:
    """Return ``text`` on white paper, uint8 ``[lines x line, width, 3]``.

    Args:
        text: whose lines are broken where they are too long; at most its first thousands of characters are drawn.
        width: in pixels.
        size: of the type, pixels per em.
        line: from one line to the next, in pixels.
        ink: RGB.
        language: its tag, if it is known: some have fonts of their own.
    """
    named = known().get(language or "")
    folders = typefaces.folders(named) if named else typefaces.package_folders()
    families = (typefaces.LATIN.family, typefaces.SIGNS.family)
    lines = [
        f"#block(width: 100%, text(dir: {_direction(each)}, {quote(each)}))" if each else f"#block(height: {size}pt)"
        for each in text[:_MOST_CHARACTERS].split("\n")
    ]
    gap = line - size
    head = (
        f"#set page(width: {width}pt, height: auto, margin: (x: 0pt, top: 0pt, bottom: {gap}pt), fill: white)\n"
        f"#set text(font: ({', '.join(map(quote, families))}), size: {size}pt, fill: rgb{ink}, hyphenate: false, "
        "top-edge: 0.85em, bottom-edge: -0.15em)\n"
        f"#set par(leading: {gap}pt)\n#set block(spacing: {gap}pt)\n"
    )
    return draw_text(head + "\n".join(lines), folders)


def _direction(text: str) -> str:
    """Return the direction of the first letter that has one."""
    sides = (unicodedata.bidirectional(character) for character in text)
    return "rtl" if next((side for side in sides if side in ("L", "R", "AL")), "L") != "L" else "ltr"
