"""Results on disk, comparisons of two, tables of text, and the HTML report."""

import json
from pathlib import Path

import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.bootstrap import Bootstrap, Estimate
from dsocr_jax.evaluate.compare import compare, run_compare
from dsocr_jax.evaluate.html import MAX_WORDS, Example, marked, write_html
from dsocr_jax.evaluate.items import Item, Reply
from dsocr_jax.evaluate.options import Compare
from dsocr_jax.evaluate.result import FILE, Evaluation, Scored, make_groups, read, write
from dsocr_jax.evaluate.scoring import Row
from dsocr_jax.evaluate.show import make_examples, pick, value_of
from dsocr_jax.evaluate.tables import counts_line, make_grid, show

HOW = Bootstrap(samples=40)


def made(values: dict[str, float | None], task: str = "molecules", **labels: str) -> Evaluation:
    items = tuple(
        Scored(name, {"half": "ab"[n % 2], **labels}, {"tanimoto": v}) for n, (name, v) in enumerate(values.items())
    )
    groups = make_groups(items, [{}, {"half": "a"}, {"half": "b"}, {"half": "none"}], HOW)
    return Evaluation(task, {"seed": 0}, {"examples": len(items)}, groups, items)


FIRST = made({"1": 0.1, "2": 0.5, "3": None, "4": 0.7})


def test_a_result_comes_back(tmp_path: Path) -> None:
    assert write(FIRST, tmp_path / "out").name == FILE
    assert read(tmp_path / "out") == read(tmp_path / "out" / FILE) == FIRST
    assert [path.name for path in (tmp_path / "out").iterdir()] == [FILE]


def test_groups_are_picked_by_labels() -> None:
    assert [(group.title, group.count) for group in FIRST.groups] == [("all", 4), ("a", 2), ("b", 2)]
    # 1 and 3 are in the first half, and 3 has no value; 2 and 4 in the other.
    assert FIRST.group(half="a").metrics["tanimoto"].value == 0.1
    assert FIRST.group(half="b").metrics["tanimoto"].value == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "not the result of an evaluation"),
        ("[]", "not the result of an evaluation"),
        ("junk", "not the result of an evaluation"),
        ('{"format": "other"}', "format 'other'"),
        (
            '{"format": "dsocr-evaluate 1", "groups": [{"name": {}, "metrics": {"a": {"value": NaN}}}]}',
            "not the result",
        ),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UserError, match=message):
        read(tmp_path)


def test_a_result_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "nowhere.json")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="choose another --out"):
        write(FIRST, tmp_path / "file")


# Comparing


def test_differences_are_paired_by_page() -> None:
    second = made({"4": 0.8, "2": 0.6, "1": 0.2, "9": 0.0})
    differences, counts = compare(FIRST, second, HOW)
    assert counts == {"pages": 3, "only_in_the_first": 1, "only_in_the_second": 1}
    whole = differences[0]
    # 0.1, 0.5, 0.7 against 0.2, 0.6, 0.8, in whatever order they stand.
    assert (whole.group, whole.metric) == ({}, "tanimoto")
    assert (whole.first, whole.second, whole.difference.value) == pytest.approx((1.3 / 3, 1.6 / 3, 0.1))
    assert whole.changed and whole.better


def test_a_difference_within_chance_is_no_verdict() -> None:
    differences, _ = compare(FIRST, made({"1": 0.5, "2": 0.1, "4": 0.7}), HOW)
    assert differences[0].difference.value == pytest.approx(0) and not differences[0].changed


def test_lower_is_better_for_distances() -> None:
    def of(value: float) -> Evaluation:
        items = tuple(Scored(str(n), {}, {"edit_dist": value + n / 100}) for n in range(3))
        return Evaluation("molecules", {}, {}, make_groups(items, [{}], HOW), items)

    (difference,) = compare(of(0.5), of(0.3), HOW)[0]
    assert difference.changed and difference.better


def test_two_modes_are_compared_though_their_labels_differ() -> None:
    differences, counts = compare(made({"1": 0.1}, mode="tiny"), made({"1": 0.3}, mode="small"), HOW)
    assert counts["pages"] == 1 and differences[0].difference.value == pytest.approx(0.2)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(UserError, match="one evaluates molecules, the other charts"):
        compare(FIRST, made({"1": 0.1}, task="charts"), HOW)
    with pytest.raises(UserError, match=r"no page is in both evaluations \(4 and 1 pages, such as '1' and 'x'\)"):
        compare(FIRST, made({"x": 0.1}), HOW)


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(FIRST, tmp_path / "a")
    write(made({"1": 0.2, "2": 0.6, "4": 0.8}), tmp_path / "b")
    assert run_compare(Compare(tmp_path / "a", tmp_path / "b", tmp_path / "difference.json", samples=20)) == 0
    assert "0.100 [0.100, 0.100]" in capsys.readouterr().out
    data = json.loads((tmp_path / "difference.json").read_text())
    assert data["counts"]["pages"] == 3 and data["differences"][0]["changed"] is True


