"""A plan of reading: which pages of which files make up each shard.

The plan is decided once and kept beside the answers, as lines of JSON: a header with the settings, then a file a line
with its size and time of change. The shards follow from it, the same on every machine and in every later run.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from dsocr_jax.errors import UserError
from dsocr_jax.weights.strict_json import parse_json

FORMAT, VERSION = "dsocr-jax reading plan", 1
#: Longest line of a plan, in bytes.
MAX_LINE = 1 << 20
#: A file that claims more pages is not read.
MAX_FILE_PAGES = 1_000_000

#: A picture; a PDF; a file of several pictures (TIFF), which is never divided since its pages are reached one after
#: the other; what could not be looked at when the plan was made.
Kind = Literal["picture", "pdf", "frames", "unreadable"]
KINDS = ("picture", "pdf", "frames", "unreadable")


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file.

    Attributes:
        path: absolute.
        size: in bytes; -1 when there is no such file.
        mtime_ns: time of its last change.
        kind: how its pages are opened.
        pages: how many lines of answers it gets, at least 1.
        error: of an unreadable file, one line for the user.
    """

    path: str
    size: int
    mtime_ns: int
    kind: Kind
    pages: int
    error: str = ""

    @property
    def stamp(self) -> tuple[str, int, int]:
        """What tells whether it is still the same file."""
        return self.path, self.size, self.mtime_ns


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive pages of one file; ``first`` counts from 1."""

    file: PlannedFile
    first: int
    count: int

    def numbers(self) -> list[int | None]:
        """Return the page numbers as they stand in answers: None for a single picture and for a file as a whole."""
        if self.file.kind in ("picture", "unreadable"):
            return [None]
        return list(range(self.first, self.first + self.count))


@dataclass(frozen=True, slots=True)
class Shard:
    """Pages that one worker reads into one file; ``number`` counts from 0."""

    number: int
    total: int
    spans: tuple[Span, ...]

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{self.number:05d}-of-{self.total:05d}.jsonl"

    @property
    def pages(self) -> int:
        """How many lines it has."""
        return sum(span.count for span in self.spans)

    def places(self) -> list[tuple[str, int | None]]:
        """Return source and page number of each of its lines, in order."""
        return [(span.file.path, number) for span in self.spans for number in span.numbers()]


@dataclass(frozen=True)
class Plan:
    """What is read, how, and in which portions.

    Attributes:
        settings: everything else that answers depend on, as JSON values by name.
        shard_pages: pages of a shard; a file of kind ``frames`` may bring more.
        files: in the order of the answers, each once.
    """

    settings: dict[str, Any]
    shard_pages: int
    files: tuple[PlannedFile, ...]

    @property
    def pages(self) -> int:
        """Lines of all shards together."""
        return sum(file.pages for file in self.files)

    def shards(self) -> list[Shard]:
        """Return all shards in order: every page is in exactly one."""
        groups = list(_groups(self.files, self.shard_pages))
        return [Shard(number, len(groups), tuple(group)) for number, group in enumerate(groups)]


def _groups(files: Sequence[PlannedFile], most: int) -> Iterator[list[Span]]:
    group: list[Span] = []
    room = most
    for file in files:
        done = 0
        while done < file.pages:
            whole = file.kind == "frames"
            if group and (room == 0 or (whole and file.pages > room)):
                yield group
                group, room = [], most
            count = file.pages if whole else min(room, file.pages - done)
            group.append(Span(file, done + 1, count))
            done += count
            room = max(room - count, 0)
    if group:
        yield group


def write_plan(plan: Plan, file: Path) -> None:
    """Write a plan; the file appears when it is whole and on the device.

    Raises:
        OSError: it cannot be written.
    """
    partial = file.with_name(file.name + ".partial")
    header = {
        "format": FORMAT,
        "version": VERSION,
        "settings": plan.settings,
        "shard_pages": plan.shard_pages,
        "files": len(plan.files),
    }
    try:
        with partial.open("w", encoding="ascii") as stream:
            stream.write(json.dumps(header) + "\n")
            # ASCII keeps names that are not valid Unicode.
            stream.writelines(json.dumps(asdict(planned)) + "\n" for planned in plan.files)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def read_plan(file: Path) -> Plan:
    """Read what `write_plan` wrote.

    Raises:
        UserError: it is damaged or of another version.
        FileNotFoundError: there is none.
    """
    with file.open("rb") as stream:
        try:
            header = parse_json(stream.readline(MAX_LINE))
            if header["format"] != FORMAT:
                raise ValueError("another format")
            if header["version"] != VERSION:
                raise ValueError(f"version {header['version']}, this program knows {VERSION}")
            shard_pages, count = _number(header, "shard_pages", 1), _number(header, "files", 0)
            if not isinstance(header["settings"], dict):
                raise ValueError("settings that are no object")
            files = tuple(_planned(parse_json(line)) for line in iter(lambda: stream.readline(MAX_LINE), b""))
            if len(files) != count:
                raise ValueError(f"{len(files)} files instead of {count}")
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file}: not a plan that can be followed ({error}); read into another --out") from None
    return Plan(header["settings"], shard_pages, files)


def _planned(said: Any) -> PlannedFile:
    path, kind, error = said["path"], said["kind"], said["error"]
    if not isinstance(path, str) or kind not in KINDS or not isinstance(error, str):
        raise ValueError("a line that describes no file")
    pages = _number(said, "pages", 1)
    if pages > MAX_FILE_PAGES or (pages != 1 and kind in ("picture", "unreadable")):
        raise ValueError(f"{pages} pages of a {kind}")
    return PlannedFile(path, _number(said, "size", -1), _number(said, "mtime_ns", None), kind, pages, error)


def _number(said: Any, name: str, least: int | None) -> int:
    value = said[name]
    if type(value) is not int or (least is not None and value < least):
        raise ValueError(f"{name} is {value!r}")
    return value


def differing_settings(plan: Plan, settings: dict[str, Any], shard_pages: int) -> list[str]:
    """Describe in which settings a plan differs from what is asked now, one string each."""
    there = {**plan.settings, "shard_pages": plan.shard_pages}
    here = {**json.loads(json.dumps(settings)), "shard_pages": shard_pages}
    return [
        f"{name} is {_brief(there.get(name))} there and {_brief(here.get(name))} here"
        for name in sorted(there.keys() | here.keys())
        if there.get(name) != here.get(name)
    ]


def changed_files(plan: Plan, found: Sequence[tuple[str, int, int]]) -> list[str]:
    """Describe how the files of a plan differ from those found now (path, size, mtime_ns), one string each."""
    before = {file.path: file.stamp for file in plan.files}
    now = {stamp[0]: stamp for stamp in found}
    changes = []
    for path in before.keys() | now.keys():
        was, is_now = before.get(path), now.get(path)
        if was is None:
            changes.append(f"{path} is new")
        elif is_now is None or (is_now[1] < 0 <= was[1]):
            changes.append(f"{path} is gone")
        elif was != is_now:
            size = f" ({was[1]:,} bytes then, {is_now[1]:,} now)" if was[1] != is_now[1] else ""
            changes.append(f"{path} has changed{size}")
    if not changes and list(before) != list(now):
        changes.append("the order of the sources")
    return sorted(changes)


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
