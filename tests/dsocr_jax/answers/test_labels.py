import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers import KINDS, AnswerError, check_label
from dsocr_jax.answers.errors import bounded, excerpt


def test_kinds_are_the_families():
    assert KINDS == ("charts", "molecules", "geometry", "pages")


@pytest.mark.parametrize("kind", ["", "chart", "Charts"])
def test_unknown_kinds_are_refused(kind: str):
    with pytest.raises(AnswerError, match="kinds are"):
        check_label(kind, "x")


@pytest.mark.parametrize("kind", KINDS)
@given(label=st.text(max_size=30))
def test_any_text_passes_or_is_an_answer_error(kind: str, label: str):
    with contextlib.suppress(AnswerError):
        check_label(kind, label)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("label", [None, b"x", 3])
def test_what_is_no_text_is_an_answer_error(kind: str, label: object):
    with pytest.raises(AnswerError, match="expected text"):
        check_label(kind, label)  # type: ignore[arg-type]


def test_the_message_says_where_the_label_differs():
    with pytest.raises(AnswerError, match="at character 2 "):
        check_label("pages", "a  b")


def test_bounded_says_the_limit():
    with pytest.raises(AnswerError, match="4 characters, the limit is 3"):
        bounded("abcd", 3, "x")


def test_an_excerpt_is_short_and_printable():
    assert excerpt("a\n" * 100) == ascii("a\n" * 16) + "..."
