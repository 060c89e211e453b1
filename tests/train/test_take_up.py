"""A shipped model as the state that a stretch goes on from."""

import json
from pathlib import Path

import numpy as np
import pytest

from dsocr_jax.errors import UserError
from tests.train.test_stretch import CONFIG, lines
from train import ship, take_up
from train.compact import read_meta, read_state
from train.stretch import Options as StretchOptions
from train.stretch import stretch


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path, Path]:
    """A curriculum, the state of a stretch of it, and the model that it ships."""
    folder = tmp_path_factory.mktemp("take_up")
    config, state, model = folder / "config.py", folder / "state", folder / "model"
    config.write_text(CONFIG.format(folder=str(folder / "tokenizer"), every=1))
    stretch(StretchOptions(config, state, minutes=5, steps=2, workers=0))
    ship.ship(ship.Options(state, model, config, ours=True))
    return config, state, model


def test_the_parameters_are_those_shipped_and_the_next_stretch_goes_on_behind_them(made, tmp_path):
    config, state, model = made
    taken = tmp_path / "taken"
    take_up.take_up(take_up.Options(model, taken, config, step=2, stretch=1, samples=16, drawn=5000))
    before, after = read_state(state)[0], read_state(taken)[0]
    assert set(after) == {name for name in before if not name.startswith("opt_state/")}
    for name, x in after.items():
        if "patch_embed/kernel" in name:  # what all colours count for together is what a grey picture sees
            np.testing.assert_allclose(x.sum(-2), before[name].sum(-2), rtol=2e-2, atol=1e-3)
        else:
            np.testing.assert_array_equal(x, before[name])
    meta = read_meta(taken)
    assert (meta["step"], meta["rung"], meta["stretch"], meta["drawn"]) == (2, 1, 1, {"pages": 5000})

    out = tmp_path / "on"
    stretch(StretchOptions(config, out, from_=taken, minutes=5, steps=2, workers=0, new_moments=True))
    assert [line["step"] for line in lines(out)] == [3, 4]
    assert read_meta(out)["drawn"]["pages"] > 5000


def test_what_does_not_fit_is_refused_before_anything_is_written(made, tmp_path):
    config, _, model = made
    with pytest.raises(UserError, match="from 0 on"):
        take_up.take_up(take_up.Options(model, tmp_path / "out", config, step=-1))
    with pytest.raises(UserError, match=r"has another .* than .*small\.py"):
        take_up.take_up(take_up.Options(model, tmp_path / "out", Path(__file__).parents[2] / "configs" / "small.py"))
    assert not (tmp_path / "out").exists()
    full = tmp_path / "full"
    full.mkdir()
    (full / "note.json").write_text(json.dumps({}))
    with pytest.raises(UserError, match="is not empty"):
        take_up.take_up(take_up.Options(model, full, config))
