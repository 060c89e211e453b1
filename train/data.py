"""From sample sets to batches: batch n is a pure function of the configuration, the sets and n.

So the position of the input is one number, resuming is exact, and every process of a run can make its own rows.
"""

import bisect
import dataclasses
import hashlib
import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import grain
import numpy as np

from datagen.records import Record
from datagen.shards import SampleSet
from dsocr_jax.batch import Batch, Example, collate_rows, make_example, pack
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode
from dsocr_jax.tokenizer import Tokenizer
from train.config import TrainConfig, suggest

#: Draws in place of one sample that is too long, before the kind is given up.
MAX_REDRAWS = 100


@dataclasses.dataclass(frozen=True)
class Fed:
    """One batch and how it came about.

    Attributes:
        batch: rows of this process, numpy leaves.
        kinds: samples of each kind.
        left_out: samples that are not in the batch, by kind and reason: "charts too long" (another one of the kind was
            put in its place) and "charts without a place" (in none of the rows that samples are packed into).
    """

    batch: Batch
    kinds: Counter[str]
    left_out: Counter[str]


class KindSource:
    """All samples of one kind over several sets, as a Grain source."""

    def __init__(self, kind: str, sets: Sequence[SampleSet]) -> None:
        self.kind = kind
        self.parts = [(samples, samples.indices(kind)) for samples in sets if kind in samples.kinds]
        self.starts = list(itertools.accumulate((len(indices) for _, indices in self.parts), initial=0))

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, index: int) -> Record:
        part = bisect.bisect_right(self.starts, index) - 1
        samples, indices = self.parts[part]
        return samples[indices[index - self.starts[part]]]

    def __repr__(self) -> str:  # Grain's checkpoints hold it: it must be the same in every process
        return f"KindSource({self.kind!r}, {len(self)})"


def open_sets(config: TrainConfig) -> list[SampleSet]:
    """Open the sets of ``config.data`` and hold the mixture against what they contain.

    Raises:
        UserError: a set cannot be opened or is a test set, or the mixture and the kinds do not go together.
    """
    sets = [SampleSet.open(Path(directory)) for directory in config.data]
    for samples in sets:
        if samples.manifest.config["split"] == "test":
            raise UserError(f"--data: {samples.directory} is a test set; train on a set built with --split train")
    kinds = sorted({kind for samples in sets for kind in samples.kinds})
    for kind in config.mixture:
        if kind not in kinds:
            raise UserError(f"--mixture: the data has no {kind!r}{suggest(kind, kinds)} (it has {', '.join(kinds)})")
    forgotten = [kind for kind in kinds if config.mixture and kind not in config.mixture]
    if forgotten:
        raise UserError(f"--mixture: no weight for {', '.join(forgotten)}, which the data has; 0 leaves a kind out")
    return sets


def digest(sets: Sequence[SampleSet]) -> str:
    """Return the SHA-256 (hexadecimal) of the sets' contents, wherever their folders are."""
    shards = [(name, written.sha256) for samples in sets for name, written in sorted(samples.manifest.written.items())]
    return hashlib.sha256(repr(shards).encode()).hexdigest()


def view_room(mode: Mode, rows: int) -> dict[int, int]:
    """Return how many views of each size ``rows`` pictures can need."""
    room = Counter({mode.base_size: rows})
    if mode.crop:
        room[mode.tile_size] += rows * mode.max_tiles
    return dict(room)


