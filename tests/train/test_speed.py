from collections import Counter

import numpy as np
import pytest

from dsocr_jax.batch import TEXT, Batch
from tests.train import tiny
from train import speed
from train.data import Fed
from train.flops import Work, step_flops, work_of
from train.goodput import Goodput
from train.speed import Speed, Useful


def fed() -> Fed:
    """Two rows of 4 tokens, of which 5 are used, and one picture of one token."""
    segments = np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.int32)
    index = np.array([[2, TEXT, TEXT, TEXT], [TEXT] * 4], np.int32)
    views = {64: np.zeros((1, 2, 64, 64, 3), np.uint8)}
    batch = Batch(segments, segments, segments, segments, index, views)
    return Fed(batch, Counter(charts=2), Counter(), "tiny", 5, 1, work=work_of(batch, tiny.MODEL))


class Clock:
    """Tells the time that it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def goodput(tmp_path, clock) -> Goodput:
    return Goodput(tmp_path, clock=clock)


def lap(goodput: Goodput, part: str, seconds: float) -> float:
    goodput.clock.now += seconds
    return goodput.lap(part)


def test_rates_are_over_the_time_of_training(tmp_path, goodput, monkeypatch):
    monkeypatch.setattr(speed, "peak_flops", lambda device, dtype: 1e6)
    found = Speed(tiny.tiny_config(tmp_path), goodput)
    for _ in range(3):
        waited = lap(goodput, "waiting for input", 0.5)
        lap(goodput, "steps", 1.5)
        lap(goodput, "saving", 100.0)
        found.add(fed(), waited)
    line = found.line()
    flops = sum(step_flops(found.config, work_of(fed().batch, tiny.MODEL)).values())
    assert line["samples_per_s"] == pytest.approx(3 * 2 / 6)
    assert line["tokens_per_s"] == pytest.approx(3 * 5 / 6)
    assert line["images_per_s"] == pytest.approx(3 / 6)
    assert line["input_wait"] == pytest.approx(0.25)
    devices = speed.jax.device_count()
    assert line["tflops_per_device"] == pytest.approx(3 * flops / 6 / devices / 1e12)
    assert line["share_of_peak"] == pytest.approx(3 * flops / 6 / devices / 1e6)
    assert line["goodput"] == pytest.approx(4.5 / 306)
    assert line["host_memory"] > 1e6
    assert "device_memory" not in line  # CPUs do not tell


def test_steps_that_compile_do_not_count(tmp_path, goodput):
    found = Speed(tiny.tiny_config(tmp_path), goodput)
    for part, seconds in (("compiling", 60.0), ("steps", 1.5)):
        waited = lap(goodput, "waiting for input", 0.5)
        lap(goodput, part, seconds)
        found.add(fed(), waited)
    line = found.line()
    assert line["tokens_per_s"] == pytest.approx(5 / 2.5)  # one step, and the waiting for both
    assert line["input_wait"] == pytest.approx(1.0 / 2.5)


def test_where_every_step_compiled_there_are_no_rates(tmp_path, goodput):
    found = Speed(tiny.tiny_config(tmp_path), goodput)
    lap(goodput, "waiting for input", 2.0)
    lap(goodput, "compiling", 60.0)
    found.add(fed(), 2.0)
    assert set(found.line()) == {"goodput", "host_memory"}


def test_lines_begin_anew(tmp_path, goodput):
    found = Speed(tiny.tiny_config(tmp_path), goodput)
    lap(goodput, "steps", 1.0)
    found.add(fed(), 0.0)
    found.line()
    lap(goodput, "steps", 4.0)
    found.add(fed(), 0.0)
    assert found.line()["samples_per_s"] == pytest.approx(0.5)


def test_without_a_peak_there_is_no_share_and_without_time_there_are_no_rates(tmp_path, goodput):
    line = Speed(tiny.tiny_config(tmp_path), goodput).line()
    assert set(line) == {"goodput", "host_memory"}


def test_without_a_goodput_all_time_counts(tmp_path, monkeypatch, clock):
    monkeypatch.setattr(speed.time, "monotonic", clock)
    found = Speed(tiny.tiny_config(tmp_path))
    found.add(fed(), 1.0)
    clock.now = 4.0
    line = found.line()
    assert (line["samples_per_s"], line["input_wait"]) == (0.5, 0.25)
    assert "goodput" not in line


def test_the_work_of_batches_is_the_sum_of_its_parts(tmp_path):
    config = tiny.tiny_config(tmp_path)
    work = Work(11, 37, 5, {64: 3, 128: 2})
    assert Useful(config)(work) == pytest.approx(sum(step_flops(config, work).values()), rel=1e-12)
