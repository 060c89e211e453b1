from collections import Counter

import jax.numpy as jnp
import numpy as np
import pytest

from dsocr_jax.batch import Batch
from dsocr_jax.errors import UserError
from tests.train import tiny
from train.data import Fed
from train.journal import Journal
from train.metrics import read_metrics

ROWS = np.ones((8, 4), int)


def fed(dropped: int = 0) -> Fed:
    batch = Batch(ROWS, ROWS, np.tri(8, 4, dtype=int), ROWS, ROWS, {})
    return Fed(batch, Counter(charts=8), Counter({"charts too long": dropped} if dropped else {}))


def figures(**changes: float) -> dict:
    values = {"loss": 2.0, "router_loss": 0.5, "grad_norm": 1.0, "lr": 0.1, **changes}
    return {name: jnp.float32(value) for name, value in values.items()}


def test_a_step_is_written_when_the_next_one_has_begun(tmp_path):
    said = []
    config = tiny.tiny_config(tmp_path, out=tmp_path, steps=9)
    with Journal(config, 0, {"charts too long": 2}, lambda amount, note: said.append((amount, note))) as journal:
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
        "samples": 16,
        "left_out": {"charts too long": 5},
    }
    assert [amount for amount, _ in said] == [1, 1]
    assert "loss 2.000  router 0.5000  lr 1.0e-01" in said[0][1]
    assert "waiting for input" in said[0][1]


def test_only_every_nth_step_and_the_last_are_written(tmp_path):
    config = tiny.tiny_config(tmp_path, out=tmp_path, steps=7, log_every=3)
    with Journal(config, 0, {}, lambda *_: None) as journal:
        for step in range(1, 8):
            journal.note(step, figures(), fed(), 0.0)
        journal.settle()
    assert [line["step"] for line in read_metrics(tmp_path / "metrics.jsonl")] == [3, 6, 7]


@pytest.mark.parametrize("name", ["loss", "router_loss", "grad_norm"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_figure_that_is_not_finite_is_an_error_also_when_its_line_is_not_due(tmp_path, name, value):
    config = tiny.tiny_config(tmp_path, out=tmp_path, log_every=100)
    with Journal(config, 0, {}, lambda *_: None) as journal:
        journal.note(1, figures(), fed(), 0.0)
        journal.note(2, figures(**{name: value}), fed(), 0.0)
        with pytest.raises(UserError, match=f"training broke at step 2: {name} is {value}"):
            journal.settle()