class BatchSource:
    """Every batch of a run by its number, for one process; a Grain source.

    Args:
        config: what the run is.
        sets: its samples.
        tokenizer: must belong to the model.
        groups: parts that the rows of all processes are split into (see `dsocr_jax.batch.Batch`).
        process: index of this process, of ``processes``; each draws from its own part of the samples.
    """

    def __init__(
        self,
        config: TrainConfig,
        sets: Sequence[SampleSet],
        tokenizer: Tokenizer,
        *,
        groups: int = 1,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        for option, count in (("--batch-size", config.batch_size), ("--rows", config.rows or config.batch_size)):
            if count % groups or groups % processes:
                raise UserError(
                    f"{option} {count} does not split over {groups} parts of the mesh and {processes} processes; take "
                    f"a multiple of {max(groups, processes)}"
                )
        self.config, self.tokenizer = config, tokenizer
        self.model, self.modes = config.model_config, config.model_modes
        self.groups, self.process = groups // processes, process
        self.samples = config.batch_size // processes
        kinds = sorted({kind for samples in sets for kind in samples.kinds})
        sources = {kind: KindSource(kind, sets) for kind in kinds}
        weights = config.mixture or {kind: float(len(source)) for kind, source in sources.items()}
        self.sources = {kind: source for kind, source in sources.items() if weights[kind] > 0}
        few = [f"{kind} ({len(source)})" for kind, source in self.sources.items() if len(source) < processes]
        if few:
            raise UserError(f"--data: fewer samples than the {processes} processes: {', '.join(few)}")
        parts = [
            grain.MapDataset.source(source).seed(config.seed).shuffle()[process::processes].repeat()
            for source in self.sources.values()
        ]
        self.stream = grain.MapDataset.mix(parts, weights=[weights[kind] for kind in self.sources])

    def __len__(self) -> int:
        return self.config.steps

    def __getitem__(self, number: int) -> Fed:
        mode = self.modes[number % len(self.modes)]
        records = [self.stream[number * self.samples + place] for place in range(self.samples)]
        left_out: Counter[str] = Counter()
        examples = [self._fitting(record, mode, number, place, left_out) for place, record in enumerate(records)]
        kinds = [record.kind for record in records]
        per_group = self.samples // self.groups
        rows = [[example] for example in examples]
        if self.config.rows is not None:
            rows = []
            for start in range(0, self.samples, per_group):
                group = slice(start, start + per_group)
                rows += self._packed(examples[group], kinds[group], left_out)
        room = view_room(mode, per_group)
        batch = collate_rows(rows, self.model, self.config.length, room, self.groups)
        return Fed(batch, Counter(kinds), left_out)

    def _packed(self, examples: Sequence[Example], kinds: Sequence[str], left_out: Counter[str]) -> list[list[Example]]:
        """Return one group's rows. Long examples choose first, so that those without a place are short and few."""
        assert self.config.rows is not None
        count = self.config.rows * len(examples) // self.config.batch_size
        order = sorted(range(len(examples)), key=lambda i: -len(examples[i].tokens))
        rows = pack([len(examples[i].tokens) for i in order], self.config.length)
        left_out.update(f"{kinds[order[i]]} without a place" for row in rows[count:] for i in row)
        placed = [[examples[order[i]] for i in row] for row in rows[:count]]
        return placed + [[]] * (count - len(placed))

    def _fitting(self, record: Record, mode: Mode, number: int, place: int, left_out: Counter[str]) -> Example:
        """Return the record's example, or that of another sample of its kind when it is too long."""
        kind = record.kind
        rng = np.random.default_rng([self.config.seed, number, self.process, place])
        for _ in range(MAX_REDRAWS):
            example = example_of(record, self.tokenizer, self.model, mode)
            if len(example.tokens) <= self.config.length:
                return example
            left_out[f"{kind} too long"] += 1
            record = self.sources[kind][int(rng.integers(len(self.sources[kind])))]
        raise UserError(
            f"{MAX_REDRAWS} samples of {kind} one after the other were longer than --length {self.config.length} (the "
            f"last: {len(example.tokens)} tokens in mode {mode.name}); raise --length or leave the kind out"
        )

    def __repr__(self) -> str:
        return f"BatchSource({self.config.seed}, {self.process})"


def example_of(
    record: Record, tokenizer: Tokenizer, model: ModelConfig, mode: Mode, picture_of: Record | None = None
) -> Example:
    """Return a record as prompt, picture and answer; the picture may be that of another record."""
    picture = (picture_of or record).pil()
    return make_example(tokenizer, model, mode, record.prompt, picture, record.label)


class Feed:
    """Iterates over the batches of a `BatchSource`, made ahead of time by threads; a context manager."""

    def __init__(self, source: BatchSource, workers: int) -> None:
        options = grain.ReadOptions(num_threads=workers, prefetch_buffer_size=2 * workers)
        self.iterator = iter(grain.MapDataset.source(source).to_iter_dataset(options))

    def __next__(self) -> Fed:
        return next(self.iterator)

    def position(self) -> dict[str, Any]:
        """Return where the iterator stands, as JSON holds it."""
        return self.iterator.get_state()

    def seek(self, position: dict[str, Any]) -> None:
        """Go on behind the batch after which ``position`` was taken."""
        self.iterator.set_state(position)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.iterator.close()
