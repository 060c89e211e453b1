import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from datagen.records import Record, decode, encode
from dsocr_jax.answers.tables import write_table
from tests.train import tiny
from train.evaluation.answers import Said
from train.evaluation.curves import draw_curves
from train.evaluation.page import INDEX, page_name, pieces, write_index, write_page
from train.evaluation.result import Result, make_result, scores_of

EVIL = "<script>alert('&')</script>"


def record(kind: str, label: str) -> Record:
    return decode(encode(tiny.sample(kind, 3, label)))


def result(step: int = 500, said: bool = True) -> Result:
    """Two charts, of which one is right, a page and a molecule; the second chart does not fit into the mode base."""
    truth = write_table([["", "value"], ["Jet", "4"]])
    wrong = write_table([["", "value"], ["Jet", "7"]])
    records = [record("charts", truth), record("charts", truth), record("pages", EVIL), record("own", "x")]
    answers = [Said(truth, "stop"), Said(wrong, "stop"), Said(EVIL + "!", "repetition"), Said("y", "length")]
    sums = {
        "tiny": np.array([[4.0, 2], [9.0, 3], [1.0, 1], [2.0, 1]]),
        "base": np.array([[2.0, 2], [0, 0], [3.0, 1], [1.0, 1]]),
    }
    return make_result(step, records, sums, answers if said else None, "tiny", "A note.")


def test_figures_are_means_over_tokens_and_kinds() -> None:
    found = result()
    assert found.losses == {"tiny": 16 / 7, "base": 6 / 4}
    charts, pages, own = found.kinds
    assert charts.losses == {"tiny": 13 / 5, "base": 1.0}
    assert (charts.scores["exact"], charts.scores["parseable"]) == (0.5, 1.0)
    assert charts.cases[1].losses == {"tiny": 3.0}
    assert charts.main == ("parseable", "cell_accuracy", "exact")
    assert pages.scores["exact"] == 0.0
    assert own.scores == {"count": 1.0, "exact": 0.0}
    assert json.loads(json.dumps(found.line(), allow_nan=False))["kinds"]["charts"]["loss"]["base"] == 1.0


def test_a_truth_that_is_not_of_its_form_leaves_the_exact_ones() -> None:
    assert scores_of("charts", ["a", "b"], ["a", "c"]) == {"count": 2.0, "exact": 0.5}


def test_the_page_shows_everything_and_nothing_of_it_is_markup(tmp_path: Path) -> None:
    file = write_page(tmp_path, "<run>", result(), [100, 250, 500, 700])
    text = file.read_text()
    assert file.name == page_name(500) == "step-000500.html"
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 2
    assert "&lt;run&gt; after 500 steps" in text
    assert 'href="step-000250.html"' in text
    assert text.count("data:image/webp;base64,") == 4
    assert '<td class="new">7</td>' in text
    assert '<td class="">4</td>' in text
    assert '<span class="new">!</span>' in text
    assert text.count("<b>right</b>") == 1
    assert "ended by repetition" in text
    assert "A note." in text
    assert "http" not in text


def test_a_page_without_answers_says_so(tmp_path: Path) -> None:
    text = write_page(tmp_path, "run", result(said=False), [500]).read_text()
    assert ">truth<" in text
    assert ">answer<" not in text
    assert "Answers are" not in text
    assert "the one before" not in text


def test_the_index_has_curves_and_a_line_for_each_evaluation(tmp_path: Path) -> None:
    lines = [result(step).line() for step in (100, 200)] + [result(300, said=False).line()]
    file = write_index(tmp_path, "run", lines)
    text = file.read_text()
    assert file.name == INDEX
    assert [text.index(page_name(step)) for step in (300, 200, 100)] == sorted(
        text.index(page_name(step)) for step in (300, 200, 100)
    )
    assert "data:image/png;base64," in text
    assert "http" not in text


@pytest.mark.parametrize(("count", "kinds"), [(1, ["charts"]), (3, ["charts", "own", "pages"])])
def test_curves_are_one_picture_whatever_is_missing(count: int, kinds: list[str]) -> None:
    whole = result().line()
    lines = []
    for step in range(count):
        line = {
            **whole,
            "step": step,
            "kinds": {kind: whole["kinds"][kind] for kind in kinds[: step + 1 if count > 1 else 1]},
        }
        lines.append(line)
    picture = Image.open(io.BytesIO(draw_curves(lines)))
    assert picture.format == "PNG"
    assert picture.width > 300
    assert len(np.unique(np.asarray(picture.convert("L")))) > 10


@given(st.text("abc<", max_size=12), st.text("abc<", max_size=12))
def test_pieces_are_both_texts(answer: str, truth: str) -> None:
    found = pieces(answer, truth)
    assert "".join(text for text, kind in found if kind != "gone") == answer
    if found and found[0][1] != "other":
        assert "".join(text for text, kind in found if kind != "new") == truth


def test_an_answer_that_is_something_else_is_not_compared() -> None:
    assert pieces("<table><tr>", "c1ccccc1") == [("<table><tr>", "other")]
    assert pieces("c1cccc1", "c1ccccc1") != [("c1cccc1", "other")]
