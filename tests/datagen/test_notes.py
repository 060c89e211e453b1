import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from datagen.card.statistics import Statistics
from datagen.manifest import Written
from datagen.notes import Journal, counted, read_notes
from datagen.shards import DIGEST_BYTES, Made


def made(name: str, samples: int = 3) -> Made:
    statistics = Statistics()
    for index in range(samples):
        statistics.add(index, (10 + index, 20), 100, "label", {"type": "a"})
    digests = bytes([len(name)]) * DIGEST_BYTES * samples
    return Made(Written(name, 1000, "0" * 64, {"no room": 2}), statistics, digests, 0.5)


def note(folder: Path, *shards: Made) -> None:
    with contextlib.closing(Journal(folder)) as journal:
        for shard in shards:
            journal.add(shard)


def take_all(folder: Path, names: list[str]) -> tuple[dict[str, tuple[Statistics, bytes]], list[str]]:
    taken = {}
    missing = counted(read_notes(folder), names, lambda name, *found: taken.update({name: found}))
    return taken, missing


def test_notes_of_several_runs_are_read_together(tmp_path: Path) -> None:
    note(tmp_path, made("a"), made("bb"))
    note(tmp_path, made("ccc"))
    notes = read_notes(tmp_path)
    assert sorted(notes) == ["a", "bb", "ccc"]
    assert notes["bb"].written == made("bb").written


def test_what_was_counted_comes_back(tmp_path: Path) -> None:
    note(tmp_path, made("a"), made("bb", 5))
    note(tmp_path, made("ccc"))
    taken, missing = take_all(tmp_path, ["ccc", "bb", "unknown"])
    assert missing == ["unknown"]
    assert taken["bb"] == (made("bb", 5).statistics, made("bb", 5).digests)
    assert taken["ccc"][1] == made("ccc").digests


def test_a_run_without_notes_leaves_no_files(tmp_path: Path) -> None:
    note(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("cut", [1, 20, 400])
def test_a_line_cut_off_is_no_note_and_the_others_stay(tmp_path: Path, cut: int) -> None:
    note(tmp_path, made("a"), made("bb"))
    (file,) = tmp_path.glob("notes-*.jsonl")
    file.write_bytes(file.read_bytes()[:-cut])
    assert sorted(read_notes(tmp_path)) == ["a"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b'"digests":[0,', b'"digests":[9999,'),
        lambda data: data.replace(b'"samples":3', b'"samples":4'),
        lambda data: data.replace(b'"statistics":{', b'"statistics":[],"x":{'),
    ],
)
def test_counts_that_cannot_be_read_are_missing(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    note(tmp_path, made("a"))
    (file,) = tmp_path.glob("notes-*.jsonl")
    before = file.read_bytes()
    file.write_bytes(damage(before))
    assert file.read_bytes() != before
    assert take_all(tmp_path, ["a"]) == ({}, ["a"])


def test_digests_that_are_gone_are_missing(tmp_path: Path) -> None:
    note(tmp_path, made("a"))
    (file,) = tmp_path.glob("digests-*.bin")
    file.unlink()
    assert take_all(tmp_path, ["a"]) == ({}, ["a"])


@pytest.mark.parametrize("line", [b"[]\n", b"null\n", b"{}\n", b"\xff\xfe\n", b'{"name": 3, "bytes": "x"}\n'])
def test_strange_lines_are_no_notes(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "notes-0.jsonl").write_bytes(line)
    assert read_notes(tmp_path) == {}
