"""The three commands as a user types them: data, training, reading; and bad input at the door."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
MODULES = {"dsocr": "dsocr_jax.cli", "dsocr-data": "datagen", "dsocr-train": "train"}


def run(door: str, *words: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", MODULES[door], *map(str, words)],
        cwd=cwd,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def striped() -> Image.Image:
    """A picture that is not blank."""
    return Image.linear_gradient("L").resize((80, 60)).point(lambda value: value // 16 % 2 * 255)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a built set in ``data`` and a run of two steps in ``run``."""
    folder = tmp_path_factory.mktemp("doors")
    built = run("dsocr-data", "build", "--family", "all", "--count", 16, "--level", "easy", "--out", folder / "data")
    assert built.returncode == 0, built.stderr
    words = ("--data", folder / "data", "--out", folder / "run", "--steps", 2, "--optimizer.warmup", 1)
    made = run("dsocr-train", "configs/nano.py", *words, "--rows", 4)
    assert made.returncode == 0, made.stderr
    return folder


def test_a_good_picture_is_read_and_the_bad_ones_are_listed(trained: Path, tmp_path: Path) -> None:
    striped().save(tmp_path / "good.png")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "[red]text.png").write_text("not a picture")
    out = tmp_path / "answers"
    sources = [tmp_path / name for name in ("empty.png", "good.png", "[red]text.png", "missing.png")]
    done = run("dsocr", "read", *sources, "--checkpoint", trained / "run", "--out", out, "--max-new-tokens", 3)
    assert done.returncode == 1
    assert sorted(path.name for path in out.iterdir()) == ["good.json", "good.md"]
    answer = json.loads((out / "good.json").read_text())
    assert answer["finish_reason"] in {"stop", "length"} and len(answer["tokens"]) <= 3
    assert answer["mean_log_prob"] == pytest.approx(
        sum(token["log_prob"] for token in answer["tokens"]) / len(answer["tokens"]), abs=1e-5
    )
    for name in ("empty.png", "[red]text.png", "missing.png"):
        assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_without_out_the_text_alone_goes_to_standard_output(trained: Path, tmp_path: Path) -> None:
    striped().save(tmp_path / "good.png")
    done = run("dsocr", "read", tmp_path / "good.png", "--checkpoint", trained / "run", "--max-new-tokens", 2)
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("read", "x.png", "--checkpoint", "nowhere"), "nowhere: no such folder"),
        (("read", "--checkpoint", "nowhere"), "nothing to read"),
        (("read", "x.png", "--checkpoint", "tests"), "config.json is missing"),
        (("describe", "large"), "large"),
    ],
)
def test_bad_words_are_one_clear_line(words: tuple[str, ...], message: str) -> None:
    done = run("dsocr", *words)
    assert done.returncode == 1
    assert message in done.stderr and "Traceback" not in done.stderr


def test_an_unknown_mode_names_the_known_ones(trained: Path) -> None:
    done = run("dsocr", "read", "x.png", "--checkpoint", trained / "run", "--mode", "tinny")
    assert done.returncode == 1 and "did you mean 'tiny'" in done.stderr


@pytest.mark.parametrize("door", MODULES)
def test_a_mistyped_option_suggests_the_right_one(door: str) -> None:
    build = ("build", "--family", "all", "--count", "3", "--out", "x", "--leval", "easy")
    words = {"dsocr": ("read", "x", "--chekpoint", "y"), "dsocr-data": build}
    done = run(door, *words.get(door, ("configs/nano.py", "--stepps", "3")))
    assert done.returncode == 2
    wanted = {"dsocr": "--checkpoint", "dsocr-data": "--level", "dsocr-train": "--steps"}[door]
    assert wanted in done.stderr + done.stdout


def test_a_model_of_another_shape_is_refused(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "run" / "model", tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    config["model"]["decoder"]["dense_ffn"] += 8
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    Image.new("L", (80, 60)).save(tmp_path / "x.png")
    done = run("dsocr", "read", tmp_path / "x.png", "--checkpoint", tmp_path / "model")
    assert done.returncode == 1
    assert "decoder/layers/0/mlp" in done.stderr and "Traceback" not in done.stderr


def test_a_missing_tokenizer_is_said_before_anything_is_made(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained / "run" / "model", tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").unlink()
    done = run("dsocr", "read", "x.png", "--checkpoint", tmp_path / "model", "--out", tmp_path / "answers")
    assert done.returncode == 1 and "dsocr tokenizer" in done.stderr
    assert not (tmp_path / "answers").exists()
