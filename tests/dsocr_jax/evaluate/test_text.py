"""Page metrics, computed by hand."""

import doctest
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate import charts, text
from dsocr_jax.evaluate.text import (
    edit_dist,
    fox_precision_as_released,
    page_edit_dist,
    word_set_f1,
    word_set_precision,
    word_set_recall,
    word_sets,
)

PREDICTION, TRUTH = "a b b c", "a b d e f"


def test_precision_counts_distinct_predicted_words() -> None:
    assert word_set_precision(PREDICTION, TRUTH) == 2 / 3


def test_recall_counts_distinct_true_words() -> None:
    assert word_set_recall(PREDICTION, TRUTH) == 2 / 5


def test_f1_is_the_harmonic_mean() -> None:
    # 2 / (3 / 2 + 5 / 2), of precision 2/3 and recall 2/5.
    assert word_set_f1(PREDICTION, TRUTH) == 1 / 2
    assert (word_set_f1("", ""), word_set_f1("", "a")) == (1, 0)


def test_the_released_precision_is_the_recall() -> None:
    assert fox_precision_as_released(PREDICTION, TRUTH) == 2 / 5


def test_words_are_split_at_any_white_space_only() -> None:
    assert word_sets("one\ntwo,\tthree", "")[0] == {"one", "two,", "three"}


def test_ideographs_are_words_of_their_own() -> None:
    assert word_sets("中文ab 3。", "x")[0] == {"中", "文", "ab", "3。"}


def test_one_side_with_ideographs_cuts_both() -> None:
    assert word_sets("ab", "中文")[1] == {"中", "文"}


def test_jieba_cuts_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.ModuleType("jieba")
    fake.lcut = lambda text: [text[:2], text[2:]]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jieba", fake)
    assert word_sets("天气好", "天气坏", "jieba") == ({"天气", "好"}, {"天气", "坏"})
    assert word_set_precision("天气好", "天气坏", "jieba") == 1 / 2
    assert word_sets("no need", "of it", "jieba")[0] == {"no", "need"}


def test_jieba_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(UserError, match="pip install jieba"):
        word_sets("天", "天", "jieba")


@pytest.mark.parametrize(("prediction", "truth", "expected"), [("", "", 1.0), ("", "a", 0.0), ("a", "", 0.0)])
def test_empty_pages(prediction: str, truth: str, expected: float) -> None:
    assert word_set_precision(prediction, truth) == word_set_recall(prediction, truth) == expected


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [("abc", "abc", 0.0), ("abc", "", 1.0), ("", "", 0.0), ("abcd", "abxd", 0.25), ("ab", "abcd", 0.5)],
)
def test_edit_distance(prediction: str, truth: str, expected: float) -> None:
    assert edit_dist(prediction, truth) == expected


def test_blocks_are_summed_before_they_are_divided() -> None:
    assert page_edit_dist([("abcdefgh", "abcdefgh"), ("", "xy")]) == 2 / 10


def test_a_page_without_blocks_is_right() -> None:
    assert page_edit_dist([]) == 0.0


@given(st.text("ab c中", max_size=12), st.text("ab c中", max_size=12))
def test_precision_and_recall_are_mirrored(first: str, second: str) -> None:
    assert word_set_precision(first, second) == word_set_recall(second, first)


@pytest.mark.parametrize("module", [text, charts], ids=["text", "charts"])
def test_examples_in_the_documentation(module: object) -> None:
    result = doctest.testmod(module)
    assert (result.failed, result.attempted > 0) == (0, True)
