import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers import AnswerError, check_label
from dsocr_jax.answers.text import MAX_CHARS, normalise_text, parse_page, write_page

BLANKS = st.text(alphabet="ab\n\r\t \u2028\u2029\x85\x0c\u00a0\u3000\u0301e\u200b\u200d文", max_size=30)


@given(st.text(max_size=40) | BLANKS)
def test_normalising_twice_changes_nothing(text: str):
    once = normalise_text(text)
    assert normalise_text(once) == once


@given(BLANKS)
def test_no_line_has_blanks_at_its_ends_and_no_two_lines_are_empty(text: str):
    text = normalise_text(text)
    assert "\n\n\n" not in text
    assert all(line == line.strip() for line in text.split("\n"))


@given(BLANKS)
def test_what_is_written_is_read_back(text: str):
    paragraphs = parse_page(text)
    if paragraphs:
        assert parse_page(write_page(paragraphs)) == paragraphs
        check_label("pages", write_page(paragraphs))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("a  b\tc", "a b c"),
        ("a\r\nb", "a\nb"),
        ("\n\n a \n \n\n b ", "a\n\nb"),
        ("a\u2029b", "a\n\nb"),
        ("cafe\u0301", "café"),
        ("\ufeffx\u00adyz\u200b", "xyz"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\x0cb", "a b"),
        ("\u200b\n", ""),
    ],
)
def test_normal_forms(text: str, normal: str):
    assert normalise_text(text) == normal


def test_paragraphs_keep_their_own_line_breaks():
    assert parse_page("one\ntwo\n\nthree") == ("one\ntwo", "three")


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_a_page_without_text_is_no_label(text: str):
    with pytest.raises(AnswerError):
        check_label("pages", text)


def test_a_page_with_a_broken_grounding_tag_is_no_label():
    with pytest.raises(AnswerError, match="grounding"):
        check_label("pages", "<|ref|>title")


def test_a_grounded_page_is_a_label():
    check_label("pages", "<|ref|>title<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\n# Title")


def test_long_text_is_refused():
    with pytest.raises(AnswerError, match="characters"):
        normalise_text("x" * (MAX_CHARS + 1))


def test_piles_of_marks_are_refused_quickly():
    start = time.perf_counter()
    with pytest.raises(AnswerError, match="marks"):
        normalise_text("a" + "\u0301\u0316" * (MAX_CHARS // 2 - 1))
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("piece", ["\n ", " \n", "\u2029", "a \n\n\n "])
def test_gaps_take_linear_time(piece: str):
    start = time.perf_counter()
    normalise_text("a" + piece * (MAX_CHARS // len(piece) - 2) + "b")
    assert time.perf_counter() - start < 5
