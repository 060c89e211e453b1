"""Tree-edit-distance similarity, by hand and against the definition."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from dsocr_jax.answers.tables import Table
from dsocr_jax.evaluate.teds import Cell, Tree, count_nodes, teds, tree_similarity

TWO_BY_TWO = Table((("", "v"), ("ab", "10")))  # 2 rows and 4 cells below the root, which is not counted

tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from(["", "a", "ab", "xb"]), min_size=width, max_size=width).map(tuple),
        min_size=1,
        max_size=3,
    ).map(lambda rows: Table(tuple(rows)))
)


def forest_distance(first: tuple, second: tuple) -> float:
    """Edit distance of ordered forests by plain recursion (remove, insert or pair the last roots)."""

    def rename(a: tuple, b: tuple) -> float:
        return 1.0 if a[0] != b[0] else float(Levenshtein.normalized_distance(a[1], b[1]))

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

    return distance(first, second)


def by_definition(first: Table, second: Table) -> float:
    def tree(table: Table) -> tuple:
        return ("table", "", tuple(("tr", "", tuple(("td", cell, ()) for cell in row)) for row in table.rows))

    return forest_distance((tree(first),), (tree(second),))


def test_nodes() -> None:
    assert count_nodes(TWO_BY_TWO) == 6


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
    assert teds(Table(prediction), TWO_BY_TWO) == pytest.approx(1 - distance / 6)


def test_a_larger_prediction_is_measured_by_its_own_size() -> None:
    assert teds(Table((*TWO_BY_TWO.rows, ("c", "d"))), TWO_BY_TWO) == pytest.approx(1 - 3 / 9)


def test_structure_leaves_the_texts_out() -> None:
    assert teds(Table((("p", "q"), ("r", "s"))), TWO_BY_TWO, structure_only=True) == 1


@given(tables, tables)
@settings(max_examples=60, deadline=None)
def test_by_definition(first: Table, second: Table) -> None:
    nodes = max(count_nodes(first), count_nodes(second))
    assert teds(first, second) == pytest.approx(1 - by_definition(first, second) / nodes)


def test_a_cell_of_another_span_is_another_cell() -> None:
    # 1 row and 2 cells: the texts agree, and the first cell is wider: one rename of 1 in 3 nodes.
    plain, wide = (Tree(((Cell("a", colspan=span), Cell("b")),)) for span in (1, 2))
    assert tree_similarity(wide, plain) == pytest.approx(1 - 1 / 3)
    assert tree_similarity(wide, plain, structure_only=True) == pytest.approx(1 - 1 / 3)


def test_tags_inside_a_cell_are_pieces_of_its_text_and_nodes() -> None:
    # "<b>" "x" "</b>" against "x": 2 edits of 3. Nodes: row, cell, and the tag inside on one side: 3.
    bold, plain = Tree(((Cell(("<b>", "x", "</b>")),),), inside=1), Tree(((Cell("x"),),))
    assert tree_similarity(bold, plain) == pytest.approx(1 - (2 / 3) / 3)


def test_trees_without_anything_in_common_may_fall_below_0() -> None:
    # 3 rows of one cell against 1 row of 3: the tables' roots match, and so do a row and a cell (renamed: 1).
    # 2 rows and 2 cells go, 2 cells come; or all cells stay (3 renamed), 3 rows go and one comes: 7 either way, of 6.
    rows, row = Tree(((Cell("a"),), (Cell("b"),), (Cell("c"),))), Tree(((Cell("x"), Cell("y"), Cell("z")),))
    assert tree_similarity(rows, row) == pytest.approx(1 - 7 / 6)


def test_rows_without_cells() -> None:
    assert tree_similarity(Tree(((),)), Tree(((Cell("a"),),))) == pytest.approx(1 - 1 / 2)


cells = st.builds(Cell, st.sampled_from(["", "a", "ab", "xb"]), st.sampled_from([1, 1, 2]))
trees = st.builds(Tree, st.lists(st.lists(cells, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple))


@given(trees, trees)
@settings(max_examples=60, deadline=None)
def test_ragged_tables_with_spans_by_definition(first: Tree, second: Tree) -> None:
    def tree(table: Tree) -> tuple:
        rows = (("tr", "", tuple((("td", c.colspan), c.text, ()) for c in row)) for row in table.rows)
        return ("table", "", tuple(rows))

    expected = 1 - forest_distance((tree(first),), (tree(second),)) / max(first.nodes, second.nodes)
    assert tree_similarity(first, second) == pytest.approx(expected)
