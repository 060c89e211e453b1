"""How a budget is shared out by age: what must hold for any modes, any budget and any number of pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.memory.budget import share_out, total
from dsocr_jax.memory.options import MemoryOptions, fading_modes
from dsocr_jax.modes import MODES, Mode


def mode(size: int) -> Mode:
    return Mode(f"m{size}", size, size, crop=False, fit="pad")


@st.composite
def options(draw: st.DrawFn) -> MemoryOptions:
    sides = draw(st.sets(st.integers(2, 20), min_size=1, max_size=6))
    modes = tuple(mode(64 * side) for side in sorted(sides, reverse=True))
    limits = st.lists(st.integers(1, 12), min_size=len(modes), max_size=len(modes)).map(
        lambda ages: tuple(sorted(ages))
    )
    ages = draw(st.none() | limits)
    return MemoryOptions(modes=modes, font_size=10, half_life=draw(st.floats(0.1, 50)), ages=ages)


def given_memory():  # type: ignore[no-untyped-def]
    return given(options(), st.integers(0, 60), st.integers(0, 8000))


@given_memory()
def test_the_budget_holds_and_resolution_falls_with_age(options: MemoryOptions, pages: int, budget: int) -> None:
    budget += options.tokens[-1]
    chosen = share_out(pages, budget, options)
    assert total(chosen, options) <= budget
    assert chosen == sorted(chosen)
    assert bool(chosen) == bool(pages) and len(chosen) <= pages
    if options.ages is not None:
        assert all(age < options.ages[level] for age, level in enumerate(chosen))


@given_memory()
def test_a_larger_budget_makes_no_page_worse(options: MemoryOptions, pages: int, budget: int) -> None:
    budget += options.tokens[-1]
    less, more = share_out(pages, budget, options), share_out(pages, budget + 50, options)
    assert len(less) <= len(more)
    assert all(sharper <= level for level, sharper in zip(less, more, strict=False))


@given_memory()
def test_a_page_that_ages_never_becomes_sharper_or_comes_back(options: MemoryOptions, pages: int, budget: int) -> None:
    budget += options.tokens[-1]
    before, after = share_out(pages, budget, options), share_out(pages + 1, budget, options)
    assert len(after) - 1 <= len(before)
    assert all(level <= older for level, older in zip(before, after[1:], strict=False))


@given(options(), st.integers(1, 60), st.data())
def test_a_budget_below_the_smallest_mode_is_refused(options: MemoryOptions, pages: int, data: st.DataObject) -> None:
    with pytest.raises(UserError, match="cannot show one page"):
        share_out(pages, data.draw(st.integers(0, options.tokens[-1] - 1)), options)


def test_everything_is_sharp_where_the_budget_allows_it() -> None:
    assert share_out(3, 3 * 421, MemoryOptions()) == [0, 0, 0] == share_out(3, None, MemoryOptions())


def test_the_released_modes_by_hand() -> None:
    """Worth of the steps: 8/73, 2/38, 6/162 and 4/148 a token, times 2^(-age / 4)."""
    assert MemoryOptions().tokens == (421, 273, 111, 73)
    # tiny for ages 0 to 4 (the step of age 4 is worth 0.055), then small for age 0 (0.053), tiny for 5 (0.046), ...
    assert share_out(50, 5 * 73, MemoryOptions()) == [3] * 5
    assert share_out(50, 5 * 73 + 38, MemoryOptions()) == [2, 3, 3, 3, 3]
    assert share_out(50, 6 * 73 + 38, MemoryOptions()) == [2, 3, 3, 3, 3, 3]
    assert share_out(50, 1300, MemoryOptions()) == [0, 1, 2, 2, 3, 3, 3, 3, 3]


def test_ages_alone_fade_without_a_budget() -> None:
    assert share_out(9, None, MemoryOptions(ages=(1, 3, 3, 5))) == [0, 1, 1, 3, 3]


@pytest.mark.parametrize("budget", [-1, 10**9])
def test_budgets_out_of_bounds_are_refused(budget: int) -> None:
    with pytest.raises(UserError, match="budget"):
        share_out(1, budget, MemoryOptions())


def test_modes_with_tiles_are_left_out() -> None:
    assert [one.name for one in fading_modes(tuple(MODES.values()))] == ["large", "base", "small", "tiny"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"modes": ()},
        {"modes": (MODES["gundam"],)},
        {"modes": (MODES["tiny"], MODES["large"])},
        {"font": "Arial"},
        {"font_size": 5},
        {"font_size": 400},
        {"margin": -1},
        {"margin": 640},
        {"half_life": 0.0},
        {"half_life": float("nan")},
        {"ages": (1, 2)},
        {"ages": (4, 3, 2, 1)},
        {"stride": 0},
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong: dict) -> None:
    with pytest.raises(UserError, match="memory"):
        MemoryOptions(**wrong)
