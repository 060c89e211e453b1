import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datagen.family import Drawn, Rejected
from datagen.geometry import FAMILY, plane
from datagen.geometry.drawing import _free_place, draw_style, half_extent
from datagen.geometry.recipes import RECIPES
from datagen.geometry.settings import EASY, STANDARD, GeometrySettings
from datagen.geometry.sketch import Composed, Sketch
from dsocr_jax.answers import check_label
from dsocr_jax.answers.geometry import parse_figure

LEVELS = {"easy": EASY, "standard": STANDARD}
POINTS = st.complex_numbers(max_magnitude=10, allow_nan=False, allow_infinity=False).map(
    lambda z: complex(round(z.real, 3), round(z.imag, 3))
)
TRIANGLES = st.tuples(POINTS, POINTS, POINTS).filter(lambda t: abs(plane.cross(t[1] - t[0], t[2] - t[0])) > 0.5)


def draw(settings: GeometrySettings, seed: int) -> tuple[Composed, Drawn]:
    """Return the first usable draw from ``seed`` on."""
    for attempt in range(100):
        rng = np.random.default_rng([seed, attempt])
        try:
            content = FAMILY.compose(rng, settings)
            return content, FAMILY.render(content, rng, settings)
        except Rejected:
            continue
    raise AssertionError("100 draws rejected")


@given(TRIANGLES)
def test_the_foot_is_on_the_line_and_square_to_it(t: tuple[complex, complex, complex]):
    foot = plane.foot(*t)
    assert plane.cross(foot - t[1], t[2] - t[1]) == pytest.approx(0, abs=1e-6)
    assert plane.dot(foot - t[0], t[2] - t[1]) == pytest.approx(0, abs=1e-6)


@given(TRIANGLES)
def test_the_incircle_touches_the_three_sides(t: tuple[complex, complex, complex]):
    centre, radius = plane.incircle(*t)
    for a, b in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0])):
        assert plane.distance_to_segment(centre, a, b) == pytest.approx(radius, abs=1e-6)


@given(TRIANGLES)
def test_the_circumcircle_goes_through_the_corners(t: tuple[complex, complex, complex]):
    centre, radius = plane.circumcircle(*t)
    assert [abs(corner - centre) for corner in t] == pytest.approx([radius] * 3, rel=1e-6)


@given(TRIANGLES)
def test_the_bisector_halves_the_angle(t: tuple[complex, complex, complex]):
    a, b, c = t
    foot = plane.bisector_foot(a, b, c)
    assert plane.angle_at(a, b, foot) == pytest.approx(plane.angle_at(a, foot, c), abs=1e-6)


@given(POINTS, POINTS, st.floats(0.5, 3))
def test_tangents_are_square_to_the_radius(point: complex, centre: complex, radius: float):
    assume(abs(point - centre) > radius + 0.1)
    for touch in plane.tangent_points(point, centre, radius):
        assert abs(touch - centre) == pytest.approx(radius)
        assert plane.dot(touch - centre, touch - point) == pytest.approx(0, abs=1e-6)


@given(st.floats(0, 6), POINTS)
def test_a_line_meets_its_circle_again(turn: float, through: complex):
    point = plane.direction(turn)
    assume(abs(point - through) > 0.1)
    assert abs(plane.second_meeting(point, through, 0j)) == pytest.approx(1)


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_every_recipe_gives_readable_labelled_figures(recipe: str):
    settings = dataclasses.replace(EASY if recipe.startswith("grid_") else STANDARD, recipes=(recipe,))
    for seed in range(6):
        content, drawn = draw(settings, seed)
        check_label("geometry", drawn.label)
        assert drawn.label == content.key
        assert max(half_extent(parse_figure(drawn.label))) == pytest.approx(8, abs=0.02)


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_state_gives_the_same_bytes(level: str):
    first, second = draw(LEVELS[level], 3)[1], draw(LEVELS[level], 3)[1]
    assert first.image.tobytes() == second.image.tobytes()
    assert (first.label, first.meta) == (second.label, second.meta)


@pytest.mark.parametrize("level", LEVELS)
def test_the_strokes_lie_where_the_label_says(level: str):
    settings = dataclasses.replace(LEVELS[level], letters=0.0, dots=0.0)
    for seed in range(12):
        _, drawn = draw(settings, seed)
        gray = drawn.image if drawn.image.ndim == 2 else drawn.image.mean(-1)
        rows, columns = np.nonzero(gray < gray.max() - 60)
        half_x, half_y = half_extent(parse_figure(drawn.label))
        scale, stroke = drawn.meta["scale"], 0.02 * min(gray.shape) + 2
        assert np.ptp(columns) == pytest.approx(2 * half_x * scale, abs=stroke)
        assert np.ptp(rows) == pytest.approx(2 * half_y * scale, abs=stroke)


