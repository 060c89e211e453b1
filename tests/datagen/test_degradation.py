"""Degradation in the engine: named in the config, noted in the remarks, and apart from what is drawn."""

from pathlib import Path

import numpy as np
import pytest

from datagen import degradation
from datagen.build import build
from datagen.cli import app
from datagen.degrade import LEVELS, PRESETS
from datagen.manifest import SetConfig, read
from datagen.sample import make_sample
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")


def test_names_and_defaults_are_those_of_the_presets() -> None:
    assert set(degradation.NAMES) == set(PRESETS)
    assert {level: PRESETS[name] for level, name in degradation.DEFAULTS.items()} == dict(LEVELS)


@pytest.mark.parametrize("name", ["light", "scan", "photo", "screen", "fax", "mix"])
def test_a_degraded_sample_says_the_same_of_another_picture(name: str) -> None:
    pairs = [
        [make_sample(3, "pages", index, "all", "easy", degradation=which) for which in ("none", name)]
        for index in range(12)
    ]
    for clean, degraded in pairs:
        assert (clean.label, clean.meta["content"]) == (degraded.label, degraded.meta["content"])
        assert clean.meta["degradation"] == {}
        parts = degraded.meta["degradation"]["parts"]
        assert bool(parts) or np.array_equal(clean.image, degraded.image)
    assert any(degraded.meta["degradation"]["parts"] for _, degraded in pairs)


def test_a_degraded_sample_comes_out_the_same_twice() -> None:
    one, two = (make_sample(3, "pages", 4, "all", "easy", degradation="photo") for _ in range(2))
    assert np.array_equal(one.image, two.image) and one.meta == two.meta


def test_small_text_is_told_to_the_degradation(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def apply(image: np.ndarray, name: str, rng: np.random.Generator, detail: float | None) -> tuple[np.ndarray, dict]:
        seen.append(detail)
        return image, {}

    monkeypatch.setattr(degradation, "apply", apply)
    make_sample(3, "pages", 4, "all", "easy", degradation="light")
    assert seen == [7]


def test_the_manifest_holds_the_doses(tmp_path: Path) -> None:
    build(SetConfig({"pages": 3}, 1, "all", "easy", 3, "mix"), tmp_path / "set", 1)
    config = read(tmp_path / "set").config
    assert config["degradation"] == "mix"
    assert set(config["settings"]["degradation"]) == set(PRESETS)


def test_another_degradation_is_another_set(tmp_path: Path) -> None:
    build(SetConfig({"pages": 3}, 1, "all", "easy", 3, "light"), tmp_path / "set", 1)
    with pytest.raises(UserError, match='degradation is "light" there and "scan" here'):
        build(SetConfig({"pages": 3}, 1, "all", "easy", 3, "scan"), tmp_path / "set", 1)


@pytest.mark.parametrize(("level", "name"), [("easy", "none"), ("standard", "mix")])
def test_levels_have_a_degradation_of_their_own(tmp_path: Path, level: str, name: str) -> None:
    words = ["build", "--count", "2", "--level", level, "--out", str(tmp_path / "set"), "--workers", "1", "--no-card"]
    app.cli(prog="dsocr-data", args=words)
    assert read(tmp_path / "set").config["degradation"] == name


def test_an_unknown_degradation_is_refused() -> None:
    with pytest.raises(UserError, match="no degradation 'rain'; known are none, light"):
        SetConfig({"pages": 3}, 1, "all", "easy", 3, "rain").as_json()
