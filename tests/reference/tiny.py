"""The small model of the fixtures: its weights, and the inputs of a fixture as a batch of ours."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx

from dsocr_jax.batch import IGNORED, Batch, Example, collate
from dsocr_jax.config import preset
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.modes import MODES, NO_TILES, Mode
from dsocr_jax.preprocess import Views
from dsocr_jax.weights.params import abstract_model, from_released
from tests.reference import golden, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
CONFIG = preset("test")
Fixture = tuple[dict[str, Any], dict[str, golden.Entry]]


@cache
def load(name: str) -> Fixture:
    """``(meta, entries)`` of one fixture under ``tiny``."""
    return golden.load(f"tiny/{name}", FIXTURES)


@cache
def model(seed: str = "s0") -> DeepseekOCR:
    """The model with the fixtures' synthetic weights, float32."""
    shapes = weights.tensor_shapes(weights.CONFIGS["tiny"])
    params = from_released(CONFIG, lambda name: weights.tensor(name, shapes[name], seed), np.float32)
    return nnx.merge(abstract_model(CONFIG)[0], params)


def picture(meta: dict[str, Any], key: str | None = None) -> tuple[Views, Mode]:
    """The views of a fixture's picture, and a mode of the fixture's sizes."""
    key, base, tile = key or meta["key"], meta["base_size"], meta.get("tile_size")
    grid = tuple(meta.get("grid_w_h") or NO_TILES)
    count = grid[0] * grid[1] if tile else 0
    tiles = [weights.image(f"{key}/tile{i}", tile, tile) for i in range(count)]
    side = tile or base
    views = Views(
        weights.image(f"{key}/global", base, base), np.array(tiles, np.uint8).reshape(-1, side, side, 3), grid
    )
    mode = next(m for m in MODES.values() if (m.base_size, m.tile_size) == (base, side))
    return views, mode


def batch(fixture: Fixture) -> Batch:
    """The inputs of a fixture; rows of `train_batch2` lose their padding and get it back."""
    meta, entries = fixture
    ids = entries["input_ids"].sample
    labels = entries["labels"].sample if "labels" in entries else np.full_like(ids, IGNORED)
    lengths = entries["attention_mask"].sample.sum(1) if "attention_mask" in entries else [ids.shape[1]] * len(ids)
    keys = meta.get("keys") or [meta.get("key")] * len(ids)
    rows = []
    for row, label, n, key in zip(ids, labels, lengths, keys, strict=True):
        views, mode = picture(meta, key) if "base_size" in meta else (None, None)
        rows.append(Example(row[:n].astype(np.int32), label[:n].astype(np.int32), views, mode))
    return collate(rows, CONFIG, ids.shape[1])
