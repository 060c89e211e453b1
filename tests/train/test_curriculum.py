"""Rungs: what each run of a curriculum is, and that no sample comes twice."""

import dataclasses
from pathlib import Path

import pytest

from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import Tokenizer
from train.checks import check
from train.cli import load_config
from train.config import OptimizerConfig, TrainConfig
from train.curriculum import Curriculum, Rung, climbing, drawn_after
from train.data import BatchSource, Feed, open_sets
from train.setup import check_run
from train.sharding import make_mesh

MIXTURE = {"pages": 0.7, "geometry": 0.3}
PAGES = "live:middle:pages pages.words=[1,2] pages.width=[128,128] pages.size=[20,30]"


def curriculum(**changes: object) -> Curriculum:
    """Two rungs of a nano model."""
    data = (PAGES, "live:easy:geometry")
    first = Rung("one", data, MIXTURE, ("tiny",), 256, 3, 4, until=1.0)
    second = dataclasses.replace(first, name="two", rows=2, modes=("tiny", "small"), until=None)
    model = dataclasses.replace(preset("nano"), grey=True)
    optimizer = OptimizerConfig(schedule="constant", warmup=2)
    return climbing(TrainConfig(**{"model": model, "optimizer": optimizer, **changes}), (first, second))


def names(config: TrainConfig, steps: int) -> tuple[list[str], BatchSource, dict]:
    source = BatchSource(config, open_sets(config), Tokenizer.load(None))
    with Feed(source, 0) as feed:
        found = [name for _ in range(steps) for name in next(feed).samples]
        return found, source, feed.position()


def numbers(found: list[str], drawn: dict[str, int]) -> set[tuple[str, int]]:
    """Numbers of samples as their generator counts them."""
    return {(kind, int(number) + drawn.get(kind, 0)) for *_, kind, number in (name.split() for name in found)}


def test_no_sample_comes_in_two_rungs():
    whole = curriculum()
    one, source, position = names(whole.config(0, {}), 4)
    drawn = drawn_after(source, position, {})
    two, source, position = names(whole.config(1, drawn), 4)
    assert numbers(one, {}).isdisjoint(numbers(two, drawn))
    later = drawn_after(source, position, drawn)
    assert all(later[kind] > drawn[kind] for kind in MIXTURE)
    assert max(number for kind, number in numbers(two, drawn) if kind == "pages") < later["pages"]


def test_a_curriculum_is_the_run_of_its_last_rung():
    whole = curriculum()
    assert (whole.rows, whole.modes, whole.data) == (2, ("tiny", "small"), whole.rungs[1].data)
    check(whole)


def test_every_rung_of_the_small_model_is_sound_and_has_the_same_kinds():
    small = load_config(Path(__file__).parents[2] / "configs" / "small.py")
    assert isinstance(small, Curriculum)
    for number, rung in enumerate(small.rungs):
        check(small.config(number, {"pages": 5}))
        assert set(rung.mixture) == set(small.rungs[0].mixture)
        assert (rung.until is None) == (number == len(small.rungs) - 1)
    with pytest.raises(UserError, match="no setting"):
        entry = small.rungs[0].data[0].replace("letters", "letter")
        check_run(dataclasses.replace(small.config(0, {}), data=(entry,), mixture={}), make_mesh(small.mesh, None))
