"""Textures made once in each process and used in pieces: noise, paper, screens.

Making them anew for each picture would cost more than everything else together. They are made from fixed seeds, so
each process has the same ones, and they are few: `MOST_BYTES` bounds what all of them hold.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

#: Side of a tile in pixels. Larger pictures see it mirrored at its edges.
SIDE = 768

#: No process holds more than this in tiles.
MOST_BYTES = 48 * 2**20

_TILES = 24


@lru_cache(maxsize=_TILES)
def tile(make: Callable[..., np.ndarray], *arguments: int) -> np.ndarray:
    """Return ``make(*arguments)``: uint8 ``[SIDE, SIDE]`` or ``[SIDE, SIDE, 3]``, read-only; made once, then kept."""
    made = make(*arguments)
    made.setflags(write=False)
    return made


def piece(source: np.ndarray, height: int, width: int, rng: np.random.Generator, *, turn: bool = True) -> np.ndarray:
    """Return a random piece of a tile, ``[height, width]`` and the tile's channels; it may be a view.

    Args:
        source: a tile.
        height: rows.
        width: columns.
        rng: decides place and mirroring.
        turn: whether the piece may be mirrored.
    """
    import cv2

    down, right, mirror = rng.random(3).tolist()
    rows, columns = source.shape[:2]
    top, left = int(down * max(1, rows - height + 1)), int(right * max(1, columns - width + 1))
    cut = source[top : top + height, left : left + width]
    if cut.shape[:2] != (height, width):
        bottom, side = height - cut.shape[0], width - cut.shape[1]
        cut = cv2.copyMakeBorder(cut, 0, bottom, 0, side, cv2.BORDER_REFLECT)
    code = int(mirror * 4) if turn else 3
    return cut if code == 3 else cv2.flip(cut, code - 1)
