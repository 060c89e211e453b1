"""A batch reading from sources to summary, by workers without processes: what is kept, gone on with, refused."""

import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dsocr_jax.cli import app
from dsocr_jax.errors import UserError
from dsocr_jax.reading.asking import ReadOptions
from dsocr_jax.reading.cluster import run as running
from dsocr_jax.reading.cluster.lines import Tally
from dsocr_jax.reading.cluster.merge import merge
from dsocr_jax.reading.cluster.plan import Shard
from dsocr_jax.reading.cluster.run import ClusterOptions, ClusterSummary
from tests.dsocr_jax.reading import small
from tests.dsocr_jax.reading.cluster_parts import HereCrew, lines, places, shard_reader, write_inputs, write_model

#: 3 pictures, a PDF of 4 pages and a TIFF of 2, and what cannot be read.
PLACES = [
    ("broken.png", None),
    *(("document.pdf", number) for number in range(1, 5)),
    *((f"picture{number}.png", None) for number in range(3)),
    ("scan.tiff", 1),
    ("scan.tiff", 2),
]
READING = ReadOptions("tiny")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


class Here:
    """Runs readings by workers without processes, and notes which shards they read."""

    def __init__(self, model: Path, folder: Path):
        self.model, self.folder = model, folder
        self.inputs = write_inputs(folder / "in", pictures=3)
        self.out = folder / "out"
        self.read: list[int] = []
        self.harm: Callable[[int, Shard], None] = lambda worker, shard: None

    def crew(self, out: Path) -> HereCrew:
        reader = shard_reader(out)

        def read(worker: int, shard: Shard) -> Tally:
            self.harm(worker, shard)
            self.read.append(shard.number)
            return reader.read(shard)

        return HereCrew(read)

    def __call__(self, *sources: object, reading: ReadOptions = READING, **options: Any) -> ClusterSummary:
        named = [str(source) for source in sources] or [self.inputs]
        stop = options.pop("stop", lambda: False)
        cluster = ClusterOptions(**{"shard_pages": 3, "retries": 1, **options})
        return running.run(named, self.model, self.out, reading, cluster=cluster, stop=stop)


