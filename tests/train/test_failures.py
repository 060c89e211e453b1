"""The page of what was read wrongly."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.result import Evaluation, Scored, write
from tests.train import tiny
from train.failures import CAUSES, PAGE, Options, chosen, failures

NAME, METRIC = "molecules-easy", "tanimoto"


def scored(number: int, score: float | None, mode: str = "small") -> Scored:
    return Scored(f"molecules-{number:08d}", {"mode": mode}, {METRIC: score})


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=30), st.integers(1, 5))
def test_the_lowest_score_is_chosen_and_nothing_perfect(scores, count):
    items = [scored(i, score) for i, score in enumerate(scores)]
    wrong = sorted(score or 0.0 for score in scores if score != 1)
    found = [item.metrics[METRIC] or 0.0 for item in chosen(items, METRIC, count)]
    assert len(found) == min(count, len(wrong))
    assert found == sorted(found)
    assert found[:1] == wrong[:1]


def evaluated(folder: Path) -> Path:
    tiny.write_set(folder / "sets" / NAME, {"molecules": 3})
    small = (scored(0, 1.0), scored(1, 0.25), scored(2, None))
    write(Evaluation("molecules", {}, {}, (), (*small, scored(0, 0.1, "tiny"))), folder / NAME)
    lines = [{"id": f"molecules-{i:08d}", "mode": "small", "prediction": f"C{i} <b>"} for i in range(3)]
    lines += [{"id": f"molecules-{i:08d}", "mode": "tiny", "prediction": f"N{i}"} for i in range(3)]
    (folder / NAME / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_truth_answer_and_cause_stand_below_a_picture(tmp_path):
    out = tmp_path / "page"
    out.mkdir()
    (out / CAUSES).write_text(json.dumps({f"{NAME}/molecules-00000002": "too small"}))
    failures(Options(evaluated(tmp_path), out, each=5, side=32))
    text = (out / PAGE).read_text()
    assert "1 of 3 have a perfect" in text
    assert "<code>C2 &lt;b&gt;</code>" in text and "C0" not in text
    assert "cause, by guess: too small" in text
    assert {file.name for file in out.glob("*.png")} == {f"{NAME}-1.png", f"{NAME}-2.png"}


def test_answers_of_another_mode_stand_apart(tmp_path):
    out = tmp_path / "page"
    failures(Options(evaluated(tmp_path), out, mode="tiny", side=32))
    text = (out / PAGE).read_text()
    assert "0 of 1 have a perfect" in text
    assert "<code>N0</code>" in text and "C1" not in text


def test_answers_that_end_within_a_line_are_named(tmp_path):
    folder = evaluated(tmp_path)
    with (folder / NAME / "answers.jsonl").open("a") as file:
        file.write('{"id": "mole')
    with pytest.raises(UserError, match=f"{NAME}: answers and samples do not fit"):
        failures(Options(folder, tmp_path / "page"))


def test_a_folder_without_evaluations_is_refused(tmp_path):
    with pytest.raises(UserError, match="no evaluation"):
        failures(Options(tmp_path, tmp_path / "page"))
