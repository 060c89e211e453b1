"""What charts say is whole, right and plausible, for any seed."""

import contextlib
import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen import fonts
from datagen.charts.content import EASY, KINDS, MIDDLE, STANDARD, ContentSettings, compose, tags
from datagen.charts.content.easy import MIN_SLICE, SHORT_NAMES
from datagen.charts.content.language import language
from datagen.charts.content.rows import ORDERED
from datagen.charts.data import ChartData, NumberFormat
from datagen.family import Rejected

EVERYWHERE = dataclasses.replace(STANDARD, languages=tuple((tag, 1.0) for tag in tags()))


def draw(seed: int, settings: ContentSettings = EVERYWHERE) -> ChartData:
    return compose(np.random.default_rng(seed), settings)


def only(kind: str, **changes: Any) -> ContentSettings:
    return dataclasses.replace(EVERYWHERE, kinds=((kind, 1.0),), **changes)


def parse(text: str, form: NumberFormat) -> float:
    """Read a number as a reader would who knows the language's signs and nothing of the value."""
    sign, text = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    assert text.startswith(form.prefix) and text.endswith(form.suffix)
    digits = text[len(form.prefix) : len(text) - len(form.suffix)]
    whole, _, fraction = digits.partition(form.decimal)
    assert len(fraction) == form.decimals
    groups = whole.split(form.group) if form.group else [whole]
    assert all(len(group) == 3 for group in groups[1:]) and groups[0]
    return sign * float("".join(groups) + "." + (fraction or "0"))


seeds = st.integers(0, 2**63)
charts = seeds.map(draw)


@given(charts)
def test_every_series_has_a_value_for_each_category(data: ChartData) -> None:
    assert {len(series.values) for series in data.series} == {len(data.categories)}


@given(seeds, st.sampled_from([name for name, _ in EVERYWHERE.kinds]))
def test_lists_shorter_than_what_is_asked_for_do_not_end_a_chart(seed: int, kind: str) -> None:
    with contextlib.suppress(Rejected):
        draw(seed, only(kind, categories=(30, 40), dates=(14, 20), series=(6, 9), slices=(12, 16)))


@given(charts)
def test_no_name_comes_twice_or_is_empty(data: ChartData) -> None:
    names = [series.name for series in data.series]
    assert len(set(data.categories)) == len(data.categories) and len(set(names)) == len(names)
    assert all(data.categories) and (len(names) == 1 or all(names))


@given(charts)
def test_names_and_texts_are_trimmed_and_filled_in(data: ChartData) -> None:
    texts = [data.title, data.subtitle, data.source, data.note, data.x_title, data.y_title, data.y2_title]
    for text in [*texts, *data.categories, *(series.name for series in data.series)]:
        assert text == text.strip() and "  " not in text and not set("{}|\n") & set(text)
    assert data.title


@given(charts)
def test_written_numbers_read_back_as_the_values(data: ChartData) -> None:
    for series in data.series:
        for value in series.known:
            assert parse(series.form.text(value), series.form) == pytest.approx(value, rel=1e-12, abs=1e-12)


@given(charts)
def test_nothing_is_written_as_zero_with_a_minus_sign(data: ChartData) -> None:
    written = [series.form.text(value) for series in data.series for value in series.known]
    assert not [text for text in written if text.startswith("-") and not set(text) & set("123456789")]


@given(charts)
def test_series_of_one_axis_are_written_alike(data: ChartData) -> None:
    for right in (False, True):
        forms = {series.form for series in data.series if series.right == right}
        assert len(forms) <= (2 if data.kind == "scatter" else 1)


@given(charts)
def test_values_of_a_logarithmic_axis_span_decades_and_are_positive(data: ChartData) -> None:
    if data.log:
        assert all(0 < 20 * min(series.known) <= max(series.known) for series in data.series)


@given(seeds.map(lambda seed: draw(seed, only("line", log=1.0))))
def test_log_axes_are_only_for_positive_values(data: ChartData) -> None:
    assert not data.log or min(value for series in data.series for value in series.known) > 0


@pytest.mark.parametrize("kind", ["percent", "percent area"])
@given(seed=seeds)
def test_percentages_of_a_category_add_up_as_written(kind: str, seed: int) -> None:
    data = draw(seed, only(kind))
    assert data.stacking == "percent" and len(data.series) > 1
    for number in range(len(data.categories)):
        written = (parse(one.form.text(one.values[number] or 0.0), one.form) for one in data.series)
        assert round(sum(written), 6) == 100


@given(seeds.map(lambda seed: draw(seed, only("pie"))))
def test_slices_are_positive_and_percentages_add_up(data: ChartData) -> None:
    (series,) = data.series
    assert min(series.known) > 0 and len(series.known) == len(data.categories)
    if "%" in series.form.prefix + series.form.suffix:
        assert round(sum(series.known), 6) == 100


@given(seeds.map(lambda seed: draw(seed, only("stacked"))))
def test_what_is_stacked_is_positive_and_whole(data: ChartData) -> None:
    assert all(value is not None and value > 0 for series in data.series for value in series.values)


@given(seeds.map(lambda seed: draw(seed, only("scatter"))))
def test_a_scatter_chart_has_two_axes_named_as_its_series(data: ChartData) -> None:
    assert [series.name for series in data.series] == [data.x_title, data.y_title]
    assert {series.mark for series in data.series} == {"point"}


@given(seeds.map(lambda seed: draw(seed, only("composite"))))
def test_a_composite_has_bars_and_one_line_mostly_on_the_second_axis(data: ChartData) -> None:
    *bars, line = data.series
    assert {series.mark for series in bars} == {"bar"} and not any(series.right for series in bars)
    assert line.mark == "line" and bool(data.y2_title) == line.right


