"""Files of pictures and turns as examples, line by line: for looking at them, and for measuring a model on them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dsocr_jax.batch import IGNORED, Example
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode
from dsocr_jax.tokenizer import Tokenizer
from train.config import TrainConfig
from train.data.examples import build
from train.data.samples import Sample, Unusable
from train.data.sources import open_sets


def read_samples(file: Path) -> list[Sample]:
    """Return the samples of a file, kind by kind, each kind in the file's order.

    Raises:
        UserError: the file cannot be read as training reads it.
    """
    samples = []
    for source in open_sets(TrainConfig(data=(str(file),))):
        for kind, count in source.counts.items():
            if count is None:
                raise UserError(f"{file}: has no end; name a file of lines, or a folder of samples")
            samples += [source.read(kind, index) for index in range(count)]
    return samples


def example_of_sample(sample: Sample, tokenizer: Tokenizer, model: ModelConfig, mode: Mode) -> Example:
    """Return a sample's example as training makes it, without degradation.

    Raises:
        UserError: a picture cannot be read.
    """
    try:
        return build(sample, tokenizer, model, mode, model.decoder.max_positions, "none", rng=np.random.default_rng(0))
    except Unusable as error:
        raise UserError(f"{error.sample}: {error.reason}") from None


def answers(example: Example) -> Iterator[slice]:
    """Yield where the answers stand: the stretches of tokens that count in the loss, from first to last."""
    counted = np.concatenate([[False], example.labels != IGNORED, [False]])
    edges = np.flatnonzero(counted[1:] != counted[:-1])
    for start, stop in edges.reshape(-1, 2):
        yield slice(int(start), int(stop))
