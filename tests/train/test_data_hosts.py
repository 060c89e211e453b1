"""The position of the input over two real processes, which then goes on in one."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np

from dsocr_jax.tokenizer import Tokenizer
from tests.train import tiny
from train.data import BatchSource, Feed, open_sets

ROOT = Path(__file__).parents[2]
STEPS = 3

SCRIPT = """
import json, sys
from pathlib import Path
import jax
folder, port, process = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
jax.distributed.initialize(f"localhost:{port}", 2, process)
from tests.train.test_data_hosts import STEPS, feed
with feed(folder, process, 2) as found:
    for _ in range(STEPS):
        next(found)
    print(json.dumps(found.position()))
"""


def feed(folder: Path, process: int = 0, processes: int = 1) -> Feed:
    config = tiny.tiny_config(folder, modes=("tiny", "small"))
    tokenizer = Tokenizer.load(config.tokenizer)
    where = {"groups": processes, "process": process, "processes": processes}
    return Feed(BatchSource(config, open_sets(config), tokenizer, **where), 0)


def test_two_processes_know_the_position_of_both(folder):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder), port, str(process)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for process in (0, 1)
    ]
    said = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    positions = [json.loads(out.splitlines()[-1]) for out, _ in said]
    with feed(folder) as whole:
        for _ in range(STEPS):
            next(whole)
        assert positions == [json.loads(json.dumps(whole.position()))] * 2
        with feed(folder) as continued:
            continued.seek(positions[0])
            jax.tree.map(np.testing.assert_array_equal, next(continued).batch, next(whole).batch)
