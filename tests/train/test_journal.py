import json
from collections import Counter

import jax.numpy as jnp
import numpy as np
import pytest

from dsocr_jax.batch import Batch
from dsocr_jax.errors import UserError
from tests.train import tiny
from train.data import Fed
from train.journal import Journal, Means, describe
from train.metrics import read_metrics

ROWS = np.ones((8, 4), int)


def fed(dropped: int = 0, mode: str = "tiny") -> Fed:
    batch = Batch(ROWS, ROWS, np.tri(8, 4, dtype=int), ROWS, ROWS, {})
    left_out = Counter({"charts too long": dropped} if dropped else {})
    return Fed(batch, Counter(charts=8), left_out, mode, 26, 8, 1.0, 1.0, [], Counter({"no picture": dropped}))


def figures(**changes: float) -> dict:
    values = {"loss": 2.0, "router_loss": 0.5, "grad_norm": 1.0, "lr": 0.1, **changes}
    return {name: jnp.asarray(value) for name, value in values.items()}


def nothing(amount: int, note: str) -> None:
    pass


def test_a_step_is_written_when_the_next_one_has_begun(tmp_path):
    said = []
    config = tiny.tiny_config(tmp_path, out=tmp_path, steps=9)
    state = {"left_out": {"charts too long": 2}, "passed": {"samples": 100}}
    with Journal(config, 0, state, lambda amount, note: said.append((amount, note))) as journal:
        journal.note(1, figures(), fed(dropped=3), 0.0)
        assert read_metrics(tmp_path / "metrics.jsonl") == []
        journal.note(2, figures(loss=1.5), fed(), 0.0)
        (line,) = read_metrics(tmp_path / "metrics.jsonl")
        journal.settle()
    assert line == {
        "step": 1,
        "loss": 2.0,
        "router_loss": 0.5,
        "grad_norm": 1.0,
        "lr": pytest.approx(0.1),
        "kinds": {},
        "modes": {},
        "samples": 108,
        "tokens": 26,
        "pictures": 8,
        "skipped": 0,
        "left_out": {"charts too long": 5},
        "bad": {"no picture": 3},
    }
    assert [amount for amount, _ in said] == [1, 1]
    assert said[0][1].startswith("loss 2.000, lr 1e-01")


def test_only_every_nth_step_and_the_last_are_written(tmp_path):
    config = tiny.tiny_config(tmp_path, out=tmp_path, steps=7, log_every=3)
    with Journal(config, 0, {}, nothing) as journal:
        for step in range(1, 8):
            journal.note(step, figures(), fed(), 0.0)
        journal.settle()
    assert [line["step"] for line in read_metrics(tmp_path / "metrics.jsonl")] == [3, 6, 7]
    assert [line["step"] for line in read_metrics(tmp_path / "speed.jsonl")] == [3, 6, 7]


def by_kind(step: int) -> dict:
    """A step with 2 tokens of pages; of charts, as many as its number."""
    sums = jnp.array([3.0 * step, 1.0])
    return figures(loss=float(step), answer_tokens=step + 2, kind_loss=sums, kind_tokens=jnp.array([step, 2]))


def run(config, steps: range, state: dict) -> dict:
    with Journal(config, steps.start - 1, state, nothing, kinds=("charts", "pages")) as journal:
        for step in steps:
            journal.note(step, by_kind(step), fed(mode="tiny" if step % 2 else "small"), 0.0)
        journal.settle()
        return journal.state()


def test_kinds_and_modes_are_means_over_all_tokens_since_the_last_line(tmp_path):
    config = tiny.tiny_config(tmp_path, out=tmp_path, steps=4, log_every=2)
    run(config, range(1, 5), {})
    first, second = read_metrics(tmp_path / "metrics.jsonl")
    assert first["kinds"] == {"charts": 9 / 3, "pages": 2 / 4}
    assert first["modes"] == {"tiny": 1.0, "small": 2.0}
    assert second["kinds"] == {"charts": 21 / 7, "pages": 2 / 4}
    assert "kind_loss" not in first


def test_a_run_that_goes_on_between_two_lines_writes_the_same_bytes(tmp_path):
    for name in ("whole", "two"):
        (tmp_path / name).mkdir()
    whole = tiny.tiny_config(tmp_path, out=tmp_path / "whole", steps=6, log_every=3, tensorboard=False)
    run(whole, range(1, 7), {})
    two = tiny.tiny_config(tmp_path, out=tmp_path / "two", steps=6, log_every=3, tensorboard=False)
    state = run(two, range(1, 5), {})
    run(two, range(5, 7), json.loads(json.dumps(state)))
    assert (tmp_path / "two" / "metrics.jsonl").read_bytes() == (tmp_path / "whole" / "metrics.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["loss", "router_loss", "grad_norm"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_figure_that_is_not_finite_is_an_error_also_when_its_line_is_not_due(tmp_path, name, value):
    config = tiny.tiny_config(tmp_path, out=tmp_path, log_every=100)
    with Journal(config, 0, {}, nothing) as journal:
        journal.note(1, figures(), fed(), 0.0)
        journal.note(2, figures(**{name: value}), fed(), 0.0)
        with pytest.raises(UserError, match=f"training broke at step 2: {name} is not finite"):
            journal.settle()


def test_a_skipped_step_is_counted_and_its_losses_are_not(tmp_path):
    config = tiny.tiny_config(tmp_path, out=tmp_path, steps=2, log_every=2)
    broken = by_kind(1) | figures(loss=np.nan, grad_norm=np.inf, skipped=1.0)
    with Journal(config, 0, {}, nothing, kinds=("charts", "pages")) as journal:
        journal.note(1, by_kind(3), fed(), 0.0)
        journal.note(2, broken, fed(), 0.0)
        journal.settle()
    (line,) = read_metrics(tmp_path / "metrics.jsonl")
    assert (line["loss"], line["grad_norm"], line["skipped"]) == (None, None, 1)
    assert line["kinds"] == {"charts": 3.0, "pages": 0.5}
    assert line["modes"] == {"tiny": 3.0}


def test_tables_are_written_with_few_digits(tmp_path):
    config = tiny.tiny_config(tmp_path, out=tmp_path, steps=1)
    load = jnp.array([[1 / 3, 2 / 3], [0.5, 0.5]])
    with Journal(config, 0, {}, nothing) as journal:
        journal.note(1, figures() | {"router_load": load, "norm/sam": jnp.float32(7)}, fed(), 0.0)
        journal.settle()
    (line,) = read_metrics(tmp_path / "metrics.jsonl")
    assert line["router_load"] == [[0.33333, 0.66667], [0.5, 0.5]]
    assert line["norm/sam"] == 7


def test_means_without_any_are_absent():
    means = Means()
    means.add("charts", 0.0, 0)
    means.add("pages", 6.0, 4)
    assert means.take() == {"pages": 1.5}
    assert means.take() == {}


def test_the_live_line_is_short():
    line = {"loss": 11.234, "lr": 3e-5, "skipped": 123}
    speed = {"tokens_per_s": 1234567.0, "share_of_peak": 0.47, "input_wait": 0.999}
    assert describe(line, speed) == ("loss 11.234, lr 3e-05, 1.23M tok/s, 47% peak, 99.9% wait, 123 skipped")
    assert describe({"loss": None, "lr": 3e-5, "skipped": 0}, {"tokens_per_s": 12.0}) == (
        "loss not finite, lr 3e-05, 12 tok/s"
    )
