"""Lines that school books add to a triangle; the first corner is the one that they start from or lie opposite to."""

import math

from datagen.family import Rejected
from datagen.geometry.dice import Dice
from datagen.geometry.plane import (
    angle_at,
    between,
    bisector,
    bisector_foot,
    dot,
    foot,
    incircle,
    meet,
    orthocentre,
)
from datagen.geometry.sketch import Sketch


def acute(a: complex, b: complex, c: complex) -> bool:
    """Tell whether all angles are clearly below 90 degrees."""
    return max(angle_at(a, b, c), angle_at(b, c, a), angle_at(c, a, b)) < math.radians(84)


def height(sketch: Sketch, dice: Dice, a: complex, b: complex, c: complex) -> None:
    """The height from the first corner; if it falls outside, a dashed line leads to its foot."""
    end = foot(a, b, c)
    share = dot(end - b, c - b) / abs(c - b) ** 2
    if min(abs(share), abs(share - 1)) < 1e-9:  # a side: take the height from the right angle instead
        a, b, c = (b, c, a) if abs(share) < 1e-9 else (c, a, b)
        end, share = foot(a, b, c), 0.4
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
    weights = dice.uniform(0.8, 1.4), dice.pick((dice.uniform(0.5, 0.75), dice.uniform(1.3, 1.8))), 1.0
    inner = (weights[0] * a + weights[1] * b + c) / sum(weights)
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
