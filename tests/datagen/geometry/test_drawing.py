import dataclasses
import itertools
import json
import math

import cv2
import numpy as np
import pytest

from datagen.family import Rejected
from datagen.geometry import FAMILY, drawing
from datagen.geometry.dice import Dice
from datagen.geometry.letters import free_angles
from datagen.geometry.plane import direction
from datagen.geometry.settings import STANDARD
from datagen.geometry.sketch import Composed, Sketch
from datagen.geometry.strokes import dashes, draw_circle, draw_lines
from datagen.geometry.style import Frame, draw_style, half_extent
from tests.datagen.geometry.drawn import LEVELS, PLAIN, draw, draws


def segment(dashed: bool) -> Composed:
    sketch = Sketch()
    sketch.join(0j, 16 + 7j, dashed)
    return sketch.compose("test")


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_state_gives_the_same_bytes(level: str):
    for seed in range(5):
        first, second = draw(LEVELS[level], seed)[1], draw(LEVELS[level], seed)[1]
        assert first.image.tobytes() == second.image.tobytes()
        assert (first.label, first.meta) == (second.label, second.meta)


@pytest.mark.parametrize("level", LEVELS)
def test_pictures_are_of_the_promised_shape_and_sizes(level: str):
    settings = LEVELS[level]
    for _, drawn in draws(settings, 40):
        image = drawn.image
        assert image.dtype == np.uint8
        assert image.ndim == 2 or image.shape[2:] == (3,)
        longer, shorter = max(image.shape[:2]), min(image.shape[:2])
        assert settings.sides[0] <= longer <= settings.sides[1]
        assert longer / shorter <= settings.aspect * 1.01
        assert image.max() > 200 and image.min() < 90


def test_what_is_known_about_a_picture_survives_json():
    for _, drawn in draws(STANDARD, 30):
        assert json.loads(json.dumps(drawn.meta)) == drawn.meta


def test_place_and_size_do_not_change_the_label():
    content, _ = draw(STANDARD, 5)
    labels, frames = set(), set()
    for seed in range(20):
        try:
            drawn = FAMILY.render(content, np.random.default_rng(seed), STANDARD)
        except Rejected:
            continue
        labels.add(drawn.label)
        frames.add(tuple(drawn.meta["frame"][:3]))
    assert len(frames) > 10
    assert labels == {content.key}


def test_strokes_lie_inside_the_picture():
    settings = dataclasses.replace(PLAIN, letters=0.0)
    for _, drawn in draws(settings, 40):
        edges = (drawn.image[0], drawn.image[-1], drawn.image[:, 0], drawn.image[:, -1])
        assert all((edge == edge.max()).all() for edge in edges)


