"""Check a set: everything that the manifest and the records promise."""

import re
from collections.abc import Iterator
from pathlib import Path

from datagen import manifest as manifests
from datagen import shards
from datagen.manifest import Manifest, Shard
from datagen.records import Record
from datagen.sample import split_of
from datagen.shards import SampleSet
from dsocr_jax.answers import check_label
from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError

_DIGEST = re.compile("[0-9a-f]{64}")


def check_set(directory: Path) -> tuple[int, list[str]]:
    """Check the set in ``directory``.

    Returns:
        How many records could be read, and one line per problem that names the file and the record.

    Raises:
        UserError: there is no manifest to check the set against.
    """
    manifest = manifests.read(directory)
    samples = SampleSet(directory, manifest)
    problems = list(_whole(directory, manifest))
    checked = 0
    present = [shard for shard in manifest.shards() if shard.name in manifest.written]
    with progress("check", sum(shard.records for shard in present), "samples") as advance:
        for shard in present:
            problem = _file_problem(samples, shard)
            if problem:
                problems.append(problem)
            if problem and not _readable(samples, shard):
                advance(shard.records, "")
                continue
            for position in range(shard.records):
                advance(1, "")
                where = f"{directory / shard.name}: record {position}"
                try:
                    record = samples.read(shard, position)
                except UserError as error:
                    problems.append(str(error))
                    continue
                checked += 1
                problems += [f"{where}: {text}" for text in _record_problems(record, shard, position, manifest)]
    return checked, problems


def _whole(directory: Path, manifest: Manifest) -> Iterator[str]:
    if not manifest.complete:
        yield f"{directory / manifests.FILE}: the set is unfinished; run the same `dsocr-data build` to finish it."
    known = {shard.name for shard in manifest.shards()}
    for file in sorted(directory.glob("*.array_record*")):
        if file.name not in known:
            yield f"{file}: not a shard of this set; delete it."


def _file_problem(samples: SampleSet, shard: Shard) -> str | None:
    file = samples.directory / shard.name
    try:
        samples.check_size(shard)
        if shards.file_sha256(file) != samples.manifest.written[shard.name].sha256:
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


def _record_problems(record: Record, shard: Shard, position: int, manifest: Manifest) -> Iterator[str]:
    config = manifest.config
    if record.kind != shard.kind:
        yield f"it is of kind {record.kind!r} in a shard of {shard.kind}"
        return
    if record.id != shard.first + position:  # so no two records of a kind share an id
        yield f"its id is {record.id}, expected {shard.first + position}"
    if record.seed != config["seed"]:
        yield f"its seed is {record.seed}, the set's is {config['seed']}"
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
    elif config["split"] not in ("all", split_of(digest)):
        yield f"its content belongs to the {split_of(digest)} split, the set is for {config['split']}"
    if record.meta.get("level") != config["level"]:
        yield f"its level is {record.meta.get('level')!r}, the set's is {config['level']!r}"
