"""Answers that end in circles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.evaluate.loops import LEAST_CHARACTERS, LEAST_REPEATS, MAX_PERIOD, ends_in_loop

BEGIN = "An ordinary page that begins with words of its own. "


@pytest.mark.parametrize("unit", ["and so on ", "<td>0</td>", "的", "one two three four five six seven eight nine "])
def test_a_phrase_over_and_over_is_a_loop(unit: str) -> None:
    repeats = max(LEAST_REPEATS, LEAST_CHARACTERS // len(unit) + 2)
    assert ends_in_loop(BEGIN + unit * repeats)
    assert ends_in_loop(BEGIN + unit * repeats + unit[: len(unit) // 2])  # cut off by a limit of tokens


def test_seven_times_are_no_loop_and_eight_are() -> None:
    unit = "".join(f"line {number} of a long refrain. " for number in range(10))
    assert [ends_in_loop(BEGIN + unit * times) for times in (LEAST_REPEATS - 1, LEAST_REPEATS)] == [False, True]


def test_dotted_leaders_are_no_loop() -> None:
    assert not ends_in_loop(BEGIN + "." * LEAST_CHARACTERS)
    assert ends_in_loop(BEGIN + "." * (LEAST_CHARACTERS + 1))


def test_a_loop_that_is_left_again_is_none() -> None:
    assert not ends_in_loop("again " * 200 + BEGIN)


def test_a_period_beyond_the_limit_is_not_looked_for() -> None:
    unit = "".join(f"{number:04d}" for number in range(MAX_PERIOD // 4 + 1))
    assert not ends_in_loop(unit * LEAST_REPEATS)


@given(st.text(max_size=200))
def test_short_texts_are_no_loops(text: str) -> None:
    assert not ends_in_loop(text[:LEAST_CHARACTERS])
