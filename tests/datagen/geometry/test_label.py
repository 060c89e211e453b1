import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.family import Rejected
from datagen.geometry import FAMILY
from datagen.geometry.settings import STANDARD
from datagen.geometry.sketch import Sketch
from dsocr_jax.answers import check_label
from dsocr_jax.answers.geometry import Circle, Figure, Segment, normalise, parse_figure, write_figure
from tests.datagen.geometry.drawn import LEVELS, draws


def pair(point: complex) -> tuple[float, float]:
    return point.real, point.imag


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32 - 1))
def test_a_figure_is_canonical_as_it_is_composed(seed: int):
    try:
        content = FAMILY.compose(np.random.default_rng(seed), STANDARD)
    except Rejected:
        return
    assert content.key == write_figure(content.figure)
    check_label("geometry", content.key)


def test_the_sketch_is_normalised_as_the_general_writer_does():
    sketch = Sketch()
    sketch.close(0j, 3 + 0j, 1 + 2j)
    sketch.join(1 + 2j, 1 + 0j, True)
    sketch.circle(1 + 1j, 1.7)
    strokes = tuple(Segment(pair(a), pair(b), dashed) for a, b, dashed in sketch.strokes)
    points = tuple((label, pair(point)) for point, label in sketch.names.items())
    general = Figure(strokes, points, (Circle("", (1.0, 1.0), 1.7),))
    assert sketch.compose("test").key == write_figure(normalise(general))


@pytest.mark.parametrize("level", LEVELS)
def test_labels_read_back_as_the_figure_that_was_composed(level: str):
    for content, drawn in draws(LEVELS[level], 40):
        assert drawn.label == content.key
        assert parse_figure(drawn.label) == content.figure


def test_contents_rarely_repeat():
    keys = []
    for seed in range(600):
        try:
            keys.append(FAMILY.compose(np.random.default_rng(seed), STANDARD).key)
        except Rejected:
            continue
    assert len(set(keys)) > 0.98 * len(keys)
