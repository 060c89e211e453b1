import json

import pytest

from datagen.geometry import FAMILY
from datagen.geometry.overlap import BAR, redraw_iou
from datagen.geometry.settings import STANDARD
from tests.datagen.geometry.drawn import LEVELS, draws


@pytest.mark.parametrize(("level", "count"), [("standard", 300), ("easy", 30)])
def test_labels_drawn_again_cover_their_pictures(level: str, count: int):
    worst = min(redraw_iou(drawn.image, drawn.label, drawn.meta) for _, drawn in draws(LEVELS[level], count))
    assert worst >= BAR


def test_the_family_finds_nothing_wrong_with_its_own_pictures():
    assert FAMILY.verify
    assert not [
        line for _, drawn in draws(STANDARD, 10) for line in FAMILY.verify(drawn.image, drawn.label, drawn.meta)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_a_missing_stroke_is_found(seed: int):
    *_, (_, drawn) = draws(STANDARD, seed + 1)
    content = json.loads(drawn.label)
    longest = max(range(len(content["Line"]["line"])), key=lambda k: len(content["Line"]["line"][k]), default=None)
    if longest is None:
        return
    del content["Line"]["line"][longest], content["Line"]["line_type"][longest]
    assert redraw_iou(drawn.image, json.dumps(content), drawn.meta) < BAR


@pytest.mark.parametrize("seed", range(12))
def test_a_wrong_type_of_all_strokes_is_found(seed: int):
    *_, (_, drawn) = draws(STANDARD, seed + 1)
    content = json.loads(drawn.label)
    types = content["Line"]["line_type"]
    if not types:
        return
    content["Line"]["line_type"] = ["-" if kind == "--" else "--" for kind in types]
    assert redraw_iou(drawn.image, json.dumps(content), drawn.meta) < BAR


@pytest.mark.parametrize("seed", range(8))
def test_a_figure_that_is_a_little_off_is_found(seed: int):
    *_, (_, drawn) = draws(STANDARD, seed + 1)
    x, y, *rest = drawn.meta["frame"]
    moved = [x + 4, y + 4, *rest]
    assert redraw_iou(drawn.image, drawn.label, {**drawn.meta, "frame": moved}) < BAR
