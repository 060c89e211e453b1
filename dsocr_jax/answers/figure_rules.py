"""The rules behind the answer of a geometry figure: number text, the perception ruler, merging of segments."""

import math
from collections.abc import Sequence

Point = tuple[float, float]

#: Two segments count as one line, or as touching, if no end is further off than this (label units). Rounding to two
#: decimals alone moves a point by up to 0.007.
MERGE_TOLERANCE = 0.02
#: Bounds of the quick test before it, a little wider than needed, so that rounding decides nothing.
_CROSS, _APART = 2.1 * MERGE_TOLERANCE, 4 * MERGE_TOLERANCE


def rounded(value: float) -> float:
    """Round to two decimals; negative zero becomes zero."""
    return round(value, 2) + 0.0


def number_text(value: float) -> str:
    """Return the shortest decimal of ``value`` rounded to two decimals, with at least one digit after the point."""
    return repr(float(rounded(value)))


def point_text(point: Point) -> str:
    """Return ``(x, y)`` as labels write it."""
    return f"({number_text(point[0])}, {number_text(point[1])})"


def ruler_points(start: Point, end: Point, ruler: float) -> list[Point]:
    """Return the points a segment is read by (Slow Perception, the perception ruler).

    They are the start, then a point every ``ruler`` units along the segment, then the end: ceil(length / ruler)
    pieces, all of length ``ruler`` but the last. A segment no longer than the ruler has its ends alone.

    Args:
        start: the first end, already rounded.
        end: the other end, already rounded.
        ruler: step in label units; infinity gives the ends alone.
    """
    length = math.dist(start, end)
    if length <= ruler:
        return [start, end]
    # The small amount keeps a length such as 12.000000000000002 from getting a piece of no length.
    pieces = math.ceil(length / ruler - 1e-9)
    step_x, step_y = (end[0] - start[0]) / length * ruler, (end[1] - start[1]) / length * ruler
    inner = [(start[0] + step_x * count, start[1] + step_y * count) for count in range(1, pieces)]
    return [start, *inner, end]


def merge_two(first: tuple[Point, Point], second: tuple[Point, Point]) -> tuple[Point, Point] | None:
    """Return the one segment that two collinear, touching or overlapping segments make, else None."""
    if _plainly_apart(first, second):
        return None
    points = (*first, *second)
    start, end = max(
        ((a, b) for number, a in enumerate(points) for b in points[number + 1 :]), key=lambda pair: math.dist(*pair)
    )
    length = math.dist(start, end)
    direction = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    for x, y in points:
        if abs((x - start[0]) * direction[1] - (y - start[1]) * direction[0]) > MERGE_TOLERANCE:
            return None
    places = [sorted((x * direction[0] + y * direction[1]) for x, y in segment) for segment in (first, second)]
    gap = max(places[0][0], places[1][0]) - min(places[0][1], places[1][1])
    return (min(start, end), max(start, end)) if gap <= MERGE_TOLERANCE else None


def _plainly_apart(first: tuple[Point, Point], second: tuple[Point, Point]) -> bool:
    """Tell quickly that two segments differ in direction or place by more than merging allows; False may mean either.

    Both ends of a segment that can be merged lie within the tolerance of one line. So across that line it runs by two
    tolerances at most, the cross product of the two segments is at most two tolerances times the sum of their lengths
    (here |dx| + |dy|, which is never less), and the boxes around them are less than three tolerances apart.
    """
    ((ax, ay), (bx, by)), ((cx, cy), (dx, dy)) = first, second
    ux, uy, vx, vy = bx - ax, by - ay, dx - cx, dy - cy
    if abs(ux * vy - uy * vx) > _CROSS * (abs(ux) + abs(uy) + abs(vx) + abs(vy)):
        return True
    return (
        min(ax, bx) - max(cx, dx) > _APART
        or min(cx, dx) - max(ax, bx) > _APART
        or min(ay, by) - max(cy, dy) > _APART
        or min(cy, dy) - max(ay, by) > _APART
    )


def merge_all(segments: Sequence[tuple[Point, Point]]) -> list[tuple[Point, Point]]:
    """Merge until no two segments can be merged; ends are kept exactly, none is computed."""
    waiting = sorted(segments, reverse=True)
    done: list[tuple[Point, Point]] = []
    while waiting:
        segment = waiting.pop()
        for number, other in enumerate(done):
            if merged := merge_two(other, segment):
                del done[number]
                waiting.append(merged)
                break
        else:
            done.append(segment)
    return done
