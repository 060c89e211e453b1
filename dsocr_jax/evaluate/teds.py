"""TEDS: tree-edit-distance similarity of two tables, on the trees of their HTML."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from dsocr_jax.answers.tables import Table

#: Charts with more nodes than this are not compared (the time grows with the square).
MAX_NODES = 1100


@dataclass(frozen=True)
class Cell:
    """A cell of a table's tree: its text (characters, and tags as one piece each) and what it spans."""

    text: Sequence[Hashable]
    colspan: int = 1
    rowspan: int = 1


@dataclass(frozen=True)
class Tree:
    """A table as ``table`` over ``tr`` over ``td``; ``inside`` counts tags inside cells, which are nodes, too."""

    rows: tuple[tuple[Cell, ...], ...]
    inside: int = 0

    @property
    def nodes(self) -> int:
        """Nodes below the table."""
        return len(self.rows) + sum(map(len, self.rows)) + self.inside


def teds(prediction: Table, truth: Table, *, structure_only: bool = False) -> float:
    """Return `tree_similarity` of two tables without spans.

    Args:
        prediction: parsed table; an answer that cannot be parsed scores 0 and has no business here.
        truth: parsed table.
        structure_only: leave the texts out.
    """
    return tree_similarity(_tree(prediction), _tree(truth), structure_only=structure_only)


def tree_similarity(prediction: Tree, truth: Tree, *, structure_only: bool = False) -> float:
    """Return 1 - tree edit distance / nodes of the larger tree, as released (PubTabNet, OmniDocBench).

    Inserting and deleting a node cost 1; renaming costs 1 between different tags and between cells of different spans,
    between other cells the normalised edit distance of their texts, otherwise nothing. The root is not among the nodes
    that are counted. It is 1 for equal trees, and may fall below 0 where neither shape nor texts have anything in
    common.
    """
    distance = _tree_edit_distance(prediction, truth, structure_only)
    return 1 - distance / max(prediction.nodes, truth.nodes)


def count_nodes(table: Table) -> int:
    """Return the nodes below the root of a table's tree."""
    return _tree(table).nodes


def _tree(table: Table) -> Tree:
    return Tree(tuple(tuple(Cell(text) for text in row) for row in table.rows))


def _tree_edit_distance(first: Tree, second: Tree, structure_only: bool) -> float:
    """Return the edit distance of two ordered trees (Zhang and Shasha's recursion over forests, a node at a time).

    Tables are trees of two levels, so the distances of all subtrees are known beforehand: of two cells the cost of
    renaming, of two rows the edit distance of their sequences of cells, of a cell and a row see `_cell_to_row`. The
    roots are the same and matched. What is left is one pass over the nodes, done for a whole row of it at a time.
    """
    starts_a, starts_b = _starts(first), _starts(second)
    subtrees = _subtree_distances(first, second, structure_only)
    columns = np.arange(len(starts_b) + 1, dtype=np.float64)
    # The forests of the nodes before each node; only those at the beginnings of rows are needed again.
    forest = columns
    before = {0: forest}
    for node, start in enumerate(starts_a):
        aligned = before[start][starts_b] + subtrees[node]
        best = np.concatenate([forest[:1] + 1, np.minimum(forest[1:] + 1, aligned)])
        # Inserting nodes one after the other: the least of best[k] + (column - k) over all k up to the column.
        forest = np.minimum.accumulate(best - columns) + columns
        before[node + 1] = forest
        if start != node:
            # A row is closed: the forests inside it are not needed any more.
            for inner in range(start + 1, node + 1):
                del before[inner]
    return float(forest[-1])


def _starts(tree: Tree) -> np.ndarray:
    """Return each node's leftmost leaf, in postorder: the cells of a row, then the row, and so on: int64 [nodes]."""
    starts: list[int] = []
    for row in tree.rows:
        begin = len(starts)
        starts += [*range(begin, begin + len(row)), begin]
    return np.array(starts, np.int64)


def _subtree_distances(first: Tree, second: Tree, structure_only: bool) -> np.ndarray:
    """Return the edit distance of every two subtrees, in postorder: float64 [nodes, nodes]."""
    rename = _rename_cells(
        [cell for row in first.rows for cell in row], [c for row in second.rows for c in row], structure_only
    )
    is_row_a, is_row_b = (
        np.array([tag for row in tree.rows for tag in [False] * len(row) + [True]]) for tree in (first, second)
    )
    distances = np.empty((len(is_row_a), len(is_row_b)))
    distances[np.ix_(~is_row_a, ~is_row_b)] = rename
    distances[np.ix_(~is_row_a, is_row_b)] = _cell_to_row(rename, second)
    distances[np.ix_(is_row_a, ~is_row_b)] = _cell_to_row(rename.T, first).T
    distances[np.ix_(is_row_a, is_row_b)] = _row_to_row(rename, first, second)
    return distances


def _cell_to_row(rename: np.ndarray, tree: Tree) -> np.ndarray:
    """Return the distance of each cell to each row of ``tree``: float64 [cells, rows].

    The cell is one of the row's cells, or is renamed to the row (1); all other nodes of the row are inserted.
    """
    ends = np.cumsum([len(row) for row in tree.rows])
    least = [
        np.minimum(1.0, rename[:, end - len(row) : end].min(axis=1, initial=1.0)) + len(row)
        for row, end in zip(tree.rows, ends.tolist(), strict=True)
    ]
    return np.stack(least, axis=1)


def _row_to_row(rename: np.ndarray, first: Tree, second: Tree) -> np.ndarray:
    """Return the edit distance of the cells of every two rows: float64 [rows, rows]."""
    lengths = np.array([len(row) for row in second.rows])
    ends = np.cumsum(lengths)
    columns = np.arange(lengths.max() + 1, dtype=np.float64)
    # Cells of each row of the second table; what is beyond a row's end is computed and never looked at.
    cells = np.minimum((ends - lengths)[:, None] + np.arange(lengths.max())[None, :], max(rename.shape[1] - 1, 0))
    distances = np.empty((len(first.rows), len(second.rows)))
    at = 0
    for number, row in enumerate(first.rows):
        above = np.broadcast_to(columns, (len(lengths), len(columns)))
        for cell in range(at, at + len(row)):
            best = above + 1.0
            best[:, 1:] = np.minimum(best[:, 1:], above[:, :-1] + rename[cell][cells])
            above = np.minimum.accumulate(best - columns, axis=1) + columns
        at += len(row)
        distances[number] = above[np.arange(len(lengths)), lengths]
    return distances


def _rename_cells(first: Sequence[Cell], second: Sequence[Cell], structure_only: bool) -> np.ndarray:
    """Return the cost of renaming each cell into each other one: float64 [first, second]."""
    if not first or not second:
        return np.zeros((len(first), len(second)))
    spans_a = np.array([(cell.colspan, cell.rowspan) for cell in first])
    spans_b = np.array([(cell.colspan, cell.rowspan) for cell in second])
    other = (spans_a[:, None] != spans_b[None, :]).any(axis=-1)
    if structure_only:
        return other.astype(np.float64)
    texts = [cell.text for cell in first], [cell.text for cell in second]
    distance = cdist(*texts, scorer=Levenshtein.normalized_distance, dtype=np.float64)
    return np.where(other, 1.0, distance)
