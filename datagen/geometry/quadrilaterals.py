"""Quadrilaterals: nine shapes, and what school books add to them."""

import math
from collections.abc import Callable

from datagen.family import Rejected
from datagen.geometry import shapes
from datagen.geometry.dice import Dice
from datagen.geometry.plane import (
    between,
    bisector,
    circumcircle,
    cross,
    direction,
    dot,
    foot,
    meet,
    reflect,
    unit,
)
from datagen.geometry.sketch import Sketch

Corners = shapes.Quadrilateral
Addition = Callable[[Sketch, Dice, str, Corners], None]

PARALLELOGRAMS = ("square", "rectangle", "rhombus", "parallelogram")
TRAPEZIA = ("trapezium", "isosceles trapezium", "right trapezium")


def base(sketch: Sketch, dice: Dice, kinds: tuple[str, ...] = shapes.QUADRILATERALS) -> tuple[str, Corners]:
    """Draw a quadrilateral of one of ``kinds``; return its kind and corners."""
    kind = dice.pick(kinds)
    corners = shapes.quadrilateral(kind, dice)
    a, b, c, d = corners
    turn = dice.pick((0, 0, 0, 3, 1, 2))
    order = corners[turn:] + corners[:turn]
    sketch.close(*(order if dice.chance(0.6) else order[::-1]))
    sketch.parts.append(kind)
    sketch.rigid = kind == "square"
    if kind in ("square", "rectangle", "right trapezium"):
        sketch.right(a, b, d)
    if kind in ("square", "rectangle"):
        sketch.right(c, b, d)
    if kind in ("square", "rhombus"):
        sketch.equal((a, b), (b, c), (c, d), (d, a))
    elif kind in ("rectangle", "parallelogram"):
        sketch.equal((a, d), (b, c))
        sketch.parallel((a, b), (d, c))
    elif kind in TRAPEZIA:
        sketch.parallel((a, b), (d, c))
    elif kind == "kite":
        sketch.equal((a, b), (a, d))
        sketch.equal((c, b), (c, d))
    if kind == "isosceles trapezium":
        sketch.equal((a, d), (b, c))
    return kind, corners


