"""Letters and short texts as ink, drawn once for each face and size and kept."""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from datagen import fonts

#: Drawn texts that are kept, the last ones used; one takes about 1 kB.
KEPT = 16384
#: Draws what a face does not have (degrees, primes, Greek letters in Computer Modern).
SUBSTITUTE = "STIXGeneral"
#: Size of indices, and how far below the letter's line they stand, in ems of the letter.
INDEX_SIZE, INDEX_DROP = 0.66, 0.2
#: How much around a text must stay clear, in ems.
CLEAR = 0.1
PRIME = "\u2032"


@dataclass(frozen=True, eq=False)
class Glyph:
    """A drawn text.

    Attributes:
        ink: uint8 ``[height, width]``, cropped to the text.
        clear: uint8 ``[height + 2 pad, width + 2 pad]``, not 0 where nothing else may be drawn.
        pad: pixels around the text that must stay clear.
    """

    ink: np.ndarray
    clear: np.ndarray
    pad: int


@functools.lru_cache(KEPT)
def glyph(text: str, font: str, size: int) -> Glyph:
    """Return ``text`` drawn with the face ``font`` at ``size`` pixels per em; a digit after a letter is an index."""
    image = Image.new("L", (size * (len(text) + 2), size * 3))
    draw = ImageDraw.Draw(image)
    x = float(size)
    for (face, index), run in itertools.groupby(_characters(text, font), key=lambda item: item[:2]):
        written = "".join(character for _, _, character in run)
        drawn = fonts.load(face, max(8, round(size * INDEX_SIZE)) if index else size)
        draw.text((x, 2 * size + (size * INDEX_DROP if index else 0)), written, 255, drawn, anchor="ls")
        x += drawn.getlength(written)
    box = image.getbbox()
    if box is None:
        raise ValueError(f"nothing is drawn for {text!r}")
    ink = np.asarray(image.crop(box))
    pad = max(1, round(size * CLEAR))
    side = 2 * pad + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    clear = cv2.dilate(cv2.copyMakeBorder(ink, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0), kernel)
    return Glyph(ink, (clear > 64).astype(np.uint8) * 255, pad)


def _characters(text: str, font: str) -> Iterator[tuple[str, bool, str]]:
    """Yield the characters to draw, each with its face and whether it is an index."""
    for number, character in enumerate(text):
        written = PRIME if character == "'" else character
        index = number > 0 and character.isdigit() and text[0].isalpha()
        yield font if fonts.covers(font, written) else SUBSTITUTE, index, written


def is_free(taken: np.ndarray, drawn: Glyph, left: int, top: int) -> bool:
    """Tell whether a text fits with its upper left corner there: in the picture, and clear of all ink in ``taken``."""
    height, width = drawn.clear.shape
    left, top = left - drawn.pad, top - drawn.pad
    if left < 0 or top < 0 or left + width > taken.shape[1] or top + height > taken.shape[0]:
        return False
    return not cv2.countNonZero(cv2.bitwise_and(taken[top : top + height, left : left + width], drawn.clear))


def put(ink: np.ndarray, drawn: Glyph, left: int, top: int) -> tuple[int, int, int, int]:
    """Draw a text; return its box (left, top, right, bottom)."""
    height, width = drawn.ink.shape
    region = ink[top : top + height, left : left + width]
    cv2.max(region, drawn.ink, region)
    return left, top, left + width, top + height
