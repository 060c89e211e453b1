"""Corners of triangles, quadrilaterals and regular polygons, counterclockwise, in a frame of any size."""

import math

import numpy as np

from datagen.geometry.plane import direction

TRIANGLES = ("scalene", "isosceles", "equilateral", "right", "obtuse")
QUADRILATERALS = (
    "square",
    "rectangle",
    "rhombus",
    "parallelogram",
    "trapezoid",
    "isosceles trapezoid",
    "kite",
    "convex",
)
#: Quadrilaterals with a circle through all corners, and with a circle that touches all sides.
CYCLIC = ("square", "rectangle", "isosceles trapezoid")
TANGENTIAL = ("square", "rhombus", "kite")


def triangle(kind: str, rng: np.random.Generator) -> tuple[complex, complex, complex]:
    """Return the corners of a triangle of one of `TRIANGLES`, its first side on the x axis."""
    base = 1 + 0j
    if kind == "equilateral":
        return 0j, base, direction(math.pi / 3)
    if kind == "isosceles":
        return 0j, base, complex(0.5, rng.uniform(0.45, 1.4))
    if kind == "right":
        return 0j, base, complex(0.0 if rng.random() < 0.5 else 1.0, rng.uniform(0.45, 1.6))
    if kind == "obtuse":
        return 0j, base, complex(-rng.uniform(0.15, 0.6), rng.uniform(0.4, 0.9))
    return 0j, base, complex(rng.uniform(0.15, 0.85), rng.uniform(0.45, 1.3))


def quadrilateral(kind: str, rng: np.random.Generator) -> tuple[complex, ...]:
    """Return the corners of a quadrilateral of one of `QUADRILATERALS`."""
    top = rng.uniform(0.32, 0.8) * 1j
    base, side = (0j, 1 + 0j), direction(math.radians(rng.uniform(40, 80)))
    inset = rng.uniform(0.12, 0.32)
    corners = {
        "square": (*base, 1 + 1j, 1j),
        "rectangle": (*base, 1 + top, top),
        "rhombus": (*base, 1 + side, side),
        "parallelogram": (*base, 1 + top + inset, top + inset),
        "trapezoid": (*base, rng.uniform(0.6, 0.85) + top, rng.uniform(0, 0.3) + top),
        "isosceles trapezoid": (*base, 1 - inset + top, inset + top),
        "kite": (4 * inset * -1j - 0.5j, 0.6 + 0j, 0.9 * top, -0.6 + 0j),
    }
    if kind in corners:
        return tuple(complex(corner) for corner in corners[kind])
    angles = np.cumsum(rng.uniform(0.7, 1.3, 4))
    angles = angles / angles[-1] * 2 * math.pi
    radii = rng.uniform(0.8, 1.1, 4)
    return tuple(float(r) * direction(float(angle)) for r, angle in zip(radii, angles, strict=True))


def regular(count: int) -> tuple[complex, ...]:
    """Return the corners of a regular polygon on the unit circle, its lowest side level."""
    first = -math.pi / 2 - math.pi / count
    return tuple(direction(first + 2 * math.pi * number / count) for number in range(count))
