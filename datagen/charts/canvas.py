"""A page to draw charts on: sharp rectangles, smooth lines and slices, and text that never overlaps or is cut off."""

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from datagen import fonts

#: Lines, markers and slices are drawn this many times larger and reduced.
SUPERSAMPLE = 3
#: Widest mask that parts of a line share, in pixels.
MASK_WIDTH = 60
#: Free pixels around every text.
TEXT_GAP = 1
#: Width of the halo of texts that lie on strokes.
HALO = 2

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]
Point = tuple[float, float]


class DoesNotFitError(Exception):
    """A text would overlap another one, or leave the page."""


@dataclass(frozen=True)
class Font:
    """A face at a size (em) in pixels."""

    name: str
    size: int

    def width(self, text: str) -> int:
        """Return the width of ``text`` in pixels."""
        return _mask(self.name, self.size, text, 0)[0].width

    @property
    def cap(self) -> int:
        """The height of a capital letter in pixels."""
        return _mask(self.name, self.size, "H", 0)[0].height


@functools.lru_cache(maxsize=8192)
def _mask(name: str, size: int, text: str, angle: int) -> tuple[Image.Image, int]:
    """Return the ink of a text, cut to its edges, and how far down its baseline is (for angle 0)."""
    font = fonts.load(name, size)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text, anchor="ls"))
    mask = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(mask).text((-left, -top), text, 255, font, anchor="ls")
    ink = mask.getbbox() or (0, 0, 1, 1)
    mask, baseline = mask.crop(ink), -top - ink[1]
    if angle == 90:
        mask = mask.transpose(Image.Transpose.ROTATE_90)
    elif angle:
        mask = mask.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    return mask, baseline


@functools.lru_cache(maxsize=4096)
def _halo(name: str, size: int, text: str, angle: int) -> Image.Image:
    """Return the ink of a text, widened by `HALO` pixels on all sides."""
    mask = ImageOps.expand(_mask(name, size, text, angle)[0], HALO)
    return mask.filter(ImageFilter.MaxFilter(2 * HALO + 1))


