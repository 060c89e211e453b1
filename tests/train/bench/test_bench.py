"""The bench of training: its batches hold what they say, and its lines are measured."""

import dataclasses
import json

import jax
import numpy as np
import pytest

from dsocr_jax.batch import IGNORED, TEXT
from dsocr_jax.bench.device import DeviceSpeed
from dsocr_jax.config import PRESETS, preset
from dsocr_jax.errors import UserError
from dsocr_jax.modes import NO_TILES, count_tokens
from tests.train import tiny
from train.bench import command, works
from train.bench.measure import measure, mesh_of
from train.bench.works import AROUND, WORKS, Work, random_batch
from train.config import OptimizerConfig, TrainConfig
from train.flops import work_of

PAGES = Work("pages", "small", 10, 2, 2, ("^encoder/sam/",))
SPEED = DeviceSpeed("none", 1e12, 1e9, "float32")


def test_pages_have_their_pictures_answers_and_places():
    batch = random_batch(PAGES, tiny.MODEL, rows=4, groups=2)
    placeholders = count_tokens(tiny.MODEL.modes[1], NO_TILES, tiny.MODEL.stride)
    assert ((batch.tokens == tiny.MODEL.image_token_id) == (batch.vision_index != TEXT)).all()
    assert (batch.labels != IGNORED).sum() == 4 * 2 * 10
    assert batch.segments.max(axis=1).tolist() == [2] * 4
    counted = work_of(batch, tiny.MODEL)
    assert counted.tokens == 4 * 2 * (placeholders + AROUND + 10)
    assert counted.views == {128: 8}  # every view is in use
    for group in batch.vision_index.reshape(2, -1):
        rows = group[group > 1]
        assert len(rows) == len(np.unique(rows)) == 2 * 2 * 4  # two rows of two pages of four vision tokens


def test_text_has_no_padding_and_no_pictures():
    batch = random_batch(Work("text", None, 64, 0, 3), tiny.MODEL, rows=3, groups=1)
    assert batch.tokens.shape == (3, 64) and not batch.views
    assert (batch.labels == batch.tokens).all() and (batch.segments == 1).all()


def test_rows_longer_than_the_model_are_refused():
    with pytest.raises(UserError, match="exceed 256 positions"):
        random_batch(dataclasses.replace(PAGES, tokens=200), tiny.MODEL, 2, 1)


def test_a_line_is_measured_over_several_devices():
    config = TrainConfig(
        model=tiny.MODEL,
        optimizer=OptimizerConfig(peak_lr=1e-6, schedule="constant", warmup=0),
        mesh=mesh_of("fsdp"),
        loss_chunk=16,
    )
    line = measure(config, PAGES, jax.devices()[:2], SPEED, steps=1, traced=True)
    assert line.devices == 2 and line.tokens_per_s > 0 and line.pictures_per_s > 0
    assert line.share == pytest.approx(line.flops / (line.milliseconds / 1e3) / SPEED.flops)
    assert np.isfinite(line.loss)
    assert {"attention", "optimizer", "head and loss"} <= {part for part, _ in line.parts}
    assert "fsdp 2" in line.options and "2 x 50 a device" in line.options


def test_the_table_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(works.WORKS, "nano", (Work("text", None, 16, 0, 1),))
    monkeypatch.setitem(PRESETS, "nano", lambda: tiny.MODEL)
    assert command.door(["--preset", "nano", "--devices", "1", "--steps", "1", "--out", str(tmp_path / "b.json")]) == 0
    said = json.loads((tmp_path / "b.json").read_text())
    assert [row["work"] for row in said["rows"]] == ["text"] and said["rows"][0]["tokens_per_s"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--only", "nothing"], "no work begins so"), (["--devices", "99"], "there are 8 devices")],
)
def test_what_cannot_be_measured_is_refused(words, message):
    with pytest.raises(UserError, match=message):
        command.door(words)


def test_every_released_line_fits_the_model():
    assert [work.length(preset("released")) for work in WORKS["released"]] == [4096, 4096, 3584]
