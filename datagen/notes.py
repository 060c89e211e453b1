"""Notes of finished shards, until the manifest lists them all: two append-only files per run, however many shards.

``notes-RUN.jsonl`` has a line per shard (file, checksum, rejections, statistics), ``digests-RUN.bin`` the digests of
its contents. A run appends to files of its own, so any number of runs may share the folder. A line cut off by a kill
is no line: its shard is made again, to the same bytes.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datagen.card.statistics import Statistics
from datagen.manifest import Written
from datagen.shards import DIGEST_BYTES, Made

_NOTES, _DIGESTS = "notes-{}.jsonl", "digests-{}.bin"

#: A longer line is not a note.
_MAX_LINE = 16 * 1024 * 1024


@dataclass(frozen=True)
class Note:
    """What is noted of a shard.

    Attributes:
        written: the file.
        place: where the note itself stands: its file, and the line's first byte.
    """

    written: Written
    place: tuple[Path, int]


class Journal:
    """Appends notes; what `add` returned from survives the process and the power."""

    def __init__(self, folder: Path) -> None:
        run = os.urandom(6).hex()
        self._notes = (folder / _NOTES.format(run)).open("xb")
        self._digests = (folder / _DIGESTS.format(run)).open("xb")

    def add(self, made: Made) -> None:
        """Note a shard that stands under its name."""
        # The digests first: a line promises that they are there.
        first = self._digests.tell()
        self._digests.write(made.digests)
        _settle(self._digests)
        note = {
            **asdict(made.written),
            "digests": [first, len(made.digests)],
            "statistics": made.statistics.as_json(),
        }
        self._notes.write(json.dumps(note, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        _settle(self._notes)

    def close(self) -> None:
        """Close the files; those of a run that noted nothing are removed."""
        for stream in (self._notes, self._digests):
            empty = not stream.tell()
            with contextlib.suppress(OSError):  # a full device: what was settled is there
                stream.close()
            if empty:
                Path(stream.name).unlink(missing_ok=True)


def _settle(stream: Any) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def read_notes(folder: Path) -> dict[str, Note]:
    """Return the notes in ``folder`` by shard; a line that cannot be read is none."""
    notes = {}
    for file in sorted(folder.glob(_NOTES.format("*"))):
        for first, entry in _lines(file):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                written = Written(entry["name"], int(entry["bytes"]), entry["sha256"], dict(entry["rejected"]))
                notes[written.name] = Note(written, (file, first))
    return notes


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    first = 0
    with file.open("rb") as stream:
        while line := stream.readline(_MAX_LINE):
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if line.endswith(b"\n") and isinstance(entry, dict):
                    yield first, entry
            first += len(line)


def counted(
    notes: Mapping[str, Note], names: Iterable[str], take: Callable[[str, Statistics, bytes], None]
) -> list[str]:
    """Read again what was counted of the shards called ``names``, one by one.

    Args:
        notes: of the folder.
        names: of shards.
        take: given each shard's name, statistics and digests, in the order of the files.

    Returns:
        The names of which nothing readable is noted.
    """
    missing = []
    wanted: dict[Path, list[tuple[int, str]]] = {}
    for name in names:
        if name in notes:
            file, first = notes[name].place
            wanted.setdefault(file, []).append((first, name))
        else:
            missing.append(name)
    for file, places in wanted.items():
        digests = file.with_name(file.name.replace("notes-", "digests-").replace(".jsonl", ".bin"))
        try:
            with file.open("rb") as lines, digests.open("rb") as data:
                for first, name in sorted(places):
                    lines.seek(first)
                    found = _counted(lines.readline(_MAX_LINE), data)
                    if found is None:
                        missing.append(name)
                    else:
                        take(name, *found)
        except OSError:
            missing += [name for _, name in places]
    return missing


def _counted(line: bytes, data: Any) -> tuple[Statistics, bytes] | None:
    try:
        entry = json.loads(line)
        statistics = Statistics.from_json(entry["statistics"])
        first, length = entry["digests"]
        if type(length) is not int or length != statistics.samples * DIGEST_BYTES:
            return None
        data.seek(first)
        digests = data.read(length)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return (statistics, digests) if len(digests) == length else None