@given(seeds.map(lambda seed: draw(seed, only("line", errors=1.0, missing=0.0))))
def test_error_bars_are_shorter_than_values(data: ChartData) -> None:
    for series in data.series:
        assert len(series.errors) in (0, len(series.known))
        assert all(0 <= error < value for error, value in zip(series.errors, series.known, strict=False))


@given(seeds.map(lambda seed: draw(seed, only("grouped", missing=1.0, errors=0.0))))
def test_missing_points_are_few_and_never_at_an_end(data: ChartData) -> None:
    gaps = [(s, c) for s, series in enumerate(data.series) for c, value in enumerate(series.values) if value is None]
    assert len(gaps) <= 2 and all(0 < c < len(data.categories) - 1 for _, c in gaps)


@given(charts)
def test_limits_of_the_settings_hold(data: ChartData) -> None:
    count = len(data.categories)
    assert 2 <= count <= (24 if data.dates else 14)
    assert len(data.series) <= 6 and count * len(data.series) <= 60


@pytest.mark.parametrize(("kind", "most"), [("line", 1), ("line", 2), ("area", 1), ("step", 1), ("bar", 1)])
def test_single_series_of_every_topic_can_be_drawn(kind: str, most: int) -> None:
    settings = dataclasses.replace(MIDDLE, kinds=((kind, 1.0),), series=(1, most))
    drawn = [draw(seed, settings) for seed in range(600)]
    assert {len(data.series) for data in drawn} == set(range(1, most + 1))
    if kind == "line":  # highs without the lows
        assert any([one.name for one in data.series] == ["Daily high"] for data in drawn)


@given(st.integers(0, 2**63), st.sampled_from(KINDS))
def test_the_same_seed_says_the_same(seed: int, kind: str) -> None:
    assert draw(seed, only(kind)) == draw(seed, only(kind))


def test_different_seeds_say_different_things() -> None:
    assert len({draw(seed).key for seed in range(300)}) == 300


def test_every_kind_and_language_comes_up() -> None:
    data = [draw(seed) for seed in range(1500)]
    assert {one.language for one in data} == set(tags())
    assert {one.kind for one in data} == {"bar", "line", "area", "step", "pie", "composite", "scatter"}
    assert {one.stacking for one in data} == {"none", "stacked", "percent"}
    assert any(one.log for one in data) and any(series.errors for one in data for series in one.series)
    assert any(value is None for one in data for series in one.series for value in series.values)
    assert any(value < 0 for one in data for series in one.series for value in series.known)


def test_titles_do_not_contradict_years_of_series() -> None:
    for seed in range(400):
        data = draw(seed, only("grouped", languages=(("en", 1.0),)))
        years = [series.name for series in data.series if series.name.isdigit()]
        assert not (years and any(word.strip(",").isdigit() for word in data.title.split())), data.title


@given(charts)
def test_fonts_of_the_language_draw_every_character(data: ChartData) -> None:
    texts = [data.title, data.subtitle, data.source, data.note, data.x_title, data.y_title, data.y2_title]
    texts += [*data.categories, *(series.name for series in data.series)]
    texts += [series.form.text(value) for series in data.series for value in series.known]
    for face in fonts.for_language(data.language):
        assert fonts.covers(face, "".join(texts)), face


@given(st.integers(0, 2**63))
def test_easy_charts_are_a_few_short_names_with_a_digit_each(seed: int) -> None:
    try:
        data = draw(seed, EASY)
    except Rejected as rejected:
        assert rejected.reason == "slice too thin"
        return
    (series,) = data.series
    assert data.kind in ("bar", "pie") and data.language == "en" and not series.name and not data.title
    assert 2 <= len(data.categories) <= 4 and set(data.categories) <= set(SHORT_NAMES)
    assert all(value in range(1, 10) for value in series.values)
    assert all(series.form.text(value or 0) in "123456789" for value in series.values)
    if data.kind == "pie":
        assert min(series.known) >= MIN_SLICE * sum(series.known) and len(data.categories) <= 3


def test_easy_pies_that_are_rejected_are_not_many() -> None:
    rejected = 0
    for seed in range(300):
        try:
            draw(seed, EASY)
        except Rejected:
            rejected += 1
    assert 0 < rejected < 75


def made_up_charts(tag: str) -> ContentSettings:
    return dataclasses.replace(STANDARD, languages=((tag, 1.0),), made_up=1.0)


def listed(tag: str) -> set[str]:
    return {name for key, pool in language(tag).pools.items() if key not in ORDERED for name in pool.names}


@given(seeds, st.sampled_from(["en", "de", "vi"]))
def test_made_up_names_are_in_no_list_and_differ(seed: int, tag: str) -> None:
    before, after = draw(seed, dataclasses.replace(made_up_charts(tag), made_up=0.0)), draw(seed, made_up_charts(tag))
    names = [*after.categories, *(series.name for series in after.series)]
    assert not listed(tag) & set(names)
    assert len(set(after.categories)) == len(after.categories)
    assert [series.values for series in after.series] == [series.values for series in before.series]


@given(seeds)
def test_made_up_names_leave_times_and_other_alone(seed: int) -> None:
    before, after = draw(seed, dataclasses.replace(made_up_charts("en"), made_up=0.0)), draw(seed, made_up_charts("en"))
    pairs = zip(before.categories, after.categories, strict=True)
    assert all(old == new for old, new in pairs if old not in listed("en"))


@given(seeds, st.sampled_from(["zh", "el", "ru"]))
def test_charts_in_other_letters_keep_their_names(seed: int, tag: str) -> None:
    assert draw(seed, made_up_charts(tag)) == draw(seed, dataclasses.replace(made_up_charts(tag), made_up=0.0))
