"""Gather a set's numbers: from the notes of its build where there are any, else from the records themselves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from datagen import pool
from datagen.card.statistics import Statistics
from datagen.duplicates import Digests, Duplicates
from datagen.folder import UNFINISHED
from datagen.manifest import Manifest, Shard
from datagen.notes import counted, read_notes
from datagen.shards import DIGEST_BYTES, SampleSet, Stopped
from dsocr_jax.console import progress


@dataclass
class Numbers:
    """Of one kind of a set.

    Attributes:
        statistics: of its samples.
        duplicates: equal contents among them.
        rejected: draws that could not be used, by reason.
        bytes: size of its shards.
        shards: how many.
    """

    statistics: Statistics = field(default_factory=Statistics)
    duplicates: Duplicates = field(default_factory=Duplicates)
    rejected: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    shards: int = 0


def gather(directory: Path, manifest: Manifest, workers: int) -> dict[str, Numbers]:
    """Return the numbers of every kind of a complete set.

    Args:
        directory: where the set is.
        manifest: what it holds.
        workers: processes that read the records of which nothing is noted.
    """
    planned = {shard.name: shard for shard in manifest.shards()}
    numbers = {kind: Numbers() for kind in manifest.config["counts"]}
    digests = {kind: Digests() for kind in numbers}

    def take(name: str, statistics: Statistics, contents: bytes) -> None:
        kind = planned[name].kind
        numbers[kind].statistics.merge(statistics)
        digests[kind].add(contents)

    unknown = counted(read_notes(directory / UNFINISHED), planned, take)
    if unknown:
        shards = [planned[name] for name in sorted(unknown)]
        message = "stopped; run the same command again to write the set's card."
        with (
            pool.stopping(message) as stop,
            progress("card", sum(shard.records for shard in shards), "samples") as advance,
        ):
            worker = partial(_count, directory, manifest.config)
            for shard, found in pool.each(worker, shards, workers=workers, advance=advance, stop=stop):
                take(shard.name, *found)
    for shard in planned.values():
        known, mine = manifest.written[shard.name], numbers[shard.kind]
        mine.bytes += known.bytes
        mine.shards += 1
        for reason, count in known.rejected.items():
            mine.rejected[reason] = mine.rejected.get(reason, 0) + count
    for kind, mine in numbers.items():
        mine.duplicates = digests[kind].duplicates()
    return numbers


def _count(
    directory: Path, config: dict[str, object], shard: Shard, advance: Callable[[], None], stop: Callable[[], bool]
) -> tuple[Statistics, bytes]:
    """Count the records of one shard as they were counted when it was made."""
    statistics, digests = Statistics(), bytearray()
    samples = SampleSet(directory, Manifest(config, 0, {}, complete=False, written={}), [])
    for position in range(shard.records):
        if stop():
            raise Stopped
        data = samples.raw(shard, position)
        record = samples.read(shard, position)
        statistics.add(record.id, (record.width, record.height), len(data), record.label, record.meta)
        digests += bytes.fromhex(record.meta["content"])[:DIGEST_BYTES]
        advance()
    return statistics, bytes(digests)
