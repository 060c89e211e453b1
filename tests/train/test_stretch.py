"""Stretches: pieces of one run that know of each other by a folder alone."""

import dataclasses
import json
from pathlib import Path

import pytest

from dsocr_jax.errors import UserError
from tests.train import tiny
from train.compact import read_meta, read_state
from train.config import OptimizerConfig, TrainConfig
from train.curriculum import Rung, climbing
from train.stretch import Options, stretch

PAGES = "live:middle:pages pages.words=[1,1] pages.width=[64,64] pages.size=[12,16]"
CONFIG = "from tests.train.test_stretch import made as _made\nconfig = _made({folder!r})\n"


def made(folder: str):
    """A tiny model on two rungs, the first of which is always left at once."""
    model = dataclasses.replace(tiny.MODEL, grey=True)
    rung = Rung("one", (PAGES,), {"pages": 1}, ("tiny",), 64, 8, 2, until=100.0)
    base = TrainConfig(
        model=model,
        tokenizer=tiny.write_tokenizer(Path(folder)),
        steps=1000,
        optimizer=OptimizerConfig(peak_lr=1e-3, schedule="constant", warmup=2),
        log_every=1,
        tensorboard=False,
    )
    return climbing(base, (rung, dataclasses.replace(rung, name="two", until=None)))


@pytest.fixture
def config(tmp_path) -> Path:
    file = tmp_path / "config.py"
    file.write_text(CONFIG.format(folder=str(tmp_path / "tokenizer")))
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


def test_time_ends_a_stretch_and_everything_is_saved(config, tmp_path):
    stretch(Options(config, tmp_path / "out", minutes=0.001, workers=0))
    assert read_meta(tmp_path / "out")["step"] == 1


@pytest.mark.parametrize(("changes", "message"), [({"rung": 2}, "rungs 0 to 1"), ({"decay": True}, "needs --steps")])
def test_what_cannot_be_is_refused(config, tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        stretch(Options(config, tmp_path / "out", **changes))


def test_a_configuration_without_rungs_is_refused(tmp_path):
    with pytest.raises(UserError, match="has no rungs"):
        stretch(Options(Path(__file__).parents[2] / "configs" / "nano.py", tmp_path / "out"))
