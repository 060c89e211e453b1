import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.weights.params import abstract_model, flatten
from tests.train import tiny
from train import loop
from train.config import LoraConfig, TrainConfig
from train.evaluation import Evaluations, held_out, page, run
from train.evaluation.held_out import choose, gathered, prepare_mode
from train.evaluation.losses import effective
from train.evaluation.run import FOLDER, LINES
from train.metrics import read_metrics
from train.setup import Setup, prepare, stacked
from train.step import TrainState, put_batch

EACH = 3


@pytest.fixture(scope="module")
def config(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """A run with evaluations after every second step; one page is too long for a row."""
    out = tmp_path_factory.mktemp("evaluated")
    held = tiny.write_set(out / "held", {"charts": 5, "pages": 4}, split="test", long={"pages": [1]})
    return tiny.tiny_config(
        folder, out=out / "run", steps=4, evaluate_every=2, evaluate_on=held, evaluate_samples=EACH,
        checkpoint_every=100, freeze=(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def setup(config: TrainConfig) -> Setup:
    return prepare(config)


@pytest.fixture(scope="module")
def state(setup: Setup) -> TrainState:
    """Random parameters without compiling their initialisation, and zeroed moments."""
    params = stacked(tiny.random_params(flatten(abstract_model(setup.config.model_config)[1])), setup.config, np.stack)
    zeros = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), setup.abstract)
    return jax.device_put(dataclasses.replace(zeros, params=params), setup.shardings)


@pytest.fixture(scope="module")
def evaluations(setup: Setup) -> Evaluations:
    """What the tests share, so that its programs are traced once."""
    return Evaluations(setup)


def test_the_first_samples_of_each_kind_are_chosen(config: TrainConfig) -> None:
    records = choose(config)
    assert [(record.kind, record.id) for record in records] == [
        *(("charts", i) for i in range(EACH)),
        *(("pages", i) for i in range(EACH)),
    ]


def test_data_that_the_run_trains_on_are_refused(config: TrainConfig) -> None:
    with pytest.raises(UserError, match="is trained on"):
        choose(dataclasses.replace(config, evaluate_on=Path(config.data[0])))


def test_a_set_of_which_nothing_fits_is_refused(setup: Setup) -> None:
    with pytest.raises(UserError, match="none of 6 samples fits into --length 4"):
        Evaluations(dataclasses.replace(setup, config=dataclasses.replace(setup.config, length=4)))


def test_batches_have_one_shape_and_leave_out_what_is_too_long(setup: Setup) -> None:
    records = choose(setup.config)
    for mode in setup.config.model_modes:
        found = prepare_mode(records, setup.config, setup.tokenizer, mode, setup.mesh)
        assert found.places == [0, 1, 2, 3, 5]
        assert len({str(jax.tree.map(np.shape, batch)) for batch in found.batches}) == 1
        assert sum(len(batch.tokens) for batch in found.batches) >= 5
        assert found.batches[0].groups == setup.mesh.size


def test_processes_share_the_rows(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    records, mode = choose(setup.config), setup.config.model_modes[0]
    whole = prepare_mode(records, setup.config, setup.tokenizer, mode, setup.mesh)
    monkeypatch.setattr(held_out.jax, "process_count", lambda: 2)
    parts = []
    for process in range(2):
        monkeypatch.setattr(held_out.jax, "process_index", lambda process=process: process)
        parts.append(prepare_mode(records, setup.config, setup.tokenizer, mode, setup.mesh))
    for number, batch in enumerate(whole.batches):
        halves = [part.batches[number] for part in parts]
        np.testing.assert_array_equal(np.concatenate([half.tokens for half in halves]), batch.tokens)
        np.testing.assert_array_equal(np.concatenate([half.views[64] for half in halves]), batch.views[64])
        assert [half.groups for half in halves] == [batch.groups // 2] * 2


def test_rows_find_their_samples_again() -> None:
    found = [(np.array([1.0, 2.0]), np.array([3.0, 4.0])), (np.array([5.0, 5.0]), np.array([6.0, 6.0]))]
    np.testing.assert_array_equal(gathered(found, [0, 1, 3], 4), [[1, 3], [2, 4], [0, 0], [5, 6]])
    np.testing.assert_array_equal(gathered([], [], 2), np.zeros((2, 2)))


def test_the_loss_is_that_of_a_training_step_and_an_evaluation_changes_nothing(
    setup: Setup, state: TrainState, evaluations: Evaluations
) -> None:
    before = jax.device_get(state.params)
    setup.config.out.mkdir(exist_ok=True)
    result = evaluations.run(2, state)
    jax.tree.map(np.testing.assert_array_equal, jax.device_get(state.params), before)
    one = evaluations.sets[0]
    losses = [evaluations.losses(state.params, put_batch(batch, setup.mesh)) for batch in one.batches]
    again = gathered(losses, one.places, len(evaluations.records)).sum(axis=0)
    assert again[0] / again[1] == result.losses["tiny"]
    batch = put_batch(tiny.batches(setup.source, 1)[0], setup.mesh)
    total, count = evaluations.losses(state.params, batch)
    _, metrics = setup.step(jax.tree.map(lambda x: x.copy(), state), batch)  # it takes its state away
    assert float(metrics["loss"]) == pytest.approx(total.sum() / count.sum(), rel=1e-5)
    text = (setup.config.out / FOLDER / "step-000002.html").read_text()
    assert text.count("<article") == 2 * EACH
    assert "Too long for a row in mode tiny: 1 of 6 samples." in text
    assert all(case.said is not None for kind in result.kinds for case in kind.cases)


def test_several_processes_write_no_answers(
    evaluations: Evaluations, state: TrainState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    assert evaluations._answers(state)[0] is None


def test_a_device_without_room_for_reading_leaves_the_losses(
    evaluations: Evaluations, state: TrainState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")

    monkeypatch.setattr(evaluations.answers, "read", full)
    said, note = evaluations._answers(state)
    assert said is None
    assert "no room for reading" in note


def test_evaluations_are_due_every_so_many_steps_and_at_the_end(setup: Setup) -> None:
    changed = dataclasses.replace(setup.config, evaluate_every=3, steps=8)
    evaluations = Evaluations(dataclasses.replace(setup, config=changed))
    assert [step for step in range(1, 9) if evaluations.due(step)] == [3, 6, 8]
    off = dataclasses.replace(setup.config, evaluate_every=None, evaluate_on=None)
    assert not Evaluations(dataclasses.replace(setup, config=off)).due(3)


def test_losses_are_those_of_merged_adapters() -> None:
    params = {"a/kernel": np.eye(2, dtype=np.float32), "a/kernel/lora_a": np.ones((2, 1), np.float32)}
    params["a/kernel/lora_b"] = np.full((1, 2), 3.0, np.float32)
    config = TrainConfig(model=tiny.MODEL, lora=LoraConfig(rank=1, alpha=2.0, on=("a/",)))
    found = effective(params, config)
    assert list(found) == ["a/kernel"]
    np.testing.assert_array_equal(found["a/kernel"], np.eye(2) + 6)


def test_a_run_with_evaluations_is_the_run_without(
    config: TrainConfig,
    setup: Setup,
    state: TrainState,
    evaluations: Evaluations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shared(config: TrainConfig) -> Setup:  # equal but for the evaluations: one compiled step serves both
        return dataclasses.replace(prepare(config), step=setup.step)

    monkeypatch.setattr(page, "draw_curves", lambda lines: b"")  # takes its time, and is tested elsewhere
    monkeypatch.setattr(run, "row_loss_function", lambda setup: evaluations.losses)
    monkeypatch.setattr(run, "Answers", lambda *_: evaluations.answers)
    monkeypatch.setattr(loop, "prepare", shared)
    monkeypatch.setattr(loop, "first_state", lambda _: jax.tree.map(lambda x: x.copy(), state))
    evaluated = dataclasses.replace(config, out=config.out.with_name("with"))
    bare = dataclasses.replace(config, out=config.out.with_name("without"), evaluate_every=None, evaluate_on=None)
    for one in (evaluated, bare):
        assert loop.train(one) == 0
    assert (evaluated.out / "metrics.jsonl").read_bytes() == (bare.out / "metrics.jsonl").read_bytes()
    assert [line["step"] for line in read_metrics(evaluated.out / FOLDER / LINES)] == [2, 4]
    assert (evaluated.out / FOLDER / "index.html").is_file()
    assert not (bare.out / FOLDER).exists()
    line = read_metrics(bare.out / "metrics.jsonl")[-1]
    assert set(line["kinds"]) == {"charts", "pages"}
    assert set(line["modes"]) == {"tiny"}
    assert list((bare.out / "tensorboard").glob("events.out.*"))
