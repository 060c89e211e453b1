import dataclasses
import json

import numpy as np
import pytest

from datagen import family
from datagen.degrade import LEVELS, PARTS, PRESETS, Degradation, Dose, degrade, only
from dsocr_jax.errors import UserError

WHITE = np.full((20, 30), 255, np.uint8)


@pytest.mark.parametrize("dose", [(1.5, 0, 1), (-0.1, 0, 1), (1, 0.6, 0.5), (1, 0, 1.2), (1, -0.1, 1)])
def test_a_dose_outside_of_0_to_1_is_refused(dose: tuple[float, float, float]) -> None:
    with pytest.raises(UserError, match="a dose needs"):
        Dose(*dose)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_of_0_to_1_is_refused(strength: float) -> None:
    with pytest.raises(UserError, match="strength is"):
        Degradation(strength=strength)


@pytest.mark.parametrize("presets", [(("light", -1.0), ("none", 2.0)), (("light", 0.0),)])
def test_weights_must_make_sense(presets: tuple[tuple[str, float], ...]) -> None:
    with pytest.raises(UserError, match="weights"):
        Degradation(presets=presets)


def test_a_preset_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UserError, match="no preset 'sepia'; there are none, light"):
        degrade(WHITE, np.random.default_rng(0), Degradation(presets=(("sepia", 1.0),)))


def test_a_mixture_of_mixtures_is_refused() -> None:
    with pytest.raises(UserError, match="itself a mixture"):
        degrade(WHITE, np.random.default_rng(0), Degradation(presets=(("mix", 1.0),)))


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UserError, match="no part 'sepia'"):
        only("sepia", 1)


def test_settings_survive_json() -> None:
    written = json.loads(json.dumps(dataclasses.asdict(LEVELS["standard"])))
    assert written["presets"] == [list(pair) for pair in PRESETS["mix"].presets]
    assert set(PARTS) < set(written)


def test_each_level_of_the_families_has_settings() -> None:
    assert set(LEVELS) == set(family.LEVELS)


def test_presets_are_drawn_as_often_as_they_weigh() -> None:
    rng = np.random.default_rng(3)
    drawn = [degrade(WHITE, rng, PRESETS["mix"])[1]["preset"] for _ in range(1500)]
    for name, weight in PRESETS["mix"].presets:
        assert drawn.count(name) / 1500 == pytest.approx(weight, abs=0.05)


def test_parts_are_applied_as_often_as_their_share_says() -> None:
    rng = np.random.default_rng(4)
    settings = Degradation(noise=Dose(0.3, 1, 1))
    applied = sum("noise" in degrade(WHITE, rng, settings)[1]["parts"] for _ in range(1000))
    assert applied / 1000 == pytest.approx(0.3, abs=0.06)


def test_the_overall_strength_multiplies() -> None:
    settings = dataclasses.replace(only("noise", 0.8), strength=0.5)
    assert degrade(WHITE, np.random.default_rng(0), settings)[1]["parts"]["noise"]["strength"] == pytest.approx(0.4)
