"""Two or more triangles together: congruent, similar, nested, with a common side or corner; Pythagoras' squares."""

import math

from datagen.geometry import shapes
from datagen.geometry.dice import Dice
from datagen.geometry.plane import between, direction, foot, meet, reflect
from datagen.geometry.sketch import Sketch


def crossed(sketch: Sketch, dice: Dice) -> None:
    """Two segments that cross and the parallels that join their ends (a butterfly), or any two joins."""
    left, right = direction(math.radians(dice.uniform(135, 155))), direction(math.radians(dice.uniform(25, 50)))
    share = dice.pick((1.0, dice.uniform(0.55, 1.5)))
    a, b, c, d = left, right, -left * share, -right * share
    sketch.join(a, c)
    sketch.join(b, d)
    sketch.join(a, b)
    sketch.join(c, d)
    sketch.name(a, b, c, d)
    sketch.name(0j, role=dice.pick("OE"), letters="OPQ")
    sketch.parallel((a, b), (d, c))
    sketch.same_angles((a, b, 0j), (c, d, 0j))
    if share == 1.0:
        sketch.equal((a, 0j), (0j, c))
        if dice.chance(0.3):
            sketch.aux(a, d)


def congruent(sketch: Sketch, dice: Dice) -> None:
    """Two congruent or similar triangles side by side, named alike or on."""
    top, left, right = shapes.triangle(dice.pick(("acute", "right", "obtuse", "isosceles")), dice)
    primed, similar = dice.chance(0.5), dice.chance(0.4)
    corners = (top, left, right)
    size = dice.uniform(0.55, 0.8) if similar else 1.0
    width = max(top.real, 1.0) - min(top.real, 0.0)
    shift = width + dice.uniform(0.25, 0.5) - min(top.real, 0.0) * size
    turn = direction(math.radians(dice.uniform(-12, 12))) if dice.chance(0.3) else 1
    second = tuple(corner * size * turn + shift for corner in corners)
    sketch.close(*corners)
    if primed:
        for corner, image in zip(corners, second, strict=True):
            sketch.name_as(image, sketch.names[corner][0] + "'")
    sketch.close(*second)
    sketch.same_angles((left, top, right), (second[1], second[0], second[2]))
    sketch.same_angles((right, top, left), (second[2], second[0], second[1]))
    if not similar:
        sketch.equal((left, right), (second[1], second[2]))
        sketch.equal((left, top), (second[1], second[0]))


def common_side(sketch: Sketch, dice: Dice) -> None:
    """Two triangles on one side of their common base, their sides crossing; perhaps joined at the top."""
    even = dice.chance(0.4)
    high = dice.uniform(0.55, 0.9)
    first = complex(dice.uniform(-0.1, 0.25), high)
    second = complex(1 - first.real, high) if even else complex(dice.uniform(0.75, 1.15), dice.uniform(0.5, 0.95))
    sketch.join(0j, 1 + 0j)
    for top in (first, second):
        sketch.path(0j, top, 1 + 0j)
    sketch.name(first, 0j, 1 + 0j, second)
    if dice.chance(0.7):
        sketch.name(meet(0j, second, 1 + 0j, first), role=dice.pick("OE"))
    if even:
        sketch.equal((0j, first), (1 + 0j, second))
        sketch.same_angles((0j, 1 + 0j, second), (1 + 0j, 0j, first))
    if dice.chance(0.3):
        sketch.aux(first, second)


def opposite_side(sketch: Sketch, dice: Dice) -> None:
    """Two triangles on both sides of their common base, with the line that joins their tops or heights to the base."""
    first, second = complex(dice.uniform(0.2, 0.6), dice.uniform(0.4, 0.8)), complex(dice.uniform(0.4, 0.8), -0.2)
    second -= dice.uniform(0.2, 0.5) * 1j
    sketch.join(0j, 1 + 0j)
    for top in (first, second):
        sketch.path(0j, top, 1 + 0j)
    sketch.name(first, 0j, second, 1 + 0j)
    if dice.chance(0.5):
        for top in (first, second)[: dice.whole(1, 2)]:
            end = complex(top.real, 0)
            sketch.aux(top, end)
            sketch.right(end, top, 1 + 0j)
            sketch.name(end)
    else:
        sketch.aux(first, second)
        sketch.name(meet(first, second, 0j, 1 + 0j), role="O")


def hand_in_hand(sketch: Sketch, dice: Dice) -> None:
    """Two isosceles triangles of one angle at a common corner, one turned, and the lines that join their ends."""
    angle = math.radians(dice.pick((60.0, 90.0, dice.uniform(50, 100))))
    b, c = 1 + 0j, direction(angle)
    opposite = dice.chance(0.35)
    if opposite:
        size = dice.uniform(0.5, 0.85)
        turn = -direction(-dice.uniform(0.0, 0.5))
    else:  # the second triangle's first side lies in the first triangle, or reaches out of it
        size = math.cos(angle / 2) * dice.uniform(0.55, 0.85) if dice.chance(0.6) else dice.uniform(1.15, 1.3)
        turn = direction(angle * dice.uniform(0.35, 0.65))
    d, e = b * turn * size, c * turn * size
    sketch.name(0j, b, c, d, e)
    for ends in ((0j, b), (0j, c), (b, c), (0j, d), (0j, e), (d, e)):
        sketch.join(*ends)
    sketch.equal((0j, b), (0j, c))
    sketch.equal((0j, d), (0j, e))
    if abs(angle - math.pi / 2) < 1e-9:
        sketch.right(0j, b, c)
    for ends in (((b, e), (c, d)) if opposite else ((b, d), (c, e)))[: dice.whole(1, 2)]:
        sketch.aux(*ends)


