"""Lines, areas and letters to pixels, by OpenCV: drawn at twice the size and reduced, so that edges are smooth."""

import functools
from dataclasses import dataclass, field

import cv2
import numpy as np

from datagen.molecules.styles import Colour
from datagen.molecules.typefaces import mask

#: How many times larger the canvas is than the picture.
SCALE = 2
#: Bits of the fraction in coordinates given to OpenCV.
SHIFT = 6
#: OpenCV's smooth edges make areas wider by about this many pixels of the canvas.
SPREAD = 1.4

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line with flat ends, or round ones; lengths in pixels of the picture."""

    x0: float
    y0: float
    x1: float
    y1: float
    width: float
    colour: Colour
    round: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A filled convex polygon."""

    points: tuple[Point, ...]
    colour: Colour


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled disc, or with a ``width`` a circle."""

    x: float
    y: float
    radius: float
    colour: Colour
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A character: the pen's place on the baseline, its size in pixels per em, and the atom whose label it is in."""

    character: str
    x: float
    y: float
    size: float
    colour: Colour
    atom: int


@dataclass
class Marks:
    """What is drawn: shapes in their order, then letters over them."""

    shapes: list[Line | Area | Disc] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)


def paint(marks: Marks, font: str, size: tuple[int, int], move: Point, paper: Colour) -> np.ndarray:
    """Return the picture of ``marks``, moved by ``move``.

    Args:
        marks: what to draw.
        font: the face of all letters.
        size: width and height in pixels.
        move: what is added to every place.
        paper: colour of the background.

    Returns:
        uint8 ``[height, width]`` if everything is gray, else ``[height, width, 3]`` RGB.
    """
    colours = {paper, *(shape.colour for shape in marks.shapes), *(letter.colour for letter in marks.letters)}
    gray = all(red == green == blue for red, green, blue in colours)
    canvas = blank(size[0] * SCALE, size[1] * SCALE, paper, gray=gray)
    _draw_shapes(canvas, marks.shapes, move)
    for letter in marks.letters:
        _write(canvas, letter, font, move, paper)
    return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)


def blank(width: int, height: int, paper: Colour, *, gray: bool) -> np.ndarray:
    """Return an empty picture, uint8 ``[height, width]`` if ``gray``, else ``[height, width, 3]``."""
    if len(set(paper)) == 1:
        return np.full((height, width) if gray else (height, width, 3), paper[0], np.uint8)
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = np.tile(np.array(paper, np.uint8), width).reshape(width, 3)  # whole rows are copied fastest
    return canvas


def _draw_shapes(canvas: np.ndarray, shapes: list[Line | Area | Disc], move: Point) -> None:
    quads = iter(_quads([shape for shape in shapes if isinstance(shape, Line)], move))
    factor = SCALE * (1 << SHIFT)
    for shape in shapes:
        if isinstance(shape, Line):
            quad = next(quads)
            cv2.fillConvexPoly(canvas, quad, shape.colour, cv2.LINE_AA, SHIFT)
            if shape.round and shape.width * SCALE > 2:
                radius = round((shape.width * SCALE - SPREAD / 2) / 2 * (1 << SHIFT))
                for x, y in ((shape.x0, shape.y0), (shape.x1, shape.y1)):
                    centre = round((x + move[0]) * factor), round((y + move[1]) * factor)
                    cv2.circle(canvas, centre, radius, shape.colour, -1, cv2.LINE_AA, SHIFT)
        elif isinstance(shape, Area):
            points = np.array([((x + move[0]) * factor, (y + move[1]) * factor) for x, y in shape.points])
            cv2.fillConvexPoly(canvas, np.rint(points).astype(np.int32), shape.colour, cv2.LINE_AA, SHIFT)
        else:
            centre = round((shape.x + move[0]) * factor), round((shape.y + move[1]) * factor)
            width = max(1, round(shape.width * SCALE)) if shape.width else -1
            spread = 0 if shape.width else SPREAD / 2 * (1 << SHIFT) / 2
            radius = max(1, round(shape.radius * factor - spread))
            cv2.circle(canvas, centre, radius, shape.colour, width, cv2.LINE_AA, SHIFT)


def _quads(lines: list[Line], move: Point) -> np.ndarray:
    """Return the corners of lines in OpenCV's fixed-point coordinates, int32 ``[lines, 4, 2]``."""
    if not lines:
        return np.zeros((0, 4, 2), np.int32)
    values = np.array([(line.x0, line.y0, line.x1, line.y1, line.width) for line in lines], float) * SCALE
    starts, ends = values[:, :2], values[:, 2:4]
    along = ends - starts
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    half = np.maximum(values[:, 4:] - SPREAD, 0.1) / 2
    across = np.stack([-along[:, 1], along[:, 0]], 1) * half
    # Edges spread at the ends too.
    starts, ends = starts + along * (SPREAD / 2), ends - along * (SPREAD / 2)
    corners = np.stack([starts + across, ends + across, ends - across, starts - across], 1)
    corners += np.array(move) * SCALE
    return np.rint(corners * (1 << SHIFT)).astype(np.int32)


def _write(canvas: np.ndarray, letter: Letter, font: str, move: Point, paper: Colour) -> None:
    size = max(4, round(letter.size * SCALE))
    patch, left, top = _patch(font, letter.character, size, letter.colour, paper, canvas.ndim == 2)
    x, y = round((letter.x + move[0]) * SCALE) + left, round((letter.y + move[1]) * SCALE) + top
    height, width = patch.shape[:2]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + width, canvas.shape[1]), min(y + height, canvas.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    region = canvas[y0:y1, x0:x1]
    # Letters stand on bare paper, or all but: the ink further from the paper wins.
    further = np.minimum if sum(paper) > 384 else np.maximum
    further(region, patch[y0 - y : y1 - y, x0 - x : x1 - x], out=region)


@functools.lru_cache(maxsize=4096)
def _patch(font: str, character: str, size: int, ink: Colour, paper: Colour, gray: bool) -> tuple[np.ndarray, int, int]:
    """Return a character in ``ink`` on ``paper``, and where its top left is from the pen."""
    cover, left, top = mask(font, character, size)
    shades = _shades(ink, paper)
    return (shades[:, 0] if gray else shades)[cover], left, top


@functools.lru_cache(maxsize=256)
def _shades(ink: Colour, paper: Colour) -> np.ndarray:
    """Return the colours from ``paper`` to ``ink``, uint8 ``[256, 3]``."""
    share = np.arange(256)[:, None]
    return ((np.array(paper) * (255 - share) + np.array(ink) * share + 127) // 255).astype(np.uint8)
