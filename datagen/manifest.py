"""The manifest of a set: what was asked for, with which versions, and what every shard holds.

It has neither dates nor machine names: the same arguments give the same bytes.
"""

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datagen import degradation as degradations
from datagen import families
from datagen import settings as family_settings
from datagen.sample import GENERATOR_VERSION, Split
from dsocr_jax.errors import UserError

FILE = "manifest.json"
FORMAT = "dsocr-data 1"

#: How the names of half-written files end.
PARTIAL = ".partial"

#: A manifest of 100,000 shards is a tenth of this; a larger file is not a manifest.
MAX_BYTES = 256 * 1024 * 1024

#: The libraries whose version may change the bytes of a shard.
LIBRARIES = (
    "array-record",
    "fonttools",
    "isal",
    "manimgx-fonts",
    "manimgx-fonts-cjk",
    "matplotlib",
    "msgpack",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "pypdfium2",
    "rdkit",
    "scipy",
    "typst",
)

#: The version of a library that is not there.
ABSENT = "not installed"

_SHARD_NAME = re.compile(r"(train|test|all)-[a-z_]+-\d{5,}-of-\d{5,}\.array_record", re.ASCII)


@dataclass(frozen=True)
class SetConfig:
    """Everything that decides the bytes of a set, but for the versions.

    Attributes:
        counts: samples by kind, in the order in which the set lists them.
        seed: the set's seed.
        split: "train", "test" or "all".
        level: "easy" or "standard".
        shard_size: samples per shard; the last shard of a kind may hold fewer.
        degradation: one of `datagen.degradation.NAMES`.
        changes: settings by kind and name that differ from the level's.
    """

    counts: dict[str, int]
    seed: int
    split: Split
    level: str
    shard_size: int
    degradation: str = "none"
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def settings(self, kind: str) -> Any:
        """Return the settings of a kind's family."""
        level = families.load(kind).settings[self.level]
        return family_settings.changed(level, self.changes.get(kind, {}))

    def as_json(self) -> dict[str, Any]:
        """Return the config with the settings of its families and degradation, as it stands in the manifest."""
        settings = {kind: dataclasses.asdict(self.settings(kind)) for kind in self.counts}
        if self.degradation != "none":
            settings["degradation"] = degradations.settings(self.degradation)
        return json.loads(json.dumps({**dataclasses.asdict(self), "settings": settings}))

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "SetConfig":
        """Return the config that `as_json` gave; the settings are those of the installed families."""
        known = {each.name: config[each.name] for each in dataclasses.fields(cls) if each.name in config}
        changes = {
            kind: family_settings.parsed(kind, config["level"], some) for kind, some in known.get("changes", {}).items()
        }
        return cls(**(known | {"changes": changes}))


@dataclass(frozen=True)
class Shard:
    """A range of samples of one kind, which goes to one file."""

    name: str
    kind: str
    first: int
    records: int


@dataclass(frozen=True)
class Written:
    """What is known of a finished shard."""

    name: str
    bytes: int
    sha256: str
    rejected: dict[str, int]


@dataclass(frozen=True)
class Manifest:
    """The contents of `FILE`; ``written`` holds the finished shards by name (all of them once ``complete``)."""

    config: dict[str, Any]
    generator_version: int
    versions: dict[str, str]
    complete: bool
    written: dict[str, Written]

    def shards(self) -> list[Shard]:
        """Return all shards of the set, finished or not, in order."""
        return plan(self.config["counts"], self.config["split"], self.config["shard_size"])


