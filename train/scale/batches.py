"""Batches for any number of devices whose rows are known: device by device the same share, or each its own."""

import dataclasses
from collections.abc import Sequence

import jax
import numpy as np

from dsocr_jax.batch import Batch
from dsocr_jax.config import ModelConfig
from dsocr_jax.modes import FIRST_ROW, view_side
from train.bench.works import Work, random_batch


def share(work: Work, model: ModelConfig, number: int) -> Batch:
    """Return the rows of one device: one group; equal numbers have equal rows."""
    return random_batch(work, model, work.rows, 1, seed=number)


def join(shares: Sequence[Batch], groups: int, model: ModelConfig) -> Batch:
    """Return the rows of all shares behind each other in ``groups`` equal groups; numpy leaves.

    Args:
        shares: each of one group, all alike in shape, with pictures of one size.
        groups: fewer than shares, or more; rows and pictures divide by them.
        model: whose pictures they are.
    """
    joined = jax.tree.map(lambda *arrays: np.concatenate(arrays), *shares)
    rows, count = joined.tokens.shape[0], len(shares)
    views, index = {}, joined.vision_index
    for size, pictures in joined.views.items():
        of_share, tokens = pictures.shape[1], view_side(size, model.stride) ** 2
        views[size] = pictures.reshape(groups, count * of_share // groups, *pictures.shape[2:])
        # A picture's number among all, then among those of its group.
        first = np.arange(rows)[:, None] * count // rows * of_share * tokens
        within = (index - FIRST_ROW + first) % (views[size].shape[1] * tokens)
        index = np.where(index >= FIRST_ROW, FIRST_ROW + within, index)
    return dataclasses.replace(joined, vision_index=index, views=views, groups=groups)
