"""Plane constructions; a point is a complex number, so that turning and scaling is multiplication."""

import cmath
import math


def cross(a: complex, b: complex) -> float:
    """Return the cross product of two vectors: positive if ``b`` is to the left of ``a``."""
    return a.real * b.imag - a.imag * b.real


def dot(a: complex, b: complex) -> float:
    """Return the scalar product of two vectors."""
    return a.real * b.real + a.imag * b.imag


def direction(angle: float) -> complex:
    """Return the unit vector at ``angle`` radians from the x axis."""
    return cmath.rect(1.0, angle)


def foot(point: complex, a: complex, b: complex) -> complex:
    """Return the foot of the perpendicular from ``point`` to the line through ``a`` and ``b``."""
    return a + (b - a) * (dot(point - a, b - a) / abs(b - a) ** 2)


def meet(a: complex, b: complex, c: complex, d: complex) -> complex:
    """Return where the lines ab and cd meet; ZeroDivisionError if they are parallel."""
    return a + (b - a) * (cross(c - a, d - c) / cross(b - a, d - c))


def angle_at(vertex: complex, a: complex, b: complex) -> float:
    """Return the angle avb in radians, 0 to pi."""
    return abs(cmath.phase((a - vertex) * (b - vertex).conjugate()))


def bisector_foot(vertex: complex, a: complex, b: complex) -> complex:
    """Return the point of ab that the bisector of the angle at ``vertex`` goes to."""
    return a + (b - a) * (abs(a - vertex) / (abs(a - vertex) + abs(b - vertex)))


def incircle(a: complex, b: complex, c: complex) -> tuple[complex, float]:
    """Return centre and radius of the circle inside a triangle that touches its three sides."""
    sides = abs(b - c), abs(c - a), abs(a - b)
    perimeter = sum(sides)
    centre = (sides[0] * a + sides[1] * b + sides[2] * c) / perimeter
    return centre, abs(cross(b - a, c - a)) / perimeter


def circumcircle(a: complex, b: complex, c: complex) -> tuple[complex, float]:
    """Return centre and radius of the circle through three points; ZeroDivisionError if they are collinear."""
    middle_b, middle_c = (a + b) / 2, (a + c) / 2
    centre = meet(middle_b, middle_b + (b - a) * 1j, middle_c, middle_c + (c - a) * 1j)
    return centre, abs(centre - a)


def tangent_points(point: complex, centre: complex, radius: float) -> tuple[complex, complex]:
    """Return where the two tangents from a point outside touch a circle; ValueError for a point inside."""
    away = point - centre
    turn = direction(math.acos(radius / abs(away)))
    unit = away / abs(away) * radius
    return centre + unit * turn, centre + unit / turn


def second_meeting(point: complex, through: complex, centre: complex) -> complex:
    """Return the other point of a circle on the line from its ``point`` through ``through``."""
    return 2 * foot(centre, point, through) - point


def distance_to_segment(point: complex, a: complex, b: complex) -> float:
    """Return how far ``point`` is from the segment ab."""
    share = min(1.0, max(0.0, dot(point - a, b - a) / abs(b - a) ** 2))
    return abs(point - (a + (b - a) * share))


def between(a: complex, b: complex, share: float = 0.5) -> complex:
    """Return the point that divides ab: ``share`` 0 is a, 1 is b, 0.5 the midpoint."""
    return a + (b - a) * share


def reflect(point: complex, a: complex, b: complex) -> complex:
    """Return the mirror image of ``point`` in the line ab."""
    return 2 * foot(point, a, b) - point


def unit(a: complex, b: complex) -> complex:
    """Return the unit vector from ``a`` to ``b``."""
    return (b - a) / abs(b - a)


def orthocentre(a: complex, b: complex, c: complex) -> complex:
    """Return where the heights of a triangle meet."""
    return a + b + c - 2 * circumcircle(a, b, c)[0]


def line_and_circle(a: complex, b: complex, centre: complex, radius: float) -> tuple[complex, complex]:
    """Return where the line ab meets a circle, the one nearer to ``a``'s side first; ValueError if it does not."""
    middle, along = foot(centre, a, b), unit(a, b)
    half = math.sqrt(radius**2 - abs(middle - centre) ** 2)
    return middle - along * half, middle + along * half


def circles_meet(first: complex, r: float, second: complex, s: float) -> tuple[complex, complex]:
    """Return where two circles meet, left of the way from the first centre to the second and right of it.

    ValueError if they do not meet.
    """
    distance, along = abs(second - first), unit(first, second)
    share = (distance**2 + r**2 - s**2) / (2 * distance)
    half = math.sqrt(r**2 - share**2)
    return first + along * complex(share, half), first + along * complex(share, -half)


def bisector(vertex: complex, a: complex, b: complex) -> complex:
    """Return the unit vector that halves the angle avb; ZeroDivisionError for a straight angle."""
    way = unit(vertex, a) + unit(vertex, b)
    return way / abs(way)
