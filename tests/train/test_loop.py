"""Whole runs: stopped and continued, refused, broken."""

import dataclasses
import errno
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.errors import UserError
from dsocr_jax.weights.checkpoint import load_model
from dsocr_jax.weights.params import flatten
from tests.train import tiny
from train import loop, manifest
from train.checkpoint import Checkpoints
from train.config import TrainConfig, differences
from train.config import flatten as config_fields
from train.metrics import read_metrics
from train.setup import Setup, prepare
from train.step import Step, TrainState

STEPS, STOPPED = 8, 5


@pytest.fixture(scope="module", autouse=True)
def trace_once() -> Iterator[None]:
    """Let all runs of this module, on one device, share one traced step; only one writes its model and curve.

    Their first state is drawn on the host.
    """
    steps: list[Step] = []

    def prepare_shared(config: TrainConfig) -> Setup:
        setup = prepare(config, jax.devices()[:1])
        steps.append(setup.step)
        return dataclasses.replace(setup, step=steps[0])

    def drawn(setup: Setup) -> TrainState:
        abstract = setup.abstract
        moments = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), abstract.opt_state)
        state = TrainState(tiny.random_params(abstract.params), moments, np.zeros((), np.int32))
        return jax.device_put(state, setup.shardings)

    def published(setup: Setup, state: TrainState) -> Callable[[], None]:
        return publisher(setup, state) if setup.config.out.name == "whole" else lambda: None

    publisher = loop._publisher
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "prepare", prepare_shared)
        patch.setattr(loop, "first_state", drawn)
        patch.setattr(loop, "_publisher", published)
        yield


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory) -> TrainConfig:
    """A run that was never interrupted."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    config = tiny.tiny_config(folder, out=out, steps=STEPS, checkpoint_every=100, tensorboard=False)
    assert loop.train(config) == 0
    return config


def final_state(config: TrainConfig) -> TrainState:
    setup = loop.prepare(config)
    with Checkpoints(config.out, config.keep) as checkpoints:
        assert checkpoints.newest() == STEPS
        return jax.device_get(checkpoints.restore(STEPS, setup.abstract, setup.shardings))


def assert_same_run(one: TrainConfig, other: TrainConfig) -> None:
    assert (one.out / "metrics.jsonl").read_bytes() == (other.out / "metrics.jsonl").read_bytes()
    jax.tree.map(np.testing.assert_array_equal, final_state(one), final_state(other))


def test_run_leaves_its_figures_its_curve_and_a_model_that_loads(whole):
    lines = read_metrics(whole.out / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    assert lines[-1]["samples"] >= STEPS * whole.rows
    assert [line["step"] for line in read_metrics(whole.out / "speed.jsonl")] == list(range(1, STEPS + 1))
    assert (whole.out / "loss.png").is_file()
    assert json.loads((whole.out / "run.json").read_text())["optimizer.peak_lr"] == 0.01
    found, model, tokenizer = load_model(whole.out)
    assert found == tiny.MODEL
    goodput = json.loads((whole.out / "goodput.json").read_text())
    assert goodput["starts"] == 1 and 0 < goodput["share"] < 1
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


def test_run_stopped_by_sigterm_goes_on_to_the_same_end(whole, monkeypatch, capfd):
    note = loop.Journal.note

    def signalled(self, step, *rest):
        note(self, step, *rest)
        if step == STOPPED:
            os.kill(os.getpid(), signal.SIGTERM)

    config = dataclasses.replace(whole, out=whole.out.with_name("stopped"))
    with monkeypatch.context() as patch:
        patch.setattr(loop.Journal, "note", signalled)
        assert loop.train(config) == 143
    said = capfd.readouterr().err
    assert f"stopped after step {STOPPED}, everything saved" in said
    # One step and one save: the step under way is finished, none is begun.
    assert [line["step"] for line in read_metrics(config.out / "metrics.jsonl")] == list(range(1, STOPPED + 1))
    assert loop.train(config) == 0
    assert_same_run(config, whole)


def test_killed_data_worker_is_started_again_and_nothing_changes(whole, monkeypatch):
    killed = []

    class Fragile(loop.Feed):
        def __next__(self):
            fed = super().__next__()
            if not killed:
                killed.append(self._workers.processes[0])
                os.kill(killed[0], signal.SIGKILL)
            return fed

    monkeypatch.setattr(loop, "Feed", Fragile)
    config = dataclasses.replace(whole, out=whole.out.with_name("fragile"), workers=1)
    assert loop.train(config) == 0
    assert killed
    assert_same_run(config, whole)


def test_data_that_end_a_run_leave_the_checkpoint_that_was_under_way(whole, monkeypatch):
    class Dying(loop.Feed):
        def __next__(self):
            if self.position()["step"] == STOPPED:
                raise UserError("data worker 1 of 1 died 3 times in a row")
            return super().__next__()

    config = dataclasses.replace(whole, out=whole.out.with_name("starved"), checkpoint_every=STOPPED - 1)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "Feed", Dying)
        with pytest.raises(UserError, match="data worker 1 of 1 died"):
            loop.train(config)
    with Checkpoints(config.out, config.keep) as checkpoints:
        assert checkpoints.newest() == STOPPED - 1
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


def test_difference_of_nested_fields_is_told_by_their_names(whole):
    modes = (dataclasses.replace(tiny.MODEL.modes[0], fit="pad"), tiny.MODEL.modes[1])
    decoder = dataclasses.replace(tiny.MODEL.decoder, hidden=64)
    model = dataclasses.replace(tiny.MODEL, modes=modes, decoder=decoder)
    optimizer = dataclasses.replace(whole.optimizer, decay=("x",), peak_lr=0.5)
    changed = dataclasses.replace(whole, model=model, mixture={"charts": 2.0}, optimizer=optimizer)
    saved = json.loads(json.dumps(config_fields(whole)))
    assert differences(saved, config_fields(changed)) == [
        "mixture.charts: absent → 2.0",
        "model.decoder.hidden: 32 → 64",
        "model.modes.tiny.fit: stretch → pad",
        f"optimizer.decay: {list(whole.optimizer.decay)} → ['x']",
        "optimizer.peak_lr: 0.01 → 0.5",
    ]
    assert differences(saved, config_fields(whole)) == []


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


def break_batches(monkeypatch, numbers: range) -> None:
    """Let the loss of some batches (from 0, in the order of the input) be infinite, and tell it as the step does."""
    fed: list[int] = []

    class Counted(loop.Feed):
        def __next__(self):
            fed[:] = [self.position()["step"]]
            return super().__next__()

    prepare_whole = loop.prepare

    def prepare_broken(config):
        setup = prepare_whole(config)

        def step(state, batch):
            if fed[0] not in numbers:
                return setup.step(state, batch)
            kept = jax.tree.map(np.array, state)
            _, metrics = setup.step(state, batch)
            kept = dataclasses.replace(kept, step=kept.step + 1)
            return jax.device_put(kept, setup.shardings), {**metrics, "loss": jnp.inf, "skipped": jnp.float32(1)}

        return dataclasses.replace(setup, step=step)

    monkeypatch.setattr(loop, "Feed", Counted)
    monkeypatch.setattr(loop, "prepare", prepare_broken)


def test_step_that_is_not_finite_is_skipped_and_counted(whole, monkeypatch, capfd):
    break_batches(monkeypatch, range(2, 3))
    config = dataclasses.replace(whole, out=whole.out.with_name("skipping"), checkpoint_every=3)
    assert loop.train(config) == 0
    lines = read_metrics(config.out / "metrics.jsonl")
    assert [(line["loss"] is None, line["skipped"]) for line in lines] == [
        (step == 3, int(step >= 3)) for step in range(1, STEPS + 1)
    ]
    said = capfd.readouterr().err
    assert re.search(r"step 3 is skipped: loss or gradient is not finite; its samples: .*charts", said)
    # Where one was due there was none, for going back there would not help; the next step was saved instead.
    assert "step 4 is saved" in said and "step 3 is saved" not in said


@pytest.fixture
def led_astray(whole, monkeypatch) -> TrainConfig:
    """A run that goes back from step 6 to 3; its checkpoints are of 3, 6 and 8."""
    break_batches(monkeypatch, range(4, 6))
    config = dataclasses.replace(whole, out=whole.out.with_name("astray"), checkpoint_every=3, max_skipped=2, keep=3)
    if not config.out.exists():
        assert loop.train(config) == 0
    return config


def test_run_goes_back_and_past_the_data_that_broke_it(led_astray, whole):
    (rollback,) = json.loads((led_astray.out / "rollbacks.json").read_text())
    assert (rollback["step"], rollback["found"], rollback["position"]["step"]) == (3, 6, 6)
    assert len(rollback["samples"]) >= 2 * led_astray.rows
    lines = read_metrics(led_astray.out / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    assert all(line["loss"] is not None and line["skipped"] == 0 for line in lines)
    others = read_metrics(whole.out / "metrics.jsonl")
    assert [a["loss"] == b["loss"] for a, b in zip(lines, others, strict=True)] == [step < 3 for step in range(STEPS)]
    goodput = json.loads((led_astray.out / "goodput.json").read_text())
    assert goodput["parts"]["lost work"] > 0 and goodput["parts"]["going back"] > 0


@pytest.mark.parametrize("step", [3, 0])
def test_run_takes_the_same_way_past_broken_data_again(led_astray, step):
    """From the step that it went back to, and from before it."""
    config = dataclasses.replace(led_astray, out=led_astray.out.with_name(f"astray-{step}"))
    shutil.copytree(led_astray.out, config.out)
    for folder in (config.out / "checkpoints").iterdir():
        if int(folder.name) > step:
            shutil.rmtree(folder)
    assert loop.train(config) == 0
    assert_same_run(config, led_astray)
    assert len(json.loads((config.out / "rollbacks.json").read_text())) == 1


def test_run_without_a_checkpoint_goes_back_to_its_beginning(whole, monkeypatch):
    break_batches(monkeypatch, range(1, 2))
    config = dataclasses.replace(whole, out=whole.out.with_name("early"), max_skipped=1)
    assert loop.train(config) == 0
    (rollback,) = json.loads((config.out / "rollbacks.json").read_text())
    assert (rollback["step"], rollback["found"], rollback["position"]["step"]) == (0, 2, 3)
    assert [line["step"] for line in read_metrics(config.out / "metrics.jsonl")] == list(range(1, STEPS + 1))


def test_too_many_rollbacks_end_the_run_with_a_whole_checkpoint(whole, monkeypatch):
    break_batches(monkeypatch, range(4, 100))
    config = dataclasses.replace(
        whole, out=whole.out.with_name("broken"), checkpoint_every=3, max_skipped=1, max_rollbacks=2
    )
    with pytest.raises(UserError, match=r"broke at step 4: .* after 2 rollbacks.*--optimizer.peak-lr"):
        loop.train(config)
    with pytest.raises(UserError, match=r"broke at step 4: .* after 2 rollbacks"):  # nor does another start help
        loop.train(config)
    with Checkpoints(config.out, config.keep) as checkpoints:
        assert checkpoints.newest() == 3


def test_damaged_newest_checkpoint_is_told_and_the_one_before_is_used(whole, capfd):
    config = dataclasses.replace(whole, out=whole.out.with_name("damaged"), checkpoint_every=2, steps=STOPPED)
    assert loop.train(config) == 0
    file = max((config.out / "checkpoints" / str(STOPPED)).rglob("*"), key=lambda path: path.stat().st_size)
    os.truncate(file, file.stat().st_size - 1)
    config = dataclasses.replace(config, steps=STEPS)
    assert loop.train(config) == 0
    assert re.search(rf"step {STOPPED} is damaged: .*{file.name} has \d+ bytes and was written", capfd.readouterr().err)
    assert_same_run(config, whole)


def test_full_disk_while_saving_ends_the_run_and_more_room_lets_it_go_on(whole, monkeypatch):
    config = dataclasses.replace(whole, out=whole.out.with_name("full"), checkpoint_every=2)
    seal, sealed = manifest.seal, []

    def full(folder: Path, meta: dict) -> None:
        sealed.append(meta["step"])
        if len(sealed) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        seal(folder, meta)

    monkeypatch.setattr(manifest, "seal", full)
    with pytest.raises(UserError, match=r"step 4 could not be written .*No space left.* step 2, untouched. Make room"):
        loop.train(config)
    assert loop.train(config) == 0
    assert_same_run(config, whole)
