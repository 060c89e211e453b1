"""Which block of an answer is which block of the truth."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein
from scipy.optimize import linear_sum_assignment

from dsocr_jax.evaluate.documents.blocks import Block
from dsocr_jax.evaluate.documents.latex import plain_latex
from dsocr_jax.evaluate.documents.merge import FOUND, distances, join_neighbours, stands_in
from dsocr_jax.evaluate.documents.normal import words_alone
from dsocr_jax.evaluate.documents.truth import FORMULA, PASSED_OVER, TrueBlock

#: Assigned blocks that differ by more than this are taken apart again.
APART = 0.7
#: A block of the truth that nothing was assigned to belongs to a longer block of the answer if it stands in it so.
CONTAINED = 0.4


@dataclass(frozen=True)
class Match:
    """Blocks of the truth, and what was read for them.

    Attributes:
        category: of the truth; of several blocks the most frequent.
        true, read: texts as they are compared; ``read`` is empty where nothing was found.
        orders: reading orders of the blocks of the truth.
        place: of the answer's first block; None where nothing was found.
    """

    category: str
    true: str
    read: str
    orders: tuple[float, ...]
    place: int | None


def match_blocks(truth: Sequence[TrueBlock], answer: Sequence[Block]) -> list[Match]:
    """Match the blocks of a page.

    1. Blocks of the answer that are captions, headers, page numbers and the like are found and set aside.
    2. Neighbouring blocks of the answer are joined where together they are nearer to a block of the truth.
    3. Blocks are assigned so that the sum of the distances is least; those far apart are taken apart again.
    4. Blocks of the truth that were not found, but stand inside a longer block of the answer, are found there.
    5. What is left on both sides is assigned to each other. What is left of the answer then does not count.

    Args:
        truth: in reading order.
        answer: in order; formulas inside lines at the end.
    """
    aside = [block.normal for block in truth if block.category in PASSED_OVER]
    passed = set(np.argwhere(distances(aside, [block.normal for block in answer]) < FOUND)[:, 1].tolist())
    kept = [block for number, block in enumerate(answer) if number not in passed]
    wanted = [block for block in truth if block.category not in PASSED_OVER]
    true, read = [block.normal for block in wanted], [block.normal for block in kept]
    found = _assign(true, read)
    return [_match([wanted[t] for t in ours], [kept[r] for r in theirs]) for ours, theirs in found]


def _assign(true: Sequence[str], read: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """Return (numbers of blocks of the truth, numbers of blocks of the answer) of every match."""
    runs = join_neighbours(true, read)
    matched: dict[tuple[int, ...], list[int]] = {}
    costs = distances(true, [" ".join(read[number] for number in run) for run in runs])
    for number, column in zip(*linear_sum_assignment(costs), strict=True):
        if costs[number, column] <= APART:
            matched.setdefault(runs[column], []).append(int(number))
    _find_contained(true, read, matched)
    left_true = _left(len(true), matched.values())
    left_read = _left(len(read), matched)
    pairs: list[tuple[list[int], list[int]]] = [(sorted(ours), list(run)) for run, ours in matched.items() if ours]
    rest = distances([true[number] for number in left_true], [read[number] for number in left_read])
    rows, columns = linear_sum_assignment(rest)
    pairs += [([left_true[row]], [left_read[column]]) for row, column in zip(rows, columns, strict=True)]
    pairs += [([number], []) for at, number in enumerate(left_true) if at not in rows]
    return pairs


def _find_contained(true: Sequence[str], read: Sequence[str], matched: dict[tuple[int, ...], list[int]]) -> None:
    """Add blocks of the truth that stand inside a block of the answer; of several such blocks the first has it."""
    for number in _left(len(true), matched.values()):
        for at, text in enumerate(read):
            if stands_in(true[number], text, CONTAINED):
                matched.setdefault((at,), []).append(number)
                break


def _left(count: int, taken: Iterable[Sequence[int]]) -> list[int]:
    used = {number for numbers in taken for number in numbers}
    return [number for number in range(count) if number not in used]


def _match(ours: Sequence[TrueBlock], theirs: Sequence[Block]) -> Match:
    category = Counter(block.category for block in ours).most_common(1)[0][0]
    true = "".join(block.normal for block in ours)
    if category == FORMULA and theirs and theirs[0].form == "text":
        # A formula that was read as text is compared as text.
        category, true = "text_block", words_alone("".join(plain_latex(block.raw) for block in ours))
        orders: tuple[float, ...] = ()
    else:
        orders = tuple(block.order for block in ours if block.order)
    place = theirs[0].place if theirs else None
    return Match(category, true, "".join(block.normal for block in theirs), orders, place)


def order_distance(matches: Sequence[Match]) -> float | None:
    """Return the edit distance of the order in which blocks of text were read; None where there are none.

    The orders of the truth's blocks stand in the order of the truth, and those of the found ones in the order of the
    answer; a block that was not found is an edit.
    """
    texts = [match for match in matches if match.category != FORMULA and match.orders]
    right = sorted(order for match in texts for order in match.orders)
    found = sorted((match for match in texts if match.place is not None), key=lambda match: match.place or 0)
    read = [order for match in found for order in match.orders]
    return float(Levenshtein.normalized_distance(right, read)) if right else None


def match_tables(true: Sequence[str], read: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Assign tables; returns (truth, answer) of each true table, "" for none, and the answer's tables that are left."""
    pairs = dict.fromkeys(range(len(true)), "")
    costs = distances(true, read)
    rows, columns = linear_sum_assignment(costs) if costs.size else (np.zeros(0, int), np.zeros(0, int))
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        pairs[row] = read[column]
    left = [text for number, text in enumerate(read) if number not in set(columns.tolist())]
    return [(true[number], text) for number, text in pairs.items()], left
