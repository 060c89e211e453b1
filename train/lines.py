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


def read_samples(file: Path) -> Iterator[Sample]:
    """Yield the samples of a file or a folder, kind by kind, each kind in its order there.

    Raises:
        UserError: the file cannot be read as training reads it.
    """
    for source in open_sets(TrainConfig(data=(str(file),))):
        for kind, count in source.counts.items():
            if count is None:
                raise UserError(f"{file}: has no end; name a file of lines, or a folder of samples")
            for index in range(count):
                yield source.read(kind, index)


def find_sample(file: Path, number: int) -> Sample:
    """Return the sample of a file's line ``number``, or a folder's sample of that number in the order of its kinds.

    Raises:
        UserError: there is no such sample, or the file cannot be read.
    """
    count = 0
    for count, sample in enumerate(read_samples(file), start=1):
        if sample.name == f"{file} line {number}" or (file.is_dir() and count == number):
            return sample
    raise UserError(f"--line {number}: no sample there; {file} has {count}, and lines count from 1")


def example_of_sample(sample: Sample, tokenizer: Tokenizer, model: ModelConfig, mode: Mode) -> Example:
    """Return a sample's example as training makes it, without degradation.

    Raises:
        UserError: a picture cannot be read.
    """
    try:
        return build(sample, tokenizer, model, mode, model.decoder.max_positions, "none", rng=np.random.default_rng(0))
    except Unusable as error:
        raise UserError(f"{error.sample}: {error.reason}") from None


def answers(example: Example, eos: int) -> Iterator[slice]:
    """Yield where the answers stand: the tokens that count in the loss, each answer up to its own ``eos``."""
    start = None
    for place, label in enumerate([*example.labels.tolist(), IGNORED]):
        if start is not None and (label == IGNORED or example.labels[place - 1] == eos):
            yield slice(start, place)
            start = None
        if start is None and label != IGNORED:
            start = place