def test_a_point_that_is_higher_in_the_label_is_higher_in_the_picture():
    settings = dataclasses.replace(EASY, recipes=("grid_triangle",), letters=0.0, dashed=0.0)
    content, drawn = draw(settings, 1)
    top = max(content.figure.segments, key=lambda s: max(s.start[1], s.end[1]))
    high = max(top.start, top.end, key=lambda p: p[1])
    column = np.nonzero(drawn.image[np.nonzero(drawn.image < 128)[0].min()] < 128)[0].mean()
    middle = np.nonzero(drawn.image < 128)[1]
    expected = (middle.min() + middle.max()) / 2 + high[0] * drawn.meta["scale"]
    flat = sum(s.start[1] == s.end[1] == high[1] for s in content.figure.segments)
    assert flat or column == pytest.approx(expected, abs=4)


def test_easy_corners_lie_on_the_grid():
    settings = dataclasses.replace(EASY, recipes=("grid_triangle", "grid_quadrilateral", "grid_segments"))
    for seed in range(20):
        figure = draw(settings, seed)[0].figure
        ends = [x for s in figure.segments for p in (s.start, s.end) for x in p]
        assert all(x % 1 == 0 for x in ends)


def test_easy_pictures_are_gray_squares():
    assert draw(EASY, 0)[1].image.shape == (192, 192)


def test_place_and_size_do_not_change_the_label():
    content, _ = draw(STANDARD, 5)
    labels, scales = set(), set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scales.add(round(draw_style(content, rng, STANDARD).scale, 2))
        try:
            labels.add(FAMILY.render(content, np.random.default_rng(seed), STANDARD).label)
        except Rejected:
            continue
    assert len(scales) > 10
    assert labels == {content.key}


def test_a_letter_takes_the_nearest_free_place():
    style = draw_style(draw(EASY, 0)[0], np.random.default_rng(0), EASY)
    taken = np.zeros((style.height, style.width), bool)
    taken[:, :100] = True
    left, top = _free_place(taken, (100.0, 90.0), (10, 12), 1, style) or (0, 0)
    assert left > 100 and math.dist((left + 5, top + 6), (100, 90)) < 30


def test_a_letter_without_a_free_place_has_none():
    style = draw_style(draw(EASY, 0)[0], np.random.default_rng(0), EASY)
    assert _free_place(np.ones((style.height, style.width), bool), (90.0, 90.0), (10, 12), 1, style) is None


@pytest.mark.parametrize(
    ("strokes", "circles", "reason"),
    [
        ([(0j, 16 + 0j), (8 + 0j, 8 + 0.5j)], [], "points too close"),
        ([(0j, 16 + 0j), (0j, 16 + 2j)], [], "strokes too close"),
        ([(0j, 16 + 0j), (2 + 0.3j, 13 + 0.3j)], [], "strokes too close"),
        ([(0j, 16 + 0j)], [(8 + 2j, 0.5)], "circle too small"),
        ([], [(0j, 8), (0j, 7.8)], "circles too close"),
        ([(8 + 0j, 8 * plane.direction(0.4))], [(0j, 8)], "stroke too close to a circle"),
    ],
)
def test_what_cannot_be_told_apart_is_rejected(
    strokes: list[tuple[complex, complex]], circles: list[tuple[complex, float]], reason: str
):
    sketch = Sketch([(a, b, False) for a, b in strokes], {}, circles)
    with pytest.raises(Rejected) as error:
        sketch.compose("test")
    assert error.value.reason == reason


def test_a_centre_without_a_stroke_has_its_letter_with_the_circle_alone():
    sketch = Sketch()
    sketch.circle(0j, 1.0, named=True)
    sketch.join(-1 + 0.0j, 1j)
    content = sketch.compose("test")
    assert content.figure.points == ()
    assert content.letters == (("O", (0.0, 0.0)),)


def test_a_centre_with_a_radius_is_a_labelled_point_too():
    sketch = Sketch()
    sketch.circle(0j, 1.0, named=True)
    sketch.join(0j, 1j)
    assert sketch.compose("test").figure.points == (("O", (0.0, 0.0)),)
