"""Figures of one circle: chords, inscribed and central angles, tangents and secants. The circle is the unit circle."""

import math

from datagen.geometry import shapes
from datagen.geometry.dice import Dice
from datagen.geometry.plane import between, direction, foot, line_and_circle, meet, second_meeting, tangent_points
from datagen.geometry.sketch import Sketch


def _begin(sketch: Sketch, dice: Dice, named: float = 0.85) -> None:
    sketch.circle(0j, 1.0, named=dice.chance(named))


def _centre(sketch: Sketch) -> None:
    sketch.name(0j, role="O", letters="OPQ")


def chord(sketch: Sketch, dice: Dice) -> None:
    """A chord with radii to its ends, the distance from the centre, or the diameter square to it."""
    _begin(sketch, dice)
    half = dice.uniform(0.7, 1.25)
    left, right = direction(-math.pi / 2 - half), direction(-math.pi / 2 + half)
    middle = between(left, right)
    sketch.join(left, right)
    sketch.name(left, right)
    how = dice.whole(0, 3)
    if how == 0:
        sketch.aux(0j, left)
        sketch.aux(0j, right)
        sketch.equal((0j, left), (0j, right))
        _centre(sketch)
    elif how == 1:
        sketch.aux(0j, middle)
        sketch.aux(0j, right)
        sketch.right(middle, 0j, right)
        sketch.name(middle)
        _centre(sketch)
    else:
        sketch.join(1j, -1j)
        sketch.right(middle, 1j, right)
        sketch.name(1j, -1j, middle)
        for end in (left, right)[: dice.whole(0, 2)]:
            sketch.join(1j, end)
        if how == 3:
            sketch.aux(0j, left)
            _centre(sketch)


def diameter(sketch: Sketch, dice: Dice) -> None:
    """The right angle over a diameter, perhaps with the height, a radius, or a second triangle."""
    _begin(sketch, dice)
    third = direction(dice.uniform(0.6, math.pi - 0.6))
    sketch.join(-1 + 0j, 1 + 0j)
    sketch.path(-1 + 0j, third, 1 + 0j)
    sketch.right(third, -1 + 0j, 1 + 0j)
    sketch.name(-1 + 0j, 1 + 0j, third)
    how = dice.whole(0, 4)
    if how == 0:
        end = complex(third.real, 0.0)
        sketch.aux(third, end)
        sketch.right(end, third, 1 + 0j if third.real < 0 else -1 + 0j)
        sketch.name(end)
    elif how == 1:
        sketch.aux(0j, third)
        _centre(sketch)
    elif how == 2:
        fourth = direction(-dice.uniform(0.6, math.pi - 0.6))
        sketch.path(-1 + 0j, fourth, 1 + 0j)
        sketch.name(fourth)
    elif how == 3:
        sketch.aux(third, third.conjugate())
        sketch.name(third.conjugate(), complex(third.real, 0))
        sketch.right(complex(third.real, 0), third, 1 + 0j if third.real < 0 else -1 + 0j)
    else:  # a parallel radius
        end = (third + 1) / abs(third + 1)
        sketch.aux(0j, end)
        sketch.name(end)
        sketch.parallel((0j, end), (-1 + 0j, third))
        _centre(sketch)


def inscribed_angle(sketch: Sketch, dice: Dice) -> None:
    """An angle on the circle and the angle at the centre over the same arc, or several angles on the circle."""
    _begin(sketch, dice)
    half = dice.uniform(0.6, 1.2)
    left, right = direction(-math.pi / 2 - half), direction(-math.pi / 2 + half)
    tops = [direction(math.pi / 2 + dice.uniform(-0.9, 0.9))]
    if dice.chance(0.35):
        tops = [direction(math.pi / 2 + dice.uniform(0.35, 0.9)), direction(math.pi / 2 - dice.uniform(0.35, 0.9))]
    for top in tops:
        sketch.path(left, top, right)
        sketch.corner(top, left, right)
    sketch.name(left, right, *tops)
    if len(tops) == 1:
        sketch.aux(0j, left)
        sketch.aux(0j, right)
        sketch.corner(0j, left, right)
        _centre(sketch)
    else:
        sketch.same_angles(*((top, left, right) for top in tops))
    if dice.chance(0.4):
        sketch.join(left, right)


