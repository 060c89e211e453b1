"""Which block is which, and the numbers of whole pages, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from dsocr_jax.evaluate.documents.blocks import Block, parse_markdown
from dsocr_jax.evaluate.documents.match import Match, match_blocks, match_tables, order_distance
from dsocr_jax.evaluate.documents.merge import join_neighbours, stands_in
from dsocr_jax.evaluate.documents.score import score_document
from dsocr_jax.evaluate.documents.truth import FORMULA, TrueBlock, Truth

TITLE, FIRST, SECOND = "Introduction", "theweatherwasfineandthewindcalm", "nobodyknewwhatwouldhappennext"


def true(*texts: str, category: str = "text_block") -> list[TrueBlock]:
    return [TrueBlock(category, text, text, number) for number, text in enumerate(texts, start=1)]


def read(*texts: str) -> list[Block]:
    return [Block("text", text, text, 100 * number) for number, text in enumerate(texts)]


def pairs(truth: list[TrueBlock], answer: list[Block]) -> set[tuple[str, str]]:
    return {(match.true, match.read) for match in match_blocks(truth, answer)}


def test_blocks_find_each_other_in_any_order() -> None:
    assert pairs(true(TITLE, FIRST, SECOND), read(SECOND, TITLE, FIRST)) == {(t, t) for t in (TITLE, FIRST, SECOND)}


def test_a_paragraph_in_two_pieces_is_joined() -> None:
    pieces = FIRST[:16], FIRST[16:]
    assert join_neighbours([FIRST, SECOND], [*pieces, SECOND]) == [(0, 1), (2,)]
    assert pairs(true(FIRST, SECOND), read(*pieces, SECOND)) == {(FIRST, FIRST), (SECOND, SECOND)}


def test_what_belongs_to_nothing_is_not_joined() -> None:
    assert join_neighbours([FIRST], [FIRST[:16], "zzzzzzzzzzzzzzz"]) == [(0,), (1,)]


def test_two_paragraphs_read_as_one() -> None:
    # The second is in the longer block as well, and is found there.
    (match,) = match_blocks(true(FIRST, SECOND), read(FIRST + SECOND))
    assert (match.true, match.read, match.orders) == (FIRST + SECOND, FIRST + SECOND, (1, 2))


def test_a_missed_block_stands_against_nothing() -> None:
    assert pairs(true(FIRST, SECOND), read(FIRST)) == {(FIRST, FIRST), (SECOND, "")}


def test_what_is_left_is_assigned_to_each_other() -> None:
    assert pairs(true(FIRST), read("qqqqqqqqqq")) == {(FIRST, "qqqqqqqqqq")}


def test_further_blocks_of_the_answer_do_not_count() -> None:
    assert pairs(true(FIRST), read(FIRST, "qqqqqqqqqq")) == {(FIRST, FIRST)}


def test_headers_and_captions_are_set_aside() -> None:
    truth = true("Chapterone", category="header") + true(FIRST)
    assert pairs(truth, read("Chapteronx", FIRST)) == {(FIRST, FIRST)}


def test_an_empty_answer_and_an_empty_page() -> None:
    assert pairs(true(FIRST), []) == {(FIRST, "")}
    assert match_blocks([], read(FIRST)) == []


def test_a_formula_read_as_text_is_compared_as_text() -> None:
    truth = [TrueBlock(FORMULA, r"\[ \alpha_1 = 2 x y z \]", r"\alpha_1=2xyz", 1)]
    (match,) = match_blocks(truth, read("α_12xyz"))
    assert (match.category, match.true, match.read, match.orders) == ("text_block", "α_12xyz", "α_12xyz", ())


@given(
    st.lists(st.text("abcd", min_size=1, max_size=6), max_size=5),
    st.lists(st.text("abcd", min_size=1, max_size=6), max_size=5),
)
def test_every_block_of_the_truth_is_matched_once(texts: list[str], answers: list[str]) -> None:
    matches = match_blocks(true(*texts), read(*answers))
    assert sorted(order for match in matches for order in match.orders) == list(range(1, len(texts) + 1))
    runs = join_neighbours(texts, answers)
    assert [number for run in runs for number in run] == list(range(len(answers)))


@given(st.text("ab", max_size=4), st.text("ab", max_size=8))
def test_standing_in_by_definition(piece: str, text: str) -> None:
    windows = [text[at : at + len(piece)] for at in range(len(text) - len(piece) + 1)]
    least = min((Levenshtein.distance(piece, window) / len(piece) for window in windows if piece), default=1.0)
    assert stands_in(piece, text, 0.4) == (least < 0.4)


def found(*places: tuple[tuple[float, ...], int | None]) -> list[Match]:
    return [Match("text_block", "x", "x", orders, place) for orders, place in places]


@pytest.mark.parametrize(
    ("matches", "expected"),
    [
        (found(((1,), 0), ((2,), 9), ((3,), 20)), 0),
        (found(((1,), 9), ((2,), 0), ((3,), 20)), 2 / 3),  # 2 1 3 against 1 2 3: two edits
        (found(((1,), 0), ((2,), None), ((3,), 20)), 1 / 3),  # 1 3: one is missing
        (found(((1, 3), 0), ((2,), 20)), 2 / 3),  # 1 3 2
        (found(((1,), None)), 1),
        ([], None),
    ],
)
def test_reading_order(matches: list[Match], expected: float | None) -> None:
    assert order_distance(matches) == expected


def test_tables_are_assigned_by_their_text() -> None:
    assert match_tables(["aaaa", "bbbb"], ["bbbx", "cccc", "aaax"]) == ([("aaaa", "aaax"), ("bbbb", "bbbx")], ["cccc"])
    assert match_tables(["aaaa"], []) == ([("aaaa", "")], [])


# Whole pages

TABLE = "<table><tr><td>1</td><td>2</td></tr></table>"


def truth_of(markdown: str) -> Truth:
    parsed = parse_markdown(markdown)
    blocks = [
        TrueBlock(FORMULA if block.form == "formula" else "text_block", block.raw, block.normal, number)
        for number, block in enumerate((block for block in parsed.blocks if block.form != "inline"), start=1)
    ]
    return Truth(tuple(blocks), tuple(text for _, text in parsed.tables))


PAGE = f"Title\n\nabcdefghij\n\n$$\nx=1\n$$\n\n{TABLE}\n\nklmnopqrst"


def test_the_truth_itself_scores_best() -> None:
    assert score_document(PAGE, truth_of(PAGE)) == {
        "text_edit": 0, "formula_edit": 0, "table_edit": 0, "order_edit": 0,
        "_tables": 1, "_table_teds": 1, "_table_teds_structure": 1, "_tables_too_large": 0,
    }  # fmt: skip


def test_nothing_scores_worst() -> None:
    assert score_document("", truth_of(PAGE)) == {
        "text_edit": 1, "formula_edit": 1, "table_edit": 1, "order_edit": 1,
        "_tables": 1, "_table_teds": 0, "_table_teds_structure": 0, "_tables_too_large": 0,
    }  # fmt: skip


def test_what_a_page_does_not_have_does_not_apply() -> None:
    row = score_document("x", Truth((), ()))
    assert all(value is None for value in row.values())


def test_a_page_with_errors_by_hand() -> None:
    wrong = PAGE.replace("abcdefghij", "abcdefghix").replace("x=1", "x=2").replace("<td>2<", "<td>3<")
    row = score_document(wrong, truth_of(PAGE))
    # One edit in the 5 + 10 + 10 characters of the texts, one in the 3 of the formula.
    assert row["text_edit"] == 1 / 25
    assert row["formula_edit"] == 1 / 3
    # One edit in <tr><td>1</td><td>2</td></tr> (29) and what stands around the rows (31 + 22).
    assert row["table_edit"] == pytest.approx(1 / (29 + 53))
    # One cell of the row's two is another: 1 of 3 nodes.
    assert row["_table_teds"] == pytest.approx(1 - 1 / 3) and row["_table_teds_structure"] == 1


def test_a_table_too_large_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsocr_jax.evaluate.documents.score.MAX_NODES", 2)
    row = score_document(PAGE, truth_of(PAGE))
    assert (row["_tables"], row["_tables_too_large"]) == (0, 1)


def test_text_read_as_a_table_is_still_text() -> None:
    # Two tables were read where one is: the cells of the other are text.
    truth = truth_of(f"abcdefghij\n\n{TABLE}")
    row = score_document(f"{TABLE}\n\n<table><tr><td>abcdefghij</td></tr></table>", truth)
    assert row["text_edit"] == 0
