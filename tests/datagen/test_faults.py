"""Whatever happens to a build: nothing is lost, nothing is made twice, the bytes are those of an undisturbed run."""

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from building import CONFIG, contents, start

from datagen import shards
from datagen.build import UNFINISHED, build
from datagen.manifest import plan
from datagen.notes import read_notes
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the set, from a build that nothing happened to."""
    target = tmp_path_factory.mktemp("undisturbed") / "set"
    _, errors = (process := start(target, workers=1)).communicate()
    assert process.returncode == 0, errors
    return contents(target)


def wait_until(true: Callable[[], bool], process: "subprocess.Popen[str] | None" = None) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline and (process is None or process.poll() is None), "it does not come"
        time.sleep(0.01)


def made(target: Path) -> int:
    return len(list(target.glob("*.array_record")))


def test_killed_workers_are_replaced(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    (tmp_path / "tokens").mkdir()
    for name in "ab":
        (tmp_path / "tokens" / name).touch()
    _, errors = (process := start(tmp_path / "set", FAKE_DEATHS=tmp_path / "tokens")).communicate()
    assert process.returncode == 0, errors
    assert not list((tmp_path / "tokens").iterdir())  # two processes did die
    assert contents(tmp_path / "set") == undisturbed


def test_workers_that_die_again_and_again_end_the_build(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    _, errors = (process := start(tmp_path / "set", FAKE_EXIT=1)).communicate()
    assert process.returncode == 1
    assert "error: worker processes died 3 times in a row, before all-pages-00000-of-00020" in errors
    build(CONFIG, tmp_path / "set", 1)
    assert contents(tmp_path / "set") == undisturbed


def test_a_build_that_is_killed_again_and_again_gets_there(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    dice = random.Random(0)
    target = tmp_path / "set"
    for _ in range(3):
        process = start(target, FAKE_SECONDS=0.01)
        before = made(target)
        wait_until(lambda before=before: made(target) >= before + 2, process)  # type: ignore[misc]
        time.sleep(dice.uniform(0, 0.3))
        process.kill()
        process.communicate()  # ends only when the workers, which hold the pipe too, have ended
    noted = read_notes(target / UNFINISHED)
    assert 6 - 3 * 2 <= len(noted) < 20
    stamps = {name: (target / name).stat().st_mtime_ns for name in noted}
    report = build(CONFIG, target, 2)
    assert report.kept == 20 * len(noted)
    assert {name: (target / name).stat().st_mtime_ns for name in noted} == stamps  # not made twice
    assert contents(target) == undisturbed


def test_sigterm_ends_workers_and_keeps_what_is_finished(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    target = tmp_path / "set"
    process = start(target, FAKE_SECONDS=0.02)
    wait_until(lambda: made(target) >= 4, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.strip().splitlines()[-1].startswith("error: stopped; the finished shards in")
    assert not list(target.rglob("*.partial"))
    finished = made(target)
    # Each of the two workers may have finished one shard that was not noted before the signal: that is made again.
    assert build(CONFIG, target, 1).kept in range(20 * (finished - 2), 20 * finished + 1, 20)
    assert contents(target) == undisturbed


def test_a_note_cut_off_by_a_kill_is_no_note(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    target = tmp_path / "set"
    process = start(target, workers=1, FAKE_SECONDS=0.005)
    wait_until(lambda: made(target) >= 3, process)
    process.kill()
    process.communicate()
    noted = len(read_notes(target / UNFINISHED))
    (file,) = (target / UNFINISHED).glob("notes-*.jsonl")
    file.write_bytes(file.read_bytes()[:-30])
    assert build(CONFIG, target, 1).kept == 20 * (noted - 1)
    assert contents(target) == undisturbed


def test_files_that_may_not_grow_are_one_clear_line(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    target = tmp_path / "set"
    for workers in (1, 2):
        _, errors = (process := start(target, workers, limit=3000)).communicate()
        assert process.returncode == 1
        assert errors.strip().splitlines()[-1].startswith(f"error: cannot write the set in {target}: ")
        assert "File too large" in errors and "run the same command to continue" in errors
        assert "Traceback" not in errors
    assert not list(target.rglob("*.partial")) and not made(target)
    build(CONFIG, target, 1)
    assert contents(target) == undisturbed


def test_a_full_device_leaves_no_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "partial").symlink_to("/dev/full")
    monkeypatch.setattr(shards, "_partial", lambda folder, shard: tmp_path / "partial")
    with pytest.raises(UserError, match="the device is full; make room and run the same command to continue"):
        build(CONFIG, tmp_path / "set", 1)
    assert not made(tmp_path / "set")


def test_a_device_too_full_for_notes_ends_the_build(
    tmp_path: Path, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(stream: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("datagen.notes._settle", full)
        with pytest.raises(UserError, match="the device is full"):
            build(CONFIG, tmp_path / "set", 1)
    build(CONFIG, tmp_path / "set", 1)
    assert contents(tmp_path / "set") == undisturbed


def test_a_folder_that_may_not_be_written_is_one_clear_line() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        Path(name).chmod(0o755)
        target = Path(name) / "set"
        target.mkdir(mode=0o555)
        user = 0 if os.geteuid() else 65534  # root may write anywhere
        _, errors = (process := start(target, workers=1, user=user)).communicate()
        assert process.returncode == 1
        assert f"error: cannot write the set in {target}: Permission denied" in errors
        assert "Traceback" not in errors
        assert not list(target.iterdir())


def test_a_finished_set_that_may_not_be_written_is_complete_already(undisturbed: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        target = Path(name) / "set"
        build(CONFIG, target, 1)
        target.chmod(0o555)
        user = 0 if os.geteuid() else 65534
        _, errors = (process := start(target, workers=1, user=user)).communicate()
        assert process.returncode == 0, errors
        target.chmod(0o755)
        assert contents(target) == undisturbed


def test_a_shard_is_under_its_name_only_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = plan(CONFIG.counts, "all", CONFIG.shard_size)[0]
    seen = []
    monkeypatch.setattr(os, "fsync", lambda handle: seen.append((tmp_path / shard.name).exists()))
    shards.write_shard(tmp_path, shard, CONFIG)
    assert seen == [False]