def inscribed_polygon(sketch: Sketch, dice: Dice) -> None:
    """A triangle, quadrilateral, pentagon or hexagon in a circle, with diagonals, radii or a diameter."""
    _begin(sketch, dice)
    count = dice.pick((3, 3, 4, 4, 4, 5, 6))
    corners = shapes.on_circle(dice, count, 0.65 if count < 5 else 0.85)
    sketch.close(*corners)
    how = dice.whole(0, 4)
    if how == 0 and count == 4:
        sketch.aux(corners[0], corners[2])
        sketch.aux(corners[1], corners[3])
        sketch.name(meet(corners[0], corners[2], corners[1], corners[3]))
        sketch.same_angles((corners[0], corners[1], corners[2]), (corners[3], corners[1], corners[2]))
    elif how == 1 and count == 4:
        sketch.aux(corners[0], corners[2])
    elif how == 2:
        for corner in corners[: dice.whole(1, 2)]:
            sketch.aux(0j, corner)
        _centre(sketch)
    elif how == 3 and count == 3:
        sketch.aux(corners[0], -corners[0])
        sketch.name(-corners[0])
        if dice.chance(0.5):
            sketch.aux(corners[1], -corners[0])
            sketch.right(corners[1], corners[0], -corners[0])


def crossing_chords(sketch: Sketch, dice: Dice) -> None:
    """Two chords that cross, perhaps square to each other, with their ends joined on one or two sides."""
    _begin(sketch, dice, 0.6)
    if dice.chance(0.25):
        cut = complex(dice.uniform(-0.4, 0.4), -dice.uniform(0.2, 0.5))
        (a, c), (b, d) = line_and_circle(cut - 1, cut + 1, 0j, 1), line_and_circle(cut - 1j, cut + 1j, 0j, 1)
        sketch.right(cut, c, d)
    else:
        a, b, c, d = (direction(angle + dice.uniform(-0.3, 0.3)) for angle in (0.4, 2.0, 3.5, 5.1))
        cut = meet(a, c, b, d)
    sketch.join(a, c)
    sketch.join(b, d)
    sketch.name(a, b, c, d)
    sketch.name(cut, role=dice.pick("PEM"))
    for p, q in ((a, b), (c, d), (b, c))[: dice.whole(0, 3)]:
        sketch.join(p, q)


def parallel_chords(sketch: Sketch, dice: Dice) -> None:
    """Two parallel chords, with the perpendicular through the centre, radii, or a chord across."""
    _begin(sketch, dice)
    high, low = dice.uniform(0.35, 0.7), -dice.uniform(0.2, 0.6)
    ends = [line_and_circle(level * 1j - 1, level * 1j + 1, 0j, 1) for level in (low, high)]
    for left, right in ends:
        sketch.join(left, right)
    sketch.name(*ends[0], ends[1][1], ends[1][0])
    sketch.parallel(*ends)
    how = dice.whole(0, 2)
    if how == 0:
        sketch.aux(complex(0, low), complex(0, high))
        sketch.right(complex(0, low), complex(0, high), ends[0][1])
        sketch.name(complex(0, low), complex(0, high))
        _centre(sketch)
    elif how == 1:
        sketch.aux(0j, ends[0][0])
        sketch.aux(0j, ends[1][0])
        _centre(sketch)
    else:
        sketch.join(ends[0][0], ends[1][1])


def tangents(sketch: Sketch, dice: Dice) -> None:
    """One or two tangents from a point outside, radii to where they touch, perhaps a secant or the line between."""
    _begin(sketch, dice)
    outside = complex(dice.uniform(1.5, 2.3), 0.0)
    touch, other = tangent_points(outside, 0j, 1.0)
    sketch.join(outside, touch)
    sketch.name(outside, role="P")
    sketch.name(touch)
    sketch.tangent(touch, outside, 0j)
    two = dice.chance(0.6)
    if two:
        sketch.join(outside, other)
        sketch.name(other)
        sketch.tangent(other, outside, 0j)
        sketch.equal((outside, touch), (outside, other))
        if dice.chance(0.4):
            sketch.aux(touch, other)
            if dice.chance(0.5):
                third = direction(math.pi + dice.uniform(-0.5, 0.5))
                sketch.path(touch, third, other)
                sketch.name(third)
    if dice.chance(0.7):
        for end in (touch, other)[: 1 + two]:
            sketch.aux(0j, end)
            sketch.right(end, 0j, outside)
        _centre(sketch)
        if dice.chance(0.5):
            sketch.aux(0j, outside)
    elif not two:
        through = direction(dice.uniform(2.6, 3.6)) if dice.chance(0.5) else -1 + 0j
        sketch.join(outside, through)
        near = second_meeting(through, outside, 0j)
        sketch.name(near, through)
        if dice.chance(0.5):
            sketch.join(touch, near)
            sketch.join(touch, through)


