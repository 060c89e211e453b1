"""Tree-edit-distance similarity, by hand and against the definition."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from dsocr_jax.answers.tables import Table
from dsocr_jax.evaluate.teds import count_nodes, teds

TWO_BY_TWO = Table((("", "v"), ("ab", "10")))  # 1 table, 2 rows, 4 cells

tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from(["", "a", "ab", "xb"]), min_size=width, max_size=width).map(tuple),
        min_size=1,
        max_size=3,
    ).map(lambda rows: Table(tuple(rows)))
)


def by_definition(first: Table, second: Table) -> float:
    """Edit distance of ordered trees by plain recursion over forests (remove, insert or pair the last roots)."""

    def tree(table: Table) -> tuple:
        return ("table", "", tuple(("tr", "", tuple(("td", cell, ()) for cell in row)) for row in table.rows))

    def rename(a: tuple, b: tuple) -> float:
        if a[0] != b[0]:
            return 1.0
        return Levenshtein.normalized_distance(a[1], b[1])

    @cache
    def distance(a: tuple, b: tuple) -> float:
        if not a and not b:
            return 0.0
        options = []
        if a:
            options.append(distance(a[:-1] + a[-1][2], b) + 1)
        if b:
            options.append(distance(a, b[:-1] + b[-1][2]) + 1)
        if a and b:
            options.append(distance(a[-1][2], b[-1][2]) + distance(a[:-1], b[:-1]) + rename(a[-1], b[-1]))
        return min(options)

    return distance((tree(first),), (tree(second),))


def test_nodes() -> None:
    assert count_nodes(TWO_BY_TWO) == 7


@pytest.mark.parametrize(
    ("prediction", "distance"),
    [
        ((("", "v"), ("ab", "10")), 0),
        ((("", "v"), ("ax", "10")), 0.5),
        ((("", "v"), ("ab", "xyz")), 1),
        ((("", "v"),), 3),
        ((("",), ("ab",)), 2),
    ],
    ids=["equal", "half a cell", "a cell", "a row gone", "a column gone"],
)
def test_by_hand(prediction: tuple, distance: float) -> None:
    assert teds(Table(prediction), TWO_BY_TWO) == pytest.approx(1 - distance / 7)


def test_a_larger_prediction_is_measured_by_its_own_size() -> None:
    assert teds(Table((*TWO_BY_TWO.rows, ("c", "d"))), TWO_BY_TWO) == pytest.approx(1 - 3 / 10)


def test_structure_leaves_the_texts_out() -> None:
    assert teds(Table((("p", "q"), ("r", "s"))), TWO_BY_TWO, structure_only=True) == 1


@given(tables, tables)
@settings(max_examples=60, deadline=None)
def test_by_definition(first: Table, second: Table) -> None:
    nodes = max(count_nodes(first), count_nodes(second))
    assert teds(first, second) == pytest.approx(1 - by_definition(first, second) / nodes)
