"""Recording: nothing of a model's folder runs unless it is allowed, and nothing is overwritten."""

from pathlib import Path

import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.parity.record import record
from dsocr_jax.parity.settings import Record


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "modeling_deepseekocr.py").write_text("raise SystemExit('it ran')\n")
    return folder


def test_code_does_not_run_unasked(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"runs modeling_deepseekocr\.py.*--run-model-code"):
        record(Record(model, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_the_version_that_the_code_needs_is_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"4\.46\.3"):
        record(Record(model, tmp_path / "out", run_model_code=True))


def test_a_folder_without_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="whole released folder"):
        record(Record(tmp_path, tmp_path / "out"))


def test_a_folder_that_holds_something_is_kept(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not empty"):
        record(Record(model, model))


def test_the_mode_that_the_original_miscounts_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gundam-m"):
        record(Record(model, tmp_path / "out", modes=("gundam-m",)))