def test_letters_are_whole_and_touch_neither_strokes_nor_each_other():
    for seed in range(60):
        rng = np.random.default_rng([seed, 1])
        try:
            content = FAMILY.compose(rng, PLAIN)
            style = draw_style(content, Dice(rng), PLAIN)
            bare, _, _ = drawing.draw_ink(dataclasses.replace(content, letters=()), style, Dice(rng))
            ink, _, boxes = drawing.draw_ink(content, dataclasses.replace(style, dots="none"), Dice(rng))
        except Rejected:
            continue
        # Points that no stroke shows are dots, whose boxes come first.
        boxes = boxes[len(boxes) - len(content.letters) :]
        letters = np.zeros_like(ink)
        for left, top, right, bottom in boxes:
            assert 0 < left < right < style.width and 0 < top < bottom < style.height
            inside = slice(top, bottom), slice(left, right)
            letters[inside] = (ink[inside] > bare[inside]) & (ink[inside] > 64)
        around = cv2.dilate(letters, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
        assert not ((around > 0) & (bare > 64)).any()
        for one, other in itertools.combinations(boxes, 2):
            shared = [min(one[k + 2], other[k + 2]) - max(one[k], other[k]) for k in (0, 1)]
            assert min(shared) <= 2


def test_every_labelled_point_has_its_letter_nearest():
    for content, drawn in draws(PLAIN, 40):
        frame = Frame.from_numbers(drawn.meta["frame"])
        points = [frame.pixel(point) for _, point in content.letters]
        boxes = drawn.meta["boxes"][-len(points) :] if points else []
        middles = [complex(left + right, top + bottom) / 2 for left, top, right, bottom in boxes]
        nearest = {min(range(len(points)), key=lambda number: abs(points[number] - middle)) for middle in middles}
        assert len(nearest) == len(points)


def test_a_letter_goes_into_the_widest_angle():
    lines = [(0j, 4.0, 1 + 0j), (0j, 4.0, 1j)]
    way, size = free_angles(0j, lines, (), 0.0)[0]
    # The strokes go right and up, so the letter goes left and down; y points downwards in pictures.
    assert (math.cos(way), math.sin(way)) == pytest.approx((-math.sqrt(0.5), math.sqrt(0.5)))
    assert size == pytest.approx(1.5 * math.pi)


@pytest.mark.parametrize("turn", [0.0, 0.7, 2.0, 4.0])
@pytest.mark.parametrize("lines", [[], ["tangent"], ["radius"], ["diameter", "tangent"]])
def test_a_letter_on_a_circle_goes_outside(turn: float, lines: list[str]):
    away = direction(turn)
    ways = {"tangent": away * 1j, "radius": -away, "diameter": -away}
    strokes = [(3 * away, 6.0 if line == "diameter" else 3.0, ways[line]) for line in lines]
    way, _ = free_angles(3 * away, strokes, [(0j, 3.0)], 0.0)[0]
    assert direction(-way) == pytest.approx(away)


def test_dashes_fill_the_stroke_with_gaps_between():
    lines = dashes(0j, 100 + 0j, (8.0, 5.0))
    assert (lines[0][0], lines[-1][1]) == pytest.approx((0j, 100 + 0j))
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(lines)]
    assert all(3.5 < gap.real < 6.5 for gap in gaps)


def test_dashed_strokes_are_dashed_in_ink_and_solid_ones_are_not():
    settings = dataclasses.replace(PLAIN, letters=0.0)
    for dashed in (False, True):
        content = segment(dashed)
        for seed in range(10):
            drawn = FAMILY.render(content, np.random.default_rng(seed), settings)
            frame = Frame.from_numbers(drawn.meta["frame"])
            along = np.linspace(0.02, 0.98, 800)
            a, b = (frame.pixel(point) for point in content.strokes[0][:2])
            places = a + (b - a) * along
            dark = drawn.image[np.rint(places.imag).astype(int), np.rint(places.real).astype(int)] < 190
            changes = np.count_nonzero(dark[1:] != dark[:-1])
            assert changes >= 8 if dashed else dark.all()
            assert not dashed or 0.3 < dark.mean() < 0.85


@pytest.mark.parametrize("thickness", [1.35, 2.0, 2.5, 3.0, 4.0, 5.0])
def test_circles_are_as_wide_as_lines(thickness: float):
    line, circle = np.zeros((200, 200), np.uint8), np.zeros((200, 200), np.uint8)
    draw_lines(line, [(20 + 80j, 180 + 120j)], thickness)
    draw_circle(circle, 100 + 100j, 70.0, thickness)
    widths = line.sum() / 255 / abs(160 + 40j), circle.sum() / 255 / (2 * math.pi * 70)
    assert widths == pytest.approx((thickness, thickness), abs=0.3)


def test_a_point_that_is_higher_in_the_label_is_higher_in_the_picture():
    settings = dataclasses.replace(PLAIN, letters=0.0)
    drawn = FAMILY.render(segment(False), np.random.default_rng(0), settings)
    rows, columns = np.nonzero(drawn.image < 128)
    assert columns[rows.argmin()] > columns[rows.argmax()]


def test_the_figure_fills_the_frame_that_the_label_has():
    for content, _ in draws(STANDARD, 30):
        assert max(half_extent(content)) == pytest.approx(8, abs=0.02)


def test_some_pictures_have_colour_and_most_have_none():
    coloured = sum(drawn.image.ndim == 3 for _, drawn in draws(STANDARD, 150))
    assert 5 < coloured < 60
