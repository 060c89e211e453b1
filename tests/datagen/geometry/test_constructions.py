"""What the constructions claim is true of the numbers: every fact of every figure, over random draws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.family import Rejected
from datagen.geometry import plane, quadrilaterals, recipes, shapes, triangle_shapes, triangles
from datagen.geometry.dice import Dice
from datagen.geometry.facts import Fact
from datagen.geometry.settings import STANDARD, STANDARD_RECIPES
from datagen.geometry.sketch import Sketch

SEEDS = st.integers(0, 2**32 - 1)


def on_stroke(sketch: Sketch, point: complex) -> bool:
    return any(plane.distance_to_segment(point, a, b) < 1e-7 for a, b, _ in sketch.strokes)


def holds(fact: Fact, sketch: Sketch) -> bool:
    """Tell whether a fact is true and what it speaks of is drawn."""
    first = fact.groups[0]
    if fact.kind == "tangent":
        point, along, centre = first
        radii = [radius for c, radius in sketch.circles if abs(c - centre) < 1e-9]
        on_circle = any(abs(abs(point - centre) - radius) < 1e-7 for radius in radii)
        square = abs(plane.dot(plane.unit(point, along), point - centre)) < 1e-7
        return on_circle and square and on_stroke(sketch, plane.between(point, along, 0.05))
    if fact.kind in ("right", "angles", "corner"):
        arms = all(on_stroke(sketch, plane.between(g[0], end, 0.05)) for g in fact.groups for end in g[1:])
        sizes = [plane.angle_at(*group) for group in fact.groups]
        wanted = math.pi / 2 if fact.kind == "right" else sizes[0]
        return arms and all(abs(size - wanted) < 1e-7 for size in sizes)
    sides = all(on_stroke(sketch, plane.between(*group, share)) for group in fact.groups for share in (0.02, 0.5, 0.98))
    if fact.kind == "equal":
        return sides and all(abs(b - a) == pytest.approx(abs(first[1] - first[0])) for a, b in fact.groups)
    way = plane.unit(*first)
    return sides and all(abs(plane.cross(plane.unit(a, b), way)) < 1e-7 for a, b in fact.groups)


def check(sketch: Sketch) -> None:
    wrong = [fact for fact in sketch.facts if not holds(fact, sketch)]
    assert not wrong


@pytest.mark.parametrize("recipe", recipes.RECIPES)
@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_every_fact_of_a_recipe_is_true_and_drawn(recipe: str, seed: int):
    dice = Dice(np.random.default_rng(seed))
    sketch = recipes.begin(dice, STANDARD)
    try:
        recipes.RECIPES[recipe](sketch, dice)
    except Rejected:
        return
    check(sketch)


@pytest.mark.parametrize("name", triangles.ADDITIONS)
@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_every_addition_to_a_triangle_is_what_it_says(name: str, seed: int):
    dice, sketch = Dice(np.random.default_rng(seed)), Sketch()
    corners = triangles.base(sketch, dice)
    try:
        triangles.ADDITIONS[name](sketch, dice, *corners)
    except Rejected:
        return
    check(sketch)


@pytest.mark.parametrize(
    "name",
    [*quadrilaterals.ADDITIONS, "circumscribed", "inscribed", "folded", "turned_square", "triangle_on_side"],
)
@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_every_addition_to_a_quadrilateral_is_what_it_says(name: str, seed: int):
    dice, sketch = Dice(np.random.default_rng(seed)), Sketch()
    kinds = ("square",) if name not in quadrilaterals.ADDITIONS else shapes.QUADRILATERALS
    try:
        getattr(quadrilaterals, name)(sketch, dice, *quadrilaterals.base(sketch, dice, kinds))
    except Rejected:
        return
    check(sketch)


@given(SEEDS)
def test_an_inscribed_circle_touches_all_three_sides(seed: int):
    dice, sketch = Dice(np.random.default_rng(seed)), Sketch()
    a, b, c = triangles.base(sketch, dice)
    triangle_shapes.inscribed(sketch, dice, a, b, c)
    centre, radius = sketch.circles[0]
    distances = [plane.distance_to_segment(centre, *side) for side in ((a, b), (b, c), (c, a))]
    assert distances == pytest.approx([radius] * 3)


@given(SEEDS)
def test_a_circumscribed_circle_goes_through_all_corners(seed: int):
    dice, sketch = Dice(np.random.default_rng(seed)), Sketch()
    corners = triangles.base(sketch, dice)
    triangle_shapes.circumscribed(sketch, dice, *corners)
    centre, radius = sketch.circles[0]
    assert [abs(corner - centre) for corner in corners] == pytest.approx([radius] * 3)


@given(SEEDS)
def test_an_excircle_touches_the_three_lines_from_outside(seed: int):
    dice, sketch = Dice(np.random.default_rng(seed)), Sketch()
    a, b, c = triangles.base(sketch, dice)
    triangle_shapes.excircle(sketch, dice, a, b, c)
    centre, radius = sketch.circles[0]
    lines = ((a, b), (b, c), (c, a))
    assert [abs(centre - plane.foot(centre, *line)) for line in lines] == pytest.approx([radius] * 3)
    assert plane.cross(c - b, centre - b) * plane.cross(c - b, a - b) < 0


@pytest.mark.parametrize("kind", shapes.QUADRILATERALS)
@given(seed=SEEDS)
def test_quadrilaterals_are_convex(kind: str, seed: int):
    angles = shapes.inner_angles(shapes.quadrilateral(kind, Dice(np.random.default_rng(seed))))
    assert sum(angles) == pytest.approx(2 * math.pi)
    assert max(angles) < math.pi


def test_there_are_at_least_forty_constructions():
    parts = len(triangles.ADDITIONS) + len(quadrilaterals.ADDITIONS) + len(recipes.RECIPES)
    assert parts >= 40


def test_every_recipe_belongs_to_the_standard_level():
    assert set(STANDARD_RECIPES) == set(recipes.RECIPES)
