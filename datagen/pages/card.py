"""The easy level: a few words in large type on one or two lines of a small picture."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from datagen import fonts
from datagen.family import Drawn, Rejected
from datagen.pages.settings import Settings
from datagen.pages.text import Text
from datagen.pages.words import Dice
from dsocr_jax.answers.text import write_page

#: Free space at each edge, in pixels.
_MARGIN = 7

#: From baseline to baseline, in em.
_LEADING = 1.2

#: Faces that are tried before the words are given up.
_TRIES = 4


def render(content: Text, dice: Dice, settings: Settings) -> Drawn:
    """Draw the words of ``content`` in the largest or a smaller size that fits, somewhere in the picture."""
    words = content.blocks[0].words
    width = settings.width[0] + dice.below(settings.width[1] - settings.width[0] + 1)
    height = round(width * dice.between(*settings.aspect))
    name, lines, largest = _fit(words, dice, settings, (width - 2 * _MARGIN, height - 2 * _MARGIN))
    size = settings.size[0] + dice.below(largest - settings.size[0] + 1)
    font = fonts.load(name, size)
    boxes = [_box(font, line) for line in lines]
    span = max(box[2] - box[0] for box in boxes)
    leading = round(_LEADING * size)
    top, bottom = -boxes[0][1], boxes[-1][3] + leading * (len(lines) - 1)
    left = _MARGIN + dice.below(width - 2 * _MARGIN - span + 1)
    baseline = _MARGIN + top + dice.below(height - 2 * _MARGIN - top - bottom + 1)
    paper, black = (255, 0) if dice.chance(0.3) else (205 + dice.below(51), dice.below(90))
    picture = Image.new("L", (width, height), paper)
    draw = ImageDraw.Draw(picture)
    centred = dice.chance(0.5)
    for place, (line, box) in enumerate(zip(lines, boxes, strict=True)):
        x = left - box[0] + ((span - (box[2] - box[0])) // 2 if centred else 0)
        draw.text((x, baseline + place * leading), line, fill=black, font=font, anchor="ls")
    label = write_page([" ".join(words)])
    meta = {"words": len(words), "characters": len(label), "font": name, "size": size, "lines": len(lines)}
    return Drawn(np.asarray(picture), label, meta | {"language": "en", "script": "Latn", "direction": "ltr"})


def _fit(words: tuple[str, ...], dice: Dice, settings: Settings, room: tuple[int, int]) -> tuple[str, list[str], int]:
    """Choose a face and a line break with which the words fit; returns them and the largest size that fits."""
    low, high = settings.size
    first = dice.below(len(words))  # words on the first of two lines; 0 for a single line
    for name in [dice.pick(settings.faces) for _ in range(_TRIES)]:
        font = fonts.load(name, high)
        for turn in range(len(words)):
            broken = (first + turn) % len(words)
            lines = [" ".join(part) for part in (words[:broken], words[broken:]) if part]
            boxes = [_box(font, line) for line in lines]
            wide = max(box[2] - box[0] for box in boxes)
            tall = boxes[-1][3] - boxes[0][1] + _LEADING * high * (len(lines) - 1)
            # One part in thirty is left for rounding: smaller type is not exactly as wide.
            largest = min(high, int(high * 0.97 * min(room[0] / wide, room[1] / tall)))
            if largest >= low:
                return name, lines, largest
    raise Rejected("words too wide for the type")


def _box(font: ImageFont.FreeTypeFont, line: str) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) of the ink of ``line`` from the start of its baseline, in pixels."""
    left, top, right, bottom = font.getbbox(line, anchor="ls")
    return int(left), int(top), int(right), int(bottom)
