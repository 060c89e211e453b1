"""Stretches: pieces of one run that know of each other by a folder alone."""

import dataclasses
import itertools
import json
from pathlib import Path

import pytest

from dsocr_jax.errors import UserError
from tests.train import tiny
from train.compact import read_meta, read_state
from train.config import OptimizerConfig, TrainConfig
from train.curriculum import Rung, climbing
from train.data import Feed
from train.step import place_batch
from train.stretch import Options, even_workers, stretch
from train.stretch_log import Log

PAGES = "live:middle:pages pages.words=[1,1] pages.width=[64,64] pages.size=[12,16]"
CONFIG = "from tests.train.test_stretch import made as _made\nconfig = _made({folder!r}, {every})\n"


def made(folder: str, every: int, optimizer: str = "adamw"):
    """A tiny model on two rungs, the first of which is always left at once."""
    model = dataclasses.replace(tiny.MODEL, grey=True)
    rung = Rung("one", (PAGES,), {"pages": 1}, ("tiny",), 64, 8, 2, until=100.0)
    base = TrainConfig(
        model=model,
        tokenizer=tiny.write_tokenizer(Path(folder)),
        steps=1000,
        optimizer=OptimizerConfig(name=optimizer, peak_lr=1e-3, schedule="constant", warmup=2),
        log_every=every,
        tensorboard=False,
    )
    return climbing(base, (rung, dataclasses.replace(rung, name="two", until=None)))


