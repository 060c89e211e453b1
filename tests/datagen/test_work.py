"""The unit of work as any engine calls it, and the loop that hands units out."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from datagen import manifest as manifests
from datagen import shards
from datagen.build import build
from datagen.manifest import SetConfig, plan
from datagen.shards import Stopped
from datagen.work import Job, handed_out, job, make_shard
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")

CONFIG = SetConfig({"pages": 23}, seed=5, split="all", level="easy", shard_size=10)
SHARD = plan({"pages": 23}, "all", 10)[1]


@pytest.fixture
def work(tmp_path: Path) -> Job:
    (tmp_path / "set" / "temporary").mkdir(parents=True)
    return job(CONFIG, tmp_path / "set", tmp_path / "set" / "temporary")


def test_a_shard_has_the_bytes_of_a_build_and_leaves_nothing_else(tmp_path: Path, work: Job) -> None:
    build(CONFIG, tmp_path / "local", 1)
    made = make_shard(work, SHARD)
    assert (work.directory / SHARD.name).read_bytes() == (tmp_path / "local" / SHARD.name).read_bytes()
    assert made.written == manifests.read(tmp_path / "local").written[SHARD.name]
    assert sorted(path.name for path in work.directory.rglob("*")) == [SHARD.name, "temporary"]


def test_a_shard_that_fails_leaves_nothing(work: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CRASH", "1")
    with pytest.raises(RuntimeError, match="the fake crashed"):
        make_shard(work, SHARD)
    assert [path.name for path in work.directory.rglob("*")] == ["temporary"]


def test_a_worker_with_other_versions_makes_nothing(work: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "make_sample", lambda *_, **__: pytest.fail("a sample was made"))
    other = dataclasses.replace(work, versions={**work.versions, "numpy": "0.1"})
    with pytest.raises(UserError, match=r"numpy [\d.]+ instead of 0\.1; install the same versions on every node"):
        make_shard(other, SHARD)


def last_first(handles: Sequence[int]) -> list[int]:
    return [max(handles)]


def test_a_window_of_items_is_out_at_a_time() -> None:
    out: list[int] = []
    most = 0
    for item, handle in handed_out(range(50), lambda item: out.append(item) or item, last_first, lambda: 4, bool):
        assert item == handle
        most = max(most, len(out))
        out.remove(item)
    assert (most, out) == (4, [])


def test_every_item_comes_back_once_while_the_window_changes() -> None:
    sizes = iter([1, 5, 0, 2] * 20)
    came = [item for item, _ in handed_out(range(30), lambda item: item, last_first, lambda: next(sizes), bool)]
    assert sorted(came) == list(range(30))


def test_stop_ends_the_loop() -> None:
    with pytest.raises(Stopped):
        list(handed_out(range(3), lambda item: item, last_first, lambda: 1, lambda: True))
