"""Figures whose strokes end on a coarse grid, so that their labels are short: the easy level."""

import cmath
import math
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from datagen.family import Rejected
from datagen.geometry.plane import angle_at, cross
from datagen.geometry.settings import GeometrySettings
from datagen.geometry.sketch import Composed, Sketch

#: Half of the longer side of every normalised figure.
HALF = 8.0
#: Draws of points before a figure is given up.
TRIES = 2000
#: Angles of an easy polygon are at least this (radians), its sides at least `MIN_SIDE`.
MIN_CORNER = math.radians(32)
MIN_SIDE = 4.0
#: The flattest piece that a chord of an easy circle cuts off (label units).
MIN_SAGITTA = 0.6
#: Points of the circle of radius 8 whose coordinates have at most one decimal.
ON_CIRCLE = (
    *(complex(x, y) for x, y in ((8, 0), (-8, 0), (0, 8), (0, -8))),
    *(complex(x * a, y * b) for a, b in ((4.8, 6.4), (6.4, 4.8)) for x in (1, -1) for y in (1, -1)),
)


def grid_triangle(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """A triangle with its corners on the grid, sometimes with a dashed median."""
    corners = _polygon(rng, settings, 3)
    sketch = Sketch()
    sketch.close(*corners)
    if rng.random() < 0.35:
        middle = (corners[1] + corners[2]) / 2
        if middle.real.is_integer() and middle.imag.is_integer():
            sketch.join(corners[0], middle, bool(rng.random() < settings.dashed))
            sketch.name(middle)
    return sketch


def grid_quadrilateral(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """A convex quadrilateral with its corners on the grid, sometimes with one diagonal."""
    corners = _polygon(rng, settings, 4)
    sketch = Sketch()
    sketch.close(*corners)
    if rng.random() < 0.4:
        sketch.join(corners[0], corners[2], bool(rng.random() < settings.dashed))
    return sketch


def grid_segments(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """Two segments between grid points, not joined in a polygon."""
    for ends in _points(rng, settings, 4):
        if all(abs(a - b) >= MIN_SIDE for a, b in combinations(ends, 2)):
            sketch = Sketch()
            for a, b in (ends[:2], ends[2:]):
                sketch.join(a, b, bool(rng.random() < settings.dashed / 2))
                sketch.name(a, b)
            return sketch
    raise Rejected("no segments found")


def grid_circle(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """A circle that fills the figure, with one or two chords, diameters or radii, or an inscribed triangle."""
    sketch = Sketch()
    sketch.circle(0j, HALF, named=bool(rng.random() < 0.7))
    order = [ON_CIRCLE[i] for i in rng.permutation(len(ON_CIRCLE))]
    kind = int(rng.integers(4))
    if kind == 0:
        sketch.join(order[0], -order[0])
        sketch.name(order[0], -order[0])
    elif kind == 1:
        sketch.join(0j, order[0])
        sketch.name(order[0])
    elif kind == 2:
        sketch.join(order[0], order[1])
        sketch.name(order[0], order[1])
    else:
        sketch.close(*order[:3])
    return sketch


RECIPES: dict[str, Callable[[np.random.Generator, GeometrySettings], Sketch]] = {
    "grid_triangle": grid_triangle,
    "grid_quadrilateral": grid_quadrilateral,
    "grid_segments": grid_segments,
    "grid_circle": grid_circle,
}


def compose(rng: np.random.Generator, settings: GeometrySettings) -> Composed:
    """Put a figure of the easy level together.

    Raises:
        Rejected: no figure with strokes far enough from each other was found.
    """
    recipe = str(rng.choice(settings.recipes))
    sketch = RECIPES[recipe](rng, settings)
    if rng.random() >= settings.letters:
        sketch.names = {}
    return sketch.compose(recipe, sagitta=MIN_SAGITTA)


def _points(rng: np.random.Generator, settings: GeometrySettings, count: int) -> Iterator[list[complex]]:
    """Draw sets of grid points whose box is centred on the origin and 16 units by 8, 12 or 16, lying or standing.

    Normalising changes nothing about a figure with such a box.
    """
    half = np.array([HALF, float(rng.choice([4.0, 6.0, 8.0]))])
    points = rng.integers(0, np.rint(2 * half / settings.grid) + 1, (TRIES, count, 2)) * settings.grid - half
    spans = (points.min(1) == -half).all(1) & (points.max(1) == half).all(1)
    lying = bool(rng.random() < 0.5)
    for draw in points[spans].tolist():
        yield [complex(x, y) if lying else complex(y, x) for x, y in draw]


def _polygon(rng: np.random.Generator, settings: GeometrySettings, count: int) -> list[complex]:
    for corners in _points(rng, settings, count):
        middle = sum(corners) / count
        corners.sort(key=lambda p: cmath.phase(p - middle))
        start = int(rng.integers(count))
        points = corners[start:] + corners[:start]
        around = list(zip(points, points[1:] + points[:1], points[2:] + points[:2], strict=True))
        if all(
            abs(a - b) >= MIN_SIDE and cross(b - a, c - b) > 0 and angle_at(b, a, c) >= MIN_CORNER for a, b, c in around
        ):
            return points
    raise Rejected("no polygon found")
