"""Pictures of many sizes to rows of one table on the device, encoded by view size a few at a time."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

from dsocr_jax.batch import TEXT, Example
from dsocr_jax.config import ModelConfig
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.encoder import DeepEncoder
from dsocr_jax.model.rivals import TextEncoder
from dsocr_jax.modes import FIRST_ROW, picture_layout, view_side
from dsocr_jax.preprocess import NORMALISED
from dsocr_jax.windows import parts_of, view_spec

#: Views of one size that are encoded together: the smallest of these that holds them.
VIEW_BUCKETS = (1, 4, 16)
#: Most pixels that are encoded together: 8 views of 1024 x 1024.
MAX_PIXELS = 8 * 1024 * 1024


@partial(jax.jit, donate_argnames="table", static_argnames="backends")
def encode_views(
    encoder: DeepEncoder | TextEncoder,
    views: UInt8[Array, "n S S 3"] | Int[Array, "n s w"],
    table: Array,
    start: Int[Array, ""],
    backends: Backends,
    embedding: Float[Array, "v h"] | None = None,
) -> Float[Array, "r h"]:
    """Encode views of one size and put their tokens into ``table`` from row ``start`` on.

    A rival of the encoder needs the decoder's ``embedding``: its views are windows of text. For others it is None.
    """
    if isinstance(encoder, TextEncoder):
        assert embedding is not None
        tokens = encoder(views, lambda ids: embedding[ids])
    else:
        tokens = encoder(jnp.asarray(NORMALISED, encoder.image_newline[...].dtype)[views], backends)
    return jax.lax.dynamic_update_slice(table, tokens.reshape(-1, tokens.shape[-1]).astype(table.dtype), (start, 0))


def empty_table(encoder: DeepEncoder | TextEncoder, rows: int) -> Float[Array, "r h"]:
    """Return a zeroed table, with the newline and the separator in their rows."""
    newline, separator = encoder.image_newline[...], encoder.view_separator[...]
    return jnp.zeros((rows, newline.shape[0]), newline.dtype).at[:FIRST_ROW].set(jnp.stack([newline, separator]))


def bucket_of(size: int, count: int) -> int:
    """How many views of ``size`` are encoded together when ``count`` wait."""
    allowed = bucket_sizes(size)
    return next((n for n in allowed if n >= count), allowed[-1])


def rows_needed(examples: Sequence[Example], stride: int) -> int:
    """Rows of the table that ``examples`` take, those that only fill up a bucket included."""
    total = FIRST_ROW
    for size, views in _by_size(examples).items():
        room = view_side(size, stride) ** 2
        left = len(views)
        while left > 0:
            n = bucket_of(size, left)
            total += n * room
            left -= n
    return total


def bucket_sizes(size: int) -> list[int]:
    """How many views of ``size`` may be encoded together."""
    most = max(1, MAX_PIXELS // size**2)
    return [n for n in VIEW_BUCKETS if n <= most] or [1]


def table_rows(config: ModelConfig, pictures: int, tokens: int) -> int:
    """Rows of a table that always holds the views of ``pictures`` pictures of at most ``tokens`` tokens in all.

    One picture alone may have more tokens.
    """
    largest, filled = 0, {}
    for mode in config.modes:
        tile, whole = view_side(mode.tile_size, config.stride) ** 2, view_side(mode.base_size, config.stride) ** 2
        largest = max(largest, whole + (mode.max_tiles * tile if mode.crop else 0))
        for size, room in ((mode.tile_size, tile), (mode.base_size, whole)):
            filled[size] = (bucket_sizes(size)[-1] - 1) * room  # what only fills a bucket up
    return FIRST_ROW + max(largest, min(pictures * largest, tokens)) + sum(filled.values())


def _by_size(examples: Sequence[Example]) -> dict[int, list[np.ndarray]]:
    views: dict[int, list[np.ndarray]] = {}
    for example in examples:
        if example.views is not None:
            for size, array in parts_of(example.views):
                views.setdefault(size, []).extend(array)
    return views


def encode_pictures(
    encoder: DeepEncoder | TextEncoder,
    examples: Sequence[Example],
    table: Array,
    config: ModelConfig,
    backends: Backends,
    embedding: Array | None = None,
) -> tuple[Array, list[np.ndarray]]:
    """Encode all pictures of ``examples`` into ``table`` (given away); for ``embedding`` see `encode_views`.

    Returns:
        The table, and for each example int32 [t]: the row that stands at each position, `TEXT` where text does.
    """
    start, first = FIRST_ROW, {}
    for size, views in _by_size(examples).items():
        side = view_side(size, config.stride)
        first[size] = start
        done = 0
        while done < len(views):
            n = bucket_of(size, len(views) - done)
            now = views[done : done + n]
            done += len(now)
            filled = view_spec(config, size).room(n)
            filled[: len(now)] = now
            table = encode_views(encoder, jnp.asarray(filled), table, jnp.int32(start), backends, embedding)
            # The next views overwrite what only filled the bucket up.
            start += len(now) * side**2
    return table, [_index(example, first, config) for example in examples]


def _index(example: Example, first: dict[int, int], config: ModelConfig) -> np.ndarray:
    """Return one example's rows, and move ``first`` behind its views."""
    index = np.full(len(example.tokens), TEXT, np.int32)
    if example.views is None or example.mode is None:
        return index
    starts = [0]  # of the tiles where there are none
    for size, array in parts_of(example.views):
        starts.append(first[size])
        first[size] += len(array) * view_side(size, config.stride) ** 2
    places = np.flatnonzero(example.tokens == config.image_token_id)
    index[places] = picture_layout(example.mode, example.views.grid, config.stride, starts[-2], starts[-1])
    return index
