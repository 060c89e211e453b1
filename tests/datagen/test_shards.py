import json
import pickle
from pathlib import Path

import pytest

from datagen import shards
from datagen.build import build
from datagen.manifest import SetConfig
from datagen.sample import make_sample
from datagen.shards import SampleSet
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")

LAST = "all-pages-00002-of-00003.array_record"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    build(SetConfig({"pages": 23}, 5, "all", "easy", 10), tmp_path / "set", 1)
    return tmp_path / "set"


def test_samples_come_in_order(directory: Path) -> None:
    samples = SampleSet.open(directory)
    assert len(samples) == 23
    assert [record.id for record in samples] == list(range(23))


def test_a_record_is_the_sample_of_its_index(directory: Path) -> None:
    record = SampleSet.open(directory)[17]
    made = make_sample(5, "pages", 17, "all", "easy")
    assert (record.label, record.meta) == (made.label, made.meta)
    assert (record.array() == made.image).all()


def test_indices_count_from_either_end(directory: Path) -> None:
    samples = SampleSet.open(directory)
    assert samples[-1].id == 22
    for index in (23, -24):
        with pytest.raises(IndexError):
            samples[index]


def test_paths_and_indices_by_kind(directory: Path) -> None:
    samples = SampleSet.open(directory)
    assert [Path(path).name for path in samples.paths("pages")][-1] == LAST
    assert (samples.kinds, samples.indices("pages")) == (("pages",), range(23))


def test_an_absent_kind_is_refused(directory: Path) -> None:
    with pytest.raises(UserError, match="has no 'charts'; it has pages"):
        SampleSet.open(directory).paths("charts")


def test_a_set_travels_to_other_processes(directory: Path) -> None:
    samples = SampleSet.open(directory)
    first = samples[0]
    assert pickle.loads(pickle.dumps(samples))[0] == first


def test_few_readers_stay_open(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAX_OPEN", 1)
    samples = SampleSet.open(directory)
    assert [samples[index].id for index in (0, 22, 5, 12)] == [0, 22, 5, 12]
    assert len(samples._readers) == 1


def test_no_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no set"):
        SampleSet.open(tmp_path)


def test_an_unfinished_set_is_refused(directory: Path) -> None:
    file = directory / "manifest.json"
    file.write_text(file.read_text().replace('"complete": true', '"complete": false'))
    with pytest.raises(UserError, match="unfinished; run the same `dsocr-data build`"):
        SampleSet.open(directory)


def test_a_missing_shard_is_named(directory: Path) -> None:
    (directory / LAST).unlink()
    with pytest.raises(UserError, match=f"{LAST} is missing; .*dsocr-data build"):
        SampleSet.open(directory)


def test_a_truncated_shard_is_named(directory: Path) -> None:
    (directory / LAST).write_bytes((directory / LAST).read_bytes()[:-1])
    with pytest.raises(UserError, match=f"{LAST} is truncated .*delete .*dsocr-data build"):
        SampleSet.open(directory)


def test_a_shard_truncated_after_opening_is_named(directory: Path) -> None:
    samples = SampleSet.open(directory)
    (directory / LAST).write_bytes((directory / LAST).read_bytes()[:500])
    with pytest.raises(UserError, match=f"{LAST} is truncated or damaged .*delete"):
        samples[22]


def test_a_damaged_record_is_named(directory: Path) -> None:
    data = bytearray((directory / LAST).read_bytes())
    samples = SampleSet.open(directory)
    place = data.index(samples[21].label.encode())
    data[place] ^= 0xFF
    (directory / LAST).write_bytes(data)
    with pytest.raises(UserError, match=f"record 1 of the shard .*{LAST} is damaged .*delete"):
        SampleSet.open(directory)[21]


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"config_hash": "0" * 64},
        {"shards": []},
        {"shards": [{"name": "../../etc/passwd", "bytes": 1, "sha256": "0" * 64, "rejected": {}}]},
        {"config": None},
    ],
)
def test_a_strange_manifest_is_refused(directory: Path, change: dict[str, object]) -> None:
    file = directory / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(UserError, match="is not the manifest of a set"):
        SampleSet.open(directory)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "[" * 100_000])
def test_other_json_is_refused(directory: Path, text: str) -> None:
    (directory / "manifest.json").write_text(text)
    with pytest.raises(UserError, match="is not the manifest of a set"):
        SampleSet.open(directory)
