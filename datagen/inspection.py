"""What `check` does with one shard: a function of the files alone, so that any process can do it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datagen import boxes, families, png, records, shards
from datagen.manifest import Manifest, SetConfig, Shard, Written
from datagen.records import Record
from datagen.sample import Sample, make_sample, split_of
from datagen.shards import DIGEST_BYTES, SampleSet, Stopped
from dsocr_jax.answers import check_label
from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.errors import UserError

_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Inspection:
    """How shards are looked at.

    Attributes:
        directory: the set's folder.
        config: the set's, as the manifest holds it.
        checksums: read the whole file and compare its checksum.
        verify: repeat the families' own checks.
        redraw: draw pictures again for that, since those of the set are degraded.
    """

    directory: Path
    config: dict[str, Any]
    checksums: bool
    verify: bool
    redraw: bool


@dataclass(frozen=True)
class Piece:
    """A shard, and which of its records are looked at and made again (positions within the shard)."""

    shard: Shard
    written: Written
    positions: tuple[int, ...]
    remade: tuple[int, ...]

    @property
    def name(self) -> str:
        """The shard's name."""
        return self.shard.name

    @property
    def records(self) -> int:
        """How many records are looked at or made again."""
        return len(self.positions) + len(self.remade)


@dataclass
class Seen:
    """What was found in a shard; attributes as of `datagen.check.Findings`, and the records' content digests."""

    checked: int = 0
    problems: list[str] = field(default_factory=list)
    remade: int = 0
    verified: int = 0
    digests: bytes = b""


def inspect(inspection: Inspection, piece: Piece, advance: Callable[[], None], stop: Callable[[], bool]) -> Seen:
    """Look at one shard."""
    shard, config = piece.shard, SetConfig.from_json(inspection.config)
    manifest = Manifest(inspection.config, 0, {}, complete=True, written={shard.name: piece.written})
    samples = SampleSet(inspection.directory, manifest, [shard])
    seen, digests = Seen(), bytearray()
    if problem := _file_problem(samples, shard, piece.written, checksum=inspection.checksums):
        seen.problems.append(problem)
    if problem and not _readable(samples, shard):
        for _ in range(piece.records):
            advance()
        return seen
    for position in piece.positions:
        if stop():
            raise Stopped
        record = _record(samples, shard, position, seen.problems)
        if record is not None:
            where = f"{inspection.directory / shard.name}: record {position}"
            found = list(_record_problems(record, shard, position, config))
            if not found and inspection.verify and (verify := families.load(shard.kind).verify) is not None:
                found += _verified(verify, record, config, redraw=inspection.redraw)
                seen.verified += 1
            seen.problems += [f"{where}: {text}" for text in found]
            seen.checked += 1
            digest = record.meta.get("content")
            if isinstance(digest, str) and _DIGEST.fullmatch(digest):
                digests += bytes.fromhex(digest)[:DIGEST_BYTES]
        advance()
    for position in piece.remade:
        if stop():
            raise Stopped
        where = f"{inspection.directory / shard.name}: record {position}"
        try:
            sample = _made_again(config, shard.kind, shard.first + position, config.degradation)
            if records.encode(sample) != samples.raw(shard, position):
                seen.problems.append(f"{where}: made again, it has other bytes")
        except (RuntimeError, UserError) as error:
            seen.problems.append(f"{where}: it cannot be made again: {error}")
        seen.remade += 1
        advance()
    seen.digests = bytes(digests)
    return seen


def _file_problem(samples: SampleSet, shard: Shard, written: Written, *, checksum: bool) -> str | None:
    file = samples.directory / shard.name
    try:
        samples.check_size(shard)
        if checksum and shards.file_sha256(file) != written.sha256:
            return f"the shard {file} is not as it was written (its checksum differs); {shards.remedy(file)}"
    except UserError as error:
        return str(error)
    except OSError as error:
        return f"the shard {file} cannot be read ({error.strerror}); {shards.remedy(file)}"
    return None


def _readable(samples: SampleSet, shard: Shard) -> bool:
    """Tell whether records can be asked for one by one; if not, the shard's own problem says all."""
    try:
        samples.open_shard(shard)
    except UserError:
        return False
    return True


def _record(samples: SampleSet, shard: Shard, position: int, problems: list[str]) -> Record | None:
    try:
        return samples.read(shard, position)
    except UserError as error:
        problems.append(str(error))
        return None


def _record_problems(record: Record, shard: Shard, position: int, config: SetConfig) -> Iterator[str]:
    if record.kind != shard.kind:
        yield f"it is of kind {record.kind!r} in a shard of {shard.kind}"
        return
    if record.id != shard.first + position:  # so no two records of a kind share an id
        yield f"its id is {record.id}, expected {shard.first + position}"
    if record.seed != config.seed:
        yield f"its seed is {record.seed}, the set's is {config.seed}"
    try:
        record.pil()
    except UserError as error:
        yield str(error)
    try:
        check_label(record.kind, record.label)
    except AnswerError as error:
        yield f"its label is not in its form: {error}"
    digest = record.meta.get("content")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        yield "its meta does not hold the digest of its content"
    elif config.split not in ("all", split_of(digest)):
        yield f"its content belongs to the {split_of(digest)} split, the set is for {config.split}"
    if record.meta.get("level") != config.level:
        yield f"its level is {record.meta.get('level')!r}, the set's is {config.level!r}"


def _verified(verify: Callable[..., list[str]], record: Record, config: SetConfig, *, redraw: bool) -> list[str]:
    """Repeat the family's own checks on the picture as it was drawn."""
    try:
        if not redraw:
            return verify(png.without_colour(record.array()), record.label, record.meta)
        clean = _made_again(config, record.kind, record.id, "none")
        label = boxes.follow(clean.label, clean.image.shape[:2], record.meta.get("degradation", {}))
        if (label, clean.prompt, clean.meta["content"]) != (record.label, record.prompt, record.meta["content"]):
            return ["made again, it says something else"]
        return verify(png.without_colour(clean.image), clean.label, clean.meta)
    except Exception as error:  # a check that fails on what is found there is a finding
        return [f"its family's own check failed: {error!r}"]


def _made_again(config: SetConfig, kind: str, index: int, degradation: str) -> Sample:
    return make_sample(
        config.seed, kind, index, config.split, config.level, degradation=degradation, settings=config.settings(kind)
    )
