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
SETTINGS = {
    "JAX_PLATFORMS": "cpu",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("hosts")


def run_hosts(cache: Path, folder: Path, *data: object, timeout: float = 240) -> dict[str, list]:
    """Return what `tests.train.hosts` reports."""
    done = subprocess.run(
        [str(part) for part in (sys.executable, "-m", "tests.train.hosts", folder, *data)],
        cwd=ROOT,
        env={**os.environ, **SETTINGS, "JAX_COMPILATION_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def report(compile_cache, runs) -> dict[str, list]:
    return run_hosts(compile_cache, runs)


def states(folder: Path, *names: str) -> list:
    return [toy.final_state(hosts.config_of(folder / name)) for name in names]


def test_two_processes_compute_what_one_computes(runs, report):
    assert (report["one"], report["two"]) == ([0], [0, 0])
    lines = [read_metrics(runs / name / "metrics.jsonl") for name in ("one", "two")]
    assert [line["step"] for line in lines[1]] == list(range(1, hosts.STEPS + 1))
    for one, two in zip(*lines, strict=True):
        assert one["loss"] == pytest.approx(two["loss"], rel=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), *states(runs, "one", "two"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_real_model_in_two_processes_is_killed_stopped_and_ends_as_in_one(compile_cache, folder, tmp_path):
    report = run_hosts(compile_cache, tmp_path, folder, timeout=1800)
    assert (report["one"], report["two"], report["stopped"], report["ended"]) == ([0], [0, 0], [143, 143], [0, 0])
    one, two, stopped = (read_metrics(tmp_path / name / "metrics.jsonl") for name in ("one", "two", "stopped"))
    assert two == stopped
    for a, b in zip(one, two, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-3)
        assert a["kinds"].keys() == b["kinds"].keys()


def test_all_go_back_when_one_had_the_broken_data(runs, report):
    rollbacks = [json.loads((runs / name / "rollbacks.json").read_text()) for name in ("one", "two", "stopped")]
    assert rollbacks[0] == rollbacks[1] == rollbacks[2]
    assert [(past["step"], past["found"]) for past in rollbacks[0]] == [(hosts.KILLED, hosts.BROKEN[-1] + 1)]


def test_all_stop_when_one_is_told_to(report):
    assert report["stopped"] == [143, 143]
    # The other learns of it one step later.
    assert str(hosts.STOPPED + 1) in report["listed"]


def test_killed_and_stopped_they_go_on_to_the_same_end(runs, report):
    first, second = report["killed"]
    assert first == -9 and second != 0  # it loses the other one, or is killed as well
    assert report["ended"] == [0, 0]
    assert report["left"] == [str(hosts.KILLED - hosts.EVERY), f"{hosts.KILLED}.partial"]
    assert (runs / "two" / "metrics.jsonl").read_bytes() == (runs / "stopped" / "metrics.jsonl").read_bytes()
    jax.tree.map(np.testing.assert_array_equal, *states(runs, "two", "stopped"))
