"""The inputs of a model fixture as a batch of ours, and which of our vision outputs belong to which view."""

import dataclasses
from typing import Any

import jax
import numpy as np

from dsocr_jax.batch import IGNORED, Batch, Example, collate, view_counts
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import NO_TILES, Mode, count_tokens, has_tiles
from dsocr_jax.parity import synthetic
from dsocr_jax.parity.fixture import Fixture
from dsocr_jax.preprocess import Views

#: Largest side of a view, most tiles of a picture and most rows of a fixture that are made.
MAX_SIDE, MAX_TILES, MAX_ROWS = 4096, 64, 64


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a fixture's model run starts from.

    Attributes:
        batch: the fixture's rows; without token ids, placeholders for its picture alone.
        slots: for "global" and "local", the size of those views and their places among all views of that size.
        prompt: number of ids before the answer of the first row.
    """

    batch: Batch
    slots: dict[str, tuple[int, list[int]]]
    prompt: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.batch.tokens.shape[0]

    def prefix(self, length: int, config: ModelConfig, ids: np.ndarray | None = None) -> Batch:
        """Return the first row's first ``length`` tokens, and ``ids`` behind them.

        With ``ids`` the row is padded to the fixture's length, so that nothing has to be compiled again.
        """
        per_position = ("tokens", "labels", "segments", "positions", "vision_index")
        # The pictures of other rows stay in the table and are not looked at.
        batch = dataclasses.replace(
            self.batch, **{name: getattr(self.batch, name)[:1, :length] for name in per_position}
        )
        if ids is None:
            return batch
        total = max(length + len(ids), self.batch.tokens.shape[1])
        row = np.full(length + len(ids), config.pad_token_id, np.int32)
        plain = collate([Example(row, np.full_like(row, IGNORED))], config, total)
        tokens, index = np.array(plain.tokens), np.array(plain.vision_index)
        tokens[:, :length], index[:, :length] = batch.tokens, batch.vision_index
        tokens[:, length : length + len(ids)] = ids
        return dataclasses.replace(plain, tokens=tokens, vision_index=index, views=batch.views)


def read_inputs(fixture: Fixture, config: ModelConfig) -> Inputs:
    """Build a fixture's batch.

    Raises:
        UserError: it asks for what this port cannot lay out, or its placeholders are not as many as its vision tokens.
    """
    meta, entries = fixture.meta, fixture.entries
    has_picture = meta.get("base_size") is not None
    keys = meta.get("keys") or [meta.get("key")]
    if len(keys) > MAX_ROWS:
        raise UserError(f"{fixture.name}: {len(keys)} rows; at most {MAX_ROWS} are compared")
    pictures = [picture(meta, str(key)) for key in keys] if has_picture else [(None, None)]
    if "input_ids" in entries:
        ids = np.atleast_2d(entries["input_ids"].sample).astype(np.int32)
    else:
        count = max(count_tokens(mode, views.grid, config.stride) for views, mode in pictures if views and mode)
        ids = np.full((len(pictures), count), config.image_token_id, np.int32)
    labels = entries["labels"].sample if "labels" in entries else np.full_like(ids, IGNORED)
    lengths = _lengths(fixture, ids)
    if len(ids) > MAX_ROWS or len(pictures) not in (1, len(ids)):
        raise UserError(f"{fixture.name}: {len(ids)} rows and {len(pictures)} pictures; make the fixture again")
    if int(np.min(ids)) < 0 or int(np.max(ids)) >= config.decoder.vocab_size:
        raise UserError(f"{fixture.name}: its ids do not fit a vocabulary of {config.decoder.vocab_size}")
    pictures = pictures * (len(ids) // len(pictures))
    rows = [
        Example(row[:n], np.atleast_2d(labels)[i, :n].astype(np.int32), *pictures[i])
        for i, (row, n) in enumerate(zip(ids, lengths, strict=True))
    ]
    # Ids behind a row's end count in the router's loss, so they are the fixture's own.
    batch = dataclasses.replace(collate(rows, config, ids.shape[1]), tokens=ids)
    answer = meta.get("answer_len", 0)
    answer = answer[0] if isinstance(answer, list) else answer
    return Inputs(_on_device(batch), _slots(rows), int(lengths[0]) - int(answer or 0))


def picture(meta: dict[str, Any], key: str) -> tuple[Views, Mode]:
    """Return the views that the recipe gives for a fixture's picture, and a mode of their sizes."""
    base, tile = meta["base_size"], meta.get("tile_size") or meta["base_size"]
    columns, rows = grid = tuple(meta.get("grid_w_h") or NO_TILES)
    if not (0 < base <= MAX_SIDE and 0 < tile <= MAX_SIDE and 0 < columns * rows <= MAX_TILES):
        raise UserError(f"views of {base} and {tile} pixels in a grid {columns}x{rows} are more than we make")
    count = columns * rows if has_tiles(grid) else 0
    tiles = [synthetic.image(f"{key}/tile{i}", tile, tile) for i in range(count)]
    whole = synthetic.image(f"{key}/global", base, base)
    views = Views(whole, np.array(tiles, np.uint8).reshape(-1, tile, tile, 3), grid)
    return views, Mode("fixture", base, tile, crop=count > 0, fit="pad")


def _lengths(fixture: Fixture, ids: np.ndarray) -> list[int]:
    if "attention_mask" not in fixture.entries:
        return [ids.shape[1]] * len(ids)
    mask = np.atleast_2d(fixture.entries["attention_mask"].sample) != 0
    lengths = mask.sum(axis=1)
    if not np.array_equal(mask, np.arange(ids.shape[1]) < lengths[:, None]):
        raise UserError(f"{fixture.name}: rows are padded on the left or inside; this port pads on the right")
    return lengths.tolist()


def _slots(rows: list[Example]) -> dict[str, tuple[int, list[int]]]:
    """Places of the views among those of their size, in the order in which batches lay them out: tiles first."""
    slots: dict[str, tuple[int, list[int]]] = {}
    used: dict[int, int] = {}
    for row in rows:
        if row.views is None:
            continue
        for name, array in (("local", row.views.tiles), ("global", row.views.global_view[None])):
            if len(array):
                size = array.shape[1]
                start = used.get(size, 0)
                used[size] = start + len(array)
                slots.setdefault(name, (size, []))[1].extend(range(start, start + len(array)))
    counted = sum((view_counts(row) for row in rows), start=type(view_counts(rows[0]))())
    assert dict(counted) == used
    return slots


def _on_device(batch: Batch) -> Batch:
    return jax.tree.map(jax.numpy.asarray, batch)
