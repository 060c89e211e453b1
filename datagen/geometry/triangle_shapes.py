"""Circles, points and polygons that school books add to a triangle."""

import math

from datagen.family import Rejected
from datagen.geometry.dice import Dice
from datagen.geometry.plane import (
    between,
    circumcircle,
    cross,
    direction,
    distance_to_segment,
    dot,
    foot,
    incircle,
    reflect,
    unit,
)
from datagen.geometry.sketch import Sketch
from datagen.geometry.triangle_lines import acute


def inscribed(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The incircle, perhaps with points of contact and radii to them."""
    centre, radius = incircle(a, b, c)
    sketch.circle(centre, radius, named=dice.chance(0.7))
    touching, radii = dice.chance(0.45), dice.chance(0.3)
    for left, right in ((b, c), (c, a), (a, b)):
        at = foot(centre, left, right)
        if touching:
            sketch.name(at)
            sketch.tangent(at, right, centre)
        if radii:
            sketch.aux(centre, at)
            sketch.right(at, centre, right)


def circumscribed(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The circumcircle, perhaps with radii, a diameter or the perpendicular from the centre."""
    centre, radius = circumcircle(a, b, c)
    sketch.circle(centre, radius, named=dice.chance(0.75))
    how = dice.whole(0, 5)
    on_a_side = min(distance_to_segment(centre, p, q) for p, q in ((a, b), (b, c), (c, a))) < 0.02 * radius
    if how == 0 and not on_a_side:
        for corner in (b, c):
            sketch.aux(centre, corner)
        sketch.name(centre, role="O", letters="OPQ")
    elif how == 1 and not on_a_side:
        end = 2 * centre - a
        sketch.aux(a, end)
        sketch.name(end)
        if dice.chance(0.6):
            sketch.aux(end, c)
            sketch.right(c, a, end)
    elif how == 2 and not on_a_side:
        at = between(b, c)
        sketch.aux(centre, at)
        sketch.right(at, centre, c)
        sketch.name(at)
        sketch.name(centre, role="O", letters="OPQ")


def square_outside(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """A square or an equilateral triangle on a side, outside; perhaps joined to the opposite corner."""
    side = c - b
    outward = -1j if cross(side, a - b) > 0 else 1j
    if dice.chance(0.5):
        corners = [b + side * outward, c + side * outward]
        sketch.path(b, *corners, c)
        sketch.name(*corners)
        sketch.equal((b, corners[0]), (corners[0], corners[1]), (b, c))
        joined = corners[0]
    else:
        joined = b + side * direction(math.copysign(math.pi / 3, outward.imag))
        sketch.path(b, joined, c)
        sketch.name(joined)
        sketch.equal((b, joined), (joined, c), (b, c))
    if dice.chance(0.35):
        sketch.aux(a, joined)


def inner_point(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """A point inside, joined to two or three corners, or with perpendiculars to the sides."""
    weights = [dice.uniform(0.7, 1.4) for _ in range(3)]
    point = (weights[0] * a + weights[1] * b + weights[2] * c) / sum(weights)
    if dice.chance(0.6):
        for corner in (b, c, a)[: dice.whole(2, 3)]:
            sketch.join(point, corner)
    else:
        for left, right in ((a, b), (a, c), (b, c))[: dice.whole(2, 3)]:
            end = foot(point, left, right)
            if not 0.05 < dot(end - left, right - left) / abs(right - left) ** 2 < 0.95:
                raise Rejected("foot outside its side")
            sketch.aux(point, end)
            sketch.right(end, point, right)
            sketch.name(end)
    sketch.name(point, role="P")


def orthic(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The feet of two heights of an acute triangle, joined; perhaps their circle."""
    if not acute(a, b, c):
        raise Rejected("triangle not acute")
    first, second = foot(b, c, a), foot(c, a, b)
    for start, end, other in ((b, first, a), (c, second, a)):
        sketch.join(start, end)
        sketch.right(end, start, other)
        sketch.name(end)
    sketch.aux(first, second)
    if dice.chance(0.35):
        sketch.circle(between(b, c), abs(b - c) / 2)


def on_diameter(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The circle with a side as diameter, and where it meets the other sides."""
    centre = between(b, c)
    sketch.circle(centre, abs(b - c) / 2, named=dice.chance(0.7))
    for corner, other in ((b, c), (c, b)):
        at = foot(other, corner, a)
        if dot(at - corner, at - a) < 0 and dice.chance(0.8):
            sketch.name(at)
            if dice.chance(0.5):
                sketch.aux(other, at)
                sketch.right(at, other, a)


def excircle(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The circle that touches a side from outside and the prolongations of the other two."""
    sides = abs(b - c), abs(c - a), abs(a - b)
    centre = (sides[1] * b + sides[2] * c - sides[0] * a) / (sides[1] + sides[2] - sides[0])
    reach = sum(sides) / 2
    for corner in (b, c):
        touch = a + unit(a, corner) * reach
        sketch.join(corner, a + unit(a, corner) * reach * dice.uniform(1.25, 1.4))
        sketch.tangent(touch, a, centre)
        if dice.chance(0.5):
            sketch.name(touch)
    sketch.circle(centre, abs(centre - foot(centre, b, c)), named=dice.chance(0.7))


def rectangle_inside(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """A rectangle or square inside with one side on a side of the triangle."""
    at = foot(a, b, c)
    if not 0.1 < dot(at - b, c - b) / abs(c - b) ** 2 < 0.9:
        raise Rejected("no rectangle fits")
    tall, wide = abs(a - at), abs(c - b)
    share = tall / (tall + wide) if dice.chance(0.6) else dice.uniform(0.35, 0.6)
    first, second = between(b, a, 1 - share), between(c, a, 1 - share)
    if dice.chance(0.5):
        first, second = between(a, b, share), between(a, c, share)
    low = foot(first, b, c), foot(second, b, c)
    sketch.path(low[0], first, second, low[1])
    sketch.name(low[0], low[1], second, first)
    sketch.right(low[0], first, c)
    sketch.parallel((first, second), (b, c))


def mirrored(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The mirror image in a side, dashed or not."""
    image = reflect(a, b, c)
    sketch.aux(b, image)
    sketch.aux(c, image)
    sketch.name_as(image, sketch.names[a][0] + "'")
    sketch.equal((b, a), (b, image))
    if dice.chance(0.4):
        middle = foot(a, b, c)
        sketch.join(a, image, True)
        if 0.05 < dot(middle - b, c - b) / abs(c - b) ** 2 < 0.95:
            sketch.right(middle, a, c)
