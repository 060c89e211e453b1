import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest
from array_record.python.array_record_module import ArrayRecordReader, ArrayRecordWriter

from datagen import shards
from datagen.build import build
from datagen.check import check_set
from datagen.duplicates import Duplicates
from datagen.manifest import SetConfig
from datagen.sample import content_digest, split_of
from datagen.shards import SampleSet
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")

FIRST, LAST = (f"train-pages-0000{index}-of-00002.array_record" for index in range(2))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    build(SetConfig({"pages": 13}, 5, "train", "easy", 10), tmp_path / "set", 1)
    return tmp_path / "set"


def forge(directory: Path, position: int, change: Callable[[dict[str, Any]], object]) -> None:
    """Change one record of the last shard and let the manifest agree, as a faulty generator would."""
    file = directory / LAST
    reader = ArrayRecordReader(str(file))
    raw = [msgpack.unpackb(data) for data in reader.read_all()]
    reader.close()
    change(raw[position])
    writer = ArrayRecordWriter(str(file), "group_size:1,uncompressed")
    for record in raw:
        writer.write(msgpack.packb(record))
    writer.close()
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["shards"][-1] |= {"bytes": file.stat().st_size, "sha256": shards.file_sha256(file)}
    (directory / "manifest.json").write_text(json.dumps(manifest))


def checked_and_problems(directory: Path) -> tuple[int, list[str]]:
    found = check_set(directory)
    return found.checked, found.problems


def test_a_good_set_has_no_problems(directory: Path) -> None:
    found = check_set(directory)
    assert (found.checked, found.problems) == (13, [])


def test_a_truncated_shard(directory: Path) -> None:
    (directory / LAST).write_bytes((directory / LAST).read_bytes()[:-100])
    checked, problems = checked_and_problems(directory)
    assert (checked, len(problems)) == (10, 1)
    assert f"{directory / LAST} is truncated" in problems[0]
    assert f"delete {directory / LAST} and run the same `dsocr-data build` again" in problems[0]


def test_a_missing_shard(directory: Path) -> None:
    (directory / FIRST).unlink()
    checked, (problem,) = checked_and_problems(directory)
    assert (checked, f"{FIRST} is missing" in problem) == (3, True)


def test_a_changed_byte_is_found_in_shard_and_record(directory: Path) -> None:
    data = bytearray((directory / LAST).read_bytes())
    data[data.index(b"number ")] ^= 0xFF
    (directory / LAST).write_bytes(data)
    checked, problems = checked_and_problems(directory)
    assert checked == 12
    assert "checksum differs" in problems[0]
    assert f"record 0 of the shard {directory / LAST} is damaged" in problems[1]


def test_a_shard_of_another_set(directory: Path) -> None:
    (directory / "test-pages-00000-of-00001.array_record").write_bytes(b"")
    _, (problem,) = checked_and_problems(directory)
    assert "test-pages-00000-of-00001.array_record: not a shard of this set" in problem


def test_an_unfinished_set(directory: Path) -> None:
    file = directory / "manifest.json"
    file.write_text(file.read_text().replace('"complete": true', '"complete": false'))
    assert check_set(directory).problems == [
        f"{file}: the set is unfinished; run the same `dsocr-data build` to finish it."
    ]


def test_no_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no set"):
        check_set(tmp_path)


