import dataclasses

import numpy as np
import pytest

from datagen.geometry.dice import Dice
from datagen.geometry.drawing import draw_ink
from datagen.geometry.settings import STANDARD
from datagen.geometry.sketch import Composed, Sketch
from datagen.geometry.style import MARKS, Style, draw_style
from tests.datagen.geometry.drawn import PLAIN


def right_triangle() -> Composed:
    sketch = Sketch()
    sketch.close(0j, 4 + 0j, 3j)
    sketch.right(0j, 4 + 0j, 3j)
    sketch.equal((0j, 3j), (0j, 3j))
    sketch.parallel((0j, 4 + 0j))
    sketch.same_angles((4 + 0j, 0j, 3j))
    return sketch.compose("test")


def style_with(*marks: str) -> Style:
    style = draw_style(right_triangle(), Dice(np.random.default_rng(4)), PLAIN)
    return dataclasses.replace(style, marks=frozenset(marks))


@pytest.mark.parametrize("kind", MARKS)
def test_each_kind_of_mark_leaves_ink_in_its_boxes_alone(kind: str):
    content = right_triangle()
    seen = 0
    for seed in range(8):
        bare, _, _ = draw_ink(content, style_with(), Dice(np.random.default_rng(seed)))
        ink, _, boxes = draw_ink(content, style_with(kind), Dice(np.random.default_rng(seed)))
        changed = ink != bare
        for left, top, right, bottom in boxes:
            changed[max(0, top) : bottom, max(0, left) : right] = False
        # Letters that gave way to a mark are where they were in the picture without it.
        bare_boxes = draw_ink(content, style_with(), Dice(np.random.default_rng(seed)))[2]
        for left, top, right, bottom in bare_boxes:
            changed[top:bottom, left:right] = False
        assert not changed.any()
        seen += len(boxes) > len(bare_boxes)
    assert seen >= 1


def test_marks_do_not_change_the_label():
    content = right_triangle()
    assert "right" not in content.key and content.key == dataclasses.replace(content, facts=()).key


def test_marks_are_drawn_as_often_as_the_settings_say():
    content = right_triangle()
    count = sum(bool(draw_style(content, Dice(np.random.default_rng(n)), STANDARD).marks) for n in range(300))
    assert 150 < count < 260
