"""The model that is read with when nobody names one."""

from pathlib import Path

import pytest

from dsocr_jax.cli import app
from dsocr_jax.errors import UserError
from dsocr_jax.weights import shipped


def test_a_named_model_is_taken_in_its_own_first_mode(tmp_path: Path) -> None:
    assert shipped.choose_model(tmp_path) == (tmp_path, None)


def test_the_shipped_one_is_taken_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").touch()
    monkeypatch.setattr(shipped, "SHIPPED", tmp_path)
    assert shipped.choose_model(None) == (tmp_path, "small")
    assert shipped.choose_model(tmp_path / "x" / "..") == (tmp_path / "x" / "..", "small")  # named, it is the same one


def test_reading_without_any_model_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "none")
    with pytest.raises(UserError, match=r"has no weights of its own; name a model folder .* by --checkpoint"):
        app.cli(prog="dsocr", args=["read", "x.png"])
