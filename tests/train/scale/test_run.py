"""The table as its processes tell it: kept at every line, carried on when one of them dies."""

import contextlib
import dataclasses
import json
import threading
import time
from multiprocessing import Pipe

import pytest

from dsocr_jax.bench.device import DeviceSpeed
from dsocr_jax.config import PRESETS
from dsocr_jax.errors import UserError
from tests.train import tiny
from train.bench import works
from train.bench.works import Work
from train.scale import command, reader, run, trainer
from train.scale.line import Check, Line, in_words
from train.scale.options import Begun, Finished, Options, Planned, Refused
from train.scale.reader import Read, ReadJob
from train.scale.reading import compare, line_of

SPEED = DeviceSpeed("none", 1e12, 1e9, "float32")
PLANNED = Planned(Options(preset="nano", dtype="float32"), "cpu", 2, ("a", "b", "c"))
DIED = -9


def told(monkeypatch, *processes: tuple[int, list]) -> list[tuple[str, ...]]:
    """Let processes tell messages and end with a status; return what each was told to pass over."""
    passed, following = [], iter(processes)

    class Process:
        exitcode = None

        def join(self, seconds: float) -> None:
            self.exitcode = self.status

    @contextlib.contextmanager
    def start(options, skip, until):
        passed.append(skip)
        process = Process()
        process.status, messages = next(following)
        yield process, messages

    monkeypatch.setattr(run, "_process", start)
    monkeypatch.setattr(run, "_messages", lambda messages, until: iter(messages))
    return passed


def test_the_file_holds_what_is_known(tmp_path, monkeypatch):
    file = tmp_path / "table.json"
    told(
        monkeypatch,
        (DIED, [PLANNED, SPEED, Begun("a"), Line("a", rate=2.0), Begun("b"), Line("b", error="no room"), Finished()]),
    )
    monkeypatch.setattr(run, "read", lambda *given: None)
    assert run.run(Options(out=file)) == 1  # of b there are no figures, and c was not begun
    said = json.loads(file.read_text())
    rows = [(row["name"], row["rate"], row["error"]) for row in said["rows"]]
    assert rows == [("a", 2.0, ""), ("b", None, "no room")]
    assert said["device"]["name"] == "none" and said["options"]["preset"] == "nano"
    assert [path.name for path in tmp_path.iterdir()] == ["table.json"]


def test_another_process_goes_on_behind_the_line_that_killed_one(monkeypatch):
    first = [PLANNED, SPEED, Begun("a"), Line("a", rate=1.0), Begun("b")]
    passed = told(monkeypatch, (DIED, first), (DIED, [PLANNED, SPEED, Begun("c"), Line("c", rate=1.0), Finished()]))
    table = run.Table(Options())
    assert run.train(Options(), table, None) == ("a", "b", "c")
    assert passed == [(), ("a", "b")]
    assert [(line.name, line.error) for line in table.lines] == [
        ("a", ""), ("b", "its process ended with status -9"), ("c", ""),
    ]  # fmt: skip


def test_a_process_that_dies_before_any_line_is_an_error(monkeypatch):
    told(monkeypatch, (1, [PLANNED]))
    with pytest.raises(UserError, match="before its first line"):
        run.train(Options(), run.Table(Options()), None)


def test_what_the_process_refuses_is_the_users_to_hear(monkeypatch):
    told(monkeypatch, (DIED, [Refused("--devices 9: there are 2 devices")]))
    with pytest.raises(UserError, match="there are 2"):
        run.train(Options(), run.Table(Options()), None)


def test_reading_alone_starts_no_training(monkeypatch):
    told(monkeypatch)
    seen = []
    monkeypatch.setattr(run, "read", lambda options, table, until: seen.append(options.only))
    assert run.run(Options(only=("reading",))) == 0 and seen == [("reading",)]
    monkeypatch.setattr(run, "train", lambda *given: ("text",))
    run.run(Options(only=("text",)))
    assert seen == [("reading",)]


def test_a_line_says_what_is_wrong():
    wrong = Line("a", rate=4.0, devices=2, checks=(Check("loss", 2.0, 1.0, 1e-3),))
    assert in_words(wrong) == "a: 4 tokens/s (2 a device)  NOT EQUAL: loss 2 instead of 1"
    assert not Check("loss", float("nan"), 1.0, 1e-3).agrees
    assert in_words(Line("b", error="gone")) == "b: not measured: gone"


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setitem(PRESETS, "nano", lambda: tiny.MODEL)
    monkeypatch.setitem(works.WORKS, "nano", (Work("text", None, 16, 0, 1),))
    monkeypatch.setattr("dsocr_jax.bench.device.measure_device", lambda side, megabytes, dtype: SPEED)


