"""Recorded answers: what is read, and what is refused with the line that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.items import Item, Reply
from dsocr_jax.evaluate.lines import Appender, read_lines
from dsocr_jax.evaluate.recorded import check_belong, read_recorded, read_replies


def written(path: Path, *lines: Any) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_truths_and_answers_come_from_one_file(tmp_path: Path) -> None:
    lines = (
        {"id": "a", "token_count": 650, "truth": "one", "prediction": "two", "more": [1]},
        "",
        {"id": "b", "label": "three", "text": "four", "mode": "small", "finish_reason": "length", "answer_tokens": 7},
        {"id": "c", "truth": "five", "prediction": None},
    )
    source, replies = read_recorded(written(tmp_path / "x.jsonl", *lines))
    assert source.items == [Item("a", "one", tokens=650), Item("b", "three"), Item("c", "five")]
    assert replies == [Reply("a", "two"), Reply("b", "four", mode="small", finish_reason="length", answer_tokens=7)]


def test_a_page_may_be_answered_in_several_modes(tmp_path: Path) -> None:
    lines = [{"id": "a", "truth": "t", "prediction": "p", "mode": mode} for mode in ("tiny", "small")]
    source, replies = read_recorded(written(tmp_path / "x.jsonl", *lines))
    assert (len(source.items), [reply.mode for reply in replies]) == (1, ["tiny", "small"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not json", "line 2: not JSON"),
        ("[1]", "line 2: expected an object, found list"),
        ({"id": "b", "prediction": "x"}, "line 2: lacks 'truth' or 'label'; it has 'id', 'prediction'"),
        ({"id": 3, "truth": "t"}, "line 2: 'id' must be text, not int"),
        ({"id": "b", "truth": "t", "token_count": "9"}, "line 2: 'token_count' must be a whole number"),
        ({"id": "b", "truth": "t", "token_count": -1}, "line 2: 'token_count' must be a whole number"),
        ({"id": "a", "truth": "other", "prediction": "x"}, "line 2: the page 'a' has been there before"),
        ({"id": "a", "truth": "t", "prediction": "y"}, "two answers for the page 'a'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, line: Any, message: str) -> None:
    file = written(tmp_path / "x.jsonl", {"id": "a", "truth": "t", "prediction": "x"}, line)
    with pytest.raises(UserError, match=message):
        read_recorded(file)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"id": "\xff"}\n')
    with pytest.raises(UserError, match="line 1: not JSON"):
        read_recorded(tmp_path / "x.jsonl")


def test_an_empty_file_and_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no recorded answers"):
        read_recorded(written(tmp_path / "x.jsonl"))
    with pytest.raises(UserError, match="cannot be read"):
        read_recorded(tmp_path / "nowhere.jsonl")


def test_a_line_without_end_in_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsocr_jax.evaluate.lines.MAX_LINE", 50)
    with pytest.raises(UserError, match="longer than 50 bytes"):
        list(read_lines(written(tmp_path / "x.jsonl", "x" * 60)))


def test_too_many_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsocr_jax.evaluate.lines.MAX_LINES", 3)
    with pytest.raises(UserError, match="more than 3 lines"):
        list(read_lines(written(tmp_path / "x.jsonl", *[{}] * 4)))


def test_answers_alone_pass_errors_over(tmp_path: Path) -> None:
    file = written(tmp_path / "x.jsonl", {"id": "a", "prediction": "x"}, {"id": "b", "error": "not read"})
    assert read_replies(file) == [Reply("a", "x")]


def test_answers_for_other_pages_are_refused_with_counts() -> None:
    items, replies = [Item("a", ""), Item("b", "")], [Reply("a", ""), Reply("x", ""), Reply("y", "")]
    with pytest.raises(UserError, match=r"2 answers .* not among the 2 truths \('x', 'y'\), 1 are .* have 'a', 'b'"):
        check_belong(replies, items, "file")


def test_answers_to_a_variant_belong_to_it_alone() -> None:
    items = [Item("a", ""), Item("a", "", "shuffled")]
    check_belong([Reply("a", ""), Reply("a", "", "shuffled")], items, "file")
    with pytest.raises(UserError, match="1 answers"):
        check_belong([Reply("a", "", "swapped")], items, "file")


def test_a_torn_line_is_cut_before_lines_are_added(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "x.jsonl"
    with Appender(file) as lines:
        lines.add({"id": "ä"})
    with file.open("ab") as stream:
        stream.write(b'{"id": "torn')
    assert [data for _, data in read_lines(file, torn=True)] == [{"id": "ä"}]
    with Appender(file) as lines:
        lines.add({"id": "b"})
    assert [data["id"] for _, data in read_lines(file)] == ["ä", "b"]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="choose another --out"):
        Appender(tmp_path / "file" / "x.jsonl")