def height_on_hypotenuse(sketch: Sketch, dice: Dice) -> None:
    """A right triangle with the height on its hypotenuse, perhaps the median or perpendiculars from the foot."""
    top, left, right = 1j * dice.uniform(0.6, 1.2), 0j, 1 + 0j
    if abs(top.imag - 1) < 0.1:
        top *= 0.8
    sketch.close(top, left, right)
    sketch.right(left, top, right)
    at = foot(left, top, right)
    sketch.aux(left, at)
    sketch.right(at, left, right)
    sketch.name(at, role="D")
    sketch.same_angles((top, left, at), (left, at, right))
    how = dice.whole(0, 3)
    if how == 1:
        for end in (complex(at.real, 0), complex(0, at.imag)):
            sketch.aux(at, end)
            sketch.right(end, at, left)
            sketch.name(end)
    elif how == 2:
        sketch.aux(left, between(top, right))
        sketch.name(between(top, right), role="M")


def pythagoras(sketch: Sketch, dice: Dice) -> None:
    """A right triangle with squares on its sides, perhaps with the lines of Euclid's proof."""
    tall = dice.uniform(0.55, 1.3)
    a, b, c = 0j, 1 + 0j, tall * 1j
    sketch.close(c, a, b)
    sketch.right(a, b, c)
    squares = []
    for start, end in ((b, a), (a, c), (c, b)):
        side = (end - start) * 1j
        corners = (end + side, start + side)
        sketch.path(end, *corners, start)
        squares.append(corners)
    named = dice.whole(0, 2)
    for corners in squares if named == 2 else squares[2:] if named else ():
        sketch.name(*corners)
    if dice.chance(0.35):
        far = squares[2]
        at = foot(a, *far)
        sketch.aux(a, at)
        sketch.right(at, a, far[1])
        if dice.chance(0.5):
            sketch.aux(a, far[0])
            sketch.aux(squares[1][0] if dice.chance(0.5) else squares[0][1], b if dice.chance(0.5) else c)


def similar_inside(sketch: Sketch, dice: Dice) -> None:
    """Triangles inside each other: lines parallel to a side, or a figure enlarged from a point."""
    top, left, right = shapes.triangle(dice.pick(("acute", "isosceles", "right", "obtuse")), dice)
    if dice.chance(0.5):
        sketch.close(top, left, right)
        shares = (dice.uniform(0.3, 0.4), dice.uniform(0.62, 0.72))[: dice.whole(1, 2)]
        lines = [(between(top, left, share), between(top, right, share)) for share in shares]
        for line in lines:
            sketch.join(*line)
            sketch.name(*line)
        sketch.parallel(*lines, (left, right))
        if dice.chance(0.3):
            sketch.aux(lines[0][0], right)
        return
    near = (top, left, right)
    inside = dice.chance(0.5)
    centre = (top + left + right) / 3 if inside else complex(-dice.uniform(0.35, 0.7), dice.uniform(0.55, 0.9))
    size = dice.uniform(1.8, 2.4)
    far = tuple(centre + (corner - centre) * size for corner in near)
    sketch.close(*near)
    for corner, image in zip(near, far, strict=True):
        sketch.name_as(image, sketch.names[corner][0] + "'")
    sketch.close(*far)
    for image in far:
        sketch.aux(centre, image)
    sketch.name(centre, role=dice.pick("OS"))
    sketch.parallel((near[0], near[1]), (far[0], far[1]))


def mirrored(sketch: Sketch, dice: Dice) -> None:
    """A triangle and its mirror image in an axis, or turned about a point."""
    corners = shapes.triangle(dice.pick(("acute", "right", "obtuse")), dice)
    if dice.chance(0.6):
        low, high = 1.3 - dice.uniform(0.05, 0.3) * 1j, 1.3 + dice.uniform(1.0, 1.3) * 1j
        images = tuple(reflect(corner, low, high) for corner in corners)
        sketch.join(low, high, dice.chance(0.7))
        if dice.chance(0.35):
            sketch.join(corners[0], images[0], True)
    else:
        about = complex(dice.uniform(1.25, 1.5), -dice.uniform(0.1, 0.3))
        turn = direction(-math.radians(dice.uniform(75, 105)))
        images = tuple(about + (corner - about) * turn for corner in corners)
        sketch.aux(corners[0], about)
        sketch.aux(about, images[0])
        sketch.name(about, role="O")
    sketch.close(*corners)
    for corner, image in zip(corners, images, strict=True):
        sketch.name_as(image, sketch.names[corner][0] + "'")
    sketch.close(*images)
