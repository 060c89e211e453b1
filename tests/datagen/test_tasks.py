"""Tasks of a batch queue: any number on one folder, in any order, killed and repeated."""

import time
from pathlib import Path

import pytest
from building import CONFIG, contents, start

from datagen.build import UNFINISHED, Share, build
from datagen.cli import app
from datagen.finish import finish
from datagen.manifest import plan
from datagen.notes import read_notes
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")

SHARDS = plan(CONFIG.counts, CONFIG.split, CONFIG.shard_size)


@pytest.mark.parametrize("count", [1, 3, 7, 20, 33])
def test_tasks_share_all_shards_and_none_twice(count: int) -> None:
    shares = [Share(index, count).of(SHARDS) for index in range(count)]
    assert sorted(shard.name for share in shares for shard in share) == [shard.name for shard in SHARDS]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_in_any_order_make_the_set_of_one_build(tmp_path: Path, workers: int) -> None:
    build(CONFIG, tmp_path / "whole", 1)
    reports = [build(CONFIG, tmp_path / "set", workers, share=Share(index, 3)) for index in (2, 0, 1)]
    assert [report.left for report in reports] == [14, 7, 0]
    assert finish(tmp_path / "set", 2, card=False) == 400
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")


def test_tasks_run_at_once_and_may_be_killed(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "whole", 1)
    target = tmp_path / "set"
    tasks = [start(target, 1, share=(index, 3), FAKE_SECONDS=0.003) for index in range(3)]
    while len(read_notes(target / UNFINISHED)) < 4:
        assert any(task.poll() is None for task in tasks), "no shards appeared"
        time.sleep(0.01)
    tasks[1].kill()
    errors = [task.communicate()[1] for task in tasks]
    assert [task.returncode for task in tasks] == [0, -9, 0], errors
    with pytest.raises(UserError, match=r"of 20 shards of .* are not made yet: all-pages-000.*Run the tasks"):
        finish(target, 1)
    build(CONFIG, target, 1, share=Share(1, 3))
    assert finish(target, 1, card=False) == 400
    assert contents(target) == contents(tmp_path / "whole")


def test_a_build_without_task_finishes_what_tasks_left(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "whole", 1)
    build(CONFIG, tmp_path / "set", 1, share=Share(0, 4))
    assert build(CONFIG, tmp_path / "set", 1).kept == 100
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")


def test_a_task_that_is_done_makes_nothing_again(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "set", 1, share=Share(0, 4))
    report = build(CONFIG, tmp_path / "set", 1, share=Share(0, 4))
    assert (report.made, report.kept, report.left) == ({}, 100, 15)


def test_another_number_of_tasks_keeps_what_is_there(tmp_path: Path) -> None:
    build(CONFIG, tmp_path / "set", 1, share=Share(0, 4))
    report = build(CONFIG, tmp_path / "set", 1, share=Share(0, 2))
    assert (report.made, report.kept) == ({"pages": 100}, 100)


def test_one_task_does_not_run_twice_and_none_beside_a_build(tmp_path: Path) -> None:
    process = start(tmp_path / "set", 1, share=(0, 2), FAKE_SECONDS=0.01)
    while not read_notes(tmp_path / "set" / UNFINISHED):
        assert process.poll() is None
        time.sleep(0.01)
    with pytest.raises(UserError, match=r"task 0 is making its share of .* already; wait for it"):
        build(CONFIG, tmp_path / "set", 1, share=Share(0, 2))
    with pytest.raises(UserError, match="another build is writing"):
        build(CONFIG, tmp_path / "set", 1)
    with pytest.raises(UserError, match="tasks are still writing to"):
        finish(tmp_path / "set", 1)
    process.kill()
    process.communicate()


def test_finish_finds_a_shard_that_is_not_as_it_was_written(tmp_path: Path) -> None:
    for index in range(2):
        build(CONFIG, tmp_path / "set", 1, share=Share(index, 2))
    file = tmp_path / "set" / SHARDS[3].name
    data = bytearray(file.read_bytes())
    data[500] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match=f"1 of 20 shards .*: {SHARDS[3].name}. Delete them and run the same"):
        finish(tmp_path / "set", 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--task-index", "0"), "--task-index and --task-count go together"),
        (("--task-count", "3"), "--task-index and --task-count go together"),
        (("--task-index", "3", "--task-count", "3"), "must be below --task-count: 0 to 2, not 3"),
        (("--task-index", "-1", "--task-count", "3"), "--task-index must be at least 0"),
        (("--task-index", "0", "--task-count", "0"), "--task-count must be at least 1"),
    ],
)
def test_bad_tasks_are_refused(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError) as caught:
        app.cli(prog="dsocr-data", args=["build", "--count", "9", "--out", str(tmp_path / "set"), *options])
    assert message in str(caught.value)
    assert not (tmp_path / "set").exists()


def test_the_command_says_what_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["build", "--count", "200", "--out", str(tmp_path / "set"), "--workers", "1", "--task-count", "2"]
    app.cli(prog="dsocr-data", args=[*words, "--degradation", "none", "--task-index", "0"])
    assert "2 shards are left to other tasks; when all have ended: dsocr-data finish" in capsys.readouterr().err
    app.cli(prog="dsocr-data", args=[*words, "--degradation", "none", "--task-index", "1"])
    app.cli(prog="dsocr-data", args=["finish", str(tmp_path / "set"), "--no-card"])
    assert "is complete: 200 samples" in capsys.readouterr().err
