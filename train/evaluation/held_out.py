"""The samples that evaluations look at, and batches of them for the losses."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import jax
import numpy as np

from datagen.records import Record
from datagen.shards import SampleSet
from dsocr_jax.batch import Batch, Example, collate, make_example, view_counts
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.windows import TooLong
from train.config import TrainConfig
from train.data import context_of
from train.sharding import batch_shards
from train.step import put_batch

#: Rows of the batches are padded to a multiple of this.
LENGTH_STEP = 64


def choose(config: TrainConfig) -> list[Record]:
    """Return the first samples of each kind of ``config.evaluate_on``.

    Raises:
        UserError: the set cannot be opened, or the run trains on it.
    """
    assert config.evaluate_on is not None
    samples = SampleSet.open(config.evaluate_on)
    if config.evaluate_on.resolve() in [Path(entry).resolve() for entry in config.data]:
        raise UserError(f"--evaluate-on {config.evaluate_on} is trained on; build one with --split test")
    return [samples[int(index)] for kind in samples.kinds for index in samples.indices(kind)[: config.evaluate_samples]]


@dataclasses.dataclass(frozen=True)
class ModeSet:
    """The samples in one mode.

    Attributes:
        mode: of the model.
        places: of the samples that fit into a row, among all.
        batches: with all of them, one a row; the last row is repeated to fill the last batch. Host arrays, of this
            process's rows.
        rows: of a batch, over all processes.
    """

    mode: Mode
    places: list[int]
    batches: list[Batch]
    rows: int


def prepare_mode(
    records: Sequence[Record], config: TrainConfig, tokenizer: Tokenizer, mode: Mode, mesh: jax.sharding.Mesh
) -> ModeSet:
    """Make the batches of one mode; all have one shape, so that one program is compiled."""
    model = config.model_config
    made = [(place, _example(record, tokenizer, model, mode)) for place, record in enumerate(records)]
    fitting = [(place, example) for place, example in made if example and len(example.tokens) <= config.length]
    if not fitting:
        return ModeSet(mode, [], [], 0)
    groups = batch_shards(mesh)
    rows = _rows(config, groups, len(fitting))
    longest = max(len(example.tokens) for _, example in fitting)
    length = min(-(-longest // LENGTH_STEP) * LENGTH_STEP, config.length)
    examples = [example for _, example in fitting]
    examples += examples[-1:] * (-len(examples) % rows)
    per_group = rows // groups
    parts = [examples[start : start + per_group] for start in range(0, len(examples), per_group)]
    room: Counter[int] = Counter()
    for part in parts:
        room |= sum((view_counts(example) for example in part), Counter())
    own = groups // jax.process_count()
    first = jax.process_index() * own
    batches = []
    for start in range(first, len(parts), groups):
        here = [example for part in parts[start : start + own] for example in part]
        batches.append(collate(here, model, length, room or None, own))
    return ModeSet(mode, [place for place, _ in fitting], batches, rows)


def _rows(config: TrainConfig, groups: int, samples: int) -> int:
    """Rows of a batch: at most what a part of a training step has, and no more than there are samples."""
    each = max(1, config.rows // (groups * config.accumulate))
    return groups * min(each, -(-samples // groups))


def _example(record: Record, tokenizer: Tokenizer, model: ModelConfig, mode: Mode) -> Example | None:
    try:
        return make_example(tokenizer, model, mode, record.prompt, context_of(record, model), record.label)
    except TooLong:  # for a rival of the encoder
        return None


def on_devices(batches: Sequence[Batch], mesh: jax.sharding.Mesh) -> Iterator[Batch]:
    """Yield the batches as parts of the global ones."""
    return (put_batch(batch, mesh) for batch in batches)


def gathered(found: Sequence[tuple[np.ndarray, np.ndarray]], places: Sequence[int], count: int) -> np.ndarray:
    """Return float64 [count, 2], loss (nats) and tokens of every sample, from those of the batches' rows; else 0."""
    out = np.zeros((count, 2))
    if places:
        rows = np.concatenate([np.stack(pair, axis=1) for pair in found])
        out[list(places)] = rows[: len(places)]
    return out
