"""Whole runs: stopped and continued, refused, broken."""

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.errors import UserError
from dsocr_jax.weights.checkpoint import load_model
from dsocr_jax.weights.params import flatten
from tests.train import tiny
from train import loop
from train.checkpoint import Checkpoints
from train.config import TrainConfig
from train.metrics import read_metrics
from train.setup import Setup, first_state, prepare
from train.step import Step, TrainState

ROOT = Path(__file__).parents[2]
STEPS, STOPPED = 8, 5


@pytest.fixture(scope="module", autouse=True)
def trace_once() -> Iterator[None]:
    """Let all runs of this module, which are equal in that, share one traced step and one computed first state."""
    steps: list[Step] = []
    states: list[TrainState] = []

    def prepare_shared(config: TrainConfig) -> Setup:
        setup = prepare(config)
        steps.append(setup.step)
        return dataclasses.replace(setup, step=steps[0])

    def first_state_shared(setup: Setup) -> TrainState:
        states.append(states[0] if states else jax.device_get(first_state(setup)))
        return jax.device_put(states[0], setup.shardings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "prepare", prepare_shared)
        patch.setattr(loop, "first_state", first_state_shared)
        yield


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory) -> TrainConfig:
    """A run that was never interrupted."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    config = tiny.tiny_config(folder, out=out, steps=STEPS, checkpoint_every=100)
    assert loop.train(config) == 0
    return config


def final_state(config: TrainConfig) -> TrainState:
    setup = prepare(config)
    with Checkpoints(config.out, config.keep) as checkpoints:
        assert checkpoints.newest() == STEPS
        return jax.device_get(checkpoints.restore(STEPS, setup.abstract, setup.shardings))


def assert_same_run(one: TrainConfig, other: TrainConfig) -> None:
    assert (one.out / "metrics.jsonl").read_bytes() == (other.out / "metrics.jsonl").read_bytes()
    jax.tree.map(np.testing.assert_array_equal, final_state(one), final_state(other))


def test_run_leaves_its_figures_its_curve_and_a_model_that_loads(whole):
    lines = read_metrics(whole.out / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    assert lines[-1]["samples"] == STEPS * whole.rows
    assert [line["step"] for line in read_metrics(whole.out / "speed.jsonl")] == list(range(1, STEPS + 1))
    assert (whole.out / "loss.png").is_file()
    assert json.loads((whole.out / "run.json").read_text())["optimizer.peak_lr"] == 0.01
    found, model, tokenizer = load_model(whole.out)
    assert found == tiny.MODEL
    assert tokenizer.encode("ab") == [tokenizer.encode("a")[0], tokenizer.encode("b")[0]]
    expected = flatten(final_state(whole).params)
    saved = flatten(nnx.state(model))
    assert all(np.array_equal(saved[name], expected[name]) for name in expected)


def test_resumed_run_equals_the_uninterrupted_one(whole):
    config = dataclasses.replace(whole, out=whole.out.with_name("resumed"), steps=STOPPED)
    assert loop.train(config) == 0
    config = dataclasses.replace(config, steps=STEPS)
    assert loop.train(config) == 0
    assert_same_run(config, whole)


def test_run_killed_by_sigterm_goes_on_to_the_same_end(whole, compile_cache, tmp_path):
    out = whole.out.with_name("killed")
    file = tmp_path / "config.py"
    # At step 5 the run waits for the signal, so that it cannot come too late.
    file.write_text(
        "import dataclasses, signal\n"
        "from pathlib import Path\n"
        "from tests.train.tiny import tiny_config\n"
        "from train.journal import Journal\n"
        "_note = Journal.note\n"
        "def _waiting(self, step, *rest):\n"
        "    _note(self, step, *rest)\n"
        f"    if step == {STOPPED}:\n"
        f"        Path({str(tmp_path)!r}, 'ready').touch()\n"
        "        signal.pause()\n"
        "Journal.note = _waiting\n"
        f"config = tiny_config(Path({str(whole.tokenizer.parent)!r}), steps={STEPS})\n"
    )
    settings = {
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": "8",
        "JAX_DEFAULT_MATMUL_PRECISION": "highest",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "JAX_COMPILATION_CACHE_DIR": str(compile_cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
    }
    command = [sys.executable, "-m", "train", str(file), "--out", str(out)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "ready").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    time.sleep(0.1)  # the file is made just before the pause
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 143, said
    assert f"stopped after step {STOPPED}, everything saved" in said
    assert [line["step"] for line in read_metrics(out / "metrics.jsonl")] == list(range(1, STOPPED + 1))
    config = dataclasses.replace(whole, out=out)
    assert loop.train(config) == 0
    assert_same_run(config, whole)


def test_finished_run_is_left_as_it_is(whole, capfd):
    before = (whole.out / "metrics.jsonl").read_bytes()
    assert loop.train(whole) == 0
    assert "all 8 steps are made; raise --steps" in capfd.readouterr().err
    assert (whole.out / "metrics.jsonl").read_bytes() == before


def test_changed_configuration_is_refused_by_name(whole):
    changed = dataclasses.replace(whole, seed=3, loss_chunk=9, steps=20, log_every=2)
    with pytest.raises(UserError, match=r"started otherwise \(loss_chunk: 8 → 9; seed: 0 → 3\)"):
        loop.train(changed)


def test_other_data_are_refused(whole, tmp_path):
    data = tiny.write_set(tmp_path / "data", {"charts": 20, "pages": 11})
    with pytest.raises(UserError, match="data_digest"):
        loop.train(dataclasses.replace(whole, data=(data,), steps=20))


def test_folder_of_other_things_is_refused(folder, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="holds other files and no run"):
        loop.train(tiny.tiny_config(folder, out=tmp_path))
    with pytest.raises(UserError, match="is a file"):
        loop.train(tiny.tiny_config(folder, out=tmp_path / "thesis.tex"))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_two_runs_do_not_share_a_folder(whole):
    with loop.run_folder(whole.out), pytest.raises(UserError, match="another training is at work"):
        loop.train(whole)


def broken_step(monkeypatch, step: int, name: str) -> None:
    """Let the figure ``name`` of ``step`` be infinite."""
    prepare_whole = loop.prepare

    def prepare_broken(config):
        setup = prepare_whole(config)

        def run(state, batch):
            number = int(state.step) + 1
            state, metrics = setup.step(state, batch)
            return state, {**metrics, name: metrics[name] * np.inf} if number == step else metrics

        return dataclasses.replace(setup, step=run)

    monkeypatch.setattr(loop, "prepare", prepare_broken)


def test_loss_that_is_not_finite_ends_the_run_and_is_not_saved(whole, monkeypatch):
    config = dataclasses.replace(whole, out=whole.out.with_name("broken"), checkpoint_every=2)
    broken_step(monkeypatch, 4, "loss")  # at step 4 a checkpoint is due
    with pytest.raises(UserError, match="training broke at step 4: loss is inf; nothing of it was saved"):
        loop.train(config)
    assert [line["step"] for line in read_metrics(config.out / "metrics.jsonl")] == [1, 2, 3]
    with Checkpoints(config.out, config.keep) as checkpoints:
        assert checkpoints.newest() == 2


def test_full_disk_is_one_line(tmp_path):
    with (
        pytest.raises(UserError, match=r"is full \(No space left on device\); the last whole checkpoint"),
        loop.run_folder(tmp_path / "run"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
