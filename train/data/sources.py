"""The entries of ``data``: opened, checked and held against the mixture."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from datagen.records import Record
from datagen.shards import SampleSet
from dsocr_jax.errors import UserError
from train.config import TrainConfig, suggest
from train.data.jsonl import LinesSource
from train.data.live import LIVE, LiveSource, without_first
from train.data.samples import Picture, Sample, Source

#: Between the seeds of a run's live entries; a prime.
SEED_STEP = 1_000_003


class SetSource:
    """A folder of samples as ``dsocr-data build`` writes it; see `train.data.samples.Source`."""

    most_pictures = 1

    def __init__(self, directory: Path) -> None:
        self.samples = SampleSet.open(directory)
        if self.samples.manifest.config["split"] == "test":
            raise UserError(f"--data: {directory} is a test set; train on a set built with --split train")
        self.name = str(directory)
        self.counts: dict[str, int | None] = {kind: len(self.samples.indices(kind)) for kind in self.samples.kinds}
        written = [(name, shard.sha256) for name, shard in sorted(self.samples.manifest.written.items())]
        self.fingerprint = repr(written)

    def read(self, kind: str, index: int) -> Sample:
        """Return a record of the set."""
        return sample_of(self.samples[self.samples.indices(kind)[index]], self.name)


def sample_of(record: Record, place: str = "") -> Sample:
    """Return a record as a sample; ``place`` names its set."""
    picture = Picture(lambda: (record.width, record.height), record.pil, record.meta.get("smallest_text"))
    name = f"{place} {record.kind} {record.id}".strip()
    return Sample(name, ((record.prompt, record.label),), (picture,))


def open_sets(config: TrainConfig) -> list[Source]:
    """Open every entry of ``config.data`` and hold the mixture against what they contain.

    Raises:
        UserError: an entry cannot be opened, is empty or a test set, or the mixture and the kinds do not go together.
    """
    entries = [str(entry) for entry in config.data]
    sources = [
        _open(entry, config, seed) for entry, seed in zip(entries, live_seeds(entries, config.seed), strict=True)
    ]
    empty = [source.name for source in sources if not any(n is None or n > 0 for n in source.counts.values())]
    if empty:
        raise UserError(f"--data: there are no samples in {', '.join(empty)}")
    kinds = sorted({kind for source in sources for kind, count in source.counts.items() if count != 0})
    for kind in config.mixture:
        if kind not in kinds:
            raise UserError(f"--mixture: the data has no {kind!r}{suggest(kind, kinds)} (it has {', '.join(kinds)})")
    forgotten = [kind for kind in kinds if config.mixture and kind not in config.mixture]
    if forgotten:
        raise UserError(f"--mixture: no weight for {', '.join(forgotten)}, which the data has; 0 leaves a kind out")
    return sources


def live_seeds(entries: Sequence[str], seed: int) -> list[int]:
    """Return the seed of every entry: live ones that differ have seeds of their own, the first that of the run.

    With one seed, a clean and a degraded stream would show the same texts. Where a stream begins makes no difference.
    """
    found: dict[str, int] = {}
    for entry in entries:
        if entry.startswith(LIVE):
            found.setdefault(without_first(entry), len(found))
    return [seed + found.get(without_first(entry), 0) * SEED_STEP for entry in entries]


def _open(entry: str, config: TrainConfig, seed: int) -> Source:
    if entry.startswith(LIVE):
        return LiveSource(entry, seed, config.degradation, config.model_config.grey)
    return LinesSource(Path(entry)) if entry.endswith(".jsonl") else SetSource(Path(entry))


def digest(sources: Sequence[Source]) -> str:
    """Return the SHA-256 (hexadecimal) of the sources' contents, wherever they lie."""
    return hashlib.sha256("\n".join(source.fingerprint for source in sources).encode()).hexdigest()
