"""Where a book puts the letters of points: in the widest free angle at the point, close to it, touching nothing."""

import cmath
import math
from collections.abc import Sequence

import numpy as np

from datagen.family import Rejected
from datagen.geometry.dice import Dice
from datagen.geometry.glyphs import Glyph, glyph, is_free, put
from datagen.geometry.plane import cross
from datagen.geometry.readable import TOUCH, Round
from datagen.geometry.sketch import Composed
from datagen.geometry.strokes import Line
from datagen.geometry.style import Style

Box = tuple[int, int, int, int]
#: Farther from its point than this (in letter heights, from the edge of the letter's ellipse) a letter seems lost.
FARTHEST = 0.75
#: The least distance of a letter from its point, beside what must stay clear around it, in letter heights.
BESIDE = 0.05
#: Narrower angles than this (radians) are not tried.
NARROWEST = math.radians(28)
#: How much narrower (radians, at both ends) the inner side of a circle is made, since the circle bends into it.
BEND = 0.12
#: Where in an angle a letter is tried: shares of what is left on both sides of its bisector.
ASIDE = (0.0, 0.35, -0.35, 0.65, -0.65)


def draw_letters(ink: np.ndarray, taken: np.ndarray, content: Composed, style: Style, dice: Dice) -> list[Box]:
    """Draw the letters of all points; return their boxes.

    Args:
        ink: where letters are drawn.
        taken: what they must not touch; the same array as ``ink``, or of the same shape.

    Raises:
        Rejected: a letter finds no place that is free.
    """
    default = dice.pick((-0.25, -0.75, 0.25, -0.25)) * math.pi
    lines = [(a, abs(b - a), (b - a) / abs(b - a)) for a, b, _ in content.strokes]
    gaps = {label: free_angles(point, lines, content.circles, default) for label, point in content.letters}
    points = [style.frame.pixel(point) for _, point in content.letters]
    strokes = [(style.frame.pixel(a), style.frame.pixel(b)) for a, b, _ in content.strokes]
    boxes = []
    # Letters with the least choice first.
    for label, point in sorted(content.letters, key=lambda item: gaps[item[0]][0][1]):
        drawn = glyph(label, style.font, style.letter)
        at = style.frame.pixel(point)
        place = _place(taken, drawn, at, gaps[label], style, points, strokes)
        if place is None:
            raise Rejected("no room for a letter")
        boxes.append(put(ink, drawn, *place))
        if taken is not ink:
            put(taken, drawn, *place)
    return boxes


def free_angles(
    point: complex, lines: list[tuple[complex, float, complex]], circles: Sequence[Round], default: float
) -> list[tuple[float, float]]:
    """Return the angles between the strokes at a point as (direction of the bisector, size), radians, widest first.

    Directions are those of the picture: y downwards. Where no stroke is, ``default`` is the direction.

    Args:
        point: in the label's frame, as all others.
        lines: (start, length, unit vector along) of each stroke.
        circles: (centre, radius).
        default: radians.
    """
    ways: list[float] = []
    for start, length, along in lines:
        at = (point - start) * along.conjugate()
        if abs(at.imag) < TOUCH and -TOUCH < at.real < length + TOUCH:
            way = -cmath.phase(along)
            if at.real < length - TOUCH:
                ways.append(way)
            if at.real > TOUCH:
                ways.append(way + math.pi)
    for centre, radius in circles:
        away = point - centre
        if abs(abs(away) - radius) < TOUCH:
            tangent = -cmath.phase(away * 1j)
            ways += [tangent, tangent + math.pi, tangent - BEND, tangent + math.pi + BEND]
    if not ways:
        return [(default, 2 * math.pi), (default + math.pi, 2 * math.pi), (default + math.pi / 2, 2 * math.pi)]
    ways = sorted(way % (2 * math.pi) for way in ways)
    gaps = [(b - a, (a + b) / 2) for a, b in zip(ways, [*ways[1:], ways[0] + 2 * math.pi], strict=True)]
    # Nearly equal ones in the order of their directions, so that rounding does not decide.
    gaps.sort(key=lambda gap: -round(gap[0], 3))
    return [(way, size) for size, way in gaps if size > NARROWEST] or [(gaps[0][1], gaps[0][0])]


def _place(
    taken: np.ndarray,
    drawn: Glyph,
    at: complex,
    gaps: list[tuple[float, float]],
    style: Style,
    points: list[complex],
    strokes: list[Line],
) -> tuple[int, int] | None:
    """Return the upper left pixel of the nearest free place in the widest angle that has one."""
    height, width = drawn.ink.shape
    step = max(1.0, style.letter * 0.1)
    for way, size in gaps:
        for aside in ASIDE if size > 1.2 else ASIDE[:1]:
            turn = cmath.rect(1.0, way + aside * min(size / 2, math.pi / 2))
            # An ellipse around the letter touches the pad around the point.
            reach = math.hypot(turn.real * width / 2, turn.imag * height / 2) + drawn.pad + style.frame.stroke / 2
            reach += BESIDE * style.letter
            if size < math.pi and not aside:
                reach = max(reach, 0.4 * min(width, height) / math.sin(size / 2))
            for number in range(int(FARTHEST * style.letter / step)):
                middle = at + turn * (reach + number * step)
                left, top = round(middle.real - width / 2), round(middle.imag - height / 2)
                if is_free(taken, drawn, left, top):
                    # Right beside its point there is no room for a stroke between.
                    if _nearest(middle, at, points) and (number == 0 or not _beyond(middle, at, strokes)):
                        return left, top
                    break
    return None


def _nearest(middle: complex, at: complex, points: Sequence[complex]) -> bool:
    """Tell whether a letter is clearly nearer to its own point than to others."""
    near = 1.2 * abs(middle - at)
    return all(abs(middle - point) > near for point in points if point != at)


def _beyond(middle: complex, at: complex, strokes: Sequence[Line]) -> bool:
    """Tell whether a stroke lies between a letter and its point."""
    start = at + (middle - at) * 0.1
    way = middle - start
    for a, b in strokes:
        parted = cross(b - a, start - a) * cross(b - a, middle - a) < 0
        if parted and cross(way, a - start) * cross(way, b - start) < 0:
            return True
    return False