def plan(counts: dict[str, int], split: str, shard_size: int) -> list[Shard]:
    """Divide each kind's samples into shards."""
    shards = []
    for kind, count in counts.items():
        total = -(-count // shard_size)
        for index in range(total):
            name = f"{split}-{kind}-{index:05d}-of-{total:05d}.array_record"
            first = index * shard_size
            shards.append(Shard(name, kind, first, min(shard_size, count - first)))
    return shards


@functools.cache
def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ABSENT


def versions(config: SetConfig | None = None) -> dict[str, str]:
    """Return the versions that may change the bytes of a set: of Python, `LIBRARIES`, and what the config asks for.

    The last are libraries of optional extras, and files that the settings name (`Family.fingerprint`).
    """
    found = {"python": ".".join(platform.python_version_tuple()[:2])} | {name: _version(name) for name in LIBRARIES}
    for kind in config.counts if config else ():
        chosen, family = config.settings(kind), families.load(kind)  # type: ignore[union-attr]
        for name, libraries in families.OPTIONAL_LIBRARIES.get(kind, {}).items():
            if getattr(chosen, name, None):
                found |= {library: _version(library) for library in libraries}
        found |= family.fingerprint(chosen) if family.fingerprint else {}
    return found


def started(config: SetConfig) -> Manifest:
    """Return the manifest of a set of which nothing is written yet."""
    return Manifest(config.as_json(), GENERATOR_VERSION, versions(config), complete=False, written={})


def config_hash(config: dict[str, Any], generator_version: int) -> str:
    """Return the SHA-256 (hexadecimal) of a config together with the generator's version."""
    text = json.dumps([config, generator_version], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def dump(manifest: Manifest) -> str:
    """Return the text of the manifest file."""
    shards = []
    kinds: dict[str, Any] = {kind: {"records": 0, "rejected": {}} for kind in manifest.config["counts"]}
    for shard in manifest.shards():
        if shard.name not in manifest.written:
            continue
        known = manifest.written[shard.name]
        shards.append(
            {
                "name": shard.name,
                "kind": shard.kind,
                "first": shard.first,
                "records": shard.records,
                "bytes": known.bytes,
                "sha256": known.sha256,
                "rejected": known.rejected,
            }
        )
        kinds[shard.kind]["records"] += shard.records
        rejected = kinds[shard.kind]["rejected"]
        for reason, count in known.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
    head = {
        "format": FORMAT,
        "complete": manifest.complete,
        "generator_version": manifest.generator_version,
        "versions": manifest.versions,
        "config_hash": config_hash(manifest.config, manifest.generator_version),
        "config": manifest.config,
        "kinds": {kind: {**seen, "rejected": dict(sorted(seen["rejected"].items()))} for kind, seen in kinds.items()},
        "shards": shards,
    }
    return json.dumps(head, indent=1, ensure_ascii=False) + "\n"


def read(directory: Path) -> Manifest:
    """Read the manifest of the set in ``directory``.

    Raises:
        UserError: there is none, or it is not a manifest.
    """
    file = directory / FILE
    try:
        if file.stat().st_size > MAX_BYTES:
            raise UserError(f"{file} is larger than {MAX_BYTES} bytes; that is not the manifest of a set.")
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{directory} holds no set (no {FILE}); make one with `dsocr-data build`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {file}: {error}") from None
    try:
        return parse(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{file} is not the manifest of a set ({error}); delete the folder and build it again."
        ) from None


def parse(text: str) -> Manifest:
    """Return the manifest that ``text`` holds; ValueError, KeyError, TypeError or AttributeError if it is none."""
    data = json.loads(text)
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r}, expected {FORMAT!r}")
    config, version = data["config"], data["generator_version"]
    if data["config_hash"] != config_hash(config, version):
        raise ValueError("its config does not match its config_hash")
    counts, size = config["counts"], config["shard_size"]
    if not all(type(number) is int and number >= 1 for number in (*counts.values(), size)):
        raise ValueError("counts and shard_size must be whole numbers")
    if sum(-(-count // size) for count in counts.values()) > MAX_BYTES // 100:
        raise ValueError("more shards than a manifest can list")
    manifest = Manifest(config, version, dict(data["versions"]), bool(data["complete"]), _parse_written(data["shards"]))
    names = {shard.name for shard in manifest.shards()}
    if not all(_SHARD_NAME.fullmatch(name) for name in names):
        raise ValueError("a shard has a strange name")
    if unknown := set(manifest.written) - names:
        raise ValueError(f"it lists shards that its config does not have: {sorted(unknown)[0]}")
    if manifest.complete and len(manifest.written) != len(names):
        raise ValueError("it lacks shards and calls itself complete")
    return manifest


def _parse_written(entries: Sequence[dict[str, Any]]) -> dict[str, Written]:
    written = {}
    for entry in entries:
        known = Written(entry["name"], entry["bytes"], entry["sha256"], dict(entry["rejected"]))
        if type(known.bytes) is not int or not re.fullmatch("[0-9a-f]{64}", known.sha256):
            raise ValueError(f"shard {known.name}: bytes or sha256 is malformed")
        written[known.name] = known
    return written


def write_text(file: Path, text: str) -> None:
    """Write ``file`` so that it holds either the old text or the new one, whatever happens, whoever else writes it."""
    temporary = file.with_name(f".{file.name}.{os.urandom(4).hex()}{PARTIAL}")
    try:
        with temporary.open("x", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
