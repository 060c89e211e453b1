"""The figures of the standard level by name, and how often each is drawn."""

import math
from collections.abc import Callable

from datagen.geometry import circle_pairs, circles, lines, polygons, triangle_pairs
from datagen.geometry.dice import Dice
from datagen.geometry.plane import direction
from datagen.geometry.quadrilaterals import quadrilateral
from datagen.geometry.settings import GeometrySettings
from datagen.geometry.sketch import LETTERS, Composed, Sketch
from datagen.geometry.triangles import triangle

Recipe = Callable[[Sketch, Dice], None]

#: How often a figure is turned by any angle; otherwise its base stays level, and half of them are mirrored.
TURNED = 0.22
#: The same of figures of one fixed form.
RIGID_TURNED = 0.85
#: How often the letters of a figure start elsewhere than at A, and where.
SHIFTED = 0.3
STARTS = "PKDEXLMRSTU"
#: How often points get the letter that goes with their role.
ROLES = 0.6

RECIPES: dict[str, Recipe] = {
    recipe.__name__: recipe
    for recipe in (
        triangle,
        quadrilateral,
        triangle_pairs.crossed,
        triangle_pairs.congruent,
        triangle_pairs.common_side,
        triangle_pairs.opposite_side,
        triangle_pairs.hand_in_hand,
        triangle_pairs.height_on_hypotenuse,
        triangle_pairs.pythagoras,
        triangle_pairs.similar_inside,
        triangle_pairs.mirrored,
        circles.chord,
        circles.diameter,
        circles.inscribed_angle,
        circles.inscribed_polygon,
        circles.crossing_chords,
        circles.parallel_chords,
        circles.tangents,
        circles.tangent_at,
        circles.secants,
        circles.circle_in_angle,
        circles.circumscribed_polygon,
        circle_pairs.crossing_circles,
        circle_pairs.touching_circles,
        circle_pairs.common_tangents,
        circle_pairs.concentric,
        circle_pairs.circles_in_row,
        circle_pairs.circle_and_square,
        lines.transversal,
        lines.perpendicular_between,
        lines.zigzag,
        lines.bundle,
        lines.rays,
        lines.bisected_angle,
        lines.crossing_lines,
        lines.point_and_line,
        lines.shortest_way,
        lines.perpendicular_bisector,
        lines.points_on_line,
        lines.parallels_with_triangle,
        polygons.regular,
        polygons.star,
        polygons.nested,
        polygons.circle_chain,
        polygons.divided_square,
        polygons.prism,
        polygons.pyramid,
        polygons.frustum,
        polygons.net_of_triangles,
        polygons.irregular,
    )
}


def begin(dice: Dice, settings: GeometrySettings) -> Sketch:
    """Return an empty sketch with its ways of dashing and naming."""
    start = LETTERS.index(dice.pick(STARTS)) if dice.chance(SHIFTED) else 0
    return Sketch(
        dashed=dice.chance(settings.dashed), roles=dice.chance(ROLES), letters=LETTERS[start:] + LETTERS[:start]
    )


def compose(dice: Dice, settings: GeometrySettings) -> Composed:
    """Put a figure of the standard level together: a recipe, perhaps turned and mirrored, normalised.

    Raises:
        Rejected: parts of the figure come too close to each other to be read.
    """
    recipe = dice.pick(settings.recipes)
    sketch = begin(dice, settings)
    RECIPES[recipe](sketch, dice)
    if not dice.chance(settings.letters):
        sketch.names = {}
    # Turned by half a turn after its vertical axis was mirrored, a figure is mirrored left to right.
    mirror = dice.chance(0.5)
    turn = complex(-1 if mirror else 1)
    if not sketch.upright and dice.chance(RIGID_TURNED if sketch.rigid else TURNED):
        turn = direction(dice.uniform(0, 2 * math.pi))
    return sketch.compose(recipe, turn, mirror)
