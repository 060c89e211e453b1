"""What the Ray engine does on its own side of Ray: Ray itself is not needed here."""

import sys
from pathlib import Path

import pytest

from datagen import ray_pool
from datagen.cli import app
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")


def test_without_ray_the_extra_is_named_and_nothing_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # what makes Python say that there is no such module
    words = ["build", "--count", "3", "--family", "pages", "--engine", "ray", "--out", str(tmp_path / "set")]
    with pytest.raises(UserError) as caught:
        app.cli(prog="dsocr-data", args=words)
    assert str(caught.value) == "--engine ray needs Ray: pip install 'dsocr-jax[cluster]'"
    assert not (tmp_path / "set").exists()


def test_a_folder_that_is_not_shared_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_pool, "_SEEN_WITHIN", 0)
    with pytest.raises(UserError, match=r"does not appear in .*; build in a folder that all nodes share"):
        ray_pool._await_file(tmp_path / "a.array_record", 5, lambda: False)
