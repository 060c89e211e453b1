import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from datagen.cli import app
from datagen.shards import SampleSet
from dsocr_jax.errors import UserError


def run(*arguments: object) -> object:
    return app.cli(prog="dsocr-data", args=[str(argument) for argument in arguments])


def python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("fake")
def test_build_check_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "set"
    assert run("build", "--family", "pages", "--count", 12, "--out", target, "--seed", 3, "--workers", 1) == 0
    manifest = json.loads((target / "manifest.json").read_text())
    assert manifest["config"]["counts"] == {"pages": 12}
    assert (manifest["config"]["seed"], manifest["config"]["split"], manifest["config"]["level"]) == (
        3,
        "train",
        "standard",
    )
    assert run("check", target) == 0
    assert run("show", target, "--count", 4, "--out", tmp_path / "sheet.html") == 0
    assert (tmp_path / "sheet.html").exists()
    errors = capsys.readouterr().err
    assert "12 samples made" in errors and "/s per processor" in errors


@pytest.mark.usefixtures("fake")
def test_build_tells_when_there_is_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("build", "--family", "pages", "--count", 3, "--out", tmp_path / "set", "--workers", 1)
    run(*arguments)
    run(*arguments)
    assert "is complete already: 3 samples" in capsys.readouterr().err.replace("\n", "")


@pytest.mark.usefixtures("fake")
def test_check_prints_problems_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "set"
    run("build", "--count", 3, "--out", target, "--workers", 1)
    (target / "train-pages-00000-of-00001.array_record").unlink()
    assert run("check", target) == 1
    captured = capsys.readouterr()
    assert "train-pages-00000-of-00001.array_record is missing" in captured.out
    assert "1 problem" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "0"], "--count must be at least 1, not 0"),
        (["--count", "5", "--workers", "0"], "--workers must be at least 1"),
        (["--count", "5", "--shard-size", "0"], "--shard-size must be at least 1"),
        (["--count", "5", "--seed", "-1"], "--seed must be at least 0"),
        (["--count", "5", "--seed", str(2**63)], "--seed must be at most"),
        (["--count", "5", "--family", "chart"], "no family 'chart'; did you mean 'charts'?"),
        (["--count", "5", "--family", "zebra"], "no family 'zebra'; known are charts, molecules, geometry, pages, all"),
        (["--count", "5", "--family"], "name at least one family"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_touched(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        run("build", "--out", tmp_path / "set", *arguments)
    assert message in str(caught.value)
    assert not (tmp_path / "set").exists()


def test_pages_from_end_to_end(tmp_path: Path) -> None:
    target = tmp_path / "set"
    run("build", "--family", "pages", "--level", "easy", "--count", 6, "--out", target, "--workers", 1)
    samples = SampleSet.open(target)
    assert [record.pil().size for record in samples] == [(192, 192)] * 6
    assert run("check", target) == 0


def test_the_module_is_the_command() -> None:
    ended = python("-m", "datagen", "build", "--count", "0", "--out", "nowhere")
    assert (ended.returncode, ended.stderr.strip()) == (1, "error: --count must be at least 1, not 0.")


def test_help_is_quick_to_import() -> None:
    code = "import sys, datagen.cli; print(*{'jax', 'rdkit', 'matplotlib', 'PIL', 'jinja2'} & set(sys.modules))"
    assert python("-c", code).stdout.strip() == ""
