"""Answers in Markdown, and annotations, divided into blocks."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.documents.blocks import MAX_BLOCKS, parse_markdown, split_rows
from dsocr_jax.evaluate.documents.truth import page_truth, read_benchmark

PAGE = r"""# Title

First paragraph with $a_1$ inside,
going on.

![](images/0.jpg)

$$
x = 1
$$

<table><tr><td>cell</td></tr></table>

Last, \( b^2 \).
"""


def forms(text: str) -> list[tuple[str, str]]:
    return [(block.form, block.normal) for block in parse_markdown(text).blocks]


def test_a_page() -> None:
    parsed = parse_markdown(PAGE)
    assert [(block.form, block.normal) for block in parsed.blocks] == [
        ("text", "Title"),
        ("text", "Firstparagraphwitha_1insidegoingon"),
        ("formula", "x=1"),
        ("text", "Lastb2"),
        # Formulas inside lines may be displayed ones to the benchmark; they stand at the end.
        ("inline", "a_1"),
        ("inline", "b^2"),
    ]
    assert [text for _, text in parsed.tables] == ["<table><tr><td>cell</td></tr></table>"]
    places = [block.place for block in parsed.blocks[:4]]
    assert places == sorted(places)


def test_without_blank_lines_every_line_is_a_block() -> None:
    assert forms("one\ntwo\n") == [("text", "one"), ("text", "two")]
    assert forms("one\ntwo\n\nthree") == [("text", "onetwo"), ("text", "three")]


@pytest.mark.parametrize("fence", ["```markdown\none\n```", "```html\none\n```"])
def test_fences_around_a_page_go(fence: str) -> None:
    assert forms(fence) == [("text", "one")]


def test_code_is_text() -> None:
    assert forms("a\n\n```python\nprint(1)\n```") == [("text", "a"), ("text", "pythonprint1")]


def test_a_table_of_pipes_is_a_table() -> None:
    parsed = parse_markdown("Before\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\nAfter")
    assert [text for _, text in parsed.tables] == [
        "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>"
    ]
    assert [block.normal for block in parsed.blocks] == ["Before", "After"]


def test_a_line_with_pipes_is_no_table() -> None:
    assert parse_markdown("a | b\n\n| c |\n\nd").tables == ()


def test_tables_in_latex_go() -> None:
    assert forms("a\n\n\\begin{tabular}{l} x \\end{tabular}\n\nb") == [("text", "a"), ("text", "b")]


def test_an_array_of_one_column_is_several_formulas() -> None:
    assert split_rows(r"\[\begin{array}{l} a \\ b \end{array}\]") == [r"\[a\]", r"\[b\]"]
    matrix = r"\begin{array}{lr} a & b \\ c & d \end{array}"
    assert split_rows(matrix) == [matrix]
    assert forms(r"\[\begin{array}{@{}l@{}} a \\ b \end{array}\]") == [("formula", "a"), ("formula", "b")]


@given(st.text("#$\\[]() |-\n`abc<table>/rd", max_size=80))
def test_any_answer_can_be_divided(text: str) -> None:
    parsed = parse_markdown(text)
    assert all(block.normal for block in parsed.blocks)


@pytest.mark.parametrize("unit", ["![a](", "![", r"\[", r"\title {", "<table><tr><td>", "$$ "])
def test_what_is_never_closed_takes_no_time(unit: str) -> None:
    begin = time.process_time()
    parse_markdown(unit * (20_000 // len(unit)))
    # A twentieth of a second; half a minute where every beginning is followed to the end.
    assert time.process_time() - begin < 5


def test_no_more_blocks_than_a_page_may_have() -> None:
    parsed = parse_markdown("a\n\n" * (MAX_BLOCKS + 5) + "$x_1$ " * (MAX_BLOCKS + 5))
    assert len(parsed.blocks) == 2 * MAX_BLOCKS


# Annotations


def block(number: int, category: str = "text_block", order: int | None = None, **content: str) -> dict[str, Any]:
    return {"anno_id": number, "category_type": category, "order": number if order is None else order, **content}


def page(
    *blocks: dict[str, Any], relations: list[tuple[int, int]] | None = None, name: str = "p.jpg"
) -> dict[str, Any]:
    found = [{"source_anno_id": a, "target_anno_id": b, "relation_type": "truncated"} for a, b in relations or []]
    attributes = {"language": "english", "data_source": "book", "layout": "single_column", "special_issue": []}
    return {
        "layout_dets": list(blocks),
        "extra": {"relation": found},
        "page_info": {"image_path": name, "page_attribute": attributes},
    }


def test_blocks_of_the_truth_stand_in_reading_order() -> None:
    truth = page_truth(
        page(
            block(1, text="second", order=2),
            block(2, "title", text="first", order=1),
            block(3, "figure"),
            block(4, "equation_isolated", latex=r"\[\begin{array}{l} a \\ b \end{array}\]", order=3),
            block(5, "table", html="<table></table>", order=4),
            block(6, "page_number", text="7", order=0),
            block(7, text="...", order=5),  # nothing that is compared
        )
    )
    assert [(b.category, b.normal, b.order) for b in truth.blocks] == [
        ("page_number", "7", 0), ("title", "first", 1), ("text_block", "second", 2),
        ("equation_isolated", "a", 3.1), ("equation_isolated", "b", 3.2),
    ]  # fmt: skip
    assert truth.tables == ("<table></table>",)


def test_a_paragraph_in_three_parts_is_one() -> None:
    truth = page_truth(page(block(1, text="a"), block(2, text="b"), block(3, text="c"), relations=[(1, 2), (2, 3)]))
    assert [(b.normal, b.order) for b in truth.blocks] == [("abc", 1)]


def test_other_relations_join_nothing() -> None:
    entry = page(block(1, text="a"), block(2, text="b"))
    entry["extra"]["relation"] = [{"source_anno_id": 1, "target_anno_id": 2, "relation_type": "parent_son"}]
    assert len(page_truth(entry).blocks) == 2


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "images" / "p.jpg")
    pages = [page(block(1, text="a")), page(block(1, text="b"), name="q.jpg")]
    (tmp_path / "OmniDocBench.json").write_text(json.dumps(pages))
    items, truths, counts = read_benchmark(tmp_path)
    assert [(item.id, item.labels["language"], item.picture is None) for item in items] == [
        ("p", "english", False), ("q", "english", True)
    ]  # fmt: skip
    assert counts == {"missing_pictures": 1} and truths["q"].blocks[0].normal == "b"
    assert len(read_benchmark(tmp_path / "OmniDocBench.json", limit=1)[0]) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "not a list of pages"),
        ("[]", "not a list of pages"),
        ("[{}]", "page 0: not annotated"),
        ("junk", "not JSON"),
        (json.dumps([page(), page()]), "page 1: the picture 'p.jpg' has been there before"),
        (json.dumps([page(block(1, "text_block"))]), "page 0: not annotated"),
    ],
)
def test_annotations_of_another_form(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "OmniDocBench.json").write_text(content)
    with pytest.raises(UserError, match=message):
        read_benchmark(tmp_path)


def test_a_folder_without_annotations(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no JSON files"):
        read_benchmark(tmp_path)
    with pytest.raises(UserError, match="no such file or folder"):
        read_benchmark(tmp_path / "nowhere")
