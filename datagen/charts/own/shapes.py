"""Lines, markers, polygons and patterns on a canvas (uint8 ``[height, width, 3]``), smooth and with sub-pixel places.

Coordinates are continuous: pixel 0 reaches from 0 to 1, so that its middle is at 0.5.
"""

import functools
import math
from collections.abc import Sequence

import cv2
import numpy as np

from datagen.charts.palettes import Colour

#: OpenCV takes coordinates in sixteenths of a pixel (so many bits of fraction).
_SHIFT, _SCALE = 4, 16
#: Lengths of ink and gap in line widths.
_DASHES = {"dashed": (4.0, 2.2), "dotted": (1.0, 1.8), "dashdot": (5.0, 1.8, 1.0, 1.8)}
#: Length of the rows that fillings are cut from; no page is wider.
MAX_WIDTH = 2048
#: Straight parts of a curve between two points.
CURVE = 8
Points = Sequence[tuple[float, float]] | np.ndarray


def fixed(points: Points) -> np.ndarray:
    """Return points in OpenCV's sixteenths, int32 ``[n, 1, 2]``."""
    return np.rint(np.asarray(points, np.float64) * _SCALE - _SCALE / 2).astype(np.int32).reshape(-1, 1, 2)


def rectangle(canvas: np.ndarray, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
    """Fill a rectangle; its right and bottom edges do not belong to it."""
    if right > left and bottom > top:
        canvas[top:bottom, left:right] = row(colour)[: right - left]


@functools.lru_cache(maxsize=1024)
def row(colour: Colour) -> np.ndarray:
    """Return a row of pixels of one colour, as wide as any page: copying it is the quickest way to fill."""
    return np.full((MAX_WIDTH, 3), colour, np.uint8)


def outline(canvas: np.ndarray, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
    """Draw a thin outline just within a rectangle."""
    if right > left and bottom > top:
        cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), colour, 1)


def rule(canvas: np.ndarray, x1: int, y1: int, x2: int, y2: int, colour: Colour, dash: str = "solid") -> None:
    """Draw a horizontal or vertical line, one pixel wide, both ends included."""
    if dash == "solid":
        cv2.line(canvas, (x1, y1), (x2, y2), colour, 1)
        return
    on, off = (5, 4) if dash == "dashed" else (1, 3) if dash == "dotted" else (6, 3)
    strip = canvas[y1, x1 : x2 + 1] if y1 == y2 else canvas[y1 : y2 + 1, x1]
    for start in range(on):
        strip[start :: on + off] = colour


def stroke(canvas: np.ndarray, points: Points, colour: Colour, width: float, dash: str = "solid") -> None:
    """Draw a smooth line through points."""
    thick = max(1, round(width))
    if dash == "solid":
        cv2.polylines(canvas, [fixed(points)], False, colour, thick, cv2.LINE_AA, _SHIFT)
        return
    pieces = _dashed(np.asarray(points, np.float64), [max(length * thick, 1.5) for length in _DASHES[dash]])
    cv2.polylines(canvas, pieces, False, colour, thick, cv2.LINE_AA, _SHIFT)


def _dashed(points: np.ndarray, pattern: list[float]) -> list[np.ndarray]:
    lengths = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    starts = np.arange(0.0, along[-1], sum(pattern))
    pieces = []
    offset = 0.0
    for on, off in zip(pattern[::2], pattern[1::2], strict=True):
        begin = starts + offset
        begin = begin[begin < along[-1]]
        ends = np.minimum(begin + on, along[-1])
        places = np.stack([begin, (begin + ends) / 2, ends], 1)
        xy = np.stack([np.interp(places, along, points[:, 0]), np.interp(places, along, points[:, 1])], -1)
        pieces += list(np.rint(xy * _SCALE - _SCALE / 2).astype(np.int32)[:, :, None, :])
        offset += on + off
    return pieces


