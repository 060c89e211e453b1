import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers import AnswerError, check_label
from dsocr_jax.answers.tables import MAX_CELL_CHARS, MAX_COLUMNS, MAX_ROWS, Table, parse_table, write_table

BARS = (
    "<table><tr><td></td><td>Orders</td><td>Returns</td><td>Share (right axis)</td></tr>"
    "<tr><td>Mon</td><td>120</td><td>8</td><td>6.7%</td></tr>"
    "<tr><td>Tue</td><td>95</td><td>11</td><td>11.6%</td></tr></table>"
)
PIE = (
    "<table><tr><td></td><td>Energy mix</td></tr><tr><td>Wind</td><td>41.5%</td></tr>"
    "<tr><td>Solar</td><td>33.5%</td></tr><tr><td>Other</td><td>25%</td></tr></table>"
)
CELLS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12).filter(
    lambda cell: not any(tag in cell.lower() for tag in ("table", "td", "tr", "th"))
) | st.sampled_from(["", "&", "a&amp;b", "<b>", "1 < 2 > 0", "&lt;", "<table>", "</td>", "数值"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[tuple[str, ...], ...]:
    columns = draw(st.integers(1, 4))
    return tuple(draw(st.lists(st.tuples(*[CELLS] * columns), min_size=1, max_size=4)))


def test_bars_and_a_right_axis_line_are_written_to_the_character():
    rows = [
        ["", "Orders", "Returns", "Share (right axis)"],
        ["Mon", "120", "8", "6.7%"],
        ["Tue", "95", "11", "11.6%"],
    ]
    assert write_table(rows) == BARS


def test_a_pie_is_read():
    assert parse_table(PIE).rows == (("", "Energy mix"), ("Wind", "41.5%"), ("Solar", "33.5%"), ("Other", "25%"))


def test_shape_counts_the_header():
    assert parse_table(BARS).shape == (3, 4)


@given(tables())
def test_what_is_written_is_read_back(rows: tuple[tuple[str, ...], ...]):
    assert parse_table(write_table(rows)) == Table(rows)


@given(tables())
def test_a_written_table_is_a_label(rows: tuple[tuple[str, ...], ...]):
    check_label("charts", write_table(rows))


@given(st.lists(st.sampled_from(["<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "&", "x", "<"]), max_size=24))
def test_hostile_text_is_read_or_refused(pieces: list[str]):
    try:
        table = parse_table("".join(pieces))
    except AnswerError:
        return
    assert parse_table(write_table(table)) == table


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<table></table>",
        "<table><tr></tr></table>",
        " " + PIE,
        PIE + "\n",
        PIE + PIE,
        PIE[:-1],
        PIE.replace("<td>Wind", "<td >Wind"),
        PIE.replace("<td>Wind</td>", "<th>Wind</th>"),
        PIE.replace("<td>Wind</td>", ""),
        PIE.replace("Wind", "Wi\nnd"),
        PIE.replace("Wind", "<td>Wind"),
        PIE.replace("Wind", "\ud800"),
        PIE.replace("</tr><tr>", "</tr> <tr>"),
    ],
)
def test_other_forms_are_refused(text: str):
    with pytest.raises(AnswerError):
        parse_table(text)


def test_a_bare_ampersand_and_bracket_are_read_as_themselves():
    assert parse_table("<table><tr><td>R&D < 5 &nbsp;</td></tr></table>").rows == (("R&D < 5 &nbsp;",),)


def test_a_bare_ampersand_is_no_label():
    with pytest.raises(AnswerError, match="amp"):
        check_label("charts", "<table><tr><td>R&D</td></tr></table>")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[]],
        [["a"], ["b", "c"]],
        [["a\tb"]],
        [["x" * (MAX_CELL_CHARS + 1)]],
        [[""]] * (MAX_ROWS + 1),
        [[""] * (MAX_COLUMNS + 1)],
    ],
    ids=["no rows", "no columns", "ragged", "tab", "long cell", "many rows", "many columns"],
)
def test_what_is_beyond_the_form_is_not_written(rows: list[list[str]]):
    with pytest.raises(AnswerError):
        write_table(rows)


def test_rows_without_end_are_refused_before_all_are_read():
    with pytest.raises(AnswerError, match="rows"):
        parse_table("<table>" + "<tr><td></td></tr>" * 14_000 + "</table>")


def test_open_cells_take_linear_time():
    start = time.perf_counter()
    with pytest.raises(AnswerError):
        parse_table("<table><tr>" + "<td>" * 60_000)
    assert time.perf_counter() - start < 5
