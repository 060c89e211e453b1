"""Prior-free variants keep the looks of a text and take its sense."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.variants import VARIANTS, make_variant

TEXT = "The quick brown fox, 1234 jumps.\n\nOver über Straße 中文字符 и привет"
texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Z")), max_size=60)


def test_by_sight() -> None:
    assert make_variant("swapped", "stone", 0) in ("sotne", "stnoe")
    assert sorted(make_variant("shuffled", "one two\nthree", 5).split()) == ["one", "three", "two"]
    assert make_variant("random", "Ab, 12!", 0)[2:4] == ", "


@given(texts, st.sampled_from(sorted(VARIANTS)), st.integers(0, 3))
def test_variants_are_functions_of_their_arguments_and_keep_the_length(text: str, name: str, seed: int) -> None:
    variant = make_variant(name, text, seed)
    assert variant == make_variant(name, text, seed)
    assert len(variant) == len(text)


@given(texts, st.integers(0, 3))
def test_shuffling_keeps_every_character(text: str, seed: int) -> None:
    assert Counter(make_variant("shuffled", text, seed)) == Counter(text)


@given(texts, st.integers(0, 3))
def test_swapping_changes_two_neighbours_of_a_word_at_most(text: str, seed: int) -> None:
    for before, after in zip(text.split(), make_variant("swapped", text, seed).split(), strict=True):
        assert Counter(before) == Counter(after)
        assert (before[:1], before[-1:]) == (after[:1], after[-1:])


@given(texts, st.integers(0, 3))
def test_random_letters_are_of_the_same_kind(text: str, seed: int) -> None:
    for before, after in zip(text, make_variant("random", text, seed), strict=True):
        assert before.isascii() == after.isascii()
        assert (before.isupper(), before.isdigit(), before.isspace()) == (
            after.isupper(),
            after.isdigit(),
            after.isspace(),
        )


def test_line_ends_stay() -> None:
    for name in VARIANTS:
        assert make_variant(name, TEXT, 1).index("\n\n") > 0 or name == "shuffled"
    assert make_variant("shuffled", TEXT, 1).count("\n") == 2


def test_characters_without_blanks_between_them_move_alone() -> None:
    assert {make_variant("shuffled", "中文", seed) for seed in range(20)} == {"中文", "文中"}


def test_other_scripts_need_no_other_font() -> None:
    assert set(make_variant("random", "привет мир", 0)) <= set("привет мир")


def test_seeds_differ() -> None:
    assert len({make_variant("random", TEXT, seed) for seed in range(5)}) == 5


def test_an_unknown_variant() -> None:
    with pytest.raises(UserError, match=r"'upside-down'.*shuffled, swapped, random"):
        make_variant("upside-down", "x", 0)