@pytest.fixture
def config(tmp_path) -> Path:
    file = tmp_path / "config.py"
    file.write_text(CONFIG.format(folder=str(tmp_path / "tokenizer"), every=1))
    return file


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_stretch_climbs_and_the_next_goes_on_behind_it(config, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    stretch(Options(config, one, minutes=5, steps=5, workers=0))
    found = lines(one)
    assert [line["step"] for line in found] == [1, 2, 3, 4, 5]
    assert [line["rung"] for line in found] == ["one", "one", "one", "two", "two"]
    meta = read_meta(one)
    assert (meta["step"], meta["rung"], meta["stretch"]) == (5, 1, 1)

    stretch(Options(config, two, from_=one, minutes=5, steps=4, decay=True, plain=True, workers=0, model=two / "model"))
    found = lines(two)
    assert [line["step"] for line in found] == list(range(1, 10))
    assert [line["stretch"] for line in found] == [1] * 5 + [2] * 4
    assert [round(line["lr"] / 1e-3, 3) for line in found[5:]] == [1.0, 0.775, 0.55, 0.325]
    assert read_meta(two)["drawn"]["pages"] > meta["drawn"]["pages"]
    # The loss goes on: within the spread of such small batches.
    assert abs(found[5]["loss"] - found[4]["loss"]) < 0.4
    assert int(read_state(two)[0]["step"]) == 9
    assert (two / "model" / "config.json").is_file()


def test_a_falling_rate_keeps_its_rung_and_lost_steps_are_not_logged(config, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    stretch(Options(config, one, minutes=5, steps=2, workers=0))
    with (one / "metrics.jsonl").open("a") as file:  # as a stretch leaves it that fails behind its last saving
        file.write(json.dumps({**lines(one)[-1], "step": 3, "rung": "lost"}) + "\n")
    stretch(Options(config, two, from_=one, minutes=5, steps=5, decay=True, workers=0))
    assert [line["rung"] for line in lines(two)] == ["one"] * 7


def test_another_optimizer_goes_on_with_new_moments_and_a_rate_that_rises_again(config, tmp_path):
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    other = tmp_path / "other.py"
    other.write_text(config.read_text().replace(", 1)", ", 1, 'muon')"))
    stretch(Options(config, one, minutes=5, steps=4, workers=0))
    with pytest.raises(UserError, match="another model or optimizer"):
        stretch(Options(other, two, from_=one, minutes=5, steps=8, workers=0))
    stretch(
        Options(other, two, from_=one, minutes=5, steps=8, workers=0, new_moments=True, rewarm=3, decay=True, final=0.2)
    )
    found = lines(two)
    assert [line["step"] for line in found] == list(range(1, 13))
    rates = [1 / 4, 1 / 2, 3 / 4, 1.0, 0.84, 0.68, 0.52, 0.36]
    assert [round(line["lr"] / 1e-3, 3) for line in found[4:]] == rates
    # The rate that is logged is the one that moved the parameters: both count the same steps.
    arrays = read_state(two)[0]
    assert {int(x) for name, x in arrays.items() if name.endswith("count")} == {8, 12}
    stretch(Options(other, three, from_=two, minutes=5, steps=2, workers=0))
    assert abs(lines(three)[12]["loss"] - found[-1]["loss"]) < 0.4


def test_time_ends_a_stretch_and_everything_is_saved(config, tmp_path):
    stretch(Options(config, tmp_path / "out", minutes=0.001, workers=0))
    assert read_meta(tmp_path / "out")["step"] == 1


def test_several_devices_take_more_rows_at_another_rate(config, tmp_path):
    counts = []
    for times in (1, 2):
        out = tmp_path / f"times{times}"
        stretch(Options(config, out, minutes=5, workers=0, steps=3, times=times, peak_lr=2e-3))
        assert lines(out)[-1]["lr"] == pytest.approx(2e-3)
        counts.append(lines(out)[-1]["samples"])
    assert counts[1] > 1.5 * counts[0]


@pytest.mark.parametrize(("processors", "workers"), [(1, 1), (2, 2), (14, 14), (16, 20), (32, 40), (100, 40)])
def test_processes_have_as_many_rows_each(processors, workers):
    assert even_workers(40, processors) == workers


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rung": 2}, "rungs 0 to 1"),
        ({"decay": True}, "needs --steps"),
        ({"times": 0}, "--times takes"),
        ({"rewarm": 5, "steps": 5}, "--rewarm 5 takes"),
        ({"final": 0.2}, "--final has no effect without --decay"),
        ({"peak_lr": 0.0}, "--peak-lr one above 0"),
    ],
)
def test_what_cannot_be_is_refused(config, tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        stretch(Options(config, tmp_path / "out", **changes))


def test_a_configuration_without_rungs_is_refused(tmp_path):
    with pytest.raises(UserError, match="has no rungs"):
        stretch(Options(Path(__file__).parents[2] / "configs" / "nano.py", tmp_path / "out"))


def nth(real, count: int, fault: Exception):
    """Return ``real``, which raises ``fault`` from call ``count`` on."""
    calls = itertools.count(1)

    def called(*args, **named):
        if next(calls) >= count:
            raise fault
        return real(*args, **named)

    return called


@pytest.mark.parametrize(
    ("where", "fault"), [("Feed.__next__", UserError("no data")), ("place_batch", ValueError("odd"))]
)
def test_what_was_learned_before_a_failure_is_saved(tmp_path, monkeypatch, where, fault):
    file, out, fed = tmp_path / "config.py", tmp_path / "out", []
    file.write_text(CONFIG.format(folder=str(tmp_path / "tokenizer"), every=2))
    owner, _, name = f"train.stretch.{where}".rpartition(".")
    real = Feed.__next__ if where == "Feed.__next__" else place_batch
    monkeypatch.setattr(f"{owner}.{name}", nth(real, 4, fault))
    note = Log.note
    monkeypatch.setattr(
        Log, "note", lambda self, metrics, one, waited: (fed.append(one), note(self, metrics, one, waited))
    )
    with pytest.raises(type(fault), match=str(fault)):
        stretch(Options(file, out, minutes=5, workers=0, rung=1))
    meta, (arrays, _) = read_meta(out), read_state(out)
    assert meta["step"] == int(arrays["step"]) == 3
    assert [line["step"] for line in lines(out)] == [2, 3]
    assert meta["samples"] == lines(out)[-1]["samples"] == sum(one.kinds.total() for one in fed)
    assert max(int(name.split()[-1]) for one in fed for name in one.samples) < meta["drawn"]["pages"]


def test_a_state_that_learns_nothing_more_does_not_replace_the_one_saved_before(config, tmp_path, monkeypatch, capsys):
    out, note = tmp_path / "out", Log.note

    def noted(self, metrics, fed, waited):
        note(self, metrics | {"skipped": 1.0} if self.progress.step > 2 else metrics, fed, waited)

    monkeypatch.setattr(Log, "note", noted)
    with pytest.raises(UserError, match="no loss or gradient is finite in the steps up to 3"):
        stretch(Options(config, out, minutes=5, workers=0, rung=1, save_every=0.0))
    assert read_meta(out)["step"] == 2
    assert "step 3 is lost, step 2 was the last one saved" in capsys.readouterr().err


def test_a_state_that_cannot_be_written_is_an_error(config, tmp_path, monkeypatch):
    monkeypatch.setattr("train.stretch.write_state", nth(None, 1, OSError("disk full")))
    with pytest.raises(UserError, match=r"out: the state could not be written \(disk full\)"):
        stretch(Options(config, tmp_path / "out", minutes=5, steps=1, workers=0, rung=1))