def other_split() -> str:
    return next(d for d in (content_digest("pages", str(n)) for n in range(100)) if split_of(d) == "test")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda record: record.update(label="two  spaces"), "its label is not in its form"),
        (lambda record: record.update(kind="charts"), "of kind 'charts' in a shard of pages"),
        (lambda record: record.update(id=10), "its id is 10, expected 11"),
        (lambda record: record.update(seed=6), "its seed is 6, the set's is 5"),
        (lambda record: record.update(width=7), "the picture is (8, 8), its record says (7, 8)"),
        (lambda record: record.update(image=record["image"][:60]), "the picture cannot be decoded"),
        (lambda record: record["meta"].pop("content"), "does not hold the digest"),
        (lambda record: record["meta"].update(content=other_split()), "belongs to the test split"),
        (lambda record: record["meta"].update(level="standard"), "its level is 'standard'"),
        (lambda record: record.pop("prompt"), "is damaged (not a record"),
    ],
)
def test_a_faulty_record_is_named(directory: Path, change: Callable[[dict[str, Any]], object], problem: str) -> None:
    forge(directory, 1, change)
    _, problems = checked_and_problems(directory)
    assert len(problems) == 1
    assert problem in problems[0]
    assert LAST in problems[0] and "record 1" in problems[0]


def test_several_processes_find_the_same(directory: Path) -> None:
    forge(directory, 1, lambda record: record.update(seed=6))
    (directory / FIRST).unlink()
    assert vars(check_set(directory, 2)) == vars(check_set(directory, 1))


@pytest.mark.parametrize("degradation", ["none", "photo"])
def test_the_family_checks_pictures_as_they_were_drawn(
    tmp_path: Path, degradation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(SetConfig({"pages": 60}, 0, "all", "easy", 30, degradation), tmp_path / "set", 1)
    assert check_set(tmp_path / "set").verified == 60
    assert check_set(tmp_path / "set").problems == []  # a picture that is not as it was drawn has other rows
    monkeypatch.setenv("FAKE_FAULT", "3")
    bad = [record.id for record in SampleSet.open(tmp_path / "set") if record.label.endswith("3")]
    problems = check_set(tmp_path / "set").problems
    assert len(bad) > 1
    assert [problem.rpartition("/")[2] for problem in problems] == [
        f"all-pages-0000{index // 30}-of-00002.array_record: record {index % 30}: it ends badly" for index in bad
    ]


def test_a_share_is_looked_at(directory: Path) -> None:
    found = check_set(directory, sample=5)
    assert (found.checked, found.problems, found.duplicates) == (5, [], None)


def test_more_than_there_is_is_all_there_is(directory: Path) -> None:
    assert check_set(directory, sample=99, regenerate=99).remade == 13


@pytest.mark.parametrize("degradation", ["none", "mix"])
def test_records_are_made_again_to_the_byte(tmp_path: Path, degradation: str) -> None:
    build(SetConfig({"pages": 13}, 5, "train", "easy", 10, degradation), tmp_path / "set", 1)
    found = check_set(tmp_path / "set", regenerate=13)
    assert (found.remade, found.problems) == (13, [])


def test_a_record_that_comes_out_otherwise_is_named(directory: Path) -> None:
    forge(directory, 2, lambda record: record.update(prompt="<image>\nRead."))
    assert check_set(directory).problems == []
    (problem,) = check_set(directory, regenerate=13).problems
    assert problem == f"{directory / LAST}: record 2: made again, it has other bytes"


def test_what_other_versions_made_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(SetConfig({"pages": 13}, 5, "train", "easy", 10, "light"), tmp_path / "set", 1)
    monkeypatch.setattr("datagen.manifest.versions", lambda config: {"numpy": "1.0"})
    with pytest.raises(UserError, match=r"cannot be made again here: .*the version of numpy is .* there and 1\.0 here"):
        check_set(tmp_path / "set", regenerate=1)
    found = check_set(tmp_path / "set")
    assert (found.checked, found.verified, found.problems) == (13, 0, [])
    assert "own checks, which draw again, are left out" in found.remarks[0]


def test_duplicates_are_counted(directory: Path) -> None:
    labels = [record.label for record in SampleSet.open(directory)]
    found = check_set(directory).duplicates
    assert found is not None
    assert (found.samples, found.distinct) == (13, len(set(labels)))
    forge(directory, 0, lambda record: record["meta"].update(content=SampleSet.open(directory)[0].meta["content"]))
    assert check_set(directory).duplicates == Duplicates(13, found.distinct - 1, found.repeated + 1, 2)
