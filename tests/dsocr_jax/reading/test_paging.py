"""No page has two owners, and none is lost, whatever rows do."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dsocr_jax.reading.fused import PAGE
from dsocr_jax.reading.paging import PagePool

ROWS, WIDTH = 4, 6
moves = st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(0, WIDTH * PAGE + 10)), max_size=60)


@settings(max_examples=100, deadline=None)
@given(size=st.integers(1, 30), moves=moves)
def test_pages_have_one_owner_and_all_come_back(size: int, moves: list[tuple[int, int]]) -> None:
    pool = PagePool(size, ROWS, WIDTH)
    lengths = [0] * ROWS
    for row, length in moves:
        free = pool.free
        if length == 0:
            pool.release(row)
            lengths[row] = 0
        elif pool.grow(row, length):
            lengths[row] = max(lengths[row], length)
        else:
            assert pool.needed(length) - pool.needed(lengths[row]) > free == pool.free
        table = pool.table(range(ROWS), WIDTH)
        owned = [table[r, : pool.needed(lengths[r])] for r in range(ROWS)]
        given_away = np.concatenate(owned)
        assert (given_away > 0).all() and (given_away < pool.size).all()
        assert len(set(given_away.tolist())) == len(given_away) == pool.available - pool.free
        assert all((table[r, len(owned[r]) :] == 0).all() for r in range(ROWS))
        assert pool.used_width() >= max(map(len, owned))
    for row in range(ROWS):
        pool.release(row)
    assert pool.free == pool.available == size


def test_rows_out_of_range_have_no_pages() -> None:
    pool = PagePool(3, 2, 2)
    assert pool.grow(0, 1)
    assert pool.table([0, 2, 9], 3).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