@pytest.fixture
def here(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    made = Here(model, tmp_path)

    @contextlib.contextmanager
    def crew(ray: Any, job: Any, cluster: Any, folder: Any, shards: int) -> Iterator[tuple[HereCrew, int]]:
        yield made.crew(job.folder), min(cluster.actors or 1, shards)

    monkeypatch.setattr(running, "_crew", crew)
    return made


def test_every_page_has_its_line_in_order(here: Here) -> None:
    summary = here()
    assert places(here.out) == PLACES
    assert [line["error"] is None for line in lines(here.out)] == [False, *[True] * 9]
    assert len({line["text"] for line in lines(here.out)}) == 10
    assert summary.total == Tally(pages=10, failed=1, answer_tokens=18, vision_tokens=36)
    assert (summary.before, summary.shards, summary.failed_shards, summary.stopped) == (0, 4, {}, False)
    assert json.loads((here.out / "summary.json").read_text())["total"]["pages"] == 10
    assert sorted(path.name for path in here.out.iterdir()) == [".lock", "plan.jsonl", "shards", "summary.json"]


def test_the_same_again_reads_nothing(here: Here) -> None:
    first = here()
    here.read.clear()
    summary = here()
    assert here.read == []
    assert (summary.total, summary.before, summary.pages_per_second) == (first.total, 10, 0.0)


def test_a_stopped_reading_goes_on_with_what_is_missing(here: Here) -> None:
    assert here(stop=lambda: len(here.read) >= 2, at_once=1).stopped
    (here.out / "shards" / ".00003-of-00004.jsonl.gone-1-ff.partial").write_bytes(b"half")
    begun = list(here.read)
    assert len(begun) == 2
    here.read.clear()
    summary = here()
    assert sorted(begun + here.read) == [0, 1, 2, 3]
    assert summary.before == 6 and not summary.stopped
    assert places(here.out) == PLACES


def test_a_broken_shard_is_read_again(here: Here) -> None:
    here()
    file = here.out / "shards" / "00001-of-00004.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    here.read.clear()
    here()
    assert here.read == [1]
    assert file.read_bytes() == whole


def test_a_shard_given_up_is_named_and_tried_by_the_next_run(here: Here) -> None:
    def harm(worker: int, shard: Shard) -> None:
        if shard.number == 1:
            raise RuntimeError("out of memory")

    here.harm = harm
    summary = here(actors=2)
    assert summary.failed_shards == {"00001-of-00004.jsonl": "out of memory"}
    assert summary.total.pages == 7
    with pytest.raises(UserError, match="1 of 4 shards are missing"):
        merge(here.out)
    here.harm = lambda worker, shard: None
    assert here().failed_shards == {}
    assert places(here.out) == PLACES


def test_workers_that_die_cost_nothing(here: Here) -> None:
    died: list[int] = []

    def harm(worker: int, shard: Shard) -> None:
        if len(died) < 2 and shard.number != 0 and shard.number not in died:
            died.append(shard.number)
            raise RuntimeError("killed")

    here.harm = harm
    assert here(actors=2, retries=3).failed_shards == {}
    assert len(died) == 2 and sorted(here.read) == [0, 1, 2, 3]
    assert places(here.out) == PLACES


def test_failed_pages_are_tried_again_when_asked(here: Here) -> None:
    hidden = here.inputs.with_name("away")
    here()
    here.read.clear()
    assert here().total.failed == 1 and here.read == []
    picture = here.inputs / "picture0.png"
    picture.rename(hidden)
    (here.out / "shards" / "00001-of-00004.jsonl").unlink()
    assert here(keep_plan=True).total.failed == 2
    hidden.rename(picture)
    here.read.clear()
    assert here(retry_failed=True).total.failed == 1
    assert here.read == [0, 1]
    assert places(here.out) == PLACES


def change(here: Here) -> None:
    small.picture(50, 10, 10).save(here.inputs / "picture1.png")


CHANGES: dict[str, tuple[Callable[[Here], object], str]] = {
    "another content": (change, r"picture1\.png has changed \([\d,]+ bytes then, [\d,]+ now\)"),
    "a new file": (lambda here: small.picture(9).save(here.inputs / "more.png"), r"more\.png is new"),
    "a file less": (lambda here: (here.inputs / "picture1.png").unlink(), r"picture1\.png is gone"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_input_is_refused_and_what_is_there_kept(here: Here, name: str) -> None:
    alter, said = CHANGES[name]
    here(stop=lambda: len(here.read) >= 1, at_once=1)
    before = lines(here.out)
    alter(here)
    with pytest.raises(UserError, match=f"the sources are not those of the plan in .*{said}.*--keep-plan"):
        here()
    assert lines(here.out) == before


def test_a_plan_may_be_kept_though_the_input_changed(here: Here) -> None:
    here(stop=lambda: len(here.read) >= 1, at_once=1)
    change(here)
    (here.inputs / "picture2.png").unlink()
    small.picture(9).save(here.inputs / "more.png")
    assert here(keep_plan=True).total.failed == 3
    assert places(here.out) == PLACES
    said = {Path(line["source"]).name: line["error"] for line in lines(here.out) if line["error"]}
    assert "changed since the plan" in said["picture1.png"] and "cannot be opened" in said["picture2.png"]


def test_another_reading_is_refused(here: Here) -> None:
    here()
    with pytest.raises(UserError, match=r'holds another reading: mode is "tiny" there and "base" here; shard_pages'):
        here(reading=ReadOptions("base"), shard_pages=4)
    here(reading=ReadOptions("tiny", rows=3, threads=1))  # speed alone


def test_another_model_is_refused(here: Here) -> None:
    here()
    config = here.model / "config.json"
    os.utime(config, ns=(7, 7))
    with pytest.raises(UserError, match="the model's files is"):
        here()


def test_two_runs_on_one_folder_are_refused(here: Here) -> None:
    here.out.mkdir()
    with (here.out / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another run is reading into"):
            here()
    assert here().total.pages == 10


def test_a_folder_with_something_else_is_left_alone(here: Here) -> None:
    here.out.mkdir()
    (here.out / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds other files \(thesis\.txt is there\)"):
        here()
    assert [path.name for path in here.out.iterdir()] == ["thesis.txt"]


def test_no_readable_source_at_all_is_an_error(here: Here) -> None:
    with pytest.raises(UserError, match=r"missing\.png: no such file"):
        here(here.folder / "missing.png")
    assert not (here.out / "plan.jsonl").exists()


def test_a_source_that_is_missing_beside_others_is_a_failure_in_the_answers(here: Here) -> None:
    summary = here(here.folder / "missing.png", here.inputs / "picture0.png")
    assert summary.total.failed == 1
    assert places(here.out) == [("missing.png", None), ("picture0.png", None)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shard_pages": 0}, "--shard-pages must be at least 1"),
        ({"actors": 0}, "--actors must be at least 1"),
        ({"retries": -1}, "--retries must be at least 0"),
        ({"gpus_per_actor": 2}, "--gpus-per-actor must be between 0 and 1"),
        ({"gpus_per_actor": float("nan")}, "--gpus-per-actor must be between 0 and 1"),
        ({"engine": "slurm"}, "--engine must be ray or local"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        ClusterOptions(**options)


def test_what_cannot_be_asked_is_refused_before_anything_is_touched(here: Here) -> None:
    with pytest.raises(UserError, match="mode"):
        here(reading=ReadOptions("enormous"))
    assert not here.out.exists()


def test_merging_keeps_the_order(here: Here) -> None:
    here()
    file = merge(here.out)
    assert [json.loads(line) for line in file.read_bytes().splitlines()] == lines(here.out)
    assert merge(here.out, here.folder / "all.jsonl").read_bytes() == file.read_bytes()
    here()  # the merged file is no stranger


def test_merging_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no batch reading"):
        merge(tmp_path)


def test_the_command_reports_by_its_status(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["read-cluster", str(here.inputs), "--checkpoint", str(here.model), "--out", str(here.out), "--merge"]
    assert app.cli(prog="dsocr", args=words) == 1  # one page was not read
    said = capsys.readouterr().err
    assert "pages/s" in said and "pages not read" in said and "pages.jsonl" in said
    assert len((here.out / "pages.jsonl").read_bytes().splitlines()) == 10
    good = ["read-cluster", str(here.inputs / "scan.tiff"), "--checkpoint", str(here.model), "--out"]
    assert app.cli(prog="dsocr", args=[*good, str(here.folder / "good")]) == 0


def test_a_signal_stops_the_command(here: Here, capsys: pytest.CaptureFixture[str]) -> None:
    here.harm = lambda worker, shard: os.kill(os.getpid(), signal.SIGTERM)
    words = ["read-cluster", str(here.inputs), "--checkpoint", str(here.model), "--out", str(here.out)]
    assert app.cli(prog="dsocr", args=[*words, "--shard-pages", "3", "--at-once", "1"]) == 130
    assert "the same command goes on" in capsys.readouterr().err
    assert len(here.read) == 1 and len(lines(here.out)) == 3


def test_without_ray_the_extra_is_named_and_nothing_is_touched(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # what makes Python say that there is no such module
    with pytest.raises(UserError, match=r"--engine ray needs Ray: pip install 'dsocr-jax\[cluster\]'"):
        here(engine="ray")
    assert not here.out.exists()
