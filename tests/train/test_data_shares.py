"""Exact shares and random orders."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.data.shares import MAX_PERIOD, Turns, mixed, shuffled

weights = st.lists(st.one_of(st.integers(0, 40), st.sampled_from([0.1, 0.25, 0.7])), min_size=1, max_size=8).filter(any)


def named(values: list[float]) -> dict[str, float]:
    return {f"kind{i}": value for i, value in enumerate(values)}


@settings(deadline=None)
@given(weights, st.integers(0, 3))
def test_over_every_beginning_each_count_is_within_one_of_its_share(values, rounds):
    turns = Turns(named(values))
    shares = [Fraction(repr(float(value))) for value in values]
    shares = [share / sum(shares) for share in shares]
    counts = [round(share * rounds * turns.period) for share in shares]
    for number in range(rounds * turns.period, (rounds + 1) * turns.period):
        place, before = turns.at(number)
        assert before == counts[place]
        counts[place] += 1
        assert all(abs(count - share * (number + 1)) < 1 for count, share in zip(counts, shares, strict=True))


def test_written_decimals_are_meant():
    assert Turns({"ocr": 0.7, "general": 0.2, "text": 0.1}).weights == [7, 2, 1]
    assert [Turns({"a": 2, "b": 1}).at(n)[0] for n in range(6)] == [0, 1, 0] * 2


def test_weights_of_a_long_period_are_rounded_and_nobody_is_lost():
    values = {"a": 1_000_003, "b": 499_979, "c": 1, "d": 0}
    turns = Turns(values)
    assert turns.period == sum(turns.weights) == MAX_PERIOD
    assert turns.weights[2:] == [1, 0]
    share = values["a"] / sum(values.values())
    assert turns.weights[0] / MAX_PERIOD == pytest.approx(share, abs=2 / MAX_PERIOD)


@settings(deadline=None)  # the first example imports Grain
@given(st.integers(1, 300), st.integers(0, 2**64 - 1))
def test_an_order_holds_everything_once(count, seed):
    assert sorted(shuffled(i, count, seed) for i in range(count)) == list(range(count))


def test_orders_look_random():
    order = np.array([shuffled(i, 1000, 3) for i in range(1000)])
    assert abs(np.corrcoef(order, np.arange(1000))[0, 1]) < 0.1
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.1
    assert (order == [shuffled(i, 1000, 4) for i in range(1000)]).mean() < 0.01


def test_mixed_bits_depend_on_every_number():
    seen = {mixed(a, b, c) for a in range(8) for b in range(8) for c in range(8)}
    assert len(seen) == 512
    assert np.mean([bin(mixed(i)).count("1") for i in range(500)]) == pytest.approx(32, abs=0.7)
