"""Which neighbouring blocks of an answer are one block of the truth: answers divide paragraphs where they please."""

import itertools
from collections.abc import Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

#: A block of the truth is found when its distance to a block of the answer is below this; both need no joining then.
FOUND = 0.25
#: A piece belongs to a block of the truth if it stands somewhere in it with at most this share of edits.
PIECE = 0.6

#: Numbers of neighbouring blocks of the answer, in order.
Run = tuple[int, ...]


def distances(true: Sequence[str], read: Sequence[str]) -> np.ndarray:
    """Return normalised edit distances: float64 [true, read]."""
    if not true or not read:
        return np.zeros((len(true), len(read)))
    return cdist(true, read, scorer=Levenshtein.normalized_distance, dtype=np.float64)


def join_neighbours(true: Sequence[str], read: Sequence[str]) -> list[Run]:
    """Return the answer's blocks in order, those joined that together are nearer to a block of the truth.

    Args:
        true: blocks of the truth, as they are compared.
        read: blocks of the answer.

    Returns:
        Runs of numbers of blocks; every block is in exactly one.
    """
    found = np.argwhere(distances(true, read) < FOUND)
    found_true, found_read = set(found[:, 0].tolist()), set(found[:, 1].tolist())
    free = [number for number in range(len(read)) if number not in found_read]
    best: list[tuple[Run, float]] = []
    for number, block in enumerate(true):
        if number in found_true or not free:
            continue
        runs = [_longest_run(block, read, start, found_read) for start in free]
        costs = [Levenshtein.normalized_distance(block, _joined(read, run)) for run in runs]
        least = int(np.argmin(costs))
        best.append((runs[least], costs[least]))
    chosen = [run for run in _compatible(best) if len(run) > 1]
    inside = {number: run for run in chosen for number in run}
    return [inside.get(number, (number,)) for number in range(len(read)) if inside.get(number, (number,))[0] == number]


def stands_in(piece: str, text: str, limit: float) -> bool:
    """Whether ``piece`` stands somewhere in ``text`` with fewer than ``limit`` edits for each of its characters.

    Places of the same length are tried one by one; a piece longer than the text stands nowhere in it.
    """
    size = len(piece)
    if not 0 < size <= len(text):
        return False
    most = int(np.ceil(limit * size)) - 1  # fewer than limit * size
    if most < 0:
        return False
    return any(
        Levenshtein.distance(piece, text[start : start + size], score_cutoff=most) <= most
        for start in range(len(text) - size + 1)
    )


def _longest_run(block: str, read: Sequence[str], start: int, found: set[int]) -> Run:
    """Return the run from ``start`` on to which blocks are added as long as that comes nearer to ``block``."""
    run: Run = (start,)
    for following in range(start + 1, len(read)):
        if following in found:
            break
        longer = (*run, following)
        before, after = _joined(read, run), _joined(read, longer)
        if Levenshtein.normalized_distance(block, after) > Levenshtein.normalized_distance(block, before):
            break
        if not all(stands_in(read[number], block, PIECE) for number in longer):
            break
        run = longer
        if len(after) > len(block):
            break
    return run


def _joined(read: Sequence[str], run: Run) -> str:
    return " ".join(read[number] for number in run)


def _compatible(best: Sequence[tuple[Run, float]]) -> list[Run]:
    """Of runs that overlap, keep those that do not: the way through them with the least mean distance."""
    kept: list[Run] = []
    for cluster in _clusters(sorted(best, key=lambda pair: pair[0][0])):
        ways: list[dict[Run, float]] = []
        for run, cost in cluster:
            taken = False
            for way in ways:
                if run in way:
                    way[run] = min(way[run], cost)
                    taken = True
                elif not any(set(run) & set(other) for other in way):
                    way[run] = cost
                    taken = True
            if not taken:
                ways.append({run: cost})
        costs = [sum(way.values()) / len(way) for way in ways]
        kept += ways[costs.index(min(costs))]
    return kept


def _clusters(best: Sequence[tuple[Run, float]]) -> list[list[tuple[Run, float]]]:
    """Divide runs, in order of their beginnings, into those that overlap directly or by way of others."""
    clusters: list[list[tuple[Run, float]]] = []
    for run, cost in best:
        if clusters and set(run) & set(itertools.chain.from_iterable(other for other, _ in clusters[-1])):
            clusters[-1].append((run, cost))
        else:
            clusters.append([(run, cost)])
    return clusters
