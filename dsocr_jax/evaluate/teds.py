"""TEDS: tree-edit-distance similarity of two tables, on the trees of their HTML."""

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from dsocr_jax.answers.tables import Table

#: Tables with more nodes than this are not compared (the time grows with the square).
MAX_NODES = 1100


def teds(prediction: Table, truth: Table, *, structure_only: bool = False) -> float:
    """Return 1 - tree edit distance / nodes of the larger tree, between 0 and 1.

    The tree of a table is ``table`` over ``tr`` over ``td``. Inserting and deleting a node cost 1; renaming costs 1
    between different tags, between two cells the normalised edit distance of their texts, otherwise nothing.

    Args:
        prediction: parsed table; an answer that cannot be parsed scores 0 and has no business here.
        truth: parsed table.
        structure_only: leave the texts out.
    """
    distance = _tree_edit_distance(prediction, truth, structure_only)
    return 1 - distance / max(count_nodes(prediction), count_nodes(truth))


def count_nodes(table: Table) -> int:
    """Return the nodes of a table's tree."""
    rows, columns = table.shape
    return 1 + rows + rows * columns


def _tree_edit_distance(first: Table, second: Table, structure_only: bool) -> float:
    """Zhang and Shasha's algorithm, on nodes in postorder (the cells of a row, the row, ..., the table)."""
    leaf_a, tags_a, cells_a = _postorder(first)
    leaf_b, tags_b, cells_b = _postorder(second)
    rename = (tags_a[:, None] != tags_b[None, :]).astype(np.float64)
    if not structure_only:
        texts = cdist(cells_a, cells_b, scorer=Levenshtein.normalized_distance, dtype=np.float64)
        rename[np.ix_(tags_a == _TD, tags_b == _TD)] = texts
    costs = rename.tolist()
    distance = rename.tolist()  # already right for pairs of leaves; all other pairs are filled in below
    for i in _keyroots(leaf_a):
        for j in _keyroots(leaf_b):
            if leaf_a[i] != i or leaf_b[j] != j:
                _forest_distance(i, j, leaf_a, leaf_b, costs, distance)
    return float(distance[-1][-1])


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


def _postorder(table: Table) -> tuple[list[int], np.ndarray, list[str]]:
    """Return each node's leftmost leaf and tag, and the texts of the cells, in postorder."""
    rows, columns = table.shape
    leaf: list[int] = []
    for _ in range(rows):
        start = len(leaf)
        leaf += [*range(start, start + columns), start]
    leaf.append(0)
    tags = np.array(([_TD] * columns + [_TR]) * rows + [_TABLE])
    return leaf, tags, [cell for row in table.rows for cell in row]


def _keyroots(leaf: list[int]) -> list[int]:
    """Return, for each leftmost leaf, the last node that has it, in rising order."""
    return sorted({start: node for node, start in enumerate(leaf)}.values())
