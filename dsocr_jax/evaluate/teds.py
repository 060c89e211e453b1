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
    """Zhang and Shasha's algorithm, on nodes in postorder (the cells of a row, the row, ..., the table)."""
    leaf_a, tags_a, cells_a = _postorder(first)
    leaf_b, tags_b, cells_b = _postorder(second)
    rename = (tags_a[:, None] != tags_b[None, :]).astype(np.float64)
    if cells_a and cells_b:
        rename[np.ix_(tags_a == _TD, tags_b == _TD)] = _rename_cells(cells_a, cells_b, structure_only)
    costs = rename.tolist()
    distance = rename.tolist()  # already right for pairs of leaves; all other pairs are filled in below
    for i in _keyroots(leaf_a):
        for j in _keyroots(leaf_b):
            if leaf_a[i] != i or leaf_b[j] != j:
                _forest_distance(i, j, leaf_a, leaf_b, costs, distance)
    return float(distance[-1][-1])


def _rename_cells(first: Sequence[Cell], second: Sequence[Cell], structure_only: bool) -> np.ndarray:
    """Return the cost of renaming each cell into each other one: float64 [first, second]."""
    spans_a = np.array([(cell.colspan, cell.rowspan) for cell in first])
    spans_b = np.array([(cell.colspan, cell.rowspan) for cell in second])
    other = (spans_a[:, None] != spans_b[None, :]).any(axis=-1)
    if structure_only:
        return other.astype(np.float64)
    texts = [cell.text for cell in first], [cell.text for cell in second]
    distance = cdist(*texts, scorer=Levenshtein.normalized_distance, dtype=np.float64)
    return np.where(other, 1.0, distance)


def _forest_distance(
    i: int, j: int, leaf_a: list[int], leaf_b: list[int], rename: list[list[float]], distance: list[list[float]]
) -> None:
    """Fill ``distance`` for all pairs of subtrees on the left paths of the subtrees i and j."""
    first_a, first_b = leaf_a[i], leaf_b[j]
    width = j - first_b + 2
    above = [float(count) for count in range(width)]
    forest = [above]
    for a in range(first_a, i + 1):
        row = [above[0] + 1.0]
        for b in range(first_b, j + 1):
            column = b - first_b + 1
            best = min(above[column], row[column - 1]) + 1.0
            if leaf_a[a] == first_a and leaf_b[b] == first_b:
                best = min(best, above[column - 1] + rename[a][b])
                distance[a][b] = best
            else:
                best = min(best, forest[leaf_a[a] - first_a][leaf_b[b] - first_b] + distance[a][b])
            row.append(best)
        forest.append(row)
        above = row


_TABLE, _TR, _TD = 0, 1, 2


def _postorder(tree: Tree) -> tuple[list[int], np.ndarray, list[Cell]]:
    """Return each node's leftmost leaf and tag, and the cells, in postorder."""
    leaf: list[int] = []
    tags: list[int] = []
    for row in tree.rows:
        start = len(leaf)
        leaf += [*range(start, start + len(row)), start]
        tags += [_TD] * len(row) + [_TR]
    return [*leaf, 0], np.array([*tags, _TABLE]), [cell for row in tree.rows for cell in row]


def _keyroots(leaf: list[int]) -> list[int]:
    """Return, for each leftmost leaf, the last node that has it, in rising order."""
    return sorted({start: node for node, start in enumerate(leaf)}.values())
