"""Rows made by other processes: the same bytes, whatever happens to the processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import Tokenizer
from tests.train import tiny
from train.config import TrainConfig
from train.data import BatchSource, Fed, Feed, open_sets
from train.data.samples import Sample

ROOT = Path(__file__).parents[2]


def source(config: TrainConfig, **where: int) -> BatchSource:
    return BatchSource(config, open_sets(config), Tokenizer.load(config.tokenizer), **where)


def assert_same(found: Fed, expected: Fed) -> None:
    jax.tree.map(np.testing.assert_array_equal, found.batch, expected.batch)
    assert (found.samples, found.kinds, found.mode) == (expected.samples, expected.kinds, expected.mode)
    assert (found.filled, found.views_filled) == (expected.filled, expected.views_filled)


class Deadly:
    """Data whose sample 7 takes its process along, as a source."""

    name, counts, fingerprint, most_pictures = "deadly", {"charts": 20}, "", 0

    def __init__(self) -> None:
        self.parent = os.getpid()

    def read(self, kind: str, index: int) -> Sample:
        if index == 7 and os.getpid() != self.parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return Sample(f"deadly {index}", text="abc")


def test_workers_make_the_same_rows_also_when_one_is_killed_and_after_going_back(folder):
    config = tiny.tiny_config(folder, modes=("tiny", "small"))
    made = source(config, groups=2)
    with Feed(made, 0) as feed:
        expected = [next(feed) for _ in range(10)]
    with Feed(made, 2) as feed:
        for step, one in enumerate(expected):
            assert_same(next(feed), one)
            if step == 2:
                position = feed.position()
            if step == 4:
                os.kill(feed._workers.processes[1], signal.SIGKILL)
        feed.seek(position)
        for one in expected[3:6]:
            assert_same(next(feed), one)
        processes = feed._workers.processes
    assert not any(alive(process) for process in processes)


def test_a_worker_that_dies_again_and_again_ends_the_run_with_its_name(folder):
    config = tiny.tiny_config(folder, mixture={"charts": 1}, rows=2)
    made = BatchSource(config, [Deadly()], Tokenizer.load(config.tokenizer))
    with Feed(made, 1) as feed, pytest.raises(UserError) as error:
        for _ in range(50):
            next(feed)
    assert "data worker 1 of 1 died 3 times in a row (signal 9) while it made rows 0 to 1" in str(error.value)


def test_an_error_of_the_data_reaches_the_loop_as_it_is(folder, tmp_path):
    data = tiny.write_set(tmp_path / "data", {"charts": 3}, long={"charts": [0, 1, 2]})
    made = source(tiny.tiny_config(folder, data=(data,)))
    with Feed(made, 1) as feed, pytest.raises(UserError, match=r"^100 samples of charts one after the other"):
        next(feed)


def test_workers_end_with_their_parent(folder, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.train import tiny\n"
        "from tests.train.test_data_workers import source\n"
        "from train.data import Feed\n"
        "if __name__ == '__main__':\n"
        f"    feed = Feed(source(tiny.tiny_config(Path({str(folder)!r}))), 1)\n"
        "    next(feed)\n"
        "    print(*feed._workers.processes, flush=True)\n"
        "    time.sleep(100)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        assert workers and all(alive(process) for process in workers)
        parent.kill()
    end = time.monotonic() + 30
    while any(alive(process) for process in workers):
        assert time.monotonic() < end, "a worker outlived its parent"
        time.sleep(0.05)


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and is still listed does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