# Tables


@pytest.mark.parametrize(
    ("estimate", "expected"),
    [
        (Estimate(0.12345, 0.1, 0.2, 5), "0.123 [0.100, 0.200]"),
        (Estimate(0.5, None, None, 1), "0.500"),
        (Estimate(None, None, None, 0), "-"),
        (None, "-"),
    ],
)
def test_estimates_as_text(estimate: Estimate | None, expected: str) -> None:
    assert show(estimate) == expected


def test_percent() -> None:
    assert show(Estimate(0.98296, 0.97, 0.99, 7), percent=True, interval=False) == "98.3"


def test_metrics_stand_in_rows_and_groups_in_columns() -> None:
    grid = make_grid(FIRST)
    assert grid.head == ("metric", "all", "a", "b")
    assert grid.rows[0] == ("count", "4", "2", "2")
    assert grid.rows[1][0] == "tanimoto ↑" and grid.rows[1][2] == "0.100"


def test_counts_of_nothing_are_left_out() -> None:
    assert (
        counts_line({"pages": 0, "answered": 0, "missing_pictures": 0, "not_read": 2})
        == "0 pages, 0 answered, 2 not read"
    )


# Examples and HTML


def test_words_are_marked() -> None:
    assert marked("a b x d", "a b c d e") == [
        ("a b", "same"), ("c", "gone"), ("x", "new"), ("d", "same"), ("e", "gone")
    ]  # fmt: skip


def test_long_texts_are_cut_and_say_so() -> None:
    assert marked("w " * (MAX_WORDS + 1), "w")[-1] == (f"(the first {MAX_WORDS} words are shown)", "note")


def scored(name: str, value: float | None, **labels: str) -> Scored:
    row: Row = {"rms": value}
    return Scored(name, labels, row)


def test_the_worst_of_every_group_are_picked_first() -> None:
    items = [scored(str(n), n / 10, kind="a") for n in range(5)] + [
        scored("x", 0.9, kind="b"),
        scored("y", None, kind="b"),
    ]
    assert [item.id for item in pick(items, "rms", 2)] == ["0", "x"]
    # Then the middle one of each group.
    assert [item.id for item in pick(items, "rms", 3)] == ["0", "2", "x"]
    assert len(pick(items, "rms", 99)) == 6


def test_groups_of_numbers_stand_in_the_order_of_numbers() -> None:
    items = [scored("late", 0, tokens="1000-1100"), scored("early", 0, tokens="900-1000")]
    assert [item.id for item in pick(items, "rms", 2)] == ["early", "late"]


def test_numbers_of_one_example_that_are_made_of_others() -> None:
    one = Scored(
        "1", {}, {"_table_teds": 1.5, "_tables": 2.0, "text_edit": 0.2, "order_edit": 0.4, "formula_edit": None}
    )
    assert value_of(one, "table_teds") == 0.75
    assert value_of(one, "overall_edit") == pytest.approx(0.3)
    assert value_of(Scored("1", {}, {}), "table_teds") is None


def test_examples_tell_of_pages_without_answer() -> None:
    items, replies = [Item("1", "truth"), Item("2", "truth")], [Reply("1", "answer")]
    examples = make_examples("charts", [scored("1", 0.5), scored("2", 0.0)], items, replies, 5)
    assert [(example.title, example.facts, example.answer) for example in examples] == [
        ("2", "no answer", ""), ("1", "rms 0.500", "answer")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("task", "metric", "answer"), [("molecules", "tanimoto", "CCO"), ("molecules", "tanimoto", "junk(")]
)
def test_an_answer_is_drawn_where_it_can_be(task: str, metric: str, answer: str) -> None:
    one = Scored("1", {}, {metric: 0.5})
    (example,) = make_examples(task, [one], [Item("1", "CCN")], [Reply("1", answer)], 1)
    assert example.drawing.startswith("data:image/jpeg") == (answer == "CCO")


def test_the_report_needs_nothing_but_itself_and_believes_nothing(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> \ud800"
    examples = [
        Example(hostile, "", "", hostile, hostile),
        Example("t", "", "data:image/png;base64,AA", "a", "b", False),
    ]
    file = write_html(FIRST, [make_grid(FIRST)], tmp_path, [("plot", "data:image/png;base64,AA")], examples, [hostile])
    page = file.read_text()
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "http://" not in page and "https://" not in page and "0.100" in page
