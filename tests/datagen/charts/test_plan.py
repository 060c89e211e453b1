"""Axes, texts and labels."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.charts.axis import LOG_DIGITS, Axis, log_range, nice_range, read_off, recoverable
from datagen.charts.data import NumberFormat, Series
from datagen.charts.plan import make_plan
from tests.datagen.charts.samples import chart, look

finite = st.floats(-1e7, 1e7, allow_nan=False)


@given(finite, finite, st.integers(3, 9), st.booleans())
def test_an_axis_holds_its_values_with_round_steps(one: float, other: float, count: int, from_zero: bool):
    lowest, highest = min(one, other), max(one, other)
    low, high, ticks = nice_range(lowest, highest, count, from_zero)
    span = high - low
    assert low - 1e-6 * span <= lowest and highest <= high + 1e-6 * span
    assert (ticks[0], ticks[-1]) == (low, high)
    assert 2 <= len(ticks) <= 2 * count + 3
    assert not from_zero or low <= 0 <= high


@given(st.floats(1e-3, 1e6), st.floats(1, 1e5))
def test_a_logarithmic_axis_holds_its_values(lowest: float, factor: float):
    low, high, ticks = log_range(lowest, lowest * factor)
    assert low <= lowest * (1 + 1e-6) and lowest * factor <= high * (1 + 1e-6)
    assert len(ticks) >= 2 and list(ticks) == sorted(ticks)


@given(st.floats(0, 1), st.floats(0.01, 1e6))
def test_values_are_read_off_to_a_fiftieth_of_the_axis(share: float, high: float):
    axis = Axis(0.0, high, (0.0, high), ("", ""))
    step = recoverable(0.0, high)
    assert 0.6 * high / 50 <= step <= 1.6 * high / 50
    assert abs(float(read_off(share * high, axis)) - share * high) <= step / 2 * (1 + 1e-6)


@given(st.floats(0.01, 1e6))
def test_on_a_logarithmic_axis_two_digits_are_read(value: float):
    text = read_off(value, Axis(0.001, 1e7, (0.001, 1e7), ("", ""), log=True))
    assert float(text) == pytest.approx(value, rel=0.051)
    assert len(text.replace(".", "").strip("0")) <= LOG_DIGITS


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-12.4, "-12"), (12.6, "13"), (0.2, "0")])
def test_numbers_that_are_read_off_are_plain(value: float, text: str):
    assert read_off(value, Axis(-25.0, 25.0, (), ())) == text


def test_written_values_stand_in_the_label_as_they_are_drawn():
    form = NumberFormat(1, ",", ".", suffix=" €")
    data = chart(series=(Series("", (1240.0, None, 95.5), "line", form),))
    plan = make_plan(data, look(data, value_labels=True))
    assert plan.written == (("1.240,0 €", None, "95,5 €"),)
    assert [row[1] for row in plan.rows[1:]] == ["1.240,0 €", "", "95,5 €"]
    assert plan.drawn == (("1.240,0 €", "95,5 €"),)


def test_values_that_are_not_written_are_rounded_to_what_can_be_read():
    data = chart("line", (12.34, 5.0, 40.0))
    plan = make_plan(data, look(data))
    assert plan.value is not None and (plan.value.low, plan.value.high) == (0.0, 40.0)
    assert plan.label == (
        "<table><tr><td></td><td>value</td></tr><tr><td>Name A</td><td>12</td></tr>"
        "<tr><td>Name B</td><td>5</td></tr><tr><td>Name C</td><td>40</td></tr></table>"
    )


@pytest.mark.parametrize(
    ("changes", "name"),
    [({}, "value"), ({"title": True}, "The title"), ({"title": True, "value_title": "side"}, "Orders")],
)
def test_the_header_of_a_single_series(changes: dict[str, object], name: str):
    data = chart()
    assert make_plan(data, look(data, **changes)).rows[0] == ("", name)


def composite(right: bool):
    bars, line = chart("bar", (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)).series
    line = dataclasses.replace(line, mark="line", right=right)
    return chart("composite", (1.0, 2.0, 3.0), series=(bars, line))


def test_a_series_of_the_second_axis_says_so():
    data = composite(right=True)
    plan = make_plan(data, look(data, legend="top", mark_right=False))
    assert plan.rows[0] == ("", "S0", "S1 (right axis)") and plan.names == ("S0", "S1")
    assert make_plan(data, look(data, legend="top", mark_right=True)).names == ("S0", "S1 (right axis)")


def test_with_one_axis_no_series_is_called_right():
    data = composite(right=False)
    plan = make_plan(data, look(data, legend="top"))
    assert plan.second is None and plan.rows[0] == ("", "S0", "S1")


def test_cells_of_a_hundred_per_cent_stack_are_shares_unless_values_are_written():
    data = chart("bar", (30.0, 10.0), (90.0, 10.0), stacking="percent")
    assert make_plan(data, look(data, legend="top")).rows[1:] == (("Name A", "24", "76"), ("Name B", "50", "50"))
    written = make_plan(data, look(data, legend="top", value_labels=True))
    assert written.rows[1:] == (("Name A", "30", "90"), ("Name B", "10", "10"))


@pytest.mark.parametrize(
    ("texts", "written", "cells"),
    [
        ("value", ["3", "1", "2"], ["3", "1", "2"]),
        ("percent", ["50.0%", "16.7%", "33.3%"], ["50.0%", "16.7%", "33.3%"]),
        ("both", ["3 (50.0%)", "1 (16.7%)", "2 (33.3%)"], ["3", "1", "2"]),
    ],
)
def test_cells_of_a_pie(texts: str, written: list[str], cells: list[str]):
    data = chart("pie")
    plan = make_plan(data, look(data, slice_texts=texts, percent_decimals=1))
    assert list(plan.written[0]) == written
    assert [row[1] for row in plan.rows[1:]] == cells


def test_a_scatter_chart_is_a_table_of_points():
    data = chart("scatter", (1.0, 2.0, 9.0), (10.0, 50.0, 20.0))
    plan = make_plan(data, look(data))
    assert plan.rows[0] == ("", "Letter", "Orders") and plan.rows[2][0] == "Name B"
    assert plan.x is not None and float(plan.rows[3][1]) == pytest.approx(9, abs=plan.x.high / 50)


def test_bars_stand_on_zero_and_errors_have_room():
    series = Series("", (95.0, 90.0, 99.0), "bar", NumberFormat(), errors=(10.0, 10.0, 10.0))
    data = chart(series=(series,))
    plan = make_plan(data, look(data, from_zero=False))
    assert plan.value is not None and plan.value.low == 0 and plan.value.high >= 109


def test_error_bars_are_not_in_the_label():
    series = Series("", (5.0, 1.0), "bar", NumberFormat())
    plain, barred = chart(series=(series,)), chart(series=(dataclasses.replace(series, errors=(0.5, 0.5)),))
    assert make_plan(plain, look(plain)).rows == make_plan(barred, look(barred)).rows


def test_axis_texts_follow_the_look():
    form = NumberFormat(0, ".", ",", "$")
    data = chart(series=(Series("", (1000.0, 4000.0), "bar", form),))
    plan = make_plan(data, look(data, tick_units=True, tick_groups=True))
    assert plan.value is not None and plan.value.texts[-1] == "$4,000"
    plan = make_plan(data, look(data, tick_units=False, tick_groups=False))
    assert plan.value is not None and plan.value.texts[-1] == "4000"
