"""What the Ray engine does on its own side of Ray: Ray itself is not needed here."""

import sys
from pathlib import Path

import pytest

from datagen import families, ray_pool, shards
from datagen import manifest as manifests
from datagen.build import UNFINISHED, build
from datagen.cli import app
from datagen.manifest import SetConfig, plan
from datagen.sample import GENERATOR_VERSION
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")

CONFIG = SetConfig({"pages": 23}, seed=5, split="all", level="easy", shard_size=10)


def versions(**changes: str) -> dict[str, str]:
    return {"generator": str(GENERATOR_VERSION), **manifests.versions(), **changes}


def test_without_ray_the_extra_is_named_and_nothing_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # what makes Python say that there is no such module
    words = ["build", "--count", "3", "--family", "pages", "--engine", "ray", "--out", str(tmp_path / "set")]
    with pytest.raises(UserError) as caught:
        app.cli(prog="dsocr-data", args=words)
    assert str(caught.value) == "--engine ray needs Ray: pip install 'dsocr-jax[cluster]'"
    assert not (tmp_path / "set").exists()


def test_a_task_writes_the_bytes_of_the_local_engine_and_nothing_else(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "local", 1)
    target = tmp_path / "ray"
    (target / UNFINISHED).mkdir(parents=True)
    shard = plan({"pages": 23}, "all", 10)[1]
    written, _ = ray_pool.make_shard(target, shard, CONFIG, versions(), dict(families.MODULES))
    assert (target / shard.name).read_bytes() == (tmp_path / "local" / shard.name).read_bytes()
    assert written == manifests.read(tmp_path / "local").written[shard.name]
    assert sorted(path.name for path in target.rglob("*")) == [UNFINISHED, shard.name]


def test_a_task_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / UNFINISHED).mkdir()
    monkeypatch.setenv("FAKE_CRASH", "1")
    with pytest.raises(RuntimeError, match="the fake crashed"):
        ray_pool.make_shard(tmp_path, plan({"pages": 23}, "all", 10)[0], CONFIG, versions(), dict(families.MODULES))
    assert [path.name for path in tmp_path.rglob("*")] == [UNFINISHED]


def test_a_node_with_other_versions_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "make_sample", lambda *_, **__: pytest.fail("a sample was made"))
    shard = plan({"pages": 23}, "all", 10)[0]
    with pytest.raises(UserError, match=r"numpy [\d.]+ instead of 0\.1; install the same versions on every node"):
        ray_pool.make_shard(tmp_path, shard, CONFIG, versions(numpy="0.1"), dict(families.MODULES))


def test_a_folder_that_is_not_shared_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_pool, "_SEEN_WITHIN", 0)
    with pytest.raises(UserError, match=r"does not appear in .*; build in a folder that all nodes share"):
        ray_pool._await_file(tmp_path / "a.array_record", 5, lambda: False)
