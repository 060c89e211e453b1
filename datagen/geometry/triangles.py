"""Triangles: five shapes, and what school books add to them. An addition is a function of the sketch and corners."""

import math
from collections.abc import Callable

from datagen.family import Rejected
from datagen.geometry import shapes
from datagen.geometry.dice import Dice
from datagen.geometry.plane import (
    angle_at,
    between,
    bisector,
    bisector_foot,
    circumcircle,
    cross,
    direction,
    distance_to_segment,
    dot,
    foot,
    incircle,
    meet,
    orthocentre,
    reflect,
    unit,
)
from datagen.geometry.sketch import Sketch

Addition = Callable[[Sketch, Dice, complex, complex, complex], None]


def base(sketch: Sketch, dice: Dice) -> tuple[complex, complex, complex]:
    """Draw a triangle; return its corners, the one to add something at first."""
    kind = dice.pick(("acute", "acute", "acute", "isosceles", "isosceles", "equilateral", "right", "right", "obtuse"))
    top, left, right = shapes.triangle(kind, dice)
    corners = (top, left, right)
    order = dice.pick((corners, (left, right, top), (right, top, left)))
    sketch.close(*(order if dice.chance(0.6) else order[::-1]))
    if kind == "right":
        sketch.right(left, top, right)
    if kind == "isosceles":
        sketch.equal((top, left), (top, right))
        if dice.chance(0.5):
            sketch.same_angles((left, top, right), (right, left, top))
    if kind == "equilateral":
        sketch.equal((top, left), (left, right), (right, top))
    sketch.parts.append(kind)
    return corners if kind in ("isosceles", "obtuse") or dice.chance(0.6) else order


def acute(a: complex, b: complex, c: complex) -> bool:
    """Tell whether all angles are clearly below 90 degrees."""
    return max(angle_at(a, b, c), angle_at(b, c, a), angle_at(c, a, b)) < math.radians(84)


