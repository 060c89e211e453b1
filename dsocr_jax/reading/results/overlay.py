"""The picture of a page with the boxes of its answer drawn over it."""

import math
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from dsocr_jax.answers.markdown import LAYOUT
from dsocr_jax.answers.understand import Region
from dsocr_jax.reading.results.lettering import clean, fitted, font_for, write

#: The drawing's longer side, in pixels: small pictures grow to the first, large ones shrink to the second.
SMALLEST, LARGEST = 1_000, 2_000
#: Boxes that are drawn; further ones would only cover the page.
MAX_BOXES = 2_000
#: Of more regions that repeat what is written, only the numbers in reading order are shown, or labels would hide it.
MAX_WORDS = 40
_MAX_LABEL_CHARS = 60

Colour = tuple[int, int, int]
#: Kind of region → colour; dark enough to be read as white text's ground, and apart from each other for most people
#: who see colours differently.
_COLOURS: dict[str, Colour] = {
    "title": (183, 28, 28),
    "sub_title": (211, 84, 0),
    "text": (21, 101, 192),
    "list": (2, 119, 138),
    "image": (46, 125, 50),
    "figure": (46, 125, 50),
    "chart": (85, 110, 20),
    "image_caption": (96, 125, 50),
    "table": (106, 27, 154),
    "table_caption": (142, 68, 173),
    "table_footnote": (142, 68, 173),
    "equation": (173, 20, 87),
    "formula": (173, 20, 87),
    "header": (97, 97, 97),
    "footer": (97, 97, 97),
    "page_number": (97, 97, 97),
}
#: For labels that are no kind, but what was read or looked for.
_WORDS: Colour = (21, 101, 192)
_OTHERS: tuple[Colour, ...] = ((93, 64, 55), (55, 71, 130), (0, 105, 92), (130, 90, 0))


def overlay(picture: Image.Image, regions: Sequence[Region]) -> Image.Image:
    """Return the picture with boxes and labels, scaled so that labels can be read at any size of the page.

    Args:
        picture: the upright page, any size and mode.
        regions: boxes of this picture; their 0..999 coordinates are used, so any scale of it will do.
    """
    scale = min(max(1.0, SMALLEST / max(picture.size)), LARGEST / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    page = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    unit = max(page.size) / 1_000
    many = sum(region.label not in LAYOUT for region in regions) > MAX_WORDS
    boxes = [
        (region, _place(region, page.size), str(number) if many and region.label not in LAYOUT else region.label)
        for number, region in enumerate(regions[:MAX_BOXES], start=1)
    ]

    tint = Image.new("RGBA", page.size)
    brush = ImageDraw.Draw(tint)
    # Large boxes first, so that small ones inside them stay visible.
    boxes.sort(key=lambda item: -(item[1][2] - item[1][0]) * (item[1][3] - item[1][1]))
    for region, box, _ in boxes:
        brush.rectangle(box, fill=(*colour(region.label), 28))
    page.paste(tint, (0, 0), tint)

    draw = ImageDraw.Draw(page)
    for region, box, _ in boxes:
        draw.rectangle(box, outline=colour(region.label), width=max(2, round(2 * unit)))
    taken = np.zeros((page.height, page.width), bool)
    for region, box, label in sorted(boxes, key=lambda item: (item[1][1], item[1][0])):
        _tag(draw, taken, label, colour(region.label), box)
    return page


def colour(label: str) -> Colour:
    """Return the colour of a label's boxes: by its kind, the same in every picture."""
    if label in _COLOURS:
        return _COLOURS[label]
    if label in LAYOUT:
        return _OTHERS[zlib.crc32(label.encode()) % len(_OTHERS)]
    return _WORDS


def _place(region: Region, size: tuple[int, int]) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (value / 999 for value in region.box)
    width, height = size[0] - 1, size[1] - 1
    return round(x1 * width), round(y1 * height), round(x2 * width), round(y2 * height)


def _tag(
    draw: ImageDraw.ImageDraw,
    taken: np.ndarray,
    label: str,
    ground: Colour,
    box: tuple[int, int, int, int],
) -> None:
    """Write a label where it covers no other label: above its box, below it, inside; else nowhere.

    ``taken``, bool [height, width] of the page, holds where labels are and takes the new one.
    """
    page = taken.shape[1], taken.shape[0]
    size = max(12, round(max(page) / 75))
    pad = size // 5
    text = clean(label, _MAX_LABEL_CHARS)
    if label not in LAYOUT:
        # What was read is on the page already, so it may not reach beyond its box.
        text = fitted(text, size, max(box[2] - box[0], 4 * size) - 2 * pad)
    if not text:
        return
    width, height = math.ceil(font_for(text, size).getlength(text)) + 2 * pad, size + 2 * pad
    left = min(box[0], max(0, page[0] - width))
    for top in (box[1] - height, box[3] + 1, box[1]):
        spot = taken[max(0, top) : top + height, left : left + width]
        if 0 <= top <= page[1] - height and not spot.any():
            spot[:] = True
            draw.rectangle((left, top, left + width, top + height), fill=ground)
            write(draw, (left + pad, top + height / 2), text, size, (255, 255, 255), "lm")
            return
