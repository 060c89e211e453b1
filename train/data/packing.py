"""Which of the waiting samples go into the next row: as many tokens as possible, within the room for views."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

#: A lane looks ahead until the samples that wait have this many rows' tokens.
LOOK_AHEAD = 3

#: Of so many samples the best choice is looked for.
CANDIDATES = 16


@dataclasses.dataclass(frozen=True)
class Size:
    """What a sample needs of a row.

    Attributes:
        tokens: with placeholders.
        views: number of views by size in pixels.
        pictures: number of pictures.
    """

    tokens: int
    views: Mapping[int, int]
    pictures: int = 0


def fits(size: Size, length: int, room: Mapping[int, int]) -> bool:
    """Whether a sample fits into an empty row of ``length`` tokens with ``room`` for views by size."""
    return size.tokens <= length and all(count <= room.get(side, 0) for side, count in size.views.items())


def choose(waiting: Sequence[Size], length: int, room: Mapping[int, int]) -> list[int]:
    """Return the indices, rising, of those that fill the next row.

    The first of ``waiting`` is always among them, so that nobody waits for ever. Where many small ones wait, most of
    the row goes to the first that fit; the rest of it is filled as well as any choice of `CANDIDATES` can.

    Args:
        waiting: each fits into an empty row; in order of arrival.
        length: tokens of a row.
        room: views of a row by size.
    """
    chosen, left = [0], _less(Size(length, room), waiting[0])
    plain = (len(waiting) - CANDIDATES) // LOOK_AHEAD
    for i in range(1, len(waiting)):
        if len(chosen) >= plain:
            break
        if fits(waiting[i], left.tokens, left.views):
            chosen.append(i)
            left = _less(left, waiting[i])
    others = (i for i in range(1, len(waiting)) if i not in chosen and fits(waiting[i], left.tokens, left.views))
    candidates = list(itertools.islice(others, CANDIDATES))
    return sorted(chosen + [candidates[i] for i in _fullest([waiting[i] for i in candidates], left)])


def _less(space: Size, size: Size) -> Size:
    views = {side: count - size.views.get(side, 0) for side, count in space.views.items()}
    return Size(space.tokens - size.tokens, views)


def _fullest(sizes: Sequence[Size], space: Size) -> list[int]:
    """Return the indices of those that together have the most tokens that fit into ``space``.

    The sums that can be reached are the bits of one number for each way to use the views (subset sums). ``steps`` keeps
    them as they were before each size, to find the way back.
    """
    sides = sorted(space.views)
    limit = tuple(space.views[side] for side in sides)
    mask = (1 << space.tokens + 1) - 1
    reached = {(0,) * len(sides): 1}
    steps = []
    for size in sizes:
        steps.append(reached)
        need = tuple(size.views.get(side, 0) for side in sides)
        more = dict(reached)
        for used, sums in reached.items():
            now = tuple(a + b for a, b in zip(used, need, strict=True))
            if all(a <= b for a, b in zip(now, limit, strict=True)):
                more[now] = more.get(now, 0) | sums << size.tokens & mask
        reached = more
    # Of equal sums the one with most views: samples of few tokens would otherwise pile up until the views run short.
    used = max(reached, key=lambda views: (reached[views].bit_length(), sum(views)))
    total = reached[used].bit_length() - 1
    chosen = []
    for i in reversed(range(len(sizes))):
        if steps[i].get(used, 0) >> total & 1:
            continue  # it is reached without this one
        chosen.append(i)
        total -= sizes[i].tokens
        used = tuple(a - sizes[i].views.get(side, 0) for a, side in zip(used, sides, strict=True))
    return chosen


def wants_more(waiting: Sequence[Size], length: int) -> bool:
    """Whether a lane should look further ahead before it fills the next row."""
    return sum(size.tokens for size in waiting) < LOOK_AHEAD * length


def packed(sizes: Iterable[Size], length: int, room: Mapping[int, int]) -> Iterator[list[Size]]:
    """Yield the rows that one lane makes of ``sizes``, as long as it can look ahead as usual."""
    waiting: list[Size] = []
    for size in sizes:
        if fits(size, length, room):
            waiting.append(size)
        while not wants_more(waiting, length):
            chosen = set(choose(waiting, length, room))
            yield [waiting[i] for i in chosen]
            waiting = [size for i, size in enumerate(waiting) if i not in chosen]
