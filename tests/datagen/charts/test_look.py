"""Looks, palettes, themes, and repairs."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.charts import reasons
from datagen.charts.look import SIZES, draw_look
from datagen.charts.palettes import MIN_DIFFERENCE, PALETTES, choose_colours, contrast, difference
from datagen.charts.repair import repair
from datagen.charts.themes import THEMES
from tests.datagen.charts.samples import OWN, chart, look


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("count", [1, 3, 5, 8])
def test_colours_can_be_told_apart_in_every_theme(theme, count: int):
    for name in theme.palettes:
        colours = choose_colours(name, count, 0, theme.plot, False)
        for one, other in itertools.combinations(colours, 2):
            assert difference(one, other) >= MIN_DIFFERENCE
        assert all(colour != theme.plot for colour in colours)


def test_there_are_enough_themes_and_palettes():
    assert len(THEMES) >= 25 and len({theme.name for theme in THEMES}) == len(THEMES)
    assert len(PALETTES) >= 25
    assert {name for theme in THEMES for name in theme.palettes} <= set(PALETTES)


def test_the_difference_of_colours_is_that_of_cielab():
    assert difference((0, 0, 0), (255, 255, 255)) == pytest.approx(100, abs=0.1)
    assert difference((255, 0, 0), (0, 255, 0)) == pytest.approx(170.6, abs=0.5)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_theme(theme):
    assert difference(theme.ink, theme.paper) > 45 and difference(theme.faint, theme.paper) > 35


def test_text_on_a_colour_is_black_or_white():
    assert contrast((250, 250, 100)) == (0, 0, 0)
    assert contrast((10, 20, 90)) == (255, 255, 255)


@given(st.integers(0, 10_000))
def test_looks_name_every_series_and_differ_only_by_their_seed(seed: int):
    data = chart("line", (1.0, 2.0, 3.0), (2.0, 3.0, 4.0), (3.0, 4.0, 1.0))
    drawn = draw_look(data, np.random.default_rng(seed), OWN)
    assert drawn.legend != "none"
    assert drawn == draw_look(data, np.random.default_rng(seed), OWN)
    assert {drawn.size, drawn.small, drawn.title_size, drawn.value_size} <= set(SIZES)
    assert len(drawn.dashes) == 3 and (not drawn.markers or len(drawn.markers) == 3)
    looks = set(zip(drawn.palette, drawn.dashes, drawn.markers or ("",) * 3, strict=True))
    assert len(looks) == len(set(drawn.palette)) == 3


@given(st.integers(0, 10_000))
def test_slices_are_named_in_a_legend_or_at_the_slices(seed: int):
    drawn = draw_look(chart("pie"), np.random.default_rng(seed), OWN)
    assert (drawn.legend != "none") == (drawn.slice_names == "legend")


@given(st.sampled_from(reasons.REASONS), st.integers(0, 500), st.sampled_from(["bar", "line", "pie", "scatter"]))
def test_repairs_end(reason: str, seed: int, kind: str):
    data = chart(kind, (1.0, 2.0, 3.0), (2.0, 3.0, 1.0)) if kind == "scatter" else chart(kind)
    changed = draw_look(data, np.random.default_rng(seed), OWN)
    for _ in range(30):
        repaired = repair(data, changed, reason)
        if repaired is None:
            return
        assert repaired != changed
        changed = repaired
    raise AssertionError("repairs go on for ever")


def test_a_chart_without_its_values_written_has_an_axis():
    data = chart()
    changed = repair(data, look(data, value_labels=True, value_axis=False), reasons.VALUES)
    assert changed is not None and changed.value_axis and not changed.value_labels


def test_a_repair_never_takes_the_legend_of_several_series():
    data = chart("bar", (1.0, 2.0), (2.0, 1.0))
    for reason, legend in itertools.product(reasons.REASONS, ("right", "left", "inside", "ends", "top", "bottom")):
        changed = repair(data, look(data, legend=legend), reason)
        assert changed is None or changed.legend != "none"


def test_the_share_of_easy_looks_is_plain():
    from datagen.charts.settings import EASY

    drawn = draw_look(chart(), np.random.default_rng(0), EASY)
    assert (drawn.width, drawn.height, drawn.grid, drawn.title) == (192, 192, "none", False)
    assert drawn.value_labels and not drawn.value_axis
    assert dataclasses.replace(drawn, size=14) != drawn or drawn.size == 14
