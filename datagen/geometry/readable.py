"""Which figures cannot be read, because points, strokes or circles come too close to each other."""

import math
from collections.abc import Sequence
from itertools import combinations

from datagen.family import Rejected

#: Points closer than this (label units) cannot be told apart, or have no room for their letters.
MIN_DISTANCE = 1.1
#: Strokes that touch or cross must differ by at least this angle; the sine of it.
MIN_SINE = math.sin(math.radians(9))
MIN_RADIUS = 1.0
#: How near a stroke or circle may come to what it does not touch (label units).
MIN_GAP = 0.45
#: How flat the piece that a chord cuts off may be, and how near a stroke may pass by a circle (label units).
MIN_SAGITTA = 0.3
#: Nearer than this (label units) is touching: twice what rounding to two decimals can move two points by.
TOUCH = 0.03

Stroke = tuple[complex, complex, bool]
Round = tuple[complex, float]


def check_readable(
    points: Sequence[complex], strokes: Sequence[Stroke], circles: Sequence[Round], sagitta: float = MIN_SAGITTA
) -> None:
    """Raise `Rejected` if parts of a normalised figure come too close to each other to be read.

    Args:
        points: labelled points and centres; the ends of strokes need not be among them.
        strokes: (start, end, dashed), merged: no two that are collinear, of one type and touching.
        circles: (centre, radius).
        sagitta: how flat the piece that a chord cuts off may be, in label units.
    """
    places = {*points, *(stroke[0] for stroke in strokes), *(stroke[1] for stroke in strokes)}
    for a, b in combinations(places, 2):
        if abs(a - b) < MIN_DISTANCE:
            raise Rejected("points too close")
    _check_circles(places, circles)
    lines = [(a, b, (b - a) / abs(b - a), abs(b - a)) for a, b, _ in strokes]
    for a, _, along, length in lines:
        turned = along.conjugate()
        for place in places:
            at = (place - a) * turned
            if TOUCH < abs(at.imag) < MIN_GAP and -MIN_GAP < at.real < length + MIN_GAP:
                raise Rejected("point too close to a stroke")
        for centre, radius in circles:
            at = (centre - a) * turned
            if TOUCH < abs(abs(at.imag) - radius) < sagitta and 0 < at.real < length:
                raise Rejected("stroke too close to a circle")
    for first, second in combinations(lines, 2):
        if abs((first[2].conjugate() * second[2]).imag) < MIN_SINE:
            _check_near_parallel(first, second)


def _check_circles(places: set[complex], circles: Sequence[Round]) -> None:
    for centre, radius in circles:
        if radius < MIN_RADIUS:
            raise Rejected("circle too small")
        for place in places:
            if TOUCH < abs(abs(place - centre) - radius) < MIN_GAP:
                raise Rejected("point too close to a circle")
    for (c, r), (d, s) in combinations(circles, 2):
        between = abs(c - d)
        if between + abs(r - s) < 2 * MIN_GAP or any(TOUCH < abs(between - x) < MIN_GAP for x in (r + s, abs(r - s))):
            raise Rejected("circles too close")


Line = tuple[complex, complex, complex, float]


def _check_near_parallel(first: Line, second: Line) -> None:
    if first[3] < second[3]:
        first, second = second, first
    a, _, along, length = first
    turned = along.conjugate()
    start, end = (second[0] - a) * turned, (second[1] - a) * turned
    if start.real > end.real:
        start, end = end, start
    low, high = max(start.real, 0.0), min(end.real, length)
    if abs(start.imag) < TOUCH and abs(end.imag) < TOUCH:
        if high - low > TOUCH:
            raise Rejected("strokes on top of each other")
        if TOUCH < low - high < MIN_GAP:
            raise Rejected("strokes too close")
        return
    if high < low - MIN_GAP:
        return
    slope = (end.imag - start.imag) / max(end.real - start.real, 1e-9)
    sides = [start.imag + slope * (max(min(x, end.real), start.real) - start.real) for x in (low, high)]
    if sides[0] * sides[1] <= 0 or min(map(abs, sides)) < MIN_GAP:
        raise Rejected("strokes too close")