def height(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The height from the first corner; if it falls outside, a dashed line leads to its foot."""
    end = foot(a, b, c)
    share = dot(end - b, c - b) / abs(c - b) ** 2
    if min(abs(share), abs(share - 1)) < 1e-9:
        raise Rejected("height is a side")
    if share < 0 or share > 1:
        sketch.join(c if share > 1 else b, end, True)
    sketch.aux(a, end)
    sketch.name(end, role=dice.pick("HD"))
    sketch.right(end, a, c if share < 0.5 else b)


def heights(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The three heights (or two) of an acute triangle, and where they meet."""
    if not acute(a, b, c):
        return height(sketch, dice, a, b, c)
    for top, left, right in ((a, b, c), (b, c, a), (c, a, b))[: dice.whole(2, 3)]:
        end = foot(top, left, right)
        sketch.aux(top, end)
        sketch.name(end)
        sketch.right(end, top, left)
    sketch.name(orthocentre(a, b, c), role="H")


def median(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The median from the first corner."""
    middle = between(b, c)
    sketch.aux(a, middle)
    sketch.name(middle, role="M")
    sketch.equal((b, middle), (middle, c))


def medians(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """Two or three medians, and the centroid."""
    for top, left, right in ((a, b, c), (b, c, a), (c, a, b))[: dice.whole(2, 3)]:
        middle = between(left, right)
        sketch.aux(top, middle)
        sketch.name(middle)
        sketch.equal((left, middle), (middle, right))
    sketch.name((a + b + c) / 3, role="G")


def bisect(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The bisector of the angle at the first corner, perhaps with the perpendiculars to both sides."""
    end = bisector_foot(a, b, c)
    sketch.aux(a, end)
    sketch.name(end)
    sketch.same_angles((a, b, end), (a, end, c))
    if dice.chance(0.2):
        for side in (b, c):
            at = foot(end, a, side)
            if dot(at - side, a - side) > 0:
                sketch.aux(end, at)
                sketch.right(at, end, a)
                sketch.name(at)


def bisectors(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """Bisectors as far as the incentre, or through it to the sides; perhaps the incircle."""
    centre, radius = incircle(a, b, c)
    through = dice.chance(0.5)
    for top, left, right in ((a, b, c), (b, c, a), (c, a, b))[: dice.whole(2, 3)]:
        end = bisector_foot(top, left, right) if through else centre
        sketch.aux(top, end)
        sketch.same_angles((top, left, centre), (top, centre, right))
        sketch.name(*((end,) if through else ()))
    sketch.name(centre, role="I")
    if dice.chance(0.3):
        sketch.circle(centre, radius)


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


def midline(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The midline parallel to the side opposite the first corner."""
    first, second = between(a, b), between(a, c)
    sketch.aux(first, second)
    sketch.name(first, role="M")
    sketch.name(second, role="N")
    sketch.parallel((first, second), (b, c))
    sketch.equal((a, first), (first, b))
    sketch.equal((a, second), (second, c))


def midlines(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The triangle of the midpoints."""
    middles = between(b, c), between(c, a), between(a, b)
    for start, end in zip(middles, middles[1:] + middles[:1], strict=True):
        sketch.aux(start, end)
    sketch.name(*middles)


def parallel(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """A line parallel to a side, between the other two sides."""
    share = dice.pick((0.35, 0.4, 0.6, 0.65)) + dice.uniform(-0.03, 0.03)
    first, second = between(a, b, share), between(a, c, share)
    sketch.join(first, second)
    sketch.name(first, second)
    sketch.parallel((first, second), (b, c))


def cevian(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """A line from a corner to some point of the opposite side."""
    end = between(b, c, dice.pick((dice.uniform(0.24, 0.42), dice.uniform(0.58, 0.76))))
    sketch.join(a, end)
    sketch.name(end)
    if dice.chance(0.25):
        at = foot(end, a, c)
        sketch.aux(end, at)
        sketch.right(at, end, a)
        sketch.name(at)


def cevians(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """Two or three lines through one point inside (Ceva)."""
    inner = (dice.uniform(0.7, 1.5) * a + dice.uniform(0.7, 1.5) * b + c) / 3
    inner = a + (inner - a) * dice.uniform(0.9, 1.1)
    for top, left, right in ((a, b, c), (b, c, a), (c, a, b))[: dice.whole(2, 3)]:
        end = meet(top, inner, left, right)
        if not 0.1 < dot(end - left, right - left) / abs(right - left) ** 2 < 0.9:
            raise Rejected("point outside its side")
        sketch.join(top, end)
        sketch.name(end)
    sketch.name(inner, role=dice.pick("PO"))


def across(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """A line that cuts two sides and the prolongation of the third (Menelaus)."""
    first, outside = between(a, b, dice.uniform(0.35, 0.6)), between(b, c, dice.uniform(1.3, 1.6))
    second = meet(first, outside, a, c)
    sketch.join(c, outside)
    sketch.join(first, outside)
    sketch.name(first, second, outside)


def perpendicular_bisector(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The perpendicular bisector of a side, to the other side that it meets or through the figure."""
    middle = between(b, c)
    far = max((b, c), key=lambda corner: abs(corner - a))
    if abs(abs(b - a) - abs(c - a)) < 0.05:
        raise Rejected("perpendicular bisector is an axis")
    end = meet(middle, middle + (c - b) * 1j, a, far)
    sketch.aux(middle, end)
    sketch.right(middle, end, c)
    sketch.equal((b, middle), (middle, c))
    sketch.name(middle, end)
    if dice.chance(0.5):
        near = b if far == c else c
        sketch.aux(end, near)
        sketch.equal((end, near), (end, far))


def exterior(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """A side made longer, for the exterior angle; perhaps a parallel or the bisector there."""
    end = between(b, c, dice.uniform(1.3, 1.5))
    sketch.join(c, end)
    sketch.name(end)
    sketch.corner(c, a, end)
    how = dice.whole(0, 3)
    if how == 0:
        other = c + (a - b) * dice.uniform(0.6, 0.9)
        sketch.aux(c, other)
        sketch.parallel((c, other), (b, a))
        sketch.name(other)
    elif how == 1:
        other = c + bisector(c, a, end) * abs(c - a) * dice.uniform(0.7, 1)
        sketch.aux(c, other)
        sketch.same_angles((c, a, other), (c, other, end))
        sketch.name(other)


def parallel_at_top(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The parallel to a side through the opposite corner (the sum of the angles)."""
    half = (c - b) * dice.uniform(0.35, 0.55)
    sketch.aux(a - half, a + half)
    sketch.name(a - half, a + half)
    sketch.parallel((a - half, a + half), (b, c))
    sketch.same_angles((a, a - half, b), (b, a, c))


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


def doubled_median(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """A median as long again beyond the side: the triangle becomes a parallelogram."""
    middle = between(b, c)
    end = 2 * middle - a
    sketch.join(a, middle)
    sketch.aux(middle, end)
    sketch.name(middle, end)
    for corner in (b, c) if dice.chance(0.5) else (c,):
        sketch.aux(corner, end)
    sketch.equal((a, middle), (middle, end))
    sketch.equal((b, middle), (middle, c))


def excircle(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The circle that touches a side from outside and the prolongations of the other two."""
    sides = abs(b - c), abs(c - a), abs(a - b)
    centre = (sides[1] * b + sides[2] * c - sides[0] * a) / (sides[1] + sides[2] - sides[0])
    reach = sum(sides) / 2
    for corner in (b, c):
        touch = a + unit(a, corner) * reach
        sketch.join(corner, a + unit(a, corner) * reach * dice.uniform(1.06, 1.15))
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


#: What can be added.
ADDITIONS: dict[str, Addition] = {
    addition.__name__: addition
    for addition in (
        height,
        median,
        bisect,
        heights,
        medians,
        bisectors,
        inscribed,
        circumscribed,
        midline,
        midlines,
        parallel,
        cevian,
        cevians,
        across,
        perpendicular_bisector,
        exterior,
        parallel_at_top,
        square_outside,
        inner_point,
        orthic,
        on_diameter,
        doubled_median,
        excircle,
        rectangle_inside,
        mirrored,
    )
}
#: Additions that leave room for another.
LIGHT = ("height", "median", "bisect", "midline", "parallel", "cevian", "exterior", "inscribed", "circumscribed")


def triangle(sketch: Sketch, dice: Dice) -> None:
    """A triangle with no, one or two additions."""
    corners = base(sketch, dice)
    count = dice.pick((0, 1, 1, 1, 1, 2, 2, 2))
    names = dice.some(LIGHT, count) if count > 1 else dice.some(tuple(ADDITIONS), count)
    for number, name in enumerate(names):
        turn = dice.whole(0, 2) if number else 0
        ADDITIONS[name](sketch, dice, *(corners[turn:] + corners[:turn]))
        sketch.parts.append(name)
