"""The log of a stretch."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from train.data import Fed
from train.stretch_log import Log, Progress

#: Nothing looks into it.
BATCH: Any = None


@pytest.fixture
def log(tmp_path) -> Log:
    return Log(tmp_path / "metrics.jsonl", Progress(step=2), [])


def note(log: Log, loss: float, mode: str = "tiny", **changes: float) -> None:
    sums, figures = np.array([4 * loss, 0.0]), {"lr": 1e-3, "grad_norm": 1.0, "router_loss": 0.1, "skipped": 0.0}
    metrics = {"kind_loss": sums, "kind_tokens": np.array([4, 0]), **figures, **changes}
    log.note(metrics, Fed(BATCH, Counter(pages=2), Counter(), mode, 8, bad=Counter(torn=1)), 0.0)


def test_a_skipped_step_is_counted_and_in_no_mean(log, tmp_path):
    note(log, 3.0)
    note(log, float("nan"), skipped=1.0, grad_norm=float("inf"))
    log.line("one", ("pages", "charts"))
    line = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert (line["loss"], line["kinds"], line["grad_norm"], line["skipped"]) == (3.0, {"pages": 3.0}, 1.0, 1.0)
    assert (line["samples"], line["bad"]) == (4, {"torn": 2})
    assert not log.stuck


def test_each_mode_has_the_loss_of_its_own_steps(log, tmp_path):
    for loss, mode in ((3.0, "tiny"), (1.0, "small"), (2.0, "small")):
        note(log, loss, mode)
    log.line("one", ("pages", "charts"))
    line = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert (line["loss"], line["modes"]) == (2.0, {"tiny": 3.0, "small": 1.5})


def test_a_line_of_skipped_steps_alone_says_that_nothing_is_learned(log):
    note(log, float("nan"), skipped=1.0, grad_norm=float("nan"))
    log.line("one", ("pages", "charts"))
    assert log.stuck
    note(log, 3.0)
    log.line("one", ("pages", "charts"))
    assert not log.stuck
