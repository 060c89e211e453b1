"""Recipes of standard figures: a base shape and a few auxiliary constructions, in random places and proportions."""

import math
from collections.abc import Callable

import numpy as np

from datagen.geometry import shapes
from datagen.geometry.grid import GRID_RECIPES
from datagen.geometry.plane import (
    bisector_foot,
    circumcircle,
    direction,
    dot,
    foot,
    incircle,
    meet,
    second_meeting,
    tangent_points,
)
from datagen.geometry.settings import GeometrySettings
from datagen.geometry.sketch import Sketch

Recipe = Callable[[np.random.Generator, GeometrySettings], Sketch]


def _chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def triangle(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """A triangle with medians, heights, bisectors, a midline or other lines, and its circles."""
    sketch = Sketch()
    corners = shapes.triangle(str(rng.choice(shapes.TRIANGLES)), rng)
    sketch.close(*corners)
    turn = int(rng.integers(3))
    a, b, c = corners[turn:] + corners[:turn]
    names = ("median", "height", "bisector", "midline", "cevian", "incircle", "circumcircle", "diameter", "medians")
    for name in rng.permutation(names)[: int(rng.integers(settings.additions + 1))]:
        dashed = _chance(rng, settings.dashed)
        if name == "median":
            _cevian(sketch, a, (b + c) / 2, dashed)
        elif name == "height":
            _height(sketch, a, b, c, dashed)
        elif name == "bisector":
            _cevian(sketch, b, bisector_foot(b, c, a), dashed)
        elif name == "midline":
            _cevian(sketch, (a + b) / 2, (a + c) / 2, dashed)
            sketch.name((a + b) / 2)
        elif name == "cevian":
            _cevian(sketch, c, a + (b - a) * float(rng.uniform(0.25, 0.75)), dashed)
        elif name == "incircle":
            sketch.circle(*incircle(a, b, c), named=_chance(rng, 0.6))
        elif name == "circumcircle":
            sketch.circle(*circumcircle(a, b, c), named=_chance(rng, 0.6))
        elif name == "diameter":
            sketch.circle((a + b) / 2, abs(a - b) / 2, named=_chance(rng, 0.7))
        else:
            _cevian(sketch, a, (b + c) / 2, dashed)
            _cevian(sketch, b, (c + a) / 2, dashed)
            sketch.name((a + b + c) / 3)
    return sketch


def quadrilateral(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """A quadrilateral with diagonals, midpoints, a height, and its circles where it has them."""
    sketch = Sketch()
    kind = str(rng.choice(shapes.QUADRILATERALS))
    a, b, c, d = corners = shapes.quadrilateral(kind, rng)
    sketch.close(*corners)
    names = ["diagonal", "diagonals", "midpoints", "height", "join"]
    names += ["circumcircle"] * (kind in shapes.CYCLIC) + ["incircle"] * (kind in shapes.TANGENTIAL)
    for name in rng.permutation(names)[: int(rng.integers(settings.additions + 1))]:
        dashed = _chance(rng, settings.dashed)
        if name == "diagonal":
            sketch.join(*((a, c) if _chance(rng, 0.5) else (b, d)), dashed)
        elif name == "diagonals":
            sketch.join(a, c, dashed)
            sketch.join(b, d, dashed)
            sketch.name(meet(a, c, b, d))
        elif name == "midpoints":
            middles = [(p + q) / 2 for p, q in ((a, b), (b, c), (c, d), (d, a))]
            for p, q in zip(middles, middles[1:] + middles[:1], strict=True):
                sketch.join(p, q, dashed)
            sketch.name(*middles)
        elif name == "height":
            _height(sketch, d, a, b, dashed)
        elif name == "join":
            p, q = a + (b - a) * float(rng.uniform(0.3, 0.7)), c + (d - c) * float(rng.uniform(0.3, 0.7))
            _cevian(sketch, p, q, dashed)
            sketch.name(p)
        elif name == "circumcircle":
            sketch.circle(*circumcircle(a, b, c), named=_chance(rng, 0.6))
        else:
            centre = meet(a, a + _bisector(a, b, d), b, b + _bisector(b, a, c))
            sketch.circle(centre, abs(centre - foot(centre, a, b)), named=_chance(rng, 0.6))
    return sketch


def polygon(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """A regular polygon with diagonals, radii or an apothem, and its circles."""
    sketch = Sketch()
    corners = shapes.regular(int(rng.choice([5, 6, 8])))
    sketch.close(*corners)
    for name in rng.permutation(("diagonals", "radii", "apothem", "incircle", "circumcircle"))[: settings.additions]:
        dashed = _chance(rng, settings.dashed)
        start = int(rng.integers(len(corners)))
        if name == "diagonals":
            for step in range(2, 2 + int(rng.integers(1, len(corners) - 2))):
                sketch.join(corners[start], corners[(start + step) % len(corners)], dashed)
        elif name == "radii":
            for corner in (corners[start], corners[(start + 1) % len(corners)]):
                sketch.join(0j, corner, dashed)
            sketch.name(0j, letters="OPQ")
        elif name == "apothem":
            middle = (corners[start] + corners[start - 1]) / 2
            _cevian(sketch, 0j, middle, dashed)
            sketch.name(0j, letters="OPQ")
        elif name == "incircle":
            sketch.circle(0j, abs(corners[0] + corners[1]) / 2, named=_chance(rng, 0.5))
        else:
            sketch.circle(0j, 1.0, named=_chance(rng, 0.5))
    return sketch


def chords(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """A circle with points on it: an inscribed polygon, chords, a diameter, radii, an angle on an arc."""
    sketch = Sketch()
    sketch.circle(0j, 1.0, named=_chance(rng, 0.75))
    count = int(rng.integers(3, 6))
    angles = np.cumsum(rng.uniform(0.6, 1.4, count))
    points = [direction(float(angle)) for angle in angles / angles[-1] * 2 * math.pi]
    kind = str(rng.choice(("polygon", "crossing", "diameter", "angle")))
    if kind == "polygon":
        sketch.close(*points)
    elif kind == "crossing":
        a, b, c, d = (direction(angle + float(rng.uniform(-0.5, 0.5))) for angle in (0.3, 1.9, 3.4, 5.0))
        sketch.join(a, c)
        sketch.join(b, d)
        sketch.name(a, b, c, d, meet(a, c, b, d))
    elif kind == "diameter":
        third = direction(float(rng.uniform(0.4, math.pi - 0.4)))
        sketch.join(-1 + 0j, 1 + 0j)
        sketch.join(-1 + 0j, third)
        sketch.join(third, 1 + 0j)
        sketch.name(-1 + 0j, 1 + 0j, third)
        if _chance(rng, 0.5):
            _cevian(sketch, third, complex(third.real, 0.0), _chance(rng, settings.dashed))
    else:
        a, b, c = points[0], points[1], points[2]
        for end in (a, c):
            sketch.join(b, end)
            sketch.join(0j, end, _chance(rng, settings.dashed / 2))
        sketch.name(a, b, c)
        sketch.name(0j, letters="OPQ")
    if kind == "polygon" and _chance(rng, 0.5):
        sketch.join(0j, points[0], _chance(rng, settings.dashed))
        sketch.name(0j, letters="OPQ")
    return sketch


def tangents(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """A circle, a point outside, one or two tangents, the radii to where they touch, perhaps a secant."""
    sketch = Sketch()
    sketch.circle(0j, 1.0, named=_chance(rng, 0.8))
    outside = complex(float(rng.uniform(1.5, 2.6)), 0.0)
    first, second = tangent_points(outside, 0j, 1.0)
    sketch.join(outside, first)
    sketch.name(outside, first)
    if _chance(rng, 0.7):
        sketch.join(outside, second)
        sketch.name(second)
        if _chance(rng, 0.4):
            sketch.join(first, second, _chance(rng, settings.dashed))
    if _chance(rng, 0.6):
        dashed = _chance(rng, settings.dashed)
        sketch.join(0j, first, dashed)
        sketch.name(0j, letters="OPQ")
        if _chance(rng, 0.5):
            sketch.join(0j, outside, dashed)
    elif _chance(rng, 0.6):
        near = direction(float(rng.uniform(-0.75, -0.25)))
        far = second_meeting(near, outside, 0j)
        near, far = sorted((near, far), key=lambda p: abs(p - outside))
        sketch.join(outside, far)
        sketch.name(near, far)
    return sketch


def two_circles(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """Two circles that touch, cut, lie apart or share their centre, with the line of centres or a common chord."""
    sketch = Sketch()
    radius = float(rng.uniform(0.45, 1.0))
    kind = str(rng.choice(("touch", "cut", "apart", "concentric")))
    named = _chance(rng, 0.8)
    sketch.circle(0j, 1.0, named)
    if kind == "concentric":
        radius = float(rng.uniform(0.35, 0.75))
        sketch.circle(0j, radius, named)
        point = radius * direction(float(rng.uniform(0, 6)))
        half = point / abs(point) * 1j * math.sqrt(1 - radius**2)
        sketch.join(point - half, point + half)
        sketch.name(point - half, point + half, point)
        return sketch
    shift = {"touch": 1 + radius, "apart": 1 + radius + float(rng.uniform(0.3, 0.9))}.get(
        kind, float(rng.uniform(max(1.0, radius) + 0.15, 0.85 + radius))
    )
    centre = complex(shift, 0)
    sketch.circle(centre, radius, named)
    dashed = _chance(rng, settings.dashed)
    if kind == "cut":
        x = (shift**2 + 1 - radius**2) / (2 * shift)
        if abs(x) < 1:
            y = math.sqrt(1 - x * x)
            sketch.join(complex(x, y), complex(x, -y), dashed)
            sketch.name(complex(x, y), complex(x, -y))
    elif kind == "touch" and _chance(rng, 0.5):
        sketch.name(1 + 0j)
    if _chance(rng, 0.7):
        sketch.join(0j, centre, dashed)
    elif kind != "cut":
        # The outer common tangent: its points of contact lie in the direction whose cosine is (R - r) / distance.
        away = direction(math.acos((1 - radius) / shift))
        sketch.join(away, centre + radius * away)
        sketch.name(away, centre + radius * away)
    return sketch


def parallels(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """Two or three parallel lines, cut by one or two others."""
    sketch = Sketch()
    count = int(rng.integers(2, 4))
    levels = [complex(0, number * float(rng.uniform(0.35, 0.5))) for number in range(count)]
    for level in levels:
        left, right = level - float(rng.uniform(0.85, 1.0)), level + float(rng.uniform(0.85, 1.0))
        sketch.join(left, right)
        if _chance(rng, 0.6):
            sketch.name(left, right)
    for _ in range(int(rng.integers(1, 3))):
        low, high = float(rng.uniform(-0.6, 0.6)), float(rng.uniform(-0.6, 0.6))
        start, end = complex(low, -0.3), complex(high, levels[-1].imag + 0.3)
        sketch.join(start, end, _chance(rng, settings.dashed / 2))
        for level in levels:
            sketch.name(meet(start, end, level, level + 1))
    return sketch


def angle(rng: np.random.Generator, settings: GeometrySettings) -> Sketch:
    """Rays from one point, perhaps with a perpendicular from one ray to another."""
    sketch = Sketch()
    at, vertex = 0.0, 0j
    ends = []
    for _ in range(int(rng.integers(2, 5))):
        ends.append(float(rng.uniform(0.7, 1.1)) * direction(at))
        at += float(rng.uniform(0.35, 1.1))
    sketch.name(vertex, letters="OABC")
    for end in ends:
        sketch.join(vertex, end)
        sketch.name(end)
    point = ends[0] * float(rng.uniform(0.5, 0.9))
    if _chance(rng, 0.5) and dot(point, ends[1]) > 0:
        _cevian(sketch, point, foot(point, vertex, ends[1]), _chance(rng, settings.dashed))
        sketch.name(point)
    return sketch


RECIPES: dict[str, Recipe] = GRID_RECIPES | {
    recipe.__name__: recipe
    for recipe in (triangle, quadrilateral, polygon, chords, tangents, two_circles, parallels, angle)
}


def _cevian(sketch: Sketch, start: complex, end: complex, dashed: bool) -> None:
    sketch.join(start, end, dashed)
    sketch.name(end)


def _height(sketch: Sketch, top: complex, a: complex, b: complex, dashed: bool) -> None:
    """Draw the height from ``top`` to the line ab; if it falls outside, a dashed line leads there."""
    end = foot(top, a, b)
    share = dot(end - a, b - a) / abs(b - a) ** 2
    if share < -1e-9 or share > 1 + 1e-9:
        sketch.join(b if share > 1 else a, end, True)
    if min(abs(share), abs(share - 1)) > 1e-9:
        _cevian(sketch, top, end, dashed)


def _bisector(vertex: complex, a: complex, b: complex) -> complex:
    return (a - vertex) / abs(a - vertex) + (b - vertex) / abs(b - vertex)
