"""Corners of triangles, quadrilaterals and regular polygons, counterclockwise, in a frame of any size."""

import cmath
import math

from datagen.geometry.dice import Dice
from datagen.geometry.plane import direction, unit

TRIANGLES = ("acute", "isosceles", "equilateral", "right", "obtuse")
QUADRILATERALS = (
    "square",
    "rectangle",
    "rhombus",
    "parallelogram",
    "trapezium",
    "isosceles trapezium",
    "right trapezium",
    "kite",
    "convex",
)
#: Quadrilaterals with a circle through all corners, and with a circle that touches all sides.
CYCLIC = ("square", "rectangle", "isosceles trapezium")
TANGENTIAL = ("square", "rhombus", "kite")

Triangle = tuple[complex, complex, complex]
Quadrilateral = tuple[complex, complex, complex, complex]


def triangle(kind: str, dice: Dice) -> Triangle:
    """Return the corners of a triangle of one of `TRIANGLES`: the top, then the ends of its level side.

    A right triangle has its right angle at the second corner, an obtuse one is obtuse there, an isosceles one has its
    equal sides at the top.
    """
    if kind == "equilateral":
        return direction(math.pi / 3), 0j, 1 + 0j
    if kind == "isosceles":
        return complex(0.5, dice.uniform(0.45, 1.35)), 0j, 1 + 0j
    if kind == "right":
        return complex(0, dice.uniform(0.5, 1.25)), 0j, 1 + 0j
    if kind == "obtuse":
        return dice.uniform(0.55, 0.9) * direction(math.radians(dice.uniform(103, 132))), 0j, 1 + 0j
    while True:
        top = complex(dice.uniform(0.2, 0.8), dice.uniform(0.5, 1.15))
        if abs(top - 0.5) > 0.52 and abs(top.real - 0.5) > 0.06:  # acute at the top, and not isosceles
            return top, 0j, 1 + 0j


def quadrilateral(kind: str, dice: Dice) -> Quadrilateral:  # noqa: PLR0911 (a table of shapes)
    """Return the corners of a quadrilateral of one of `QUADRILATERALS`, its first side level where it has such a side.

    The first side of a trapezium is parallel to the third; the right one is square at the first and last corner; the
    axis of a kite goes from its first to its third corner.
    """
    if kind == "square":
        return 0j, 1 + 0j, 1 + 1j, 1j
    if kind == "rectangle":
        top = dice.uniform(0.42, 0.8) * 1j
        return 0j, 1 + 0j, 1 + top, top
    if kind == "rhombus":
        side = direction(math.radians(dice.uniform(50, 76)))
        return 0j, 1 + 0j, 1 + side, side
    if kind == "parallelogram":
        side = dice.uniform(0.5, 0.75) * direction(math.radians(dice.uniform(50, 74)))
        return 0j, 1 + 0j, 1 + side, side
    top = dice.uniform(0.42, 0.75) * 1j
    if kind == "trapezium":
        left = dice.uniform(0.1, 0.3)
        return 0j, 1 + 0j, dice.uniform(0.6, 0.82) + top, left + top
    if kind == "isosceles trapezium":
        inset = dice.uniform(0.14, 0.3)
        return 0j, 1 + 0j, 1 - inset + top, inset + top
    if kind == "right trapezium":
        return 0j, 1 + 0j, dice.uniform(0.45, 0.75) + top, top
    if kind == "kite":
        wide = dice.uniform(0.35, 0.5)
        return -dice.uniform(0.65, 0.95) * 1j, wide + 0j, dice.uniform(0.25, 0.45) * 1j, -wide + 0j
    while True:
        corners = (
            0j,
            1 + 0j,
            complex(dice.uniform(0.7, 1.2), dice.uniform(0.45, 0.95)),
            complex(dice.uniform(-0.1, 0.35), dice.uniform(0.4, 0.9)),
        )
        angles = inner_angles(corners)
        if min(angles) > math.radians(48) and max(angles) < math.radians(140):
            return corners


def regular(count: int) -> tuple[complex, ...]:
    """Return the corners of a regular polygon on the unit circle, its lowest side level."""
    first = -math.pi / 2 - math.pi / count
    return tuple(direction(first + 2 * math.pi * number / count) for number in range(count))


def on_circle(dice: Dice, count: int, smallest: float = 0.7) -> tuple[complex, ...]:
    """Return ``count`` points of the unit circle in order, no arc below ``smallest`` of the mean."""
    arcs = [dice.uniform(smallest, 2 - smallest) for _ in range(count)]
    full, at = sum(arcs), dice.uniform(0, 2 * math.pi)
    points = []
    for arc in arcs:
        points.append(direction(at))
        at += arc / full * 2 * math.pi
    return tuple(points)


def inner_angles(corners: tuple[complex, ...]) -> list[float]:
    """Return the angles (radians, 0 to 2 pi) at the corners of a polygon whose corners are counterclockwise."""
    around = zip(corners[-1:] + corners[:-1], corners, corners[1:] + corners[:1], strict=True)
    return [cmath.phase(unit(b, a) / unit(b, c)) % (2 * math.pi) for a, b, c in around]
