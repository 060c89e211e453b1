"""Where precision falls below the mark, and the card that is written from it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from train.compact import write_state
from train.evidence import FIGURES, MARK, SETS, STUDIES, beside, curve
from train.model_card import Options, model_card

CONFIG = Path(__file__).parents[2] / "configs" / "small.py"


@given(st.floats(0.5, 9.5), st.permutations(range(96)))
def test_the_crossing_lies_where_a_falling_line_meets_the_mark(place, order):
    density = np.linspace(0, 10, 96)
    precision = MARK + 0.01 * (place - density)
    found = curve(density[order].tolist(), precision[order].tolist())
    assert found["crossing"] == pytest.approx(place, abs=0.02)
    assert found["at least"] is None


def test_a_curve_above_the_mark_says_how_far_it_was_looked_at():
    found = curve(list(range(40)), [0.95] * 40)
    assert found["crossing"] is None and found["at least"] == pytest.approx(35.5, abs=1)


def test_a_curve_below_the_mark_has_no_crossing():
    found = curve(list(range(40)), [0.5] * 40)
    assert (found["crossing"], found["at least"]) == (None, None)


def test_the_interval_holds_the_crossing_and_shrinks_with_more_pages():
    rng = np.random.default_rng(5)

    def width(count: int) -> float:
        density = rng.uniform(0, 4, count)
        precision = 0.98 - 0.04 * density + 0.03 * rng.standard_normal(count)
        found = curve(density.tolist(), precision.tolist())
        low, high = found["interval"]
        assert low <= found["crossing"] <= high
        return high - low

    assert width(4000) < width(200)


def test_pages_are_read_beside_the_study_that_they_name():
    skip = ("sparse-typeset", "sparse-scripts")
    assert beside("sparse", skip) == {"random": "sparse-random", "degraded": "sparse-degraded"}
    assert beside("dense") == {"random": "dense-random"}
    assert {each.kind for each in SETS.values() if each.study} == {"pages"}


def evidence() -> dict:
    pages = {name: [0.9, 0.8, 0.95] for name in ("word_set_precision", "word_set_recall", "edit_dist", "loops")}
    rows = {name: {f"{label}, small": pages for label in ("plain", "random")} for name in STUDIES}
    rows |= {
        name: {"samples": 9} | {key: [0.4321, 0.3, 0.5] for key in FIGURES[each.kind]}
        for name, each in SETS.items()
        if each.kind != "pages"
    }
    curves = {"tokens": {"crossing": 2.5, "at least": None}, "characters": {"crossing": None, "at least": 7.0}}
    return {"rows": rows, "density": {"plain, small": curves}}


def write(folder: Path, values: dict) -> Options:
    (folder / "evidence.json").write_text(json.dumps(values))
    line = {"step": 70, "stretch": 3, "samples": 12_345, "tokens": 5, "seconds": 3600.0}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    write_state(folder, {"x": np.zeros(2, np.float32)}, {"drawn": {"pages": 300, "charts": 100}})
    return Options(folder / "evidence.json", folder, folder / "card.md", CONFIG)


def test_the_card_holds_the_numbers(tmp_path):
    model_card(write(tmp_path, evidence()))
    text = (tmp_path / "card.md").read_text()
    for said in (
        "12,345 samples",
        "in 3 stretches",
        "75% pages, 25% charts",
        "43.2%",
        "30.0% to 50.0%",
        "| 2.50 |",
        "above 7.00",
    ):
        assert said in text


def test_what_was_not_measured_is_named(tmp_path):
    values = evidence()
    del values["rows"]["molecules-middle"]
    with pytest.raises(UserError, match="molecules-middle"):
        model_card(write(tmp_path, values))
