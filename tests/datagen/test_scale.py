"""Ten thousand shards: whatever looks at all of them must not look at all of them for each of them."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from datagen import build as builds
from datagen import manifest as manifests
from datagen.build import UNFINISHED, Share, build
from datagen.card.statistics import Statistics
from datagen.manifest import Manifest, SetConfig, Written
from datagen.notes import Journal
from datagen.shards import Made, SampleSet
from datagen.work import handed_out

pytestmark = pytest.mark.usefixtures("fake")

SHARDS = 10_000
CONFIG = SetConfig({"pages": 5 * SHARDS}, 0, "all", "easy", 5)

#: Each step takes well under two seconds; what is quadratic takes minutes.
SECONDS = 20.0


@contextlib.contextmanager
def quickly() -> Iterator[None]:
    start = time.process_time()
    yield
    assert time.process_time() - start < SECONDS


def finished(shard: manifests.Shard) -> Written:
    return Written(shard.name, 4, "0" * 64, {"no room": 1})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A set whose files are all there, and four bytes long."""
    for shard in manifests.plan(CONFIG.counts, "all", 5):
        (tmp_path / shard.name).write_bytes(b"fake")
    return tmp_path


def test_a_manifest_is_written_and_read_quickly(directory: Path) -> None:
    with quickly():
        started = manifests.started(CONFIG)
        written = {shard.name: finished(shard) for shard in started.shards()}
        whole = Manifest(started.config, started.generator_version, started.versions, True, written)
        manifests.write_text(directory / manifests.FILE, manifests.dump(whole))
        assert len(SampleSet.open(directory)) == 5 * SHARDS


def test_a_build_of_noted_shards_is_resumed_quickly(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = manifests.started(CONFIG)
    manifests.write_text(directory / manifests.FILE, manifests.dump(started))
    (directory / UNFINISHED).mkdir()
    monkeypatch.setattr("datagen.notes._settle", lambda stream: stream.flush())
    with quickly(), contextlib.closing(Journal(directory / UNFINISHED)) as journal:
        for shard in started.shards():
            journal.add(Made(finished(shard), Statistics(), b"", 0.0))
    monkeypatch.setattr(builds, "_make", lambda *_: pytest.fail("a shard was made"))
    with quickly():
        assert build(CONFIG, directory, 1, share=Share(3, 10)).kept == SHARDS // 2
        assert build(CONFIG, directory, 1).kept == 5 * SHARDS
    assert manifests.read(directory).complete


def test_shards_are_handed_out_quickly() -> None:
    with quickly():
        items = handed_out(range(SHARDS), lambda item: item, lambda handles: handles[:1], lambda: 64, lambda: False)
        assert sum(1 for _ in items) == SHARDS
