import dataclasses

import pytest

from datagen.geometry import grid
from datagen.geometry.settings import EASY
from dsocr_jax.answers import check_label
from tests.datagen.geometry.drawn import draw, draws


@pytest.mark.parametrize("recipe", grid.RECIPES)
def test_every_recipe_gives_readable_labelled_figures(recipe: str):
    for content, drawn in draws(dataclasses.replace(EASY, recipes=(recipe,)), 6):
        check_label("geometry", drawn.label)
        assert drawn.label == content.key


def test_corners_lie_on_the_grid():
    settings = dataclasses.replace(EASY, recipes=("grid_triangle", "grid_quadrilateral", "grid_segments"))
    for content, _ in draws(settings, 20):
        assert all(x % 1 == 0 for s in content.strokes for p in s[:2] for x in (p.real, p.imag))


def test_pictures_are_gray_squares_of_black_on_white_with_large_letters():
    for _, drawn in draws(EASY, 10):
        assert drawn.image.shape == (192, 192)
        assert (drawn.image.min(), drawn.image.max()) == (0, 255)
        boxes = drawn.meta["boxes"]
        assert all(bottom - top > 12 for _, top, _, bottom in boxes)


def test_no_chord_melts_into_its_circle():
    for content, _ in draws(dataclasses.replace(EASY, recipes=("grid_circle",)), 60):
        for a, b, _ in content.strokes:
            assert abs(a + b) / 2 < 8 - 0.6 or 0j in (a, b)


def test_nothing_but_strokes_and_letters_is_drawn():
    content, drawn = draw(EASY, 3)
    assert len(drawn.meta["boxes"]) == len(content.letters)
    assert drawn.meta["marks"] == []