def tangent_at(sketch: Sketch, dice: Dice) -> None:
    """A tangent line at a point: the angle between tangent and chord, a diameter, or an inscribed triangle."""
    _begin(sketch, dice)
    at = -1j
    half = dice.uniform(0.9, 1.5)
    left, right = at - half, at + dice.uniform(0.9, 1.5)
    sketch.join(left, right)
    sketch.name(at, left, right)
    sketch.tangent(at, right, 0j)
    first, second = direction(dice.uniform(-0.2, 0.7)), direction(dice.uniform(1.5, 2.9))
    how = dice.whole(0, 3)
    if how == 0:
        sketch.path(at, first, second, at)
        sketch.name(first, second)
        sketch.same_angles((at, right, first), (second, first, at))
    elif how == 1:
        sketch.join(at, 1j)
        sketch.join(at, first)
        sketch.join(1j, first)
        sketch.right(at, 1j, right)
        sketch.right(first, at, 1j)
        sketch.name(1j, first)
    elif how == 2:
        sketch.aux(0j, at)
        sketch.right(at, 0j, right)
        sketch.join(at, first)
        sketch.aux(0j, first)
        sketch.name(first)
        _centre(sketch)
    else:  # a chord parallel to the tangent
        level = dice.uniform(0.0, 0.6)
        ends = line_and_circle(level * 1j - 1, level * 1j + 1, 0j, 1)
        sketch.join(*ends)
        sketch.path(ends[0], at, ends[1])
        sketch.name(*ends)
        sketch.parallel(ends, (left, right))


def secants(sketch: Sketch, dice: Dice) -> None:
    """Two secants from a point outside, perhaps with chords between them (power of a point)."""
    _begin(sketch, dice, 0.7)
    outside = complex(dice.uniform(1.55, 2.0), 0.0)
    far = direction(math.pi - dice.uniform(0.55, 1.2)), direction(math.pi + dice.uniform(0.55, 1.2))
    near = [second_meeting(end, outside, 0j) for end in far]
    sketch.name(outside, role="P")
    for end, other in zip(far, near, strict=True):
        sketch.join(outside, end)
        sketch.name(other, end)
    how = dice.whole(0, 3)
    if how in (1, 2):
        sketch.aux(far[0], near[1])
        sketch.aux(far[1], near[0])
        sketch.name(meet(far[0], near[1], far[1], near[0]))
    if how in (2, 3):
        sketch.join(far[0], far[1])
        if abs(near[0] - near[1]) > 0.9:
            sketch.join(near[0], near[1])


def circle_in_angle(sketch: Sketch, dice: Dice) -> None:
    """A circle that touches both arms of an angle, with the bisector and radii."""
    _begin(sketch, dice)
    half = math.radians(dice.uniform(22, 38))
    vertex = complex(-1 / math.sin(half), 0)
    long = 1 / math.tan(half) * dice.uniform(1.35, 1.6)
    for sign in (1, -1):
        arm = direction(sign * half)
        touch = foot(0j, vertex, vertex + arm)
        sketch.join(vertex, vertex + arm * long)
        sketch.tangent(touch, vertex, 0j)
        sketch.aux(0j, touch)
        sketch.right(touch, 0j, vertex)
        sketch.name(touch)
    sketch.name(vertex, role="P")
    _centre(sketch)
    if dice.chance(0.6):
        sketch.aux(vertex, 0j)
        sketch.same_angles((vertex, vertex + direction(half), 0j), (vertex, 0j, vertex + direction(-half)))


def circumscribed_polygon(sketch: Sketch, dice: Dice) -> None:
    """A quadrilateral or triangle around a circle, with the points of contact."""
    _begin(sketch, dice)
    count = dice.pick((3, 4, 4))
    touching = shapes.on_circle(dice, count, 0.8)
    corners = []
    for first, second in zip(touching, touching[1:] + touching[:1], strict=True):
        middle = between(first, second)
        corners.append(middle / abs(middle) ** 2)
    sketch.close(*corners)
    for touch, corner in zip(touching, corners, strict=True):
        sketch.tangent(touch, corner, 0j)
    if dice.chance(0.7):
        sketch.name(*touching)
        if dice.chance(0.4):
            for touch, corner in zip(touching, corners, strict=True):
                sketch.aux(0j, touch)
                sketch.right(touch, 0j, corner)
            _centre(sketch)
