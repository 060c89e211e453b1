"""Which samples share a row."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dsocr_jax.modes import Mode
from train.data.packing import LOOK_AHEAD, Size, choose, fits, packed
from train.data.rooms import LOSS, room_of, trial

LENGTH, ROOM = 50, {64: 3, 32: 5}
MODE = Mode("crop", base_size=64, tile_size=32, crop=True, fit="pad", max_tiles=4)

sizes = st.builds(
    lambda tokens, whole, tiles: Size(tokens, {64: whole, 32: tiles} if whole else {}, whole),
    st.integers(1, LENGTH),
    st.integers(0, 3),
    st.integers(0, 5),
)


def total(row: list[Size], side: int) -> int:
    return sum(size.views.get(side, 0) for size in row)


@settings(deadline=None, max_examples=40)
@given(st.lists(sizes, min_size=1, max_size=40))
def test_a_row_holds_the_first_and_never_more_than_it_can(waiting):
    chosen = choose(waiting, LENGTH, ROOM)
    assert chosen == sorted(set(chosen))
    assert chosen[0] == 0
    row = [waiting[i] for i in chosen]
    assert sum(size.tokens for size in row) <= LENGTH
    assert all(total(row, side) <= count for side, count in ROOM.items())


@settings(deadline=None, max_examples=40)
@given(st.lists(sizes, min_size=2, max_size=9))
def test_no_other_choice_with_the_first_fills_a_row_better(waiting):
    def tokens(chosen: tuple[int, ...]) -> int:
        row = [waiting[i] for i in chosen]
        together = Size(sum(size.tokens for size in row), {side: total(row, side) for side in ROOM})
        return together.tokens if fits(together, LENGTH, ROOM) else 0

    others = range(1, len(waiting))
    best = max(tokens((0, *some)) for n in range(len(waiting)) for some in itertools.combinations(others, n))
    assert tokens(tuple(choose(waiting, LENGTH, ROOM))) == best


@settings(deadline=None, max_examples=40)
@given(st.lists(sizes, min_size=60, max_size=90))
def test_nothing_is_lost_comes_twice_or_waits_for_ever(stream):
    named = [Size(size.tokens, size.views, number) for number, size in enumerate(stream)]  # pictures: a name here
    rows = list(packed(named, LENGTH, ROOM))
    placed = [size.pictures for row in rows for size in row]
    assert len(placed) == len(set(placed))
    for number, row in enumerate(rows):
        assert min(size.pictures for size in row) == min(set(range(len(named))) - {
            size.pictures for earlier in rows[:number] for size in earlier
        })  # fmt: skip
    left = sum(size.tokens for size in named) - sum(size.tokens for row in rows for size in row)
    assert left < LOOK_AHEAD * LENGTH


def many(rng: np.random.Generator, count: int) -> list[Size]:
    grids = rng.choice([0, 2, 4], count)
    words = np.clip(rng.lognormal(5.5, 0.7, count), 20, 1500).astype(int)
    return [
        Size(int(n) + 273 + 100 * int(g), {64: 1, 32: int(g)} if g else {64: 1}, 1)
        for n, g in zip(words, grids, strict=True)
    ]


def test_the_room_for_views_costs_few_tokens_and_is_not_much_more_than_needed():
    stream = many(np.random.default_rng(0), 400)
    free = trial(stream, 4096, {64: 1000, 32: 1000})
    room = room_of(stream, MODE, 4096, None, 1)
    found = trial(stream, 4096, room)
    assert found.filled > free.filled - 1.5 * LOSS > 0.93
    assert found.views[64] < room[64] < 1.5 * found.views[64]
    assert found.views[32] < room[32] < 1.6 * found.views[32]
    assert room == room_of(stream, MODE, 4096, None, 1)


def test_the_room_that_is_asked_for_is_given_and_text_alone_needs_none():
    stream = many(np.random.default_rng(0), 100)
    assert room_of(stream, MODE, 4096, 7, 1)[64] == 7
    assert room_of(stream, MODE, 4096, None, 0) == {}
    assert room_of([], MODE, 4096, None, 1) == {64: 1, 32: 4}
    big = [Size(300, {64: 5}, 5), *stream]
    assert room_of(big, MODE, 4096, None, 5)[64] >= 5
