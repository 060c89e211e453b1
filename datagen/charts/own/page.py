"""A page that is laid out before it is painted: texts with their places, checked to be apart and whole."""

import cv2
import numpy as np

from datagen.charts import reasons
from datagen.charts.own.shapes import row
from datagen.charts.own.text import Ink, cap, ink, shades, turned
from datagen.charts.palettes import Colour
from datagen.charts.plan import DoesNotFitError

#: What a box belongs to; decides what an overlap is called. `MARK` boxes (markers, frames) may overlap each other.
TITLE, LEGEND, TICK, CATEGORY, VALUE, NAME, MARK = range(7)
_BLAME = {VALUE: reasons.VALUES, NAME: reasons.POINTS, CATEGORY: reasons.CATEGORIES}
#: Free pixels between two texts.
GAP = 2
#: Pixels by which a halo is wider than its text.
HALO = 2
_KERNEL = np.ones((2 * HALO + 1, 2 * HALO + 1), np.uint8)

#: mask, left, top, colour, flat ground (None if the text lies on anything), halo.
Text = tuple[np.ndarray, int, int, Colour, Colour | None, Colour | None]


class Page:
    """The texts of a picture; coordinates are pixels from the top left."""

    __slots__ = ("boxes", "groups", "height", "paper", "texts", "width")

    def __init__(self, width: int, height: int, paper: Colour) -> None:
        self.width, self.height, self.paper = width, height, paper
        self.texts: list[Text] = []
        self.boxes: list[tuple[int, int, int, int]] = []
        self.groups: list[int] = []

    def level(
        self,
        x: float,
        y: float,
        text: str,
        font: tuple[str, int],
        colour: Colour,
        across: float,
        down: str,
        group: int,
        *,
        on_paper: bool = True,
        halo: Colour | None = None,
    ) -> tuple[int, int, int, int]:
        """Place a level text and return its box.

        Args:
            x, y: where its anchor is.
            text: one line.
            font: face and size.
            colour: of the ink.
            across: 0 if ``x`` is its left end, 0.5 its middle, 1 its right end.
            down: what ``y`` is: "t" the tops of its capitals, "m" the middle of them, "b" the baseline.
            group: `TITLE` and so on.
            on_paper: whether nothing but the page's colour is below it.
            halo: a colour to draw around the letters.
        """
        mask, width, height, base = ink(font[0], font[1], text)
        left = round(x - across * width)
        if down == "b":
            top = round(y) - base
        else:
            tall = cap(font[0], font[1])
            top = round(y + (tall if down == "t" else tall / 2)) - base
        box = (left, top, left + width, top + height)
        self.texts.append((mask, left, top, colour, self.paper if on_paper else None, halo))
        self.boxes.append(box)
        self.groups.append(group)
        return box

    def turned(
        self, x: float, y: float, text: str, font: tuple[str, int], colour: Colour, angle: int, group: int,
        across: float = 0.5, down: float = 0.5, *, on_paper: bool = True,
    ) -> tuple[int, int, int, int]:  # fmt: skip
        """Place a text turned by ``angle`` degrees; so much of it is left of and above (x, y) as the shares say.

        The boxes of slanted texts are not checked against others (they overlap though the texts do not), only against
        the page: whoever slants texts makes room for them.
        """
        mask, width, height, _ = turned(font[0], font[1], text, angle)
        left, top = round(x - across * width), round(y - down * height)
        box = (left, top, left + width, top + height)
        flat = self.paper if on_paper and angle == 90 else None
        self.texts.append((mask, left, top, colour, flat, None))
        if angle == 90:
            self.boxes.append(box)
            self.groups.append(group)
        elif left < 1 or top < 1 or left + width > self.width - 1 or top + height > self.height - 1:
            raise DoesNotFitError(reasons.LEAVES)
        return box

    def check(self) -> None:
        """Raise `DoesNotFitError` if a text leaves the page or comes too near to another one."""
        right, bottom = self.width - 1, self.height - 1
        for box in self.boxes:
            if box[0] < 1 or box[1] < 1 or box[2] > right or box[3] > bottom:
                raise DoesNotFitError(reasons.LEAVES)
        # From left to right: only boxes that begin before another one ends can touch it.
        ordered = sorted(zip(self.boxes, self.groups, strict=True))
        open_boxes: list[tuple[tuple[int, int, int, int], int]] = []
        for item in ordered:
            (left, top, _, bottom), group = item
            left -= GAP
            kept = []
            for one in open_boxes:
                box = one[0]
                if box[2] > left:
                    kept.append(one)
                    if box[1] < bottom + 1 and top < box[3] + 1 and (group != MARK or one[1] != MARK):
                        pair = (group, one[1])
                        raise DoesNotFitError(next((why for at, why in _BLAME.items() if at in pair), reasons.OVERLAP))
            kept.append(item)
            open_boxes = kept

    def paint(self, canvas: np.ndarray) -> None:
        """Draw the texts."""
        for mask, left, top, colour, ground, halo in self.texts:
            height, width = mask.shape
            region = canvas[top : top + height, left : left + width]
            if ground is not None:
                cv2.applyColorMap(mask, shades(colour, ground), region)
                continue
            if halo is not None:
                _halo(canvas, mask, left, top, halo)
            blend(region, mask, colour)


def blend(region: np.ndarray, mask: np.ndarray, colour: Colour) -> None:
    """Draw ``colour`` through a mask onto any ground."""
    share = mask.astype(np.float32)
    share *= 1 / 255
    flat = np.empty((*mask.shape, 3), np.uint8)
    flat[:] = row(colour)[: mask.shape[1]]
    region[:] = cv2.blendLinear(flat, region, share, 1 - share)


def _halo(canvas: np.ndarray, mask: np.ndarray, left: int, top: int, colour: Colour) -> None:
    wide = cv2.dilate(cv2.copyMakeBorder(mask, HALO, HALO, HALO, HALO, cv2.BORDER_CONSTANT, value=0), _KERNEL)
    y, x = max(0, top - HALO), max(0, left - HALO)
    region = canvas[y : top + mask.shape[0] + HALO, x : left + mask.shape[1] + HALO]
    wide = wide[y - top + HALO :, x - left + HALO :][: region.shape[0], : region.shape[1]]
    blend(region, np.ascontiguousarray(wide), colour)


__all__ = ["CATEGORY", "LEGEND", "MARK", "NAME", "TICK", "TITLE", "VALUE", "Ink", "Page", "blend"]
