"""Chart metrics, computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers.tables import Table
from dsocr_jax.evaluate.charts import (
    HIGH,
    MAX_VALUES,
    SLIGHT,
    STRICT,
    Tolerance,
    average_precision,
    cell_accuracy,
    mean_average_precision,
    number,
    number_accuracy,
    relative_error,
    rms,
    scrm_counts,
    stripped_number,
    too_large,
    values,
)


def table(*rows: str) -> Table:
    return Table(tuple(tuple(cell.strip() for cell in row.split("|")) for row in rows))


TRUTH = table("|Orders", "mon|10", "tue|20")


def column(*cells: str) -> Table:
    return table("|Orders", *(f"{day}|{cell}" for day, cell in zip(("mon", "tue", "wed"), cells, strict=False)))


tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from(["", "a", "ab", "7", "-0.5", "12%"]), min_size=width, max_size=width).map(tuple),
        min_size=1,
        max_size=4,
    ).map(lambda rows: Table(tuple(rows)))
)


def test_names_of_values_are_row_then_column_in_lower_case() -> None:
    assert [(v.name, v.text) for v in values(TRUTH)] == [("mon orders", "10"), ("tue orders", "20")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", 12), ("-0.44", -0.44), ("74.1%", 0.741), (".5", 0.5), ("1e3", 1000), ("1,200", None), ("$5", None)]
    + [(bad, None) for bad in ("", "nan", "inf", "1_0", "1.2.3", "%", "1e999", "٣")],
)
def test_numbers_as_rms_reads_them(text: str, expected: float | None) -> None:
    assert number(text) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$1,200.5", 1200.5), ("41.5%", 41.5), ("-3 °C", -3), ("n/a", None), ("1.2.3", None), ("1-2", None)],
)
def test_numbers_as_scrm_reads_them(text: str, expected: float | None) -> None:
    assert stripped_number(text) == expected


@pytest.mark.parametrize(("p", "t", "expected"), [(11, 10, 0.1), (30, 10, 1), (0, 0, 0), (0.1, 0, 1), (-9, -10, 0.1)])
def test_relative_error(p: float, t: float, expected: float) -> None:
    assert relative_error(p, t) == pytest.approx(expected)


# RMS


def test_rms_of_a_number_5_percent_off_is_095() -> None:
    assert rms(column("10.5", "20"), TRUTH) == pytest.approx((0.95 + 1) / 2)


def test_rms_of_a_number_10_percent_off_is_0_in_decimals_too() -> None:
    assert rms(column("0.9"), column("1.0")) == 0


@pytest.mark.parametrize("wrong", ["22", "18", "400"])
def test_rms_of_a_number_10_percent_off_is_0(wrong: str) -> None:
    assert rms(column("10", wrong), TRUTH) == pytest.approx(1 / 2)


def test_rms_reads_percentages_as_hundredths() -> None:
    assert rms(column("1000%", "20"), TRUTH) == 1


def test_rms_of_a_missing_row_is_the_harmonic_mean() -> None:
    # precision 1, recall 1/2
    assert rms(column("10"), TRUTH) == pytest.approx(2 / 3)


def test_rms_weighs_a_value_by_its_name() -> None:
    # "man orders" against "mon orders": one edit in ten
    assert rms(table("|Orders", "man|10", "tue|20"), TRUTH) == pytest.approx((0.9 + 1) / 2)


def test_rms_does_not_pair_names_half_of_which_differ() -> None:
    assert rms(table("|b", "xy|1"), table("|b", "vw|1")) == 0


def test_rms_compares_other_values_as_text() -> None:
    # "high" against "hugh": one edit in four
    assert rms(table("|v", "a|high"), table("|v", "a|hugh")) == pytest.approx(0.75)


def test_rms_takes_the_better_of_the_table_and_its_transpose() -> None:
    truth = table("|a long name|b", "first|1|2", "second|3|4")
    turned = table("|first|second", "a long name|1|3", "b|2|4")
    # As it is, no names agree well enough; transposed, all do.
    assert rms(turned, truth) == 1


def test_rms_ignores_letter_case() -> None:
    assert rms(table("|ORDERS", "Mon|10", "TUE|20"), TRUTH) == 1


@pytest.mark.parametrize(("empty", "expected"), [(table(""), 1.0), (TRUTH, 0.0)])
def test_rms_of_tables_without_values(empty: Table, expected: float) -> None:
    assert rms(empty, table("a|b")) == expected


@given(tables)
def test_rms_of_a_table_with_itself_is_1(any_table: Table) -> None:
    assert rms(any_table, any_table) == pytest.approx(1)


@given(tables, tables)
def test_rms_stays_between_0_and_1(first: Table, second: Table) -> None:
    assert 0 <= rms(first, second) <= 1 + 1e-9


# SCRM


@pytest.mark.parametrize(
    ("tolerance", "expected"), [(STRICT, (1, 3)), (SLIGHT, (2, 2)), (HIGH, (2, 2))], ids=["strict", "slight", "high"]
)
def test_scrm_of_a_number_4_percent_off(tolerance: Tolerance, expected: tuple[int, int]) -> None:
    assert scrm_counts(column("10.4", "20"), TRUTH, tolerance) == expected


@pytest.mark.parametrize(("cell", "matched"), [("21", 2), ("21.1", 1), ("19", 2), ("18.9", 1)])
def test_scrm_slight_ends_at_5_percent(cell: str, matched: int) -> None:
    assert scrm_counts(column("10", cell), TRUTH, SLIGHT)[0] == matched


@pytest.mark.parametrize(("name", "slight", "high"), [("tub", 2, 2), ("bob", 1, 2)])
def test_scrm_allows_edits_in_names(name: str, slight: int, high: int) -> None:
    prediction = table("|Orders", "mon|10", f"{name}|20")
    assert (scrm_counts(prediction, TRUTH, SLIGHT)[0], scrm_counts(prediction, TRUTH, HIGH)[0]) == (slight, high)


def test_scrm_strict_lets_one_name_contain_the_other() -> None:
    assert scrm_counts(table("|Orders (thousands)", "mon|10", "tue|20"), TRUTH, STRICT) == (2, 2)


def test_scrm_does_not_take_an_empty_name_as_part_of_every_name() -> None:
    assert scrm_counts(table("|", "|10"), table("|Orders", "mon|10"), STRICT) == (0, 2)


@pytest.mark.parametrize(("cell", "truth"), [("1.05", "1.0"), ("0.95", "1.0"), ("1.155", "1.1")])
def test_scrm_slight_ends_at_5_percent_in_decimals_too(cell: str, truth: str) -> None:
    assert scrm_counts(column(cell), column(truth), SLIGHT) == (1, 1)


def test_scrm_matches_a_value_once() -> None:
    assert scrm_counts(table("|Orders", "mon|10", "mon|10"), TRUTH, STRICT) == (1, 3)


def test_scrm_finds_the_most_matches() -> None:
    # 20.5 is within 5 % of both values, 19.5 of the first alone: taking the first at once would leave 19.5 without.
    truth, prediction = table("|v", "aa|20", "ab|21"), table("|v", "aa|20.5", "ab|19.5")
    assert scrm_counts(prediction, truth, SLIGHT) == (2, 2)


def test_scrm_strips_units() -> None:
    assert scrm_counts(column("$10", "20 %"), TRUTH, STRICT) == (2, 2)


def test_scrm_compares_values_without_number_as_text() -> None:
    assert scrm_counts(column("N/A", "x"), column("n/a", "y"), STRICT) == (1, 3)


def test_scrm_leaves_missing_points_out() -> None:
    assert scrm_counts(column("", "20"), column("", "20"), STRICT) == (1, 1)


@given(tables)
def test_scrm_of_a_table_with_itself_is_complete(any_table: Table) -> None:
    matched, either = scrm_counts(any_table, any_table, STRICT)
    assert matched == either


def test_average_precision_includes_the_threshold() -> None:
    assert average_precision([(3, 4), (1, 2), (0, 0)], 75) == 2 / 3


def test_mean_average_precision_over_ten_thresholds() -> None:
    # 3/4 reaches 0.50 ... 0.75, six of the ten thresholds.
    assert mean_average_precision([(3, 4)]) == 0.6


def test_mean_average_precision_is_exact_at_a_threshold() -> None:
    # 7/20 is below all; 11/20 = 0.55 reaches the first two.
    assert mean_average_precision([(7, 20), (11, 20)]) == 0.1


# Cells and numbers


def test_cell_accuracy_counts_every_place_of_either_table() -> None:
    # 6 places in the truth, 8 in the prediction, all 6 of the truth inside; 5 are equal.
    assert cell_accuracy(column("10", "21", "30"), TRUTH) == 5 / 8


def test_cell_accuracy_is_exact_about_text() -> None:
    assert cell_accuracy(column("10.0", "20"), TRUTH) == 5 / 6


def test_number_accuracy_allows_5_percent_of_the_axis() -> None:
    # The axis runs from 0 to 20: 1 is allowed.
    assert number_accuracy(column("11", "21.1"), TRUTH) == 1 / 2


def test_number_accuracy_counts_what_was_not_read_as_wrong() -> None:
    assert number_accuracy(column("10"), TRUTH) == 1 / 2


def test_number_accuracy_keeps_the_axes_apart() -> None:
    truth = table("|a|b (right axis)", "x|1000|10")
    # 1 off on an axis of 10 is too much; 40 off on an axis of 1000 is not.
    assert number_accuracy(table("|a|b (right axis)", "x|1040|11"), truth) == 1 / 2


def test_number_accuracy_knows_the_chinese_mark() -> None:
    truth = table("|销量|占比(右轴)", "x|1000|10")
    assert number_accuracy(table("|销量|占比(右轴)", "x|1000|11"), truth) == 1 / 2


def test_number_accuracy_of_a_truth_without_numbers() -> None:
    assert number_accuracy(TRUTH, column("n/a", "")) is None


def test_large_tables_are_named_as_such() -> None:
    row = ("x",) * 2
    assert [too_large(Table((row,) * (MAX_VALUES + more))) for more in (1, 2)] == [False, True]
