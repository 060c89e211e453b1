import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers.html_tables import MAX_ALL_CELLS, MAX_TABLES, find_tables
from dsocr_jax.answers.tables import MAX_CELL_CHARS, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, write_table

CELLS = st.text(alphabet="ab<>&;= 数", max_size=5).map(lambda cell: " ".join(cell.split()))


def rows(text: str) -> tuple[tuple[str, ...], ...]:
    (found,), problems = find_tables(text)
    assert problems == ()
    return found.table.rows


def problem(text: str) -> str:
    found, problems = find_tables(text)
    assert found == ()
    return " ".join(problems)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=4)))
def test_what_the_writer_writes_is_found(table: list[tuple[str, ...]]):
    text = write_table(table)
    found, problems = find_tables(f"before {text} after")
    assert (found[0].table.rows, problems) == (tuple(table), ())
    assert found[0].span == (7, 7 + len(text))
    assert found[0].whole


def test_all_tables_of_a_page_are_found_in_order():
    text = "# A\n\n<table><tr><td>1</td></tr></table>\n\ntext\n\n<TABLE><TR><TD>2</TD></TR></TABLE>"
    assert [found.table.rows[0][0] for found in find_tables(text)[0]] == ["1", "2"]


def test_a_column_span_repeats_its_cell():
    text = '<table><tr><td colspan="2">a</td><td>b</td></tr><tr><td>c</td><td>d</td><td>e</td></tr></table>'
    assert rows(text) == (("a", "a", "b"), ("c", "d", "e"))


def test_a_row_span_repeats_its_cell():
    text = "<table><tr><td>a</td><td rowspan='2'>b</td></tr><tr><td>c</td></tr><tr><td>d</td><td>e</td></tr></table>"
    assert rows(text) == (("a", "b"), ("c", "b"), ("d", "e"))


def test_spans_both_ways():
    text = (
        "<table><tr><td rowspan=2 colspan=2>a</td><td>b</td></tr><tr><td>c</td></tr>"
        "<tr><td>d</td><td>e</td><td>f</td></tr></table>"
    )
    assert rows(text) == (("a", "a", "b"), ("a", "a", "c"), ("d", "e", "f"))


def test_a_row_span_in_the_middle_lets_the_next_row_go_around_it():
    text = "<table><tr><td>a</td><td rowspan=2>b</td><td>c</td></tr><tr><td>d</td><td>e</td></tr></table>"
    assert rows(text) == (("a", "b", "c"), ("d", "b", "e"))


def test_a_row_span_ends_with_its_section():
    text = "<table><thead><tr><td rowspan=9>a</td></tr></thead><tbody><tr><td>b</td></tr></tbody></table>"
    assert rows(text) == (("a",), ("b",))


@pytest.mark.parametrize("span", ["0", "1"])
def test_a_span_of_nothing_is_one_cell(span: str):
    assert rows(f"<table><tr><td colspan={span} rowspan={span}>a</td></tr></table>") == (("a",),)


def test_attributes_headings_and_blanks_between_tags_are_taken():
    text = (
        '<table border="1" style="x">\n <caption>A &amp; B</caption><thead>\n'
        '<tr><th scope="col">a</th></tr></thead></table>'
    )
    (found,), _ = find_tables(text)
    assert (found.table.rows, found.caption) == ((("a",),), "A & B")


def test_a_cell_is_one_line_of_plain_text():
    text = "<table><tr><td>\n x<sup>2</sup> <b>bold</b><br/>next &lt;b&gt; &eacute;&nbsp;\x00\u202e</td></tr></table>"
    assert rows(text) == (("x2 bold next <b> é",),)


def test_rows_of_different_length_are_filled_up_and_said():
    (found,), _ = find_tables("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>")
    assert (found.table.rows, found.whole) == ((("a", "b"), ("c", "")), False)


def test_a_table_that_is_cut_off_keeps_its_whole_rows():
    (found,), problems = find_tables("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d")
    assert (found.table.rows, found.whole) == ((("a", "b"),), False)
    assert "not closed" in problems[0]


def test_of_nested_tables_the_inner_one_is_read():
    text = "<table><tr><td><table><tr><td>inner</td></tr></table></td></tr></table>"
    (found,), problems = find_tables(text)
    assert found.table.rows == (("inner",),)
    assert "holds another" in problems[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<table></table>", "no cells"),
        ("<table><tr></tr></table>", "no cells"),
        ("<table>text<tr><td>a</td></tr></table>", "outside a cell"),
        ("<table><tr>text<td>a</td></tr></table>", "outside a cell"),
        ("<table><td>a</td></table>", "out of place"),
        ("<table><tr><td>a</tr></table>", "inside a <td>"),
        ("<table><tr><td>a<td>b</td></tr></table>", "inside a <td>"),
        ("<table><tr><td>a</th></tr></table>", "inside a <td>"),
        ("<table><tr></td></tr></table>", "out of place"),
        ("<table><tr><tr><td>a</td></tr></table>", "out of place"),
        ("<table></tr></table>", "out of place"),
        ("<table><tr><td>a</td></table>", "out of place"),
        ("<table><tr><td>a</table>", "out of place"),
        ("<table><tr><tbody><td>a</td></tr></table>", "inside a row"),
        ("<table><tr><td colspan=1001>a</td></tr></table>", "spans more"),
        (f"<table><tr><td colspan={'9' * 150}>a</td></tr></table>", "spans more"),
        ("<table><tr><td>a</td><td rowspan=2>b</td></tr><tr><td colspan=2>c</td></tr></table>", "overlap"),
        (f"<table><tr><td>{'x' * (MAX_CELL_CHARS + 1)}</td></tr></table>", "limit"),
        (f"<table><tr>{'<td></td>' * (MAX_COLUMNS + 1)}</tr></table>", "columns"),
        (f"<table>{'<tr><td></td></tr>' * (MAX_ROWS + 1)}</table>", "rows"),
        (f"<table>{'<tr><td colspan=200></td></tr>' * (MAX_CELLS // 200 + 1)}</table>", "cells"),
        (f"<table>{'<tr><td></td></tr>' * (MAX_CELLS // 200)}<tr><td colspan=200></td></tr></table>", "cells"),
        (f"<table><tr><td colspan=200>{'&' * MAX_CELL_CHARS}</td></tr></table>", "characters"),
    ],
)
def test_what_is_no_table_is_said(text: str, message: str):
    assert message in problem(text)


def test_text_that_only_looks_like_tags_is_text():
    assert rows("<table><tr><td>a < b > c <tdx> <trying></td></tr></table>") == (("a < b > c <tdx> <trying>",),)


def test_a_good_table_after_a_bad_one_is_found():
    found, problems = find_tables("<table>x<tr></table><table><tr><td>a</td></tr></table>")
    assert (len(found), len(problems)) == (1, 1)


def test_tables_beyond_the_limit_are_not_read():
    found, problems = find_tables("<table><tr><td>a</td></tr></table>" * (MAX_TABLES + 5))
    assert (len(found), len(problems)) == (MAX_TABLES, 1)


def test_cells_of_all_tables_have_a_limit():
    table = f"<table>{'<tr><td colspan=200></td></tr>' * 50}</table>"
    found, problems = find_tables(table * 20)
    assert sum(len(t.table.rows) * 200 for t in found) <= MAX_ALL_CELLS + MAX_CELLS
    assert len(problems) == 1


def test_every_found_table_can_be_written():
    text = f"<table>{('<tr>' + '<td>&amp;&amp;</td>' * 100 + '</tr>') * 100}</table>"
    found, _ = find_tables(text)
    for table in found:
        write_table(table.table)
    assert len(found) == 1
