"""A page's text as windows of token ids: what simple rivals of the encoder are given in the picture's place.

Each vector that would stand for a part of the picture gets a window of the text instead; so there are exactly as many
of them, in the same places of the prompt, as the mode gives to a picture.
"""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dsocr_jax.config import ModelConfig, RivalConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import NO_TILES, Mode, view_side
from dsocr_jax.preprocess import Views

#: In a window: no token.
NOTHING = -1


class TooLong(UserError):
    """A text has more tokens than the windows have room for."""


@dataclass(frozen=True)
class Windows(Views):
    """What a rival's encoder is given of one page.

    Attributes:
        global_view: int32 [vectors, width], ids of text tokens; `NOTHING` behind a window's last.
        tiles: int32 [0, vectors, width].
        size: side of the view that the windows stand for, in pixels.
    """

    size: int


class ViewSpec(NamedTuple):
    """One view in a batch: its shape and type, and what stands where there is none."""

    shape: tuple[int, ...]
    dtype: type
    empty: int

    def room(self, *count: int) -> np.ndarray:
        """Return an array for so many views, all empty."""
        return np.full((*count, *self.shape), self.empty, self.dtype)


def view_spec(config: ModelConfig, size: int) -> ViewSpec:
    """Return what a view of ``size`` pixels is to this model: uint8 [S, S, 3] or [S, S, 1], or the windows for it."""
    if config.rival is None:
        return ViewSpec((size, size, 1 if config.grey else 3), np.uint8, 0)
    return ViewSpec((view_side(size, config.stride) ** 2, config.rival.width), np.int32, NOTHING)


def lay_out(ids: list[int], vectors: int, rival: RivalConfig) -> np.ndarray:
    """Spread a text's tokens over the vectors.

    The windows follow the text and part it, none longer than another by more than one token; truncation keeps the first
    tokens instead, one a vector. A text of fewer tokens than there are vectors gives the first vectors one each and the
    others none: to spread or repeat them would hide how many there were.

    Returns:
        int32 [vectors, width].

    Raises:
        TooLong: there is more text than room (truncation has no limit).
    """
    out = np.full((vectors, rival.width), NOTHING, np.int32)
    n = len(ids)
    if rival.kind == "truncated" or n <= vectors:
        out[: min(n, vectors), 0] = ids[:vectors]
        return out
    if n > vectors * rival.width:
        raise TooLong(f"a text of {n} tokens, and {vectors} vectors take {rival.width} each")
    for i, (start, end) in enumerate(itertools.pairwise(np.arange(vectors + 1) * n // vectors)):
        out[i, : end - start] = ids[start:end]
    return out


def text_views(ids: list[int], config: ModelConfig, mode: Mode) -> Windows:
    """Return the windows of a text in a mode.

    Raises:
        TooLong: see `lay_out`.
        UserError: the mode cuts pictures into tiles.
    """
    if config.rival is None:
        raise ValueError("only the encoder of a rival is given text")
    if mode.crop:
        raise UserError(f"mode {mode.name} cuts pictures into tiles, and a text has none; choose a mode without tiles")
    spec = view_spec(config, mode.base_size)
    windows = lay_out(ids, spec.shape[0], config.rival)
    return Windows(windows, spec.room(0), NO_TILES, mode.base_size)


def parts_of(views: Views) -> list[tuple[int, np.ndarray]]:
    """Return the size in pixels and the arrays [n, ...] of the tiles, if there are any, and of the global view."""
    if isinstance(views, Windows):
        return [(views.size, views.global_view[None])]
    return [(array.shape[1], array) for array in (views.tiles, views.global_view[None]) if len(array)]
