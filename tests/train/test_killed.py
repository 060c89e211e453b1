"""``kill -9`` at random moments, many of them inside saving, never leaves a run that cannot go on to the same end."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.train import killed, tiny, toy
from train.checkpoint import Checkpoints
from train.setup import prepare

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "JAX_PLATFORMS": "cpu",
    "JAX_NUM_CPU_DEVICES": "1",
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
}


def run_killed(run: Path, kills: int, cache: Path, *data: object, timeout: float = 120) -> list[dict[str, Any]]:
    """Return what `tests.train.killed` reports: a line for each kill, and one for the end."""
    command = [sys.executable, "-m", "tests.train.killed", run, kills, 7, *data]
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **SETTINGS, "JAX_COMPILATION_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "is damaged" not in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["status"] for line in lines] == [-9] * kills + [0], done.stderr
    return lines


def check_kills(kills: list[dict[str, Any]]) -> None:
    listed = [0, *(kill["after"] for kill in kills)]
    assert [kill["before"] for kill in kills] == listed[:-1]
    assert listed == sorted(listed)  # nothing that was listed is lost
    assert any(kill["left"] for kill in kills)  # some came inside saving


def test_run_killed_at_random_moments_goes_on_to_the_same_end(tmp_path, compile_cache):
    run_killed(tmp_path / "whole", 0, compile_cache)
    *kills, _ = run_killed(tmp_path / "killed", 12, compile_cache)
    check_kills(kills)
    for name in ("metrics.jsonl", "rollbacks.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    states = [toy.final_state(killed.config_of(tmp_path / name)) for name in ("killed", "whole")]
    jax.tree.map(np.testing.assert_array_equal, *states)
    # A start that was killed before it noted anything is not counted.
    assert 8 <= json.loads((tmp_path / "killed" / "goodput.json").read_text())["starts"] <= 13
    # What was broken has been left behind, and told.
    (rollback,) = json.loads((tmp_path / "killed" / "rollbacks.json").read_text())
    assert rollback["samples"] == [f"toy {number}" for number in killed.BROKEN]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_real_model_killed_fifty_times_goes_on_to_the_same_end(folder, tmp_path, compile_cache):
    run_killed(tmp_path / "whole", 0, compile_cache, folder, timeout=1000)
    *kills, _ = run_killed(tmp_path / "killed", 50, compile_cache, folder, timeout=3000)
    check_kills(kills)
    assert (tmp_path / "killed" / "metrics.jsonl").read_bytes() == (tmp_path / "whole" / "metrics.jsonl").read_bytes()
    states = []
    for name in ("whole", "killed"):
        setup = prepare(tiny.tiny_config(folder, out=tmp_path / name, steps=killed.REAL_STEPS))
        with Checkpoints(tmp_path / name, 2) as checkpoints:
            assert checkpoints.newest() == killed.REAL_STEPS
            states.append(jax.device_get(checkpoints.restore(killed.REAL_STEPS, setup.abstract, setup.shardings)))
    jax.tree.map(np.testing.assert_array_equal, *states)
