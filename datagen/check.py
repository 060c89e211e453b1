"""Check a set: everything that the manifest and the records promise, shard by shard, on several processes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from datagen import manifest as manifests
from datagen import pool
from datagen.duplicates import Digests, Duplicates
from datagen.folder import differences
from datagen.inspection import Inspection, Piece, inspect
from datagen.manifest import Manifest, SetConfig, Shard
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError


@dataclass
class Findings:
    """What a check found.

    Attributes:
        checked: records that could be read.
        problems: one line each, naming the file and the record.
        remade: records that were made again and compared to the byte.
        verified: pictures that the families' own checks were repeated on.
        duplicates: equal contents; None when only a share was looked at.
        remarks: what was left out, and why.
    """

    checked: int = 0
    problems: list[str] = field(default_factory=list)
    remade: int = 0
    verified: int = 0
    duplicates: Duplicates | None = None
    remarks: list[str] = field(default_factory=list)


def check_set(directory: Path, workers: int = 1, *, sample: int | None = None, regenerate: int = 0) -> Findings:
    """Check the set in ``directory``.

    Every file's size and checksum, every record's form, picture, label, seed, place and split, and what its family
    checks by itself are looked at. Families look at pictures as they were drawn: where the set's are degraded, they
    are drawn again, which takes as long as building.

    Args:
        directory: the set's folder.
        workers: processes.
        sample: look at this many records alone, drawn from the whole set, and not at checksums.
        regenerate: make this many records again and compare all their bytes.

    Raises:
        UserError: there is no manifest to check the set against, or records are to be made again that other versions
            made.
    """
    manifest = manifests.read(directory)
    findings = Findings(problems=list(_whole(directory, manifest)))
    differing = _differing(manifest)
    if regenerate and differing:
        raise UserError(f"records of {directory} cannot be made again here: {differing}; leave out --regenerate.")
    degraded = manifest.config.get("degradation", "none") != "none"
    if degraded and differing:
        findings.remarks.append(f"the families' own checks, which draw again, are left out: {differing}")
    inspection = Inspection(
        directory, manifest.config, checksums=sample is None, verify=not (degraded and differing), redraw=degraded
    )
    pieces = _pieces(manifest, sample, regenerate)
    digests = Digests()
    found: dict[str, list[str]] = {}
    message = "stopped; nothing was changed."
    with (
        pool.stopping(message) as stop,
        progress("check", sum(piece.records for piece in pieces), "samples") as advance,
    ):
        for piece, seen in pool.each(partial(inspect, inspection), pieces, workers=workers, advance=advance, stop=stop):
            found[piece.name] = seen.problems
            findings.checked += seen.checked
            findings.remade += seen.remade
            findings.verified += seen.verified
            digests.add(seen.digests)
    findings.problems += [problem for piece in pieces for problem in found[piece.name]]
    if sample is None:
        findings.duplicates = digests.duplicates()
    return findings


def _differing(manifest: Manifest) -> str:
    """Say why samples of the set would come out otherwise here; nothing when they do not."""
    try:
        here = manifests.started(SetConfig.from_json(manifest.config))
    except (KeyError, TypeError, UserError) as error:
        return f"its config is of another version ({error})"
    return "; ".join(f"{name} is {there} there and {now} here" for name, there, now in differences(manifest, here))


def _whole(directory: Path, manifest: Manifest) -> Iterator[str]:
    if not manifest.complete:
        yield f"{directory / manifests.FILE}: the set is unfinished; run the same `dsocr-data build` to finish it."
    known = {shard.name for shard in manifest.shards()}
    for file in sorted(directory.glob("*.array_record*")):
        if file.name not in known:
            yield f"{file}: not a shard of this set; delete it."


def _pieces(manifest: Manifest, sample: int | None, regenerate: int) -> list[Piece]:
    present = [shard for shard in manifest.shards() if shard.name in manifest.written]
    looked = None if sample is None else _drawn(manifest, present, sample, 0)
    remade = _drawn(manifest, present, regenerate, 1)
    pieces = []
    for place, shard in enumerate(present):
        positions = range(shard.records) if looked is None else looked.get(place, [])
        pieces.append(Piece(shard, manifest.written[shard.name], tuple(positions), tuple(remade.get(place, []))))
    return pieces


def _drawn(manifest: Manifest, present: Sequence[Shard], count: int, turn: int) -> dict[int, list[int]]:
    """Draw records of the whole set, the same ones every time; returns positions by the shard's place."""
    ends = np.cumsum([shard.records for shard in present], dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    rng = np.random.default_rng([manifest.config["seed"], turn])
    drawn: dict[int, list[int]] = {}
    for index in np.sort(rng.choice(total, min(count, total), replace=False)).tolist():
        place = int(np.searchsorted(ends, index, side="right"))
        drawn.setdefault(place, []).append(index - (int(ends[place - 1]) if place else 0))
    return drawn
