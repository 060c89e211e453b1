import dataclasses
import itertools
import json
import math
import re

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.charts import FAMILY
from datagen.charts.answer import cartesian_label, header, pie_label
from datagen.charts.canvas import Canvas, DoesNotFitError, Font
from datagen.charts.colours import MIN_DIFFERENCE, PALETTES, THEMES, choose_palette, contrast
from datagen.charts.compose import KINDS, ChartData, Series
from datagen.charts.drawing import draw_own
from datagen.charts.numbers import Axis, NumberFormat, decimals_of, fill_up, nice_axis, recoverable, rounded_text
from datagen.charts.plot import Plot, fit_labels, value_axis
from datagen.charts.settings import EASY, STANDARD, ChartSettings
from datagen.charts.style import Style, draw_style
from datagen.charts.words import PAIRS, POOLS, RATES, SHORT_NAMES, TOPICS, Topic
from datagen.family import Drawn, Rejected
from dsocr_jax.answers import check_label
from dsocr_jax.answers.tables import parse_table

LEVELS = {"easy": EASY, "standard": STANDARD}
OWN = dataclasses.replace(STANDARD, matplotlib=0.0)
COUNT = Topic("Orders", "", 1, 100, (0,))
FONT = Font("DejaVuSans", 14)


def draw(settings: ChartSettings, seed: int) -> tuple[ChartData, Drawn]:
    """Return the first usable draw from ``seed`` on."""
    for attempt in range(100):
        rng = np.random.default_rng([seed, attempt])
        try:
            content = FAMILY.compose(rng, settings)
            return content, FAMILY.render(content, rng, settings)
        except Rejected:
            continue
    raise AssertionError("100 draws rejected")


def chart(kind: str = "bar", *columns: tuple[float | None, ...], names: tuple[str, ...] = ("A", "B", "C")) -> ChartData:
    columns = columns or ((3.0, 1.0, 2.0),)
    series = tuple(Series(f"S{number}" if len(columns) > 1 else "", c, COUNT, 0) for number, c in enumerate(columns))
    return ChartData(kind, "The title", "Letter", "Orders", names, series)


def style(data: ChartData, **changes: object) -> Style:
    plain = {
        "value_labels": False,
        "legend": "none",
        "title": False,
        "value_title": False,
        "category_title": False,
        "horizontal": False,
        "outlined": False,
        "theme": THEMES[0],
        "width": 480,
        "height": 360,
        "units": False,
        "thousands": False,
        "grid": "none",
        "hole": 0.0,
        "font": FONT,
        "value_font": FONT,
        "palette": PALETTES[0],
        "slice_names": True,
        "from_zero": True,
    }
    return dataclasses.replace(draw_style(data, np.random.default_rng(0), OWN), **(plain | changes))  # type: ignore[arg-type]


# Numbers


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(3, 9), st.booleans())
def test_an_axis_holds_its_values_between_round_ticks(low: float, span: float, ticks: int, from_zero: bool):
    axis = nice_axis(low, low + span, ticks, from_zero)
    slack = axis.step * 1e-6
    assert axis.low <= low + slack and low + span <= axis.high + slack
    assert not from_zero or axis.low <= 0 <= axis.high
    assert axis.ticks[0] == pytest.approx(axis.low) and axis.ticks[-1] == pytest.approx(axis.high)
    assert len(axis.ticks) <= ticks + 3


def test_an_axis_of_equal_values_has_an_extent():
    assert nice_axis(5, 5, 5, False).high > nice_axis(5, 5, 5, False).low


@pytest.mark.parametrize(
    ("high", "step"), [(50, 1), (60, 1), (80, 2), (100, 2), (200, 5), (300, 5), (500, 10), (2.5, 0.05)]
)
def test_what_can_be_read_off_an_axis(high: float, step: float):
    assert recoverable(Axis(0, high, 1)) == pytest.approx(step)


@given(st.floats(1e-3, 1e6))
def test_the_precision_is_one_two_or_five_near_a_fiftieth(high: float):
    step = recoverable(Axis(0, high, 1))
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 6) in (1, 2, 5)
    assert 0.6 < step / (high / 50) < 1.7


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(2.06, 0.05, "2.05"), (2.99, 0.05, "3.00"), (-0.01, 0.5, "0.0"), (1234, 20, "1240"), (-7.4, 1, "-7")],
)
def test_rounded_text(value: float, step: float, text: str):
    assert rounded_text(value, step) == text


