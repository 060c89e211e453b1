"""Rows and pictures keep together, however many groups they are in."""

import jax
import numpy as np
import pytest

from dsocr_jax.modes import FIRST_ROW
from tests.train import tiny
from train.bench.works import Work
from train.scale.batches import join, share

PAGES = Work("pages", "small", 10, 2, 4)
TEXT = Work("text", None, 16, 0, 2)


def pictures(batch) -> list[tuple[bytes, tuple[int, ...]]]:
    """For each row what its places show: a digest of each picture, and which of its vectors."""
    ((side, views),) = batch.views.items()
    vectors = (side // tiny.MODEL.stride) ** 2
    rows = []
    for number, index in enumerate(batch.vision_index):
        group = number * batch.groups // len(batch.tokens)
        places = index[index >= FIRST_ROW] - FIRST_ROW
        shown = [views[group, place // vectors].tobytes() for place in places]
        rows.append((b"".join(shown), tuple(places % vectors)))
    return rows


@pytest.mark.parametrize("groups", [1, 3, 6, 12])
def test_every_row_keeps_its_pictures(groups):
    shares = [share(PAGES, tiny.MODEL, number) for number in range(3)]
    batch = join(shares, groups, tiny.MODEL)
    assert batch.groups == groups and batch.views[128].shape[:2] == (groups, 24 // groups)
    assert pictures(batch) == [row for one in shares for row in pictures(one)]
    np.testing.assert_array_equal(batch.tokens, np.concatenate([one.tokens for one in shares]))


def test_shares_are_known_by_their_numbers():
    again = [share(TEXT, tiny.MODEL, number) for number in (0, 0, 1)]
    jax.tree.map(np.testing.assert_array_equal, again[0], again[1])
    assert (again[0].tokens != again[2].tokens).any()
    assert join(again, 1, tiny.MODEL).tokens.shape == (6, 16)