def test_the_process_tells_each_line_as_it_is_known(small, monkeypatch):
    built, given = [], []

    def build(task, config, devices):
        built.append(task.name)
        return Fake(task)

    def measure(program, speed, steps, alone, most, trace):
        given.append((program.task.name, alone, most))
        return Line(program.task.name), f"alone in {program.task.work.name}" if program.task.devices == 1 else None

    monkeypatch.setattr("train.scale.program.build", build)
    monkeypatch.setattr("train.scale.measure.measure", measure)
    monkeypatch.setattr("train.scale.restart.restart", lambda name, *programs: Line(f"{name}: {programs[:2]}"))
    options = Options(preset="nano", devices=(1, 2), only=("text, 1", "text, f", "check"), together=1)
    planned, speed, *told = trainer.work(dataclasses.replace(options, compile_cache=False))
    assert planned.names == ("text, 1 device", "text, fsdp 2", "checkpoint on 2 devices, continued on 1")
    assert isinstance(speed, DeviceSpeed) and told[::2] == [Begun(name) for name in planned.names]
    assert given == [("text, 1 device", None, 2), ("text, fsdp 2", "alone in text", 2)]
    # The checkpoint takes the programs of the lines before it.
    assert built == ["text, 1 device", "text, fsdp 2"]
    assert told[5].name.endswith("(Fake('text, fsdp 2'), Fake('text, 1 device'))")


class Fake:
    def __init__(self, task):
        self.task = task

    def __repr__(self) -> str:
        return f"Fake({self.task.name!r})"


def test_what_fails_is_a_line_and_the_time_ends_the_table(small, monkeypatch):
    def fail(*given):
        raise RuntimeError("RESOURCE_EXHAUSTED: " + "x" * 1000)

    monkeypatch.setattr("train.scale.program.build", fail)
    options = Options(preset="nano", devices=(1,), only=("text",), compile_cache=False)
    *_, line = trainer.work(options)
    assert line.error.startswith("RuntimeError: RESOURCE_EXHAUSTED") and len(line.error) == trainer.ERROR
    assert len(list(trainer.work(options, until=time.monotonic() - 1))) == 2  # the plan and the device's speed
    assert len(list(trainer.work(options, skip=("text, 1 device",)))) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [(Options(devices=(99,)), "there are 8 devices"), (Options(only=("nothing",)), "no line begins so")],
)
def test_what_there_is_not_is_refused(small, options, message):
    with pytest.raises(UserError, match=message):
        list(trainer.work(options))


def test_reading_alone_and_together_is_compared(tmp_path):
    job = ReadJob("nano", "base", (), 40, 4, 2, False)
    ends, processes = zip(*(Pipe() for _ in range(2)), strict=True)

    def process(connection, seconds):
        connection.send(reader.Ready("cpu", seconds))
        with contextlib.suppress(EOFError):
            for turn in range(2):
                connection.recv()
                connection.send(Read(10, 100.0 * turn, 100.0 * turn + seconds + turn))

    threads = [threading.Thread(target=process, args=(end, 4.0 + i)) for i, end in enumerate(processes)]
    for thread in threads:
        thread.start()
    one, two = compare(job, ends, None)
    for end in ends:
        end.close()
    for thread in threads:
        thread.join()
    assert (one.rate, one.efficiency, one.devices) == (10 / 4, 1.0, 1)
    # The second began its first reading when the first began its second: 100 to 105 and 0 to 5.
    assert two.devices == 2 and two.rate == pytest.approx(20 / 105) and two.compile_s == 5.0


def test_the_slowest_process_counts():
    job = ReadJob("nano", "base", (), 40, 4, 2, False)
    line = line_of(job, [Read(10, 0.0, 4.0), Read(10, 1.0, 6.0)], 1.0, alone=2.0)
    assert line.rate == pytest.approx(20 / 6) and line.efficiency == pytest.approx(20 / 6 / 2 / 2)
    assert line.name == "reading, base pages, 2 devices"


def test_a_process_that_dies_or_fails_is_told():
    job = ReadJob("nano", "base", (), 40, 4, 2, False)
    ours, theirs = Pipe()
    theirs.close()
    with pytest.raises(UserError, match="has died"):
        list(compare(job, [ours], None))
    ours, theirs = Pipe()
    theirs.send("no room")
    with pytest.raises(UserError, match="no room"):
        list(compare(job, [ours], None))
    ours, theirs = Pipe()
    with pytest.raises(UserError, match="time was over"):
        list(compare(job, [ours], time.monotonic()))


def test_a_tiny_model_reads_pages(small, tmp_path):
    from dsocr_jax.bench.pages import make_files

    files = tuple(make_files(tmp_path, 2, (64, 64)))
    job = ReadJob("nano", "tiny", files, 3, 2, 1, False)
    made = reader.make_reader(job)
    assert reader.read_all(made, files, job) == 2
    with pytest.raises(UserError):
        reader.read_all(made, (tmp_path / "none.png",), job)


def test_the_command_line_is_read(monkeypatch):
    seen = []
    monkeypatch.setattr(run, "run", lambda options: seen.append(options) or 0)
    words = ["--only", "text", "reading", "--devices", "1", "4", "--predict", "8", "64", "--links.inside", "300"]
    assert command.door(words) == 0
    assert seen[0].only == ("text", "reading") and seen[0].devices == (1, 4) and seen[0].predict == (8, 64)
    assert seen[0].links.inside == 300
