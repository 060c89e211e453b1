import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datagen.pages.layout import Laid, Placed, Sheet, lay_out
from datagen.pages.text import Block, Text


class Even:
    """A typeface whose letters are all ten pixels wide."""

    space = 10
    ascent = 8

    def measure(self, words: Sequence[str]) -> np.ndarray:
        return np.array([10 * len(word) for word in words], np.int64)


SHEET = Sheet(
    columns=((0, 200),),
    top=0,
    bottom=100,
    leading=20,
    heading_leading=30,
    gap=5,
    heading_gap=15,
    indent=0,
    justified=False,
    centred=False,
)


def paragraph(text: str) -> Block:
    return Block(tuple(text.split()))


def heading(text: str) -> Block:
    return Block(tuple(text.split()), heading=True)


def laid(*blocks: Block, sheet: Sheet = SHEET) -> Laid:
    return lay_out(Text(blocks), sheet, Even(), Even())


def rows(placed: Placed) -> dict[int, list[tuple[str, int]]]:
    found: dict[int, list[tuple[str, int]]] = {}
    for word, x, y in zip(placed.words, placed.xs, placed.ys, strict=True):
        found.setdefault(y, []).append((word, x))
    return found


def test_words_follow_one_another_with_spaces() -> None:
    assert rows(laid(paragraph("aaa bb c")).body) == {8: [("aaa", 0), ("bb", 40), ("c", 70)]}


def test_a_line_breaks_where_the_next_word_does_not_fit() -> None:
    assert rows(laid(paragraph("aaaaaaaaa bbbbbbbbbb cccccccccc")).body) == {
        8: [("aaaaaaaaa", 0), ("bbbbbbbbbb", 100)],
        28: [("cccccccccc", 0)],
    }


def test_soft_breaks_are_not_in_the_label() -> None:
    assert laid(paragraph("aaaaaaaaaaaa bbbbbbbbbbbb"), paragraph("c")).paragraphs == ["aaaaaaaaaaaa bbbbbbbbbbbb", "c"]


def test_paragraphs_stand_apart() -> None:
    assert list(rows(laid(paragraph("a"), paragraph("b")).body)) == [8, 8 + 20 + 5]


def test_headings_have_their_own_leading_and_gap() -> None:
    page = laid(paragraph("a"), heading("b"), paragraph("c"))
    assert (page.headings.ys, page.body.ys) == ([8 + 30 + 15], [8, 53 + 20 + 15])


def test_the_first_line_of_a_paragraph_is_indented() -> None:
    page = laid(paragraph("aaaaaaaaaaaa bbbbbbbbbbbb"), sheet=replace(SHEET, indent=30))
    assert page.body.xs == [30, 0]


def test_justified_lines_reach_the_edge_but_for_the_last() -> None:
    page = laid(paragraph("aaaaa bbbbb ccccc ddd"), sheet=replace(SHEET, justified=True))
    assert rows(page.body) == {8: [("aaaaa", 0), ("bbbbb", 75), ("ccccc", 150)], 28: [("ddd", 0)]}


def test_very_loose_lines_are_not_justified() -> None:
    page = laid(paragraph("aaa bbb cccccccccccccccc"), sheet=replace(SHEET, justified=True))
    assert page.body.xs == [0, 40, 0]


def test_centred_headings() -> None:
    assert laid(heading("aaaa"), sheet=replace(SHEET, centred=True)).headings.xs == [80]


def test_what_does_not_fit_is_not_in_the_label() -> None:
    words = [f"{letter * 15}" for letter in "abcdefgh"]
    page = laid(paragraph(" ".join(words)))
    assert page.paragraphs == [" ".join(words[:5])]  # baselines 8, 28, 48, 68, 88
    assert page.body.words == words[:5]


def test_text_goes_on_in_the_next_column() -> None:
    page = laid(
        paragraph(" ".join(letter * 15 for letter in "abcdefg")), sheet=replace(SHEET, columns=((0, 200), (220, 420)))
    )
    assert page.body.xs == [0] * 5 + [220] * 2
    assert page.body.ys[5:] == [8, 28]
    assert len(page.paragraphs) == 1


def test_a_heading_keeps_with_its_text() -> None:
    blocks = (paragraph(" ".join(letter * 15 for letter in "abcd")), heading("title"), paragraph("text"))
    assert laid(*blocks).headings.words == []
    both = laid(*blocks, sheet=replace(SHEET, columns=((0, 200), (220, 420))))
    assert (both.headings.xs, both.body.xs[-1]) == ([220], 220)


def test_a_word_wider_than_its_column_ends_the_page() -> None:
    page = laid(paragraph("aa bb " + "c" * 21 + " dd"))
    assert page.paragraphs == ["aa bb"]


blocks = st.builds(
    Block,
    words=st.lists(st.text("ab", min_size=1, max_size=12), min_size=1, max_size=30).map(tuple),
    heading=st.booleans(),
)
sheets = st.builds(
    Sheet,
    columns=st.sampled_from([((10, 190),), ((10, 190), (200, 380)), ((5, 125), (140, 260), (270, 390))]),
    top=st.integers(0, 30),
    bottom=st.integers(40, 300),
    leading=st.integers(10, 30),
    heading_leading=st.integers(10, 30),
    gap=st.integers(0, 20),
    heading_gap=st.integers(0, 20),
    indent=st.integers(0, 30),
    justified=st.booleans(),
    centred=st.booleans(),
)


@given(st.lists(blocks, min_size=1, max_size=6).map(tuple), sheets)
def test_the_label_is_a_beginning_of_the_text_and_all_that_is_drawn(content: tuple[Block, ...], sheet: Sheet) -> None:
    page = lay_out(Text(content), sheet, Even(), Even())
    shown = [word for text in page.paragraphs for word in text.split(" ")]
    everything = [word for block in content for word in block.words]
    assert shown == everything[: len(shown)]
    assert sorted(shown) == sorted(page.body.words + page.headings.words)


@given(st.lists(blocks, min_size=1, max_size=6).map(tuple), sheets)
def test_words_stay_in_their_columns_and_do_not_overlap(content: tuple[Block, ...], sheet: Sheet) -> None:
    page = lay_out(Text(content), sheet, Even(), Even())
    for placed in (page.body, page.headings):
        for y, line in rows(placed).items():
            assert sheet.top + Even.ascent <= y <= sheet.bottom
            ends = {x: x + 10 * len(word) for word, x in line}
            assert all(any(left <= x and end <= right for left, right in sheet.columns) for x, end in ends.items())
            starts = sorted(ends)
            assert all(ends[one] + Even.space <= two for one, two in itertools.pairwise(starts))


@given(st.lists(blocks, min_size=1, max_size=6).map(tuple), sheets)
def test_reading_order_runs_down_each_column_in_turn(content: tuple[Block, ...], sheet: Sheet) -> None:
    page = lay_out(Text(content), sheet, Even(), Even())
    for placed in (page.body, page.headings):
        order = [
            (next(n for n, (left, right) in enumerate(sheet.columns) if left <= x < right), y, x)
            for x, y in zip(placed.xs, placed.ys, strict=True)
        ]
        assert order == sorted(order)