@given(st.floats(-1e5, 1e5), st.sampled_from([0.02, 0.05, 0.1, 0.5, 1, 2, 50]))
def test_rounding_moves_a_value_by_half_a_step_at_most(value: float, step: float):
    assert abs(float(rounded_text(value, step)) - value) <= step / 2 * (1 + 1e-6)


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (NumberFormat(1), 1234.56, "1234.6"),
        (NumberFormat(0, True, "$"), -1234, "-$1,234"),
        (NumberFormat(2, suffix="%"), 6.7, "6.70%"),
        (NumberFormat(1), -0.04, "0.0"),
    ],
)
def test_number_text(form: NumberFormat, value: float, text: str):
    assert form.text(value) == text


@pytest.mark.parametrize(("step", "decimals"), [(10, 0), (0.5, 1), (0.25, 2), (0.02, 2), (2.5, 1)])
def test_decimals_of_a_step(step: float, decimals: int):
    assert decimals_of(step) == decimals


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=9), st.integers(0, 2))
def test_percentages_add_up_to_a_hundred(shares: list[float], decimals: int):
    filled = fill_up(shares, decimals)
    assert sum(round(value * 10**decimals) for value in filled) == 100 * 10**decimals
    exact = [share / sum(shares) * 100 for share in shares]
    assert all(abs(a - b) <= 10**-decimals for a, b in zip(filled, exact, strict=True))


# Data


def test_words_are_drawable_and_differ():
    from datagen import fonts

    texts = [name for pool in POOLS.values() for name in (pool.title, *pool.names)]
    texts += [text for topic in (*TOPICS, *RATES) for text in (topic.title, topic.prefix, topic.suffix)]
    assert all(fonts.covers(face, text) for face in STANDARD.fonts for text in {*texts, *itertools.chain(*PAIRS)})
    assert len(set(SHORT_NAMES)) == len(SHORT_NAMES) and {len(name) for name in SHORT_NAMES} == {3}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_data_are_a_table_with_names(kind: str):
    settings = dataclasses.replace(STANDARD, kinds=(kind,))
    for seed in range(40):
        try:
            data = FAMILY.compose(np.random.default_rng(seed), settings)
        except Rejected:
            continue
        assert len(set(data.categories)) == len(data.categories) >= 3
        assert all(len(series.values) == len(data.categories) for series in data.series)
        assert len(data.series) == 1 or len({series.name for series in data.series} - {""}) == len(data.series)
        assert all(round(value, series.decimals) == value for series in data.series for value in series.known)
        if kind in ("pie", "stacked"):
            assert min(value for series in data.series for value in series.known) >= 0
        if data.percent:
            parts = [series.values for series in data.series]
            assert all(sum(row) == pytest.approx(100) for row in (zip(*parts, strict=True) if parts[1:] else parts))


def test_the_key_is_the_table_alone():
    data = chart("bar", (1.0, 2.0, 3.0))
    assert data.key == dataclasses.replace(data, kind="line", title="x", y_title="y").key
    assert data.key != chart("bar", (1.0, 2.0, 4.0)).key
    assert json.loads(data.key) == [["A", "B", "C"], [["", [1.0, 2.0, 3.0]]]]


def test_easy_data_are_small_whole_numbers():
    for seed in range(30):
        data = draw(EASY, seed)[0]
        assert all(value in range(1, 10) for value in data.series[0].known)
        assert 2 <= len(data.categories) <= 4


# Labels


def test_written_values_stand_in_the_label_as_they_are_drawn():
    data = ChartData(
        "bar", "", "", "", ("Mon", "Tue"), (Series("", (1240.0, 95.5), Topic("Pay", "", 1, 9, (1,), "$"), 1),)
    )
    look = style(data, value_labels=True, units=True, thousands=True)
    assert parse_table(cartesian_label(data, look, [Axis(0, 2000, 500)])).rows[1:] == (
        ("Mon", "$1,240.0"),
        ("Tue", "$95.5"),
    )


def test_values_that_are_not_written_are_rounded_to_what_can_be_read():
    data = chart("bar", (12.34, 5.0, 40.0))
    label = cartesian_label(data, style(data), [Axis(0, 50, 10)])
    assert parse_table(label).rows == (("", "value"), ("A", "12"), ("B", "5"), ("C", "40"))


def test_a_missing_point_is_an_empty_cell():
    data = chart("line", (1.0, None, 2.0))
    assert parse_table(cartesian_label(data, style(data), [Axis(0, 50, 10)])).rows[2] == ("B", "")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "value"),
        ({"title": True}, "The title"),
        ({"title": True, "value_title": True}, "Orders"),
        ({"title": True, "value_title": True, "legend": "top"}, "Orders"),
    ],
)
def test_the_header_of_a_single_series(changes: dict[str, object], name: str):
    data = chart()
    assert header(data, style(data, **changes)) == [name]


