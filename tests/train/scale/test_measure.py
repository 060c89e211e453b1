"""Lines of a tiny model over two and four simulated devices: equal to one device, and with right arithmetic."""

import dataclasses

import jax
import numpy as np
import pytest

from dsocr_jax.bench.device import DeviceSpeed
from tests.train import tiny
from train.bench.works import Work
from train.config import BackendsConfig, OptimizerConfig, TrainConfig
from train.scale import line as lines
from train.scale.batches import share
from train.scale.measure import measure
from train.scale.plan import task
from train.scale.program import build, host_batch
from train.scale.restart import restart

WORK = Work("pages", "small", 10, 1, 2, ("^encoder/sam/",))
SPEED = DeviceSpeed("none", 1e9, 1e9, "float32")
CONFIG = TrainConfig(
    model=tiny.MODEL,
    optimizer=OptimizerConfig(peak_lr=1e-3, schedule="constant", warmup=0),
    backends=BackendsConfig(layers="scanned"),
    compute_dtype="float32",
    loss_chunk=16,
)


@pytest.fixture(scope="module")
def programs():
    return {count: build(task(WORK, fsdp=count), CONFIG, jax.devices()) for count in (1, 2)}


@pytest.fixture(scope="module")
def one(programs):
    return measure(programs[1], SPEED, 1, None, most=4)


def test_one_device_tries_every_share(one):
    line, alone = one
    assert line.name == "pages, 1 device" and line.efficiency == 1.0 and line.checks == () and line.traffic == ()
    assert len(set(alone.losses)) == 4 and alone.losses[0] == pytest.approx(line.loss)
    assert alone.rate == line.rate == pytest.approx(2 / (line.milliseconds / 1e3))


def test_two_devices_agree_and_their_figures_follow_from_the_time(programs, one):
    line, nothing = measure(programs[2], SPEED, 2, one[1], most=2)
    assert nothing is None and line.name == "pages, fsdp 2" and line.devices == 2
    seconds = line.milliseconds / 1e3
    assert line.rate == pytest.approx(4 / seconds) and line.each == line.rate / 2
    assert line.share == pytest.approx(line.flops / seconds / 1e9)
    assert line.flops == pytest.approx(one[0].flops)
    assert line.efficiency == pytest.approx(line.rate / 2 / one[1].rate)
    assert len(line.checks) == 5 and all(check.agrees for check in line.checks)
    # Twice each parameter that is trained at least: together, and its gradient.
    assert {found.group for found in line.traffic} == {2} and sum(found.sent for found in line.traffic) > 0
    assert 0 < line.exposed <= line.communication < 1 and line.gigabytes > 0
    assert "  equal (loss" in lines.in_words(line) and "efficiency" in lines.in_words(line)


def test_what_differs_from_one_device_is_told(programs, one):
    wrong = dataclasses.replace(one[1], losses=(one[1].losses[0], one[1].losses[0]))
    line, _ = measure(programs[2], SPEED, 1, wrong, most=2, trace=False)
    assert [check.what for check in line.checks if not check.agrees] == ["loss"]
    assert "NOT EQUAL: loss" in lines.in_words(line) and line.communication is None


def test_a_trace_that_fails_leaves_the_other_figures(programs, one, monkeypatch):
    def fail(*given):
        raise RuntimeError("no profiler")

    monkeypatch.setattr("train.scale.measure.traced", fail)
    line, _ = measure(programs[2], SPEED, 1, one[1], most=2)
    assert line.rate > 0 and line.communication is None and "not traced: RuntimeError: no profiler" in line.note


def test_a_pipeline_has_equal_microbatches_of_the_same_rows():
    stages = task(WORK, stage=4)
    batch = host_batch(stages, dataclasses.replace(CONFIG, accumulate=stages.accumulate), range(4), shards=1)
    assert batch.groups == stages.accumulate == 8 and batch.views[128].shape[:2] == (8, 1)
    np.testing.assert_array_equal(batch.tokens[2:4], share(WORK, tiny.MODEL, 1).tokens)


def test_a_checkpoint_of_two_devices_is_continued_on_one(programs, tmp_path):
    line = restart("checkpoint", programs[2], programs[1], tmp_path)
    assert len(line.checks) == 2 and all(check.agrees for check in line.checks)
    assert line.unit == "bytes" and line.rate > 0 and "onto 1 devices" in line.note
