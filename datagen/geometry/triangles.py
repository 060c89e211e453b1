"""Triangles: five shapes, and what school books add to them. An addition is a function of the sketch and corners."""

from collections.abc import Callable

from datagen.geometry import shapes, triangle_lines, triangle_shapes
from datagen.geometry.dice import Dice
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
    sketch.rigid = kind == "equilateral"
    if kind == "equilateral":
        sketch.equal((top, left), (left, right), (right, top))
    sketch.parts.append(kind)
    return corners if kind in ("isosceles", "obtuse") or dice.chance(0.6) else order


#: What can be added.
ADDITIONS: dict[str, Addition] = {
    addition.__name__: addition
    for addition in (
        triangle_lines.height,
        triangle_lines.heights,
        triangle_lines.median,
        triangle_lines.medians,
        triangle_lines.bisect,
        triangle_lines.bisectors,
        triangle_lines.midline,
        triangle_lines.midlines,
        triangle_lines.parallel,
        triangle_lines.cevian,
        triangle_lines.cevians,
        triangle_lines.across,
        triangle_lines.perpendicular_bisector,
        triangle_lines.exterior,
        triangle_lines.parallel_at_top,
        triangle_lines.doubled_median,
        triangle_shapes.inscribed,
        triangle_shapes.circumscribed,
        triangle_shapes.square_outside,
        triangle_shapes.inner_point,
        triangle_shapes.orthic,
        triangle_shapes.on_diameter,
        triangle_shapes.excircle,
        triangle_shapes.rectangle_inside,
        triangle_shapes.mirrored,
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
