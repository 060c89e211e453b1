"""A model with layers in every stage, and packed rows of which most have a picture."""

import dataclasses
from typing import Any

import numpy as np
import optax
from PIL import Image

from dsocr_jax.batch import IGNORED, Batch, Example, collate_rows
from dsocr_jax.config import SamConfig
from dsocr_jax.modes import count_tokens
from dsocr_jax.preprocess import preprocess
from tests.train import tiny
from train.config import OptimizerConfig, TrainConfig

MODEL = dataclasses.replace(
    tiny.MODEL,
    sam=SamConfig(width=16, layers=2, heads=2, global_layers=(1,), window=4, grid=4, neck=8, compressor=(8, 16)),
    decoder=dataclasses.replace(tiny.MODEL.decoder, layers=4, dense_layers=1, router_loss=0.1),
)
LENGTH, ROWS, KINDS = 16, 16, 3


def config(**changes: Any) -> TrainConfig:
    """Return a run of four microbatches whose gradients are not clipped."""
    optimizer = OptimizerConfig(clip=None, warmup=0, schedule="constant")
    settings = {"model": MODEL, "accumulate": 4, "loss_chunk": 8, "optimizer": optimizer}
    return TrainConfig(**{**settings, **changes})


def example(rng: np.random.Generator, length: int, picture: bool) -> Example:
    """Return an example of so many tokens, the later ones labelled."""
    tokens = rng.integers(8, MODEL.decoder.vocab_size, length).astype(np.int32)
    labels = np.where(np.arange(length) < length // 2, IGNORED, tokens).astype(np.int32)
    if not picture:
        return Example(tokens, labels)
    mode = MODEL.modes[0]
    noise = rng.integers(0, 256, (mode.base_size, mode.base_size, 3), np.uint8)
    views = preprocess(Image.fromarray(noise), mode)
    tokens[1 : 1 + count_tokens(mode, views.grid, MODEL.stride)] = MODEL.image_token_id
    return Example(tokens, labels, views, mode)


def batch(groups: int = ROWS, pictures: bool = True) -> Batch:
    """Return rows of one or two examples, with samples of all kinds."""
    rng = np.random.default_rng(0)
    rows = []
    for row in range(ROWS):
        several = [example(rng, int(rng.integers(6, 9)), pictures and row % 4 != 3)]
        rows.append(several + [example(rng, int(rng.integers(3, 8)), False)] * (row % 3 != 0))
    kinds = [[int(rng.integers(KINDS)) for _ in row] for row in rows]
    return collate_rows(rows, MODEL, LENGTH, {64: ROWS // groups} if pictures else {}, groups, kinds)


def recorder() -> optax.GradientTransformation:
    """Return an optimizer that moves nothing, and whose state is the last gradient."""
    zeros = optax.tree.zeros_like
    return optax.GradientTransformation(zeros, lambda gradient, state, params: (zeros(params), gradient))
