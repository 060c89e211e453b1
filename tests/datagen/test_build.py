import fcntl
import json
import os
import signal
import threading
from pathlib import Path

import pytest

from datagen import shards
from datagen.build import UNFINISHED, auto_shard_size, balanced, build
from datagen.manifest import SetConfig, plan
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")

CONFIG = SetConfig({"pages": 23}, seed=5, split="all", level="easy", shard_size=10)
LAST = "all-pages-00002-of-00003.array_record"


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path) -> None:
    for workers in (1, 3):
        build(CONFIG, tmp_path / str(workers), workers)
    alone, together = contents(tmp_path / "1"), contents(tmp_path / "3")
    names = [f"all-pages-{index:05d}-of-00003.array_record" for index in range(3)]
    assert sorted(alone) == [*names, "manifest.json"]
    assert alone == together


def test_the_seed_changes_every_shard(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "a", 1)
    build(SetConfig({"pages": 23}, 6, "all", "easy", 10), tmp_path / "b", 1)
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert not [name for name in a if a[name] == b[name]]


def test_a_shard_does_not_depend_on_the_others(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "whole", 1)
    shard = plan({"pages": 23}, "all", 10)[1]
    written = shards.write_shard(tmp_path, shard, CONFIG)
    assert (tmp_path / shard.name).read_bytes() == (tmp_path / "whole" / shard.name).read_bytes()
    assert written.written.sha256 == shards.file_sha256(tmp_path / "whole" / shard.name)


def test_rejections_are_counted(tmp_path: Path) -> None:
    config = SetConfig({"pages": 300}, 0, "all", "easy", 150)
    report = build(config, tmp_path / "set", 2)
    assert set(report.rejected["pages"]) == {"a multiple of five", "label not in its form"}
    assert json.loads((tmp_path / "set" / "manifest.json").read_text())["kinds"]["pages"] == {
        "records": 300,
        "rejected": report.rejected["pages"],
    }


def test_a_finished_set_is_left_alone(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "set", 1)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "set").iterdir()}
    report = build(CONFIG, tmp_path / "set", 2)
    assert (report.kept, report.made) == (23, {})
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "set").iterdir()} == before


def test_a_deleted_shard_is_made_again(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "set", 1)
    before = contents(tmp_path / "set")
    (tmp_path / "set" / LAST).unlink()
    report = build(CONFIG, tmp_path / "set", 1)
    assert (report.kept, report.made, report.changed) == (20, {"pages": 3}, [])
    assert contents(tmp_path / "set") == before


def test_a_truncated_shard_is_made_again(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "set", 1)
    before = contents(tmp_path / "set")
    (tmp_path / "set" / LAST).write_bytes(before[LAST][:1000])
    assert build(CONFIG, tmp_path / "set", 1).made == {"pages": 3}
    assert contents(tmp_path / "set") == before


def test_a_stopped_build_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(CONFIG, tmp_path / "whole", 1)
    make, made = shards.make_sample, []

    def interrupt(*arguments: object, **options: object) -> object:
        made.append(arguments)
        if len(made) == 15:
            os.kill(os.getpid(), signal.SIGINT)
        return make(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(shards, "make_sample", interrupt)
    with pytest.raises(UserError, match="run the same command to continue"):
        build(CONFIG, tmp_path / "set", 1)
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == [
        UNFINISHED,
        "all-pages-00000-of-00003.array_record",
        "manifest.json",
    ]
    monkeypatch.undo()
    assert build(CONFIG, tmp_path / "set", 1).kept == 10
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (SetConfig({"pages": 23}, 6, "all", "easy", 10), "seed is 5 there and 6 here"),
        (SetConfig({"pages": 24}, 5, "all", "easy", 10), "counts"),
        (SetConfig({"pages": 23}, 5, "train", "easy", 10), "split"),
        (SetConfig({"pages": 23}, 5, "all", "standard", 10), "settings"),
    ],
)
def test_another_set_is_not_touched(tmp_path: Path, other: SetConfig, named: str) -> None:
    build(CONFIG, tmp_path / "set", 1)
    before = contents(tmp_path / "set")
    with pytest.raises(UserError, match=named):
        build(other, tmp_path / "set", 1)
    assert contents(tmp_path / "set") == before


def test_other_versions_are_another_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(CONFIG, tmp_path / "set", 1)
    monkeypatch.setattr("datagen.manifest.versions", lambda config: {"numpy": "1.0"})
    with pytest.raises(UserError, match="the version of numpy is"):
        build(CONFIG, tmp_path / "set", 1)


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(UserError, match="is not empty and holds no set"):
        build(CONFIG, tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("")
    with pytest.raises(UserError, match=r"cannot use .*Not a directory"):
        build(CONFIG, tmp_path / "set", 1)


def test_two_builds_do_not_share_a_folder(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(UserError, match="another build is writing"):
        build(CONFIG, tmp_path, 1)
    os.close(handle)


def test_a_crash_of_a_generator_names_the_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CRASH", "1")
    with pytest.raises(RuntimeError, match=r"make_sample\(5, 'pages', 0, 'all', 'easy', .* failed.*the fake crashed"):
        build(CONFIG, tmp_path / "set", 1)


def test_a_build_runs_outside_the_main_thread(tmp_path: Path) -> None:
    thread = threading.Thread(target=build, args=(CONFIG, tmp_path / "set", 1))
    thread.start()
    thread.join()
    assert (tmp_path / "set" / LAST).exists()


def test_balanced_divides_everything() -> None:
    assert balanced(("a", "b", "c"), 8) == {"a": 3, "b": 3, "c": 2}
    assert balanced(("a", "b", "c"), 2) == {"a": 1, "b": 1}


@pytest.mark.parametrize(("count", "size"), [(1, 50), (1600, 100), (10**6, 1000)])
def test_auto_shard_size(count: int, size: int) -> None:
    assert auto_shard_size({"pages": count}) == size