def test_a_series_of_the_second_axis_says_so():
    data = chart("composite", (1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    assert header(data, style(data, legend="top")) == ["S0", "S1 (right axis)"]


@pytest.mark.parametrize(
    ("texts", "cells"),
    [("value", ["3", "1", "2"]), ("percent", ["50.0%", "16.7%", "33.3%"]), ("both", ["3", "1", "2"])],
)
def test_cells_of_a_pie(texts: str, cells: list[str]):
    data = chart("pie")
    assert [row[1] for row in parse_table(pie_label(data, style(data, slice_texts=texts))).rows[1:]] == cells


# Pictures


def coloured_runs(image: np.ndarray, colour: tuple[int, int, int], axis: int) -> list[int]:
    """Return the lengths of the bars of one colour, in order."""
    lengths = (image == colour).all(-1).sum(axis)
    groups = np.split(lengths, np.nonzero(np.diff((lengths > 0).astype(int)))[0] + 1)
    return [int(group.max()) for group in groups if group.max() > 0]


@pytest.mark.parametrize("horizontal", [False, True])
def test_bars_are_as_long_as_their_values(horizontal: bool):
    data = chart("bar", (8.0, 2.0, 5.0))
    image, _, details = draw_own(data, style(data, horizontal=horizontal))
    runs = coloured_runs(image, PALETTES[0][0], 1 if horizontal else 0)
    unit = runs[0] / 8
    assert runs == pytest.approx([8 * unit, 2 * unit, 5 * unit], abs=2)
    assert details["horizontal"] is horizontal


def test_stacks_are_as_long_as_their_values():
    data = chart("stacked", (8.0, 2.0, 5.0), (4.0, 4.0, 1.0))
    image, *_ = draw_own(data, style(data, legend="right"))
    # The last run is the legend's.
    first, second = (coloured_runs(image, PALETTES[0][number], 0)[:3] for number in (0, 1))
    unit = first[0] / 8
    assert [*first, *second] == pytest.approx([value * unit for value in (8, 2, 5, 4, 4, 1)], abs=2)


def test_slices_are_as_large_as_their_values():
    data = chart("pie", (50.0, 20.0, 30.0))
    image, *_ = draw_own(data, style(data))
    areas = np.array([(image == PALETTES[0][number]).all(-1).sum() for number in range(3)])
    assert areas / areas.sum() == pytest.approx([0.5, 0.2, 0.3], abs=0.03)


def test_a_line_goes_through_its_points():
    data = chart("line", (0.0, 10.0, 5.0))
    look = style(data, markers=("square",), hollow=False, line_width=2.0, dashed=False)
    image, _, details = draw_own(data, look)
    rows, columns = np.nonzero((np.abs(image.astype(int) - PALETTES[0][0]) < 40).all(-1))
    edges = columns.min() + look.marker_radius, columns.max() - look.marker_radius
    heights = [rows[np.abs(columns - at) < 2].mean() for at in (edges[0], sum(edges) / 2, edges[1])]
    assert (heights[0] - heights[2]) / (heights[0] - heights[1]) == pytest.approx(0.5, abs=0.04)
    assert details["axes"][0][0] <= 0


@pytest.mark.parametrize("level", LEVELS)
def test_draws_are_labels_of_their_data(level: str):
    for seed in range(20):
        data, drawn = draw(LEVELS[level], seed)
        check_label("charts", drawn.label)
        rows = parse_table(drawn.label).rows
        assert [row[0] for row in rows[1:]] == list(data.categories)
        assert drawn.meta["values"] == [list(series.values) for series in data.series]
        assert json.loads(json.dumps(drawn.meta)) == drawn.meta
        assert drawn.image.ndim == 3 and drawn.image.dtype == np.uint8


def test_cells_are_near_the_true_values():
    for seed in range(30):
        data, drawn = draw(dataclasses.replace(OWN, kinds=("bar", "line", "composite")), seed)
        columns = list(zip(*parse_table(drawn.label).rows[1:], strict=True))[1:]
        for series, cells, (low, high) in zip(data.series, columns, drawn.meta["axes"], strict=True):
            for value, cell in zip(series.values, cells, strict=True):
                number = float(re.sub(r"[$€,%]", "", cell)) if cell else None
                assert (number is None) == (value is None)
                assert value is None or abs(number - value) <= (high - low) / 50


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_state_gives_the_same_bytes(level: str):
    first, second = draw(LEVELS[level], 4)[1], draw(LEVELS[level], 4)[1]
    assert first.image.tobytes() == second.image.tobytes()
    assert (first.label, first.meta) == (second.label, second.meta)


def test_easy_pictures_are_small_squares_with_written_values():
    drawn = draw(EASY, 0)[1]
    assert drawn.image.shape == (192, 192, 3)
    assert drawn.meta["value_labels"]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_matplotlib_draws_every_kind(kind: str):
    data, drawn = draw(dataclasses.replace(STANDARD, kinds=(kind,), matplotlib=1.0), 1)
    check_label("charts", drawn.label)
    assert drawn.meta["renderer"] == "matplotlib"
    assert msgpack.packb(drawn.meta, strict_types=True)
    assert drawn.image.std() > 5 and len(parse_table(drawn.label).rows) == len(data.categories) + 1


def test_slices_and_several_series_are_always_named():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        try:
            data = FAMILY.compose(rng, STANDARD)
        except Rejected:
            continue
        look = draw_style(data, rng, STANDARD)
        named = look.legend != "none" or (data.kind == "pie" and look.slice_names)
        assert named or (len(data.series) == 1 and data.kind != "pie")


def test_values_that_have_no_room_are_not_written():
    data = chart("stacked", (1000.0, 1.0, 1000.0), (1000.0, 1000.0, 1000.0))
    with pytest.raises(DoesNotFitError):
        draw_own(data, style(data, value_labels=True, legend="right"))
    assert draw_own(data, style(data, legend="right"))[1]


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("theme", range(len(THEMES)))
def test_colours_can_be_told_apart(count: int, theme: int):
    for seed in range(10):
        colours = choose_palette(count, THEMES[theme].plot, np.random.default_rng(seed), True)
        assert len(colours) >= count
        for a, b in itertools.combinations([*colours[:count], THEMES[theme].plot], 2):
            assert math.dist(a, b) >= MIN_DIFFERENCE


def test_text_on_a_colour_is_black_or_white():
    assert contrast((250, 250, 100)) == (0, 0, 0)
    assert contrast((10, 20, 90)) == (255, 255, 255)


# The page


def test_texts_that_overlap_are_refused():
    canvas = Canvas(200, 100, (255, 255, 255))
    canvas.text((100, 50), "Orders", FONT, (0, 0, 0))
    with pytest.raises(DoesNotFitError, match="overlap"):
        canvas.text((110, 55), "Sales", FONT, (0, 0, 0))


@pytest.mark.parametrize("place", [(5, 50), (195, 50), (100, 2), (100, 99)])
def test_texts_that_leave_the_page_are_refused(place: tuple[int, int]):
    with pytest.raises(DoesNotFitError, match="leaves"):
        Canvas(200, 100, (255, 255, 255)).text(place, "Orders", FONT, (0, 0, 0))


@pytest.mark.parametrize(
    ("anchor", "edges"), [("lt", (0, 1)), ("rt", (2, 1)), ("lm", (0, None)), ("rb", (2, 3)), ("mm", (None, None))]
)
@pytest.mark.parametrize("angle", [0, 90])
def test_texts_stand_where_their_anchor_says(anchor: str, edges: tuple[int | None, int | None], angle: int):
    canvas = Canvas(200, 100, (255, 255, 255))
    box = canvas.text((100, 50), "HEH", FONT, (0, 0, 0), anchor=anchor, angle=angle)
    ink = np.nonzero(canvas.array().min(-1) < 128)
    seen = ink[1].min(), ink[0].min(), ink[1].max() + 1, ink[0].max() + 1
    assert seen == pytest.approx(box, abs=1)
    for edge, place in zip(edges, (100, 50), strict=True):
        assert edge is None or box[edge] == pytest.approx(place, abs=1)


@pytest.mark.parametrize(("slot", "angle", "lines"), [(120, 0, 1), (70, 0, 2), (30, 40, 1), (22, 90, 1)])
def test_category_labels_stand_as_plainly_as_they_fit(slot: float, angle: int, lines: int):
    labels = fit_labels(["South Korea", "New Zealand"], slot, FONT, 600)
    assert (labels.angle, max(len(parts) for parts in labels.lines)) == (angle, lines)


def test_category_labels_without_room_are_refused():
    with pytest.raises(DoesNotFitError, match="too long"):
        fit_labels(["South Korea"], 9, FONT, 600)


def test_the_first_category_of_lying_bars_is_at_the_top():
    plot = Plot((0, 0, 100, 100), 4, True)
    assert [plot.centre(number) for number in range(4)] == [12.5, 37.5, 62.5, 87.5]
    assert plot.value(1.0, Axis(0, 2, 1)) == 50


def test_written_values_have_room_above_the_highest():
    data = chart("bar", (10.0, 2.0, 3.0))
    axis = value_axis(data, data.series, style(data, value_labels=True, ticks=5), True)
    assert axis.high > 10
