"""Two processes of two devices each: they train, save, skip, go back and stop together, and leave what one would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from tests.train import hosts, toy
from train.metrics import read_metrics

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("hosts")


@pytest.fixture(scope="module")
def report(folder) -> dict[str, list]:
    command = [sys.executable, "-m", "tests.train.hosts", str(folder)]
    settings = {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def states(folder: Path, *names: str) -> list:
    return [toy.final_state(hosts.config_of(folder / name)) for name in names]


def test_two_processes_compute_what_one_computes(folder, report):
    assert (report["one"], report["two"]) == ([0], [0, 0])
    lines = [read_metrics(folder / name / "metrics.jsonl") for name in ("one", "two")]
    assert [line["step"] for line in lines[1]] == list(range(1, hosts.STEPS + 1))
    for one, two in zip(*lines, strict=True):
        assert one["loss"] == pytest.approx(two["loss"], rel=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), *states(folder, "one", "two"))


def test_all_go_back_when_one_had_the_broken_data(folder, report):
    rollbacks = [json.loads((folder / name / "rollbacks.json").read_text()) for name in ("one", "two", "stopped")]
    assert rollbacks[0] == rollbacks[1] == rollbacks[2]
    assert [(past["step"], past["found"]) for past in rollbacks[0]] == [(hosts.KILLED, hosts.BROKEN[-1] + 1)]


def test_all_stop_when_one_is_told_to(report):
    assert report["stopped"] == [143, 143]
    # The other learns of it one step later.
    assert str(hosts.STOPPED + 1) in report["listed"]


def test_killed_and_stopped_they_go_on_to_the_same_end(folder, report):
    first, second = report["killed"]
    assert first == -9 and second != 0  # it loses the other one, or is killed as well
    assert report["ended"] == [0, 0]
    assert report["left"] == [str(hosts.KILLED - hosts.EVERY), f"{hosts.KILLED}.partial"]
    assert (folder / "two" / "metrics.jsonl").read_bytes() == (folder / "stopped" / "metrics.jsonl").read_bytes()
    jax.tree.map(np.testing.assert_array_equal, *states(folder, "two", "stopped"))
