"""The command behind ``make parity-full``: weights are there while it compares, and gone after it."""

import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.weights import folders
from dsocr_jax.weights.checkpoint import read_config
from dsocr_jax.weights.released import open_released
from tests.dsocr_jax.parity import full


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are started; they miss in bfloat16, and all need weights that are whole."""
    commands: list[list[str]] = []

    def run(command: list[str], check: bool) -> subprocess.CompletedProcess:
        folder = Path(command[command.index("--weights") + 1])
        open_released(folder, read_config(folder))
        commands.append(command)
        return subprocess.CompletedProcess(command, int("bfloat16" in command))

    monkeypatch.setattr(full.subprocess, "run", run)
    return commands


@pytest.mark.parametrize("keep", [False, True])
def test_weights_are_removed_unless_they_are_to_be_kept(tmp_path: Path, compared: list, keep: bool) -> None:
    settings = full.Settings(tmp_path / "weights", keep=keep, config="tiny", dtypes=("float32",))
    assert full.main(settings) == 0
    assert (tmp_path / "weights").exists() == keep
    assert len(compared) == 1


def test_weights_that_are_there_are_used_and_stay(tmp_path: Path, compared: list) -> None:
    full.write(tmp_path / "weights", full.weights.CONFIGS["tiny"])
    before = (tmp_path / "weights" / full.weights.SHARD).stat().st_mtime_ns
    assert full.main(full.Settings(tmp_path / "weights", dtypes=("float32",))) == 0
    assert (tmp_path / "weights" / full.weights.SHARD).stat().st_mtime_ns == before


def test_one_miss_is_a_miss_and_does_not_stop_the_rest(tmp_path: Path, compared: list) -> None:
    settings = full.Settings(tmp_path / "weights", config="tiny", dtypes=("bfloat16", "float32"))
    assert full.main(settings) == 1
    assert len(compared) == 2
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize(("only", "updated"), [("*", True), ("encoder*", False)])
def test_a_part_does_not_take_the_place_of_the_whole(tmp_path: Path, compared: list, only: str, updated: bool) -> None:
    settings = full.Settings(tmp_path / "weights", only=only, update=tmp_path / "doc.md", config="tiny")
    full.main(settings)
    assert [("--update" in command) for command in compared] == [updated, updated]


def test_a_disk_without_room_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compared: list) -> None:
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda _: namedtuple("usage", "free")(5_000_000_000))
    with pytest.raises(UserError, match=r"needs 7\.01 GB and the disk has 5\.00 GB left; make room"):
        full.main(full.Settings(tmp_path / "weights"))
    assert not compared and not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, compared: list) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="holds no model"):
        full.main(full.Settings(tmp_path))
    assert (tmp_path / "mine.txt").read_text() == "mine" and not compared