class Canvas:
    """An RGB page; all coordinates are pixels from the top left."""

    def __init__(self, width: int, height: int, paper: Colour) -> None:
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)
        self._texts: list[Box] = []

    def array(self) -> np.ndarray:
        """Return the page as uint8 ``[height, width, 3]``."""
        return np.asarray(self.image)

    def rectangle(self, box: Box, fill: Colour | None, outline: Colour | None = None) -> None:
        """Draw a rectangle with sharp edges; its right and bottom edges do not belong to it."""
        left, top, right, bottom = (round(edge) for edge in box)
        if right > left and bottom > top:
            self.draw.rectangle((left, top, right - 1, bottom - 1), fill, outline)

    def rule(self, start: Point, end: Point, colour: Colour, width: int = 1) -> None:
        """Draw a horizontal or vertical line."""
        self.draw.line((*(round(v) for v in start), *(round(v) for v in end)), colour, width)

    def text(
        self,
        place: Point,
        text: str,
        font: Font,
        colour: Colour,
        *,
        anchor: str = "mm",
        angle: int = 0,
        halo: Colour | None = None,
    ) -> Box:
        """Draw a text and return its box.

        Args:
            place: the point that ``anchor`` says.
            text: one line.
            font: face and size.
            colour: of the letters.
            anchor: which point of the text is at ``place``: first l, m or r, then t, m or b. For level text, t and b
                are the tops of capitals and the baseline, so that texts of one row stand on one line.
            angle: 0, 90 (read upwards) or another angle in degrees.
            halo: a colour to draw around the letters, for text that lies on strokes.

        Raises:
            DoesNotFitError: the text would leave the page or overlap another text.
        """
        mask, baseline = _mask(font.name, font.size, text, angle)
        width, height = mask.size
        top_edge, bottom_edge = (baseline - font.cap, baseline) if angle == 0 else (0, height)
        across = {"l": 0.0, "m": width / 2, "r": float(width)}[anchor[0]]
        down = {"t": top_edge, "m": (top_edge + bottom_edge) / 2, "b": bottom_edge}[anchor[1]]
        left, top = round(place[0] - across), round(place[1] - down)
        box = (left, top, left + width, top + height)
        self._claim(box, slanted=angle % 90 != 0)
        if halo is not None:
            self.image.paste(halo, (left - HALO, top - HALO), _halo(font.name, font.size, text, angle))
        self.image.paste(colour, (left, top), mask)
        return box

    def _claim(self, box: Box, slanted: bool) -> None:
        left, top, right, bottom = box
        if left < 1 or top < 1 or right > self.image.width - 1 or bottom > self.image.height - 1:
            raise DoesNotFitError("text leaves the page")
        # The boxes of slanted texts overlap though the texts do not.
        if slanted:
            return
        for other in self._texts:
            apart = (
                left >= other[2] + TEXT_GAP
                or other[0] >= right + TEXT_GAP
                or top >= other[3] + TEXT_GAP
                or other[1] >= bottom + TEXT_GAP
            )
            if not apart:
                raise DoesNotFitError("texts overlap")
        self._texts.append(box)

    def strokes(self, lines: Sequence[Sequence[Point]], colour: Colour, width: float) -> None:
        """Draw smooth lines through points."""
        group: list[tuple[Point, Point]] = []
        for segment in (pair for line in lines for pair in itertools.pairwise(line)):
            # Masks of parts of a line are together much smaller than one of the whole.
            if group and abs(segment[1][0] - group[0][0][0]) > MASK_WIDTH:
                self._segments(group, colour, width)
                group = []
            group.append(segment)
        if group:
            self._segments(group, colour, width)

    def _segments(self, segments: Sequence[tuple[Point, Point]], colour: Colour, width: float) -> None:
        with _Smooth(self.image, [point for segment in segments for point in segment], width, colour) as smooth:
            thick = max(2, round(width * SUPERSAMPLE))
            for segment in segments:
                places = smooth.places(segment)
                smooth.draw.line(places, 255, thick)
                for place in places:
                    smooth.draw.circle(place, thick / 2 - 0.5, 255)

    def markers(
        self, points: Sequence[Point], shape: str, radius: float, *, colour: Colour, inside: Colour | None
    ) -> None:
        """Draw markers: "circle", "square", "diamond" or "triangle"; ``inside`` makes them hollow."""
        for fill, size in ((colour, radius), (inside, radius * 0.55)):
            if fill is not None:
                mask = _marker(shape, round(size, 1))
                for x, y in points:
                    self.image.paste(fill, (round(x - mask.width / 2), round(y - mask.height / 2)), mask)

    def slices(
        self,
        centre: Point,
        radius: float,
        angles: Sequence[float],
        *,
        colours: Sequence[Colour],
        edge: Colour,
        hole: float,
    ) -> None:
        """Draw a pie: slices clockwise between ``angles`` (degrees from the top), parted by thin lines.

        Args:
            centre: the middle of the pie.
            radius: in pixels.
            angles: one more than there are slices.
            colours: one for each slice.
            edge: the colour between slices, and of the hole.
            hole: the radius of the hole as a share of the pie's.
        """
        # Slices have rough edges; the lines between them and the smooth disc they are cut to hide that.
        x, y = round(centre[0]), round(centre[1])
        disc = _marker("circle", round(radius, 1))
        pie = Image.new("RGB", disc.size)
        draw = ImageDraw.Draw(pie)
        for (start, end), colour in zip(itertools.pairwise(angles), colours, strict=True):
            draw.pieslice((-2, -2, pie.width + 2, pie.height + 2), start - 90, end - 90, colour)
        self.image.paste(pie, (x - disc.width // 2, y - disc.height // 2), disc)
        turns = [math.radians(angle - 90) for angle in angles[:-1]]
        self.strokes([[(x, y), (x + radius * math.cos(t), y + radius * math.sin(t))] for t in turns], edge, 1.4)
        if hole:
            self.markers([(x, y)], "circle", radius * hole, colour=edge, inside=None)


@functools.lru_cache(maxsize=128)
def _marker(shape: str, radius: float) -> Image.Image:
    """Return the ink of a marker, its middle in the middle of an odd number of pixels."""
    half = math.ceil(1.3 * radius if shape != "circle" else radius) + 1
    side = (2 * half + 1) * SUPERSAMPLE
    mask = Image.new("L", (side, side))
    draw, middle, r = ImageDraw.Draw(mask), side / 2, radius * SUPERSAMPLE
    if shape == "circle":
        draw.circle((middle, middle), r, 255)
    else:
        draw.polygon([(middle + a * r, middle + b * r) for a, b in _SHAPES[shape]], 255)
    return mask.reduce(SUPERSAMPLE)


_SHAPES = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
    "triangle": ((0, -1.15), (1.1, 0.85), (-1.1, 0.85)),
}


class _Smooth:
    """Draws into an enlarged mask around some points, then pastes the colour through the reduced mask."""

    def __init__(self, image: Image.Image, points: Sequence[Point], margin: float, colour: Colour) -> None:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        pad = math.ceil(margin) + 2
        self.image, self.colour = image, colour
        self.left, self.top = math.floor(min(xs)) - pad, math.floor(min(ys)) - pad
        size = math.ceil(max(xs)) + pad - self.left, math.ceil(max(ys)) + pad - self.top
        self.mask = Image.new("L", (size[0] * SUPERSAMPLE, size[1] * SUPERSAMPLE))
        self.draw = ImageDraw.Draw(self.mask)

    def places(self, points: Sequence[Point]) -> list[Point]:
        """Return points in the enlarged mask."""
        return [((x - self.left) * SUPERSAMPLE, (y - self.top) * SUPERSAMPLE) for x, y in points]

    def __enter__(self) -> "_Smooth":
        return self

    def __exit__(self, *_: object) -> None:
        self.image.paste(self.colour, (self.left, self.top), self.mask.reduce(SUPERSAMPLE))
