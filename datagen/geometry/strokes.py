"""Antialiased strokes as ink: 255 where a stroke is, on a uint8 array of the picture's size."""

import cmath
import functools
import itertools
import math
from collections.abc import Sequence

import cv2
import numpy as np

from datagen.geometry.readable import Round, Stroke
from datagen.geometry.style import Frame

#: OpenCV takes whole numbers: coordinates in 1/16 of a pixel.
SHIFT = 4
UNIT = 1 << SHIFT
#: OpenCV's antialiased edges make a filled shape wider by this many pixels (measured over directions and widths).
EDGE = 1.4
#: Strokes thinner than this (pixels) are drawn as OpenCV's thinnest line, which comes out about 1.35 pixels wide.
THIN = 1.6
#: Corners of the polygon that a circle is drawn as: at a radius of 320 pixels it is off by 0.1 pixels.
CORNERS = 128
#: The round end of a stroke, in half widths: along the stroke, and to its side.
_END = np.array([-1j, 0.7 - 0.7j, 1, 0.7 + 0.7j, 1j])
#: The parts of a figure that may have an ink of their own.
PARTS = ("solid", "dashed", "circles")

Line = tuple[complex, complex]


def draw_lines(ink: np.ndarray, lines: Sequence[Line], width: float) -> None:
    """Draw segments between pixels, with round ends."""
    if not lines:
        return
    ends = np.array(lines)
    if width < THIN:
        cv2.polylines(ink, list(_fixed(ends)), False, 255, 1, cv2.LINE_AA, SHIFT)
        return
    way = ends[:, 1:] - ends[:, :1]
    half = way / np.abs(way) * (max(0.2, width - EDGE) / 2)
    outlines = _fixed(np.concatenate([ends[:, :1] - half * _END, ends[:, 1:] + half * _END], axis=1))
    for outline in outlines:
        cv2.fillConvexPoly(ink, outline, 255, cv2.LINE_AA, SHIFT)


def draw_path(ink: np.ndarray, points: Sequence[complex], width: float) -> None:
    """Draw a line through ``points``."""
    draw_lines(ink, list(itertools.pairwise(points)), width)


def fill(ink: np.ndarray, points: Sequence[complex], value: int = 255) -> None:
    """Fill the polygon with these corners."""
    cv2.fillPoly(ink, [_fixed(np.array(points))], value, cv2.LINE_AA, SHIFT)


def draw_disc(ink: np.ndarray, centre: complex, radius: float, value: int = 255) -> None:
    """Fill a circle."""
    place = round(centre.real * UNIT), round(centre.imag * UNIT)
    cv2.circle(ink, place, round(radius * UNIT), value, cv2.FILLED, cv2.LINE_AA, SHIFT)


def draw_circle(ink: np.ndarray, centre: complex, radius: float | np.ndarray, width: float) -> None:
    """Draw a circle; ``radius`` may be one number for each of `CORNERS` directions."""
    circle = circle_points()
    if width < THIN:
        cv2.polylines(ink, [_fixed(centre + radius * circle)], True, 255, 1, cv2.LINE_AA, SHIFT)
        return
    # A disc with a smaller one taken out of it, on a sheet of its own: thick lines from corner to corner would show
    # their round ends as beads, and OpenCV's filling between two contours is uneven.
    reach = float(np.max(radius)) + width + 2
    left, top = max(0, int(centre.real - reach)), max(0, int(centre.imag - reach))
    region = ink[top : int(centre.imag + reach) + 1, left : int(centre.real + reach) + 1]
    sheet, middle = np.zeros_like(region), centre - complex(left, top)
    for size, value in ((radius + width / 2, 255), (radius - width / 2, 0)):
        cv2.fillConvexPoly(sheet, _fixed(middle + size * circle), value, cv2.LINE_AA, SHIFT)
    np.maximum(region, sheet, out=region)


def _fixed(points: np.ndarray) -> np.ndarray:
    """Return complex points ``[..., n]`` as OpenCV's int32 ``[..., n, 2]``."""
    return np.rint(points[..., None].view(np.float64) * UNIT).astype(np.int32)


@functools.cache
def circle_points() -> np.ndarray:
    """Return `CORNERS` points of the unit circle as complex numbers."""
    return np.exp(2j * np.pi * np.arange(CORNERS) / CORNERS)


def dashes(start: complex, end: complex, dash: tuple[float, float]) -> list[Line]:
    """Cut a stroke into dashes, the first and the last of full length, so that both ends are seen."""
    length = abs(end - start)
    count = max(2, round((length + dash[1]) / (dash[0] + dash[1])))
    # Stretched or squeezed so that a whole number of dashes fits.
    share = 1 / (count * dash[0] + (count - 1) * dash[1])
    on, period = (end - start) * (dash[0] * share), (end - start) * ((dash[0] + dash[1]) * share)
    return [(start + period * number, start + period * number + on) for number in range(count)]


def draw_figure(
    ink: np.ndarray, strokes: Sequence[Stroke], circles: Sequence[Round], frame: Frame, parts: Sequence[str] = PARTS
) -> None:
    """Draw the segments and circles of a normalised figure, or only some of them."""
    lines: list[Line] = []
    for number, (a, b, dashed) in enumerate(strokes):
        if ("dashed" if dashed else "solid") in parts:
            start, end = frame.pixel(a), frame.pixel(b)
            pieces = dashes(start, end, frame.dash) if dashed else [(start, end)]
            for piece in pieces if frame.wobble else ():
                draw_path(ink, _wobbly(*piece, frame.wobble, number), frame.stroke)
            lines += pieces
    if not frame.wobble:
        draw_lines(ink, lines, frame.stroke)
    for place, size in circles if "circles" in parts else ():
        radius: float | np.ndarray = size * frame.scale
        if frame.wobble:
            radius = radius + np.cos(2 * np.pi * np.arange(CORNERS) / CORNERS * 3 + radius) * (frame.wobble / 2)
        draw_circle(ink, frame.pixel(place), radius, frame.stroke)


def _wobbly(start: complex, end: complex, wobble: float, number: int) -> list[complex]:
    """Return a path from start to end as drawn by hand: straying to the side by up to about ``wobble`` pixels."""
    length = abs(end - start)
    places = np.linspace(0, 1, max(3, int(length / 12)))
    phase = number * 2.4 + cmath.phase(end - start)
    waves = 1.2 + length / 160
    stray = np.sin(places * waves * math.pi + phase) - 0.4 * np.sin(places * waves * 2.3 * math.pi + 2 * phase)
    limit = min(wobble, length / 25)
    path: list[complex] = (start + (end - start) * places + 1j * (end - start) / length * stray * limit * 0.7).tolist()
    return path