def diagonal(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """One diagonal, perhaps with the perpendiculars to it from the other corners."""
    a, b, c, d = corners if dice.chance(0.5) else corners[1:] + corners[:1]
    sketch.aux(a, c)
    if kind not in ("square", "rhombus", "kite") and dice.chance(0.35):
        for corner in (b, d):
            end = foot(corner, a, c)
            if not 0.05 < dot(end - a, c - a) / abs(c - a) ** 2 < 0.95:
                raise Rejected("foot outside its side")
            sketch.aux(corner, end)
            sketch.right(end, corner, c)
            sketch.name(end)


def diagonals(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """Both diagonals and where they meet; perhaps a line through that point."""
    a, b, c, d = corners
    sketch.aux(a, c)
    sketch.aux(b, d)
    centre = meet(a, c, b, d)
    if dice.chance(0.85):
        sketch.name(centre, role="O", letters="OPQ")
    if kind in ("square", "rhombus", "kite"):
        sketch.right(centre, b, c)
    if kind in PARALLELOGRAMS:
        sketch.equal((a, centre), (centre, c))
        if dice.chance(0.3):
            start = between(d, c, dice.uniform(0.15, 0.4))
            end = 2 * centre - start
            sketch.join(start, end)
            sketch.name(start, end)


def midpoints(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """The quadrilateral of the midpoints (Varignon)."""
    middles = [between(p, q) for p, q in zip(corners, corners[1:] + corners[:1], strict=True)]
    for p, q in zip(middles, middles[1:] + middles[:1], strict=True):
        sketch.aux(p, q)
    sketch.name(*middles)
    sketch.equal((corners[0], middles[0]), (middles[0], corners[1]))


def height(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """The height from an upper corner, or from both in a trapezium."""
    a, b, c, d = corners
    if kind in ("square", "rectangle", "kite"):
        raise Rejected("height is a side")
    for top in (d, c)[: 2 if "trapezium" in kind and dice.chance(0.5) else 1]:
        end = foot(top, a, b)
        share = dot(end - a, b - a) / abs(b - a) ** 2
        if not 0.02 < share < 0.98:
            continue
        sketch.aux(top, end)
        sketch.name(end, role="H")
        sketch.right(end, top, b if share < 0.5 else a)


def midline(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """The line that joins the midpoints of two opposite sides."""
    a, b, c, d = corners
    first, second = between(a, d), between(b, c)
    sketch.aux(first, second)
    sketch.name(first, role="M")
    sketch.name(second, role="N")
    sketch.equal((a, first), (first, d))
    sketch.equal((b, second), (second, c))
    if kind in PARALLELOGRAMS + TRAPEZIA:
        sketch.parallel((first, second), (a, b))


def point_on_side(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """A point on a side, joined to the two opposite corners."""
    turn = dice.whole(0, 3)
    a, b, c, d = corners[turn:] + corners[:turn]
    point = between(c, d, dice.uniform(0.25, 0.75))
    sketch.join(a, point)
    if dice.chance(0.75):
        sketch.join(b, point)
    sketch.name(point, role=dice.pick("EP"))


def two_on_sides(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """Points on two sides, joined to each other or to corners, or the triangle they make with a corner."""
    a, b, c, d = corners
    how = dice.whole(0, 3)
    share = dice.uniform(0.28, 0.72)
    if how == 0:
        first, second = between(a, b, share), between(d, c, dice.uniform(0.28, 0.72))
        sketch.join(first, second)
    elif how == 1:
        first, second = between(b, c, share), between(c, d, dice.uniform(0.28, 0.72))
        sketch.path(a, first, second, a)
    elif how == 2:
        first, second = between(a, b, share), between(c, d, share)
        sketch.join(d, first)
        sketch.join(b, second)
        if kind in PARALLELOGRAMS:
            sketch.parallel((d, first), (second, b))
    else:
        first, second = between(b, c, share), between(c, d, share)
        sketch.join(a, first)
        sketch.join(b, second)
        sketch.name(first, second)
        cut = meet(a, first, b, second)
        sketch.name(cut, role="G")
        if kind == "square":
            sketch.right(cut, a, b)
    sketch.name(first, second)


def made_longer(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """Two sides made longer until they meet, or a corner joined to a side's prolongation."""
    a, b, c, d = corners
    if kind in TRAPEZIA or kind == "convex":
        if abs(cross(unit(a, d), unit(b, c))) < 0.35:
            raise Rejected("sides meet too far off")
        end = meet(a, d, b, c)
        sketch.aux(d, end)
        sketch.aux(c, end)
        sketch.name(end)
    elif kind in PARALLELOGRAMS:
        end = between(a, b, dice.uniform(1.3, 1.6))
        sketch.join(b, end)
        sketch.join(end, d)
        cut = meet(d, end, b, c)
        sketch.name(end, cut)
    else:
        raise Rejected("nothing to make longer")


def bisect(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """The bisector of a corner to the side that it meets."""
    turn = dice.whole(0, 3)
    a, b, c, d = corners[turn:] + corners[:turn]
    way = bisector(a, b, d)
    for p, q in ((b, c), (c, d)):
        end = meet(a, a + way, p, q)
        if 0.1 < dot(end - p, q - p) / abs(q - p) ** 2 < 0.9:
            sketch.aux(a, end)
            sketch.same_angles((a, b, end), (a, end, d))
            sketch.name(end)
            return
    raise Rejected("bisector is a diagonal")


def triangle_on_side(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """An equilateral triangle on a side of a square, rectangle or rhombus, inside or outside."""
    if kind not in ("square", "rectangle"):
        raise Rejected("no triangle on this side")
    a, b, _, d = corners
    turn = math.pi / 3 * (1 if kind == "square" and dice.chance(0.6) else -1)
    top = a + (b - a) * direction(turn)
    sketch.path(a, top, b)
    sketch.name(top)
    sketch.equal((a, b), (a, top), (top, b))
    if dice.chance(0.5):
        sketch.aux(top, d)


def inner_point(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """A point inside joined to two, three or four corners."""
    a, b, c, d = corners
    low, high = between(a, b, dice.uniform(0.3, 0.7)), between(d, c, dice.uniform(0.3, 0.7))
    point = between(low, high, dice.uniform(0.3, 0.7))
    for corner in (a, b, c, d)[: dice.whole(2, 4)]:
        sketch.join(point, corner)
    sketch.name(point, role="P")


def circumscribed(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """The circle through all corners."""
    if kind not in shapes.CYCLIC:
        raise Rejected("quadrilateral without this circle")
    sketch.circle(*circumcircle(*corners[:3]), named=dice.chance(0.7))


def inscribed(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """The circle that touches all sides, perhaps with its points of contact."""
    if kind not in shapes.TANGENTIAL:
        raise Rejected("quadrilateral without this circle")
    a, b, c, d = corners
    centre = meet(a, a + bisector(a, d, b), b, b + bisector(b, a, c))
    sketch.circle(centre, abs(centre - foot(centre, a, b)), named=dice.chance(0.7))
    named = dice.chance(0.4)
    for p, q in ((a, b), (b, c), (c, d), (d, a)):
        sketch.tangent(foot(centre, p, q), p, centre)
        if named:
            sketch.name(foot(centre, p, q))


def folded(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """Folded paper: a corner turned over a crease; where it was is dashed."""
    a, b, c, d = corners
    how = dice.whole(0, 2)
    if how == 0 or kind == "square":  # a corner over a crease from the opposite end of its side
        end = between(c, d, dice.uniform(0.4, 0.65)) if kind == "square" else between(b, c, dice.uniform(0.45, 0.8))
        start, corner = (b, c) if kind == "square" else (a, b)
        image = reflect(corner, start, end)
        sketch.join(start, end)
        sketch.aux(start, image)
        sketch.aux(end, image)
        sketch.right(image, start, end)
        sketch.equal((start, corner), (start, image))
        sketch.same_angles((start, corner, end), (start, end, image))
        sketch.name(end, image)
    else:  # along a diagonal
        image = reflect(b, a, c)
        sketch.join(a, c)
        sketch.join(c, image, how == 1)
        sketch.join(a, image, how == 1)
        sketch.right(image, a, c)
        sketch.name_as(image, sketch.names[b][0] + "'")
        cut = meet(a, image, c, d)
        sketch.name(cut)


def turned_square(sketch: Sketch, dice: Dice, kind: str, corners: Corners) -> None:
    """A square in a square (one proof of Pythagoras' theorem), or a square beside it."""
    a, b, c, d = corners
    if dice.chance(0.5):
        share = dice.uniform(0.2, 0.42)
        inner = [between(p, q, share) for p, q in ((a, b), (b, c), (c, d), (d, a))]
        for p, q in zip(inner, inner[1:] + inner[:1], strict=True):
            sketch.join(p, q)
        sketch.name(*inner)
        sketch.right(inner[0], inner[1], inner[3])
    else:
        side = dice.uniform(0.45, 0.75)
        e, f, g = b + side, b + side * (1 + 1j), b + side * 1j
        sketch.path(b, e, f, g)
        sketch.name(e, f, g)
        sketch.right(e, b, f)
        for ends in ((d, b), (b, f), (d, f))[: dice.whole(0, 3)] if dice.chance(0.5) else ((a, f), (d, e))[:1]:
            sketch.aux(*ends)


ADDITIONS: dict[str, Addition] = {
    addition.__name__: addition
    for addition in (
        diagonal,
        diagonals,
        midpoints,
        height,
        midline,
        point_on_side,
        two_on_sides,
        made_longer,
        bisect,
        inner_point,
    )
}
#: Additions that leave room for another; not both of the first two.
LIGHT = ("diagonal", "diagonals", "height", "midline", "point_on_side", "bisect")


def quadrilateral(sketch: Sketch, dice: Dice) -> None:
    """A quadrilateral with no, one or two additions."""
    kind, corners = base(sketch, dice)
    names = dict(ADDITIONS)
    if kind in ("square", "rectangle"):
        names |= {"triangle_on_side": triangle_on_side, "folded": folded}
    if kind == "square":
        names["turned_square"] = turned_square
    if kind in shapes.CYCLIC:
        names["circumscribed"] = circumscribed
    if kind in shapes.TANGENTIAL:
        names["inscribed"] = inscribed
    if kind in ("square", "rectangle", "kite"):
        del names["height"]
    if kind in ("square", "rhombus"):
        del names["bisect"]
    if kind == "kite":
        del names["made_longer"]
    count = dice.pick((0, 1, 1, 1, 1, 1, 2, 2))
    light = tuple(name for name in dice.pick((LIGHT[1:], LIGHT[:1] + LIGHT[2:])) if name in names)
    for name in dice.some(light, count) if count > 1 else dice.some(tuple(names), count):
        names[name](sketch, dice, kind, corners)
        sketch.parts.append(name)
