import numpy as np
import pytest
from PIL import Image

from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.geometry import Circle, Figure, Segment
from dsocr_jax.answers.tables import Table
from dsocr_jax.answers.understand import understand
from dsocr_jax.prompts import PROMPTS
from dsocr_jax.reading.results import beside, draw_figure, draw_molecule, draw_table, redraw
from dsocr_jax.reading.results.redraw import MAX_DRAWN_ATOMS, MAX_ROWS, SIDE


def ink(image: Image.Image) -> np.ndarray:
    """Bool [height, width]: where something dark is drawn."""
    return np.asarray(image.convert("L")) < 128


def test_a_figure_points_up():
    """A triangle with its tip at the top has less ink in each row there than at its base."""
    triangle = Figure((Segment((-8, -4), (8, -4)), Segment((-8, -4), (0, 4)), Segment((0, 4), (8, -4))))
    rows = np.flatnonzero(ink(draw_figure(triangle)).any(1))
    width = ink(draw_figure(triangle)).sum(1)
    assert width[rows[-1] - 2 : rows[-1] + 1].max() > 0.8 * SIDE
    assert width[rows[0]] < 20


def test_a_figure_fills_the_drawing_whatever_its_size():
    for scale in (0.01, 1.0, 100.0):
        drawn = ink(draw_figure(Figure((Segment((0, 0), (scale, scale)),))))
        columns = np.flatnonzero(drawn.any(0))
        assert columns[-1] - columns[0] == pytest.approx(0.84 * SIDE, abs=6)


def test_dashed_segments_have_gaps():
    solid, dashed = (ink(draw_figure(Figure((Segment((-8, 0), (8, 0), kind),)))).any(0).sum() for kind in (False, True))
    assert 0.4 * solid < dashed < 0.65 * solid


def test_a_circle_is_round_and_labelled():
    figure = Figure((), (), (Circle("O", (0, 0), 8.0),))
    drawn = ink(draw_figure(figure))
    assert np.ptp(np.flatnonzero(drawn.any(0))) == pytest.approx(np.ptp(np.flatnonzero(drawn.any(1))), abs=2)
    assert drawn[SIDE // 2 - 40 : SIDE // 2 + 40, SIDE // 2 - 40 : SIDE // 2 + 40].any()


def test_a_figure_without_strokes_is_refused():
    with pytest.raises(AnswerError):
        draw_figure(Figure(()))


def test_a_molecule_is_drawn():
    drawing = draw_molecule("c1ccccc1")
    assert drawing is not None
    assert drawing.size == (SIDE, SIDE)
    assert ink(drawing).sum() > 1000


def test_different_molecules_look_different():
    assert draw_molecule("c1ccccc1").tobytes() != draw_molecule("C1CCCCC1").tobytes()  # type: ignore[union-attr]


def test_a_molecule_too_large_to_be_laid_out_is_not_drawn():
    assert draw_molecule("C" * (MAX_DRAWN_ATOMS + 1)) is None


@pytest.mark.parametrize("text", ["C(", ""])
def test_what_is_no_molecule_is_refused(text: str):
    with pytest.raises(AnswerError):
        draw_molecule(text)


def test_a_table_is_as_high_as_its_rows():
    heights = [draw_table(Table((("a", "b"),) * rows)).height for rows in (1, 2, MAX_ROWS, MAX_ROWS + 1, 900)]
    step = heights[1] - heights[0]
    assert heights[2] - heights[0] == step * (MAX_ROWS - 1)
    assert heights[3] == heights[4] == heights[2] + step


def test_a_wide_table_keeps_its_limit():
    assert draw_table(Table((("W" * 500,) * 200,) * 3), 600).width <= 600


@pytest.mark.parametrize(
    ("text", "drawn"),
    [("CCO", True), ("<table><tr><td>a</td></tr></table>", True), ("Text", False), ("", False), ("C(", False)],
)
def test_what_can_be_redrawn(text: str, drawn: bool):
    assert (redraw(understand(text, PROMPTS["figure"], (10, 10))) is not None) == drawn


@pytest.mark.parametrize("size", [(1, 1), (2000, 3), (3, 2000), (300, 200)])
def test_any_picture_fits_beside_a_drawing(size: tuple[int, int]):
    sheet = beside(Image.new("L", size), Image.new("RGB", (SIDE, 50)))
    assert sheet.width <= 2 * SIDE + 3 * 16
    assert sheet.height <= SIDE + 30 + 2 * 16


def test_both_halves_are_shown():
    sheet = np.asarray(beside(Image.new("RGB", (100, 100), "red"), Image.new("RGB", (100, 100), "blue")))
    assert (sheet == (255, 0, 0)).all(-1).sum() > 9000
    assert (sheet == (0, 0, 255)).all(-1).sum() > 9000
