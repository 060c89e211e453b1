"""Scores of whole sets, and how they are written."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from dsocr_jax.answers.geometry import Circle, Figure, Segment, normalise, write_figure
from dsocr_jax.answers.tables import write_table
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.report import LOWER_IS_BETTER, score, to_json, to_rich, to_text, write_json

TABLE = write_table([["", "Orders"], ["Mon", "10"], ["Tue", "20"]])
FIGURE = write_figure(
    normalise(
        Figure(
            (Segment((0, 0), (8, 0)), Segment((0, 0), (0, 6), True), Segment((0, 6), (8, 0)), Segment((2, 2), (3, 3))),
            (("A", (0, 0)), ("B", (8, 0))),
            (Circle("O", (2, 2), 2.0),),
        )
    )
)
LABELS = {"charts": TABLE, "molecules": "CC(=O)Oc1ccccc1C(=O)O", "geometry": FIGURE, "pages": "two words"}
#: Metrics of which even the truth itself does not get all: the released overlap never passes for upright segments.
DEFECTIVE = {"f1_0.75_as_released", "f1_0.9_as_released", "f1_0.75_long_as_released", "f1_0.9_long_as_released"}
#: Metrics that do not apply where nothing was matched.
MATCHED_ONLY = {"line_type_accuracy"}


@pytest.mark.parametrize("kind", LABELS)
def test_the_truth_itself_scores_best(kind: str) -> None:
    scores = score(kind, [f" {LABELS[kind]}\n"], [LABELS[kind]])
    best = {name: float(name not in LOWER_IS_BETTER) for name in scores if name not in DEFECTIVE}
    assert {name: value for name, value in scores.items() if name not in DEFECTIVE} == pytest.approx(best)


@pytest.mark.parametrize("kind", LABELS)
def test_junk_scores_worst(kind: str) -> None:
    scores = score(kind, ["\0"], [LABELS[kind]])
    scores.pop("count")
    scores.pop("loops", None)  # junk does not go in circles
    for name, value in scores.items():
        if name in MATCHED_ONLY:
            assert value is None
        else:
            assert value == float(name in LOWER_IS_BETTER), name


@pytest.mark.parametrize("kind", ["charts", "geometry"])
def test_the_share_of_parseable_answers(kind: str) -> None:
    scores = score(kind, [LABELS[kind], "junk"], [LABELS[kind]] * 2)
    assert (scores["count"], scores["parseable"]) == (2, 0.5)


def test_scores_are_means_over_examples() -> None:
    scores = score("pages", ["a b", "c"], ["a b", "d"])
    assert scores["word_set_precision"] == 0.5


def test_examples_to_which_a_metric_does_not_apply_are_left_out() -> None:
    plain = write_figure(normalise(Figure((Segment((0, 0), (1, 1)),))))
    scores = score("geometry", [plain, FIGURE], [plain, FIGURE])
    assert (scores["circle_f1"], scores["f1_0.75_short_fixed"]) == (1, 1)


def test_metrics_that_apply_to_nothing_are_none() -> None:
    plain = write_figure(normalise(Figure((Segment((0, 0), (1, 1)),))))
    assert score("geometry", [plain], [plain])["circle_f1"] is None


def test_as_released_an_image_without_short_segments_counts_as_0() -> None:
    plain = write_figure(normalise(Figure((Segment((0, 0), (1, 1)),))))
    assert score("geometry", [plain], [plain])["f1_0.75_short_as_released"] == 0


def test_scrm_needs_no_values_to_fail_an_unparseable_answer() -> None:
    assert score("charts", ["junk"], [write_table([["", "v"]])])["scrm_map_high"] == 0


def test_a_chart_may_match_slightly_but_not_strictly() -> None:
    scores = score("charts", [TABLE.replace("20", "20.5")], [TABLE])
    assert [scores[f"scrm_map_{name}"] for name in ("strict", "slight")] == [0, 1]
    assert scores["exact_match"] == 0


def test_an_oversized_answer_is_unparseable() -> None:
    large = write_table([["", "v"], *([str(n), "1"] for n in range(900))])
    assert score("charts", [large], [TABLE])["parseable"] == 0


@pytest.mark.parametrize("kind", ["charts", "molecules", "geometry"])
def test_a_malformed_truth_is_named(kind: str) -> None:
    with pytest.raises(UserError, match=f"{kind}: truth 1"):
        score(kind, [LABELS[kind]] * 2, [LABELS[kind], "{junk}"])


def test_an_unknown_kind() -> None:
    with pytest.raises(UserError, match=r"'maps'.*charts, molecules, geometry, pages"):
        score("maps", ["a"], ["a"])


def test_different_numbers() -> None:
    with pytest.raises(UserError, match="1 predictions but 2 truths"):
        score("pages", ["a"], ["a", "b"])


def test_nothing_to_score() -> None:
    with pytest.raises(UserError, match="nothing to score"):
        score("pages", [], [])


def test_progress_stands_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    score("pages", ["a"], ["a"], show_progress=True)
    captured = capsys.readouterr()
    assert (captured.out, "scoring pages: 1/1" in captured.err) == ("", True)


SCORES = {"pages": {"count": 12.0, "word_set_precision": 0.98765, "edit_dist": 0.5}, "geometry": {"circle_f1": None}}


def test_json_comes_back(tmp_path: Path) -> None:
    write_json(SCORES, tmp_path / "out/scores.json")
    assert json.loads((tmp_path / "out/scores.json").read_text()) == SCORES
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scores.json"]


def test_json_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        write_json(SCORES, tmp_path / "file/scores.json")


def test_json_has_no_bare_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"pages": {"edit_dist": float("nan")}})


def test_the_plain_table() -> None:
    assert [line.split() for line in to_text(SCORES).splitlines()] == [
        ["kind", "metric", "value"],
        ["pages", "count", "12"],
        ["pages", "word_set_precision", "0.9877"],
        ["pages", "edit_dist", "(lower", "is", "better)", "0.5000"],
        ["geometry", "circle_f1", "-"],
    ]


def test_the_terminal_table_shows_every_metric() -> None:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(to_rich(SCORES))
    assert all(part in captured.get() for part in ("word_set_precision", "0.9877", "circle_f1", "(lower is better)"))
