"""Means with intervals: by hand where that is possible, by their properties elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.evaluate.bootstrap import Bootstrap, difference, estimate

HOW = Bootstrap(samples=400, seed=3)
numbers = st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=12)


def rows(*values: float | None, name: str = "x") -> list[dict[str, float | None]]:
    return [{name: value} for value in values]


def test_the_value_is_the_mean_of_what_is_known() -> None:
    found = estimate(rows(0.0, None, 1.0, 0.5), HOW)["x"]
    # (0 + 1 + 0.5) / 3; the example without the metric is not counted.
    assert (found.value, found.count) == (0.5, 3)


def test_two_examples_have_the_ends_at_themselves() -> None:
    # Of two examples, a quarter of the draws is both times the first, a quarter both times the second: more than 2.5 %.
    found = estimate(rows(0.2, 0.6), HOW)["x"]
    assert (found.low, found.high) == pytest.approx((0.2, 0.6))


def test_the_interval_of_many_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(size=400)
    found = estimate(rows(*values.tolist()), Bootstrap(2000, 0.95, 1))["x"]
    assert found.low is not None and found.high is not None
    # 1.96 standard errors each way, about a tenth of chance in the ends themselves.
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)


def test_a_wider_level_gives_a_wider_interval() -> None:
    ends = [estimate(rows(0, 0, 1, 1, 0, 1, 1), Bootstrap(500, level, 0))["x"] for level in (0.5, 0.99)]
    assert ends[0].high - ends[0].low < ends[1].high - ends[1].low  # type: ignore[operator]


@pytest.mark.parametrize(("values", "how"), [((0.5,), HOW), ((None, 0.5), HOW), ((0.1, 0.9), Bootstrap(samples=0))])
def test_without_a_second_example_or_samples_there_is_no_interval(values: tuple, how: Bootstrap) -> None:
    found = estimate(rows(*values), how)["x"]
    assert found.value is not None and found.low is found.high is None


def test_a_metric_that_applies_to_nothing() -> None:
    found = estimate(rows(None, None), HOW)["x"]
    assert (found.value, found.low, found.high, found.count) == (None, None, None, 0)


def test_nothing_at_all() -> None:
    assert estimate([], HOW) == {}


@given(numbers, st.integers(0, 5))
def test_equal_seeds_give_equal_intervals_that_hold_the_extremes(values: list[float | None], seed: int) -> None:
    how = Bootstrap(50, 0.9, seed)
    found = estimate(rows(*values), how)["x"]
    assert found == estimate(rows(*values), how)["x"]
    known = [value for value in values if value is not None]
    if found.low is not None and found.high is not None:
        assert min(known) - 1e-12 <= found.low <= found.high <= max(known) + 1e-12


def test_large_sets_are_drawn_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = estimate(rows(0, 1, 1, 0.5), Bootstrap(64, 0.9, 0))["x"]
    monkeypatch.setattr("dsocr_jax.evaluate.bootstrap._CHUNK", 40)  # ten samples of four examples
    assert estimate(rows(0, 1, 1, 0.5), Bootstrap(64, 0.9, 0))["x"] == whole


def test_ratios_are_of_sums() -> None:
    # Three tables with TEDS 1, 0.5, 0 on one page and one with 1 on another: 2.5 of 4, not the mean of 0.5 and 1.
    page = [{"_table_teds": 1.5, "_tables": 3.0}, {"_table_teds": 1.0, "_tables": 1.0}]
    found = estimate(page, HOW)
    assert (found["table_teds"].value, found["table_teds"].count) == (2.5 / 4, 4)
    assert not any(name.startswith("_") for name in found)


def test_the_overall_number_is_the_mean_of_means() -> None:
    # Texts: (0.2 + 0.4) / 2 = 0.3; formulas on the second page alone: 0.9; overall (0.3 + 0.9) / 2.
    pages = [{"text_edit": 0.2, "formula_edit": None}, {"text_edit": 0.4, "formula_edit": 0.9}]
    assert estimate(pages, HOW)["overall_edit"].value == pytest.approx(0.6)


def test_differences_are_of_pairs() -> None:
    # Far apart pages, each a tenth better: the pairs differ by a tenth whatever is drawn.
    first, second, gap = difference(rows(0.1, 0.5, 0.8), rows(0.2, 0.6, 0.9), HOW)["x"]
    assert (first, second) == pytest.approx((1.4 / 3, 1.7 / 3))
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.1, 0.1, 0.1))


def test_differences_count_what_both_sides_have() -> None:
    first, second, gap = difference(rows(0.1, None, 0.5), rows(0.3, 0.9, None), HOW)["x"]
    assert (first, second, gap.count) == (0.1, 0.3, 1)
    assert "x" not in difference(rows(None), rows(0.5), HOW)
