import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.pages import words
from datagen.pages.glyphs import CHARACTERS
from datagen.pages.settings import EASY, MIDDLE, PLAIN, Settings
from datagen.pages.text import Block, Text, compose
from datagen.pages.words import Dice

seeds = st.integers(0, 2**32)


def dice(seed: int) -> Dice:
    return Dice(np.random.default_rng(seed))


@settings(max_examples=50, deadline=None)
@given(seeds, st.sampled_from([EASY, PLAIN]))
def test_every_character_can_be_drawn(seed: int, level: Settings) -> None:
    text = compose(np.random.default_rng(seed), level)
    assert {character for block in text.blocks for word in block.words for character in word} <= set(CHARACTERS)


@settings(max_examples=50, deadline=None)
@given(seeds, st.sampled_from([EASY, PLAIN]))
def test_words_are_neither_empty_nor_broken(seed: int, level: Settings) -> None:
    text = compose(np.random.default_rng(seed), level)
    assert all(block.words and all(word == word.strip() != "" for word in block.words) for block in text.blocks)


def test_word_counts_span_the_range() -> None:
    low, high = PLAIN.words
    counts = [
        sum(len(block.words) for block in compose(np.random.default_rng(seed), PLAIN).blocks) for seed in range(200)
    ]
    assert low <= min(counts) < low + 40
    assert high - 40 < max(counts) < high + 40


def test_easy_texts_are_one_or_two_words_and_often_numbers() -> None:
    texts = [compose(np.random.default_rng(seed), EASY).blocks[0].words for seed in range(200)]
    assert {len(words) for words in texts} == {1, 2}
    words = [word for text in texts for word in text]
    assert 0.4 < sum(word.isdigit() for word in words) / len(words) < 0.6


def test_a_text_is_determined_by_its_generator() -> None:
    one, two, other = (compose(np.random.default_rng(seed), PLAIN) for seed in (4, 4, 5))
    assert one == two != other


def test_the_key_does_not_tell_capitals_apart() -> None:
    assert Text((Block(("Old", "map")),)).key == Text((Block(("old", "MAP"), heading=True),)).key == "old map"


@given(seeds, st.integers(4, 12))
def test_made_up_words_are_short_lower_case_letters(seed: int, longest: int) -> None:
    word = words.made_up(dice(seed), longest)
    assert word.isascii() and word.isalpha() and word.islower() and 2 <= len(word) <= longest


@given(seeds, st.integers(2, 9))
def test_codes_have_no_look_alikes(seed: int, length: int) -> None:
    code = words.code(dice(seed), length)
    assert len(code) == length and not set(code) & set("O0Il1")


@pytest.mark.parametrize("maker", [words.number, words.date, words.name])
def test_other_pieces_are_printable(maker: object) -> None:
    pieces = {maker(dice(seed)) for seed in range(200)}  # type: ignore[operator]
    assert len(pieces) > 100
    assert all(piece and set(piece) <= set(CHARACTERS) | {" "} for piece in pieces)


def test_dice_are_fair() -> None:
    rolls = dice(0)
    counts = np.bincount([rolls.below(4) for _ in range(4000)], minlength=4)
    assert (abs(counts - 1000) < 120).all()


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_pages_of_random_letters_keep_the_shape_of_words(seed: int) -> None:
    plain = compose(np.random.default_rng(seed), replace(MIDDLE, letters=0.0))
    drawn = compose(np.random.default_rng(seed), replace(MIDDLE, letters=1e-9))
    letters = compose(np.random.default_rng(seed), replace(MIDDLE, letters=1.0))
    assert plain.language == letters.language
    for one, two in zip(drawn.blocks, letters.blocks, strict=True):
        assert one.heading == two.heading
        assert [len(word) for word in one.words] == [len(word) for word in two.words]
        for a, b in zip("".join(one.words), "".join(two.words), strict=True):
            assert (a.islower(), a.isupper(), a.isdigit()) == (b.islower(), b.isupper(), b.isdigit()) or not a.isascii()


def test_few_words_are_as_likely_as_many_at_the_middle_level() -> None:
    counts = [sum(len(b.words) for b in compose(np.random.default_rng(s), MIDDLE).blocks) for s in range(300)]
    half = math.sqrt(MIDDLE.words[0] * MIDDLE.words[1])
    assert 90 < sum(count <= half for count in counts) < 210
