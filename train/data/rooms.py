"""How many views a row has room for, and how many steps the data last: both from the first samples, without chance."""

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

from dsocr_jax.console import progress
from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode
from train.data.examples import NO_TEXT, measure
from train.data.lanes import Plan
from train.data.packing import Size, fits, packed
from train.data.samples import Unusable

#: Samples that are looked at; fewer where they must be drawn.
FIRST, FIRST_DRAWN = 512, 128

#: Rows that are packed on trial.
ROWS = 128

#: Share of the tokens that the limits on views may cost. A view that nobody uses costs more than the tokens beside it.
LOSS = 0.04

_BOUNDLESS = 2**20


@dataclasses.dataclass(frozen=True)
class Trial:
    """Rows packed on trial.

    Attributes:
        filled: share of their tokens in use.
        samples: mean number of samples in a row.
        views: mean number of views in a row by size.
    """

    filled: float
    samples: float
    views: Mapping[int, float]


def view_room(mode: Mode, rows: int) -> dict[int, int]:
    """Return how many views of each size ``rows`` pictures can need."""
    room = Counter({mode.base_size: rows})
    if mode.crop:
        room[mode.tile_size] += rows * mode.max_tiles
    return dict(room)


def first_sizes(plan: Plan) -> list[list[Size]]:
    """Return the sizes of the first samples in each mode, those that cannot be used left out.

    Raises:
        UserError: a rival of the encoder is trained, and the data is not all text.
    """
    sizes: list[list[Size]] = [[] for _ in plan.modes]
    drawn = any(kind.endless for kind in plan.kinds)
    count = FIRST_DRAWN if drawn else FIRST
    silent = nullcontext(lambda amount, note: None)
    with progress("drawing the first samples", count, "samples") if drawn else silent as advance:
        for number in range(count):
            try:
                _, sample = plan.sample(0, number)
                for found, mode in zip(sizes, plan.modes, strict=True):
                    found.append(measure(sample, plan.tokenizer, plan.model, mode, plan.length))
            except Unusable as error:
                if error.reason == NO_TEXT:  # what is in the data, rather than a fault in it
                    raise UserError(
                        f"--rival: {error}; take pages alone whose prompt asks for plain text (dsocr-data build "
                        '--family pages --change pages.labels=["free"]; --mixture leaves other kinds out)'
                    ) from None
            advance(1, "")
    return sizes


def trial(sizes: Sequence[Size], length: int, room: Mapping[int, int]) -> Trial | None:
    """Pack the sizes, again and again until there are enough rows; None if none of them fits."""
    fitting = [size for size in sizes if fits(size, length, room)]
    if not fitting:
        return None
    rows = list(itertools.islice(packed(itertools.cycle(fitting), length, room), ROWS))
    views: Counter[int] = Counter()
    for row in rows:
        for size in row:
            views.update(size.views)
    tokens = sum(size.tokens for row in rows for size in row)
    mean = {side: count / len(rows) for side, count in views.items()}
    return Trial(tokens / len(rows) / length, sum(map(len, rows)) / len(rows), mean)


def room_of(sizes: Sequence[Size], mode: Mode, length: int, pictures: int | None, most_pictures: int) -> dict[int, int]:
    """Return the room for views of a row by size: the smallest with which at most `LOSS` of the tokens is lost.

    Args:
        sizes: of the first samples.
        mode: what they are cut into.
        length: tokens of a row.
        pictures: limit that the user set; None looks for one.
        most_pictures: most pictures of any sample; 0 for text alone, which needs no room.
    """
    if most_pictures == 0:
        return {}
    least = view_room(mode, 1)  # what one picture can need
    room = dict.fromkeys(least, _BOUNDLESS)
    if pictures is not None:
        room[mode.base_size] = pictures * least[mode.base_size]
    free = trial(sizes, length, room)
    for side in sorted(least, key=lambda side: side != mode.base_size):
        if room[side] < _BOUNDLESS:
            continue
        mean = 0.0 if free is None else (1 - LOSS) * free.views.get(side, 0.0)
        start = max(least[side], math.ceil(mean), *(size.views.get(side, 0) for size in sizes), 1)
        for limit in itertools.count(start, max(start // 50, 1)):
            room[side] = limit
            found = trial(sizes, length, room)
            if free is None or found is None or found.filled >= free.filled - LOSS or limit > 2 * start:
                break
    return room


def steps_per_epoch(plan: Plan, shares: Sequence[float], sizes: Sequence[Sequence[Size]]) -> float | None:
    """Return after about how many steps as many samples were used as there are; None if there is no end of them.

    Args:
        plan: of the run.
        shares: of each mode's steps; their sum is 1.
        sizes: of the first samples in each mode.
    """
    if any(kind.endless for kind in plan.kinds):
        return None
    samples = 0.0
    for share, found, room in zip(shares, sizes, plan.rooms, strict=True):
        packed_rows = trial(found, plan.length, room)
        samples += share * plan.lanes * (packed_rows.samples if packed_rows is not None else 1.0)
    return sum(len(kind) for kind in plan.kinds) / samples