def curve(points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return points of a curve through ``points`` that never swings beyond them (monotone cubic between neighbours)."""
    xy = np.asarray(points, np.float64)
    if len(xy) < 3:
        return xy
    x, y = xy[:, 0], xy[:, 1]
    wide = np.diff(x)
    slope = np.diff(y) / wide
    inner = np.where(slope[1:] * slope[:-1] > 0, 2 * slope[1:] * slope[:-1] / (slope[1:] + slope[:-1] + 1e-12), 0.0)
    tangent = np.concatenate([[slope[0]], inner, [slope[-1]]])
    t = np.linspace(0, 1, CURVE, endpoint=False)[:, None]
    h00, h10 = (1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2
    h01, h11 = t * t * (3 - 2 * t), t * t * (t - 1)
    ys = h00 * y[:-1] + h10 * wide * tangent[:-1] + h01 * y[1:] + h11 * wide * tangent[1:]
    xs = x[:-1] + t * wide
    return np.concatenate([np.stack([xs.T.ravel(), ys.T.ravel()], 1), xy[-1:]])


def polygon(canvas: np.ndarray, points: Points, colour: Colour) -> None:
    """Fill a polygon."""
    cv2.fillPoly(canvas, [fixed(points)], colour, cv2.LINE_AA, _SHIFT)


def sheer_polygon(canvas: np.ndarray, points: Points, colour: Colour, alpha: float) -> None:
    """Fill a polygon with see-through colour."""
    if alpha >= 1:
        polygon(canvas, points, colour)
        return
    xy = np.asarray(points, np.float64)
    left, top = (int(edge) - 1 for edge in xy.min(0))
    right, bottom = (int(edge) + 2 for edge in xy.max(0))
    left, top = max(0, left), max(0, top)
    region = canvas[top:bottom, left:right]
    over = region.copy()
    cv2.fillPoly(over, [fixed(xy - (left, top))], colour, cv2.LINE_AA, _SHIFT)
    cv2.addWeighted(over, alpha, region, 1 - alpha, 0, region)


def disc(canvas: np.ndarray, x: float, y: float, radius: float, colour: Colour) -> None:
    """Fill a circle."""
    centre = round((x - 0.5) * _SCALE), round((y - 0.5) * _SCALE)
    cv2.circle(canvas, centre, round(radius * _SCALE), colour, -1, cv2.LINE_AA, _SHIFT)


_SHAPES = {
    "square": ((-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)),
    "diamond": ((0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)),
    "triangle": ((0.0, -1.2), (1.15, 0.9), (-1.15, 0.9)),
    "down": ((0.0, 1.2), (1.15, -0.9), (-1.15, -0.9)),
}
_CROSSES = {
    "cross": ((-0.85, -0.85, 0.85, 0.85), (-0.85, 0.85, 0.85, -0.85)),
    "plus": ((-1.1, 0, 1.1, 0), (0, -1.1, 0, 1.1)),
}


def marker(
    canvas: np.ndarray, x: float, y: float, shape: str, radius: float, colour: Colour, inside: Colour | None
) -> None:
    """Draw a marker; ``inside`` makes it hollow."""
    if shape in _CROSSES:
        for x1, y1, x2, y2 in _CROSSES[shape]:
            ends = ((x + x1 * radius, y + y1 * radius), (x + x2 * radius, y + y2 * radius))
            stroke(canvas, ends, colour, max(1.0, radius / 2))
        return
    for fill, size in ((colour, radius), (inside, radius - max(1.2, radius * 0.35))):
        if fill is None:
            continue
        if shape == "circle":
            disc(canvas, x, y, size, fill)
        else:
            points = np.array([(x + a * size, y + b * size) for a, b in _SHAPES[shape]])
            cv2.fillConvexPoly(canvas, fixed(points), fill, cv2.LINE_AA, _SHIFT)


def wedge(x: float, y: float, radius: float, start: float, end: float) -> np.ndarray:
    """Return the outline of a slice between two angles (degrees clockwise from the top)."""
    steps = max(2, math.ceil(abs(end - start) * radius / 120))
    turns = np.radians(np.linspace(start, end, steps + 1) - 90)
    arc = np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], 1)
    return np.concatenate([arc, [(x, y)]])


@functools.lru_cache(maxsize=256)
def _pattern(hatch: str, size: int) -> np.ndarray:
    """Return a tile of hatching, 255 where there is ink."""
    step = max(6, size // 2)
    # Drawn over three tiles, so that the middle one continues at its edges.
    tile = np.zeros((3 * step, 3 * step), np.uint8)
    for start in range(-3 * step, 6 * step, step):
        if hatch in "/x":
            cv2.line(tile, (start, 3 * step), (start + 3 * step, 0), 255, 1, cv2.LINE_AA)
        if hatch in "\\x":
            cv2.line(tile, (start, 0), (start + 3 * step, 3 * step), 255, 1, cv2.LINE_AA)
    if hatch == "-":
        tile[step // 2 :: step] = 255
    if hatch == "|":
        tile[:, step // 2 :: step] = 255
    if hatch == ".":
        cv2.circle(tile, (step + step // 2, step + step // 2), 1, 255, -1, cv2.LINE_AA)
    return np.ascontiguousarray(tile[step : 2 * step, step : 2 * step])


def hatch(canvas: np.ndarray, box: tuple[int, int, int, int], kind: str, size: int, colour: Colour) -> None:
    """Draw hatching over a rectangle."""
    from datagen.charts.own.page import blend

    left, top, right, bottom = box
    if right > left and bottom > top:
        tile = _pattern(kind, size)
        height, width = bottom - top, right - left
        mask = np.tile(tile, (height // len(tile) + 1, width // len(tile) + 1))[:height, :width]
        blend(canvas[top:bottom, left:right], mask, colour)
