import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers.table_forms import to_csv, to_records
from dsocr_jax.answers.tables import Table

CELLS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=8) | st.sampled_from(
    ["", '"', 'a,"b"', ";", "=1+1", "'", "-5"]
)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=4)))
def test_csv_without_safety_is_read_back(rows: list[tuple[str, ...]]):
    text = to_csv(Table(tuple(rows)), safe=False)
    assert [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))] == rows


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+A1",
        "-A1",
        "@SUM(A1)",
        " =1",
        "\u200b=1",
        "\uff1d1+1",
        "-1+1",
        "+1-cmd|' /C calc'!A0",
        "--1",
        "=",
        "-2e9=3",
    ],
)
def test_a_formula_is_disarmed(cell: str):
    assert next(csv.reader([to_csv(Table(((cell,),)))]))[0] == f"'{cell}"


@pytest.mark.parametrize("cell", ["-0.44", "+5%", "-1,234.5", "-3e-5", "-", "1=2", "a@b", "5", "", "−7", "- "])
def test_a_number_is_left_alone(cell: str):
    assert to_csv(Table(((cell, "x"),))).startswith(f'"{cell}"' if "," in cell else f"{cell},")


def test_rows_become_dictionaries():
    table = Table((("", "a", "b"), ("x", "1", "2"), ("y", "3", "4")))
    assert to_records(table) == [{"": "x", "a": "1", "b": "2"}, {"": "y", "a": "3", "b": "4"}]


def test_keys_that_occur_again_are_numbered():
    assert list(to_records(Table((("a", "a", "a (2)", "", ""), ("1",) * 5)))[0]) == [
        "a",
        "a (2)",
        "a (2) (2)",
        "",
        "(2)",
    ]


@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "", "(2)"]), min_size=1, max_size=12))
def test_no_column_is_lost(header: list[str]):
    values = tuple(str(number) for number in range(len(header)))
    assert tuple(to_records(Table((tuple(header), values)))[0].values()) == values
