"""The bench runs, at sizes that take seconds, and says what it measured."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

from dsocr_jax.bench import command
from dsocr_jax.bench.command import BENCHES, find_bench, run
from dsocr_jax.bench.device import DeviceSpeed
from dsocr_jax.bench.kernels import sum_up
from dsocr_jax.bench.pages import StandInTokenizer, make_files
from dsocr_jax.bench.row import Row, as_table
from dsocr_jax.cli import app
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.prompts import IMAGE
from tests.dsocr_jax.reading.small import CONFIG

TINY = dataclasses.replace(
    BENCHES["nano"], sizes=((64, 1),), decode=((2, 20),), steps=4, mode="tiny", pages=3, tokens=5, rows=2,
    device=(32, 1),
)  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The smallest model, compiled without optimisation."""
    monkeypatch.setattr(command, "preset", lambda name: CONFIG)
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


def test_every_line_is_measured_and_written(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    rows, speed, kernels = run(TINY, tmp_path / "bench.json", profiled=True)
    assert [row.work for row in rows] == ["encoder, 64 px", "decode, batch 2", "whole pages, tiny"]
    assert all(row.rate > 0 for row in rows)
    assert all(row.share is not None and row.share > 0 for row in rows[:2])
    assert "3 PNG files, 5 answer tokens each" in rows[2].note and "distinct ids" in rows[2].note
    assert [one.work for one in kernels] == ["encoder, 1 views of 64 px", "decode, batch 2, 4 steps"]
    assert all(one.launches > 0 and one.milliseconds > 0 for one in kernels)
    said = json.loads((tmp_path / "bench.json").read_text())
    assert said["device"]["name"] == speed.name and said["device"]["dtype"] == "float32"
    assert [row["rate"] for row in said["rows"]] == [row.rate for row in rows]
    assert said["options"]["tokens"] == 5
    assert "whole pages, tiny" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tokens": 1000}, "exceed 256 positions"),
        ({"sizes": ((100, 1),)}, "a multiple of 64 pixels, not 100:1"),
        ({"decode": ((1, 300),)}, "1 to 256 tokens of context, not 1:300"),
        ({"mode": "tinny"}, "did you mean 'tiny'"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        run(dataclasses.replace(TINY, **change), None, profiled=False)


def test_words_of_the_command() -> None:
    with pytest.raises(UserError, match="--decode takes two numbers"):
        app.cli(prog="dsocr", args=["bench", "read", "--no-compile-cache", "--decode", "64"])
    with pytest.raises(UserError, match="--tokens must be at least 1"):
        app.cli(prog="dsocr", args=["bench", "read", "--no-compile-cache", "--tokens", "0"])
    with pytest.raises(UserError, match="known: released, nano"):
        find_bench("large")


def test_the_stand_in_tokenizer_has_the_models_marks_and_decodes_any_id() -> None:
    config = ModelConfig()
    tokenizer = StandInTokenizer(config)
    ids = tokenizer.prompt_ids(f"{IMAGE}\nFree OCR.", 3)
    assert ids[:4] == [config.bos_token_id, *[config.image_token_id] * 3]
    assert tokenizer.decode([config.decoder.vocab_size - 1, 5000]) != ""


def test_files_differ_and_are_the_same_for_a_seed(tmp_path: Path) -> None:
    first = [file.read_bytes() for file in make_files(tmp_path / "a", 3, (200, 100))]
    assert len(set(first)) == 3
    assert first == [file.read_bytes() for file in make_files(tmp_path / "b", 3, (200, 100))]


def event(name: str, duration: float, thread: int, **arguments: object) -> dict[str, object]:
    return {"ph": "X", "pid": 1, "tid": thread, "name": name, "dur": duration, "args": arguments}


def test_kernels_of_a_gpu_are_those_of_its_streams() -> None:
    threads = [(1, "Stream #7"), (2, "python")]
    names = [{"ph": "M", "pid": 1, "tid": t, "name": "thread_name", "args": {"name": name}} for t, name in threads]
    events = [
        *names,
        event("dot", 1500, 1),
        event("dot", 500, 1),
        event("copy", 250, 1),
        event("host", 9000, 2, hlo_op="x"),
    ]
    found = sum_up("work", events)
    assert found.times == (("dot", 2.0, 2), ("copy", 0.25, 1))
    assert (found.milliseconds, found.launches) == (2.25, 3)


def test_operations_of_a_cpu_are_those_of_the_program() -> None:
    found = sum_up("work", [event("dot.1", 1000, 2, hlo_op="dot.1"), event("python", 9000, 3)])
    assert found.times == (("dot.1", 1.0, 1),)


def test_the_table_names_the_limits() -> None:
    rows = [
        Row("encoder", 321.4, "img/s", 0.537, "matmul peak", "8 at once"),
        Row("pages", 24.42, "pages/s", None, "", ""),
    ]
    table = as_table(rows, DeviceSpeed("H100", 7.9e14, 3.1e12))
    cells = [list(column.cells) for column in table.columns]
    assert cells[1] == ["321 img/s", "24.42 pages/s"] and cells[2] == ["53.7% of matmul peak", ""]
    assert "790 TFLOP/s in bfloat16, 3,100 GB/s" in str(table.title)
