"""Samples drawn while training goes on."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from datagen import families
from datagen.family import Drawn, Family, Rejected
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import Tokenizer
from tests.train import tiny
from train.config import TrainConfig
from train.data import BatchSource, Feed, open_sets
from train.data.feed import NAMED
from train.data.live import LiveSource
from train.data.sources import live_seeds


class Content:
    """Four letters."""

    def __init__(self, key: str) -> None:
        self.key = key


def _compose(rng: np.random.Generator, settings: object) -> Content:
    return Content("".join(rng.choice(list("abcdefgh"), 4)))


def _render(content: Content, rng: np.random.Generator, settings: object) -> Drawn:
    return Drawn(rng.integers(0, 256, (64, 64), np.uint8), content.key)


FAMILY = Family("charts", "free", _compose, _render, {})


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw letters instead of charts."""
    settings = {level: families.load("charts").settings[level] for level in ("easy", "standard")}
    monkeypatch.setattr(families, "load", lambda name: replace(FAMILY, settings=settings))
    monkeypatch.setattr("datagen.sample.check_label", None, raising=False)
    monkeypatch.setattr("dsocr_jax.answers.check_label", lambda kind, label: None)


def live(folder, **changes: object) -> TrainConfig:
    return tiny.tiny_config(folder, **{"data": ("live:easy:charts",), "rows": 2, **changes})


def source(config: TrainConfig) -> BatchSource:
    return BatchSource(config, open_sets(config), Tokenizer.load(config.tokenizer))


def test_samples_never_come_again_in_any_mode_and_the_seed_decides(folder, letters):
    names = []
    for seed in (0, 0, 1):
        with Feed(source(live(folder, modes=("tiny", "small"), seed=seed)), 0) as feed:
            found = [next(feed) for _ in range(6)]
        names.append([name for one in found for name in one.samples])
        assert len(set(names[-1])) == len(names[-1])
        assert names[-1][0].startswith("live:easy:charts charts ")
    with Feed(source(live(folder, seed=1)), 0) as feed:
        other = next(feed).batch
    with Feed(source(live(folder, seed=2)), 0) as feed:
        assert not np.array_equal(next(feed).batch.tokens, other.tokens)
    assert names[0] == names[1]


def broken(monkeypatch: pytest.MonkeyPatch, fault: Exception, share: float) -> None:
    """Let the generator fail with ``fault`` at a share of the samples."""

    def compose(rng: np.random.Generator, settings: object) -> Content:
        if rng.random() < share:
            raise fault
        return _compose(rng, settings)

    family = replace(families.load("charts"), compose=compose)
    monkeypatch.setattr(families, "load", lambda name: family)


def test_samples_that_the_generator_fails_to_draw_are_skipped_counted_and_named(folder, letters, monkeypatch, capsys):
    broken(monkeypatch, ZeroDivisionError("no room"), 0.2)
    with Feed(source(live(folder, max_bad=0.4)), 0) as feed:
        found = [next(feed) for _ in range(12)]
    bad = sum((one.bad for one in found), Counter())
    assert bad.keys() == {"sample that its generator fails to draw"} and bad.total() > NAMED
    said = capsys.readouterr().err
    assert said.count("skipped: live:easy:charts (make_sample(0, 'charts', ") == NAMED
    assert "'train', 'easy', degradation='none') failed in attempt 0: ZeroDivisionError('no room')" in said


def test_a_generator_that_fails_too_often_ends_the_run(folder, letters, monkeypatch):
    broken(monkeypatch, ZeroDivisionError("no room"), 0.2)
    with Feed(source(live(folder)), 0) as feed, pytest.raises(UserError, match=r"more than --max-bad 0.01; .*no room"):
        for _ in range(100):
            next(feed)


@pytest.mark.parametrize("fault", [Rejected("too wide"), UserError("install the extra")])
def test_what_no_sample_can_be_drawn_for_ends_the_run_at_once(folder, letters, monkeypatch, fault):
    broken(monkeypatch, fault, 1.0)
    with pytest.raises(UserError, match=rf"--data live:easy:charts: .*{fault}"):
        source(live(folder))


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(UserError, match="there is no level 'hard'"):
        LiveSource("live:hard", 0, "none")
    with pytest.raises(UserError, match="live:easy:chart: there is no family 'chart'; did you mean 'charts'"):
        LiveSource("live:easy:chart", 0, "none")


def test_data_without_an_end_need_a_mixture_and_have_no_epochs(folder, letters, tmp_path):
    pages = tiny.write_set(tmp_path / "pages", {"pages": 5})
    config = live(folder, data=("live:easy:charts", str(pages)))
    with pytest.raises(UserError, match="there is no end of charts; say by --mixture"):
        source(config)
    made = source(replace(config, mixture={"charts": 1, "pages": 1}))
    with pytest.raises(UserError, match="--epochs: live data have no end"):
        made.steps_per_epoch()
    with pytest.raises(UserError, match=r"charts comes from .*a kind that is drawn live can come from nowhere else"):
        source(live(folder, data=("live:easy:charts", str(folder / "data"))))


def test_levels_of_a_kind_take_turns(folder, letters):
    def first(*data: str) -> list[str]:
        plan = source(live(folder, data=data)).plan
        return [plan.kinds[0][index].name for index in range(4)]

    easy, standard = first("live:easy:charts"), first("live:standard:charts")
    assert first("live:easy:charts", "live:standard:charts") == [easy[0], standard[0], easy[1], standard[1]]
    with pytest.raises(UserError, match="would make the same samples of charts"):
        first("live:easy:charts", "live:easy:charts charts@70")


def test_a_level_that_is_named_several_times_comes_as_often_and_makes_nothing_twice(folder, letters):
    plan = source(live(folder, data=("live:easy:charts", "live:standard:charts", "live:easy:charts"))).plan
    names = [plan.kinds[0][index].name for index in range(9)]
    easy = [f"live:easy:charts charts {index}" for index in range(6)]
    standard = [f"live:standard:charts charts {index}" for index in range(3)]
    found = [*easy[:1], standard[0], *easy[1:3], standard[1], *easy[3:5], standard[2], easy[5]]
    assert names == found


def test_entries_that_differ_draw_from_seeds_of_their_own_wherever_they_begin():
    entries = ["live:easy:charts", "set", "live:easy:charts degradation=fax", "live:easy:charts charts@70"]
    first, _, other, again = live_seeds(entries, 5)
    assert first == again == 5 and other != 5
    assert live_seeds([*entries[:2], f"{entries[2]} charts@9"], 5)[2] == other


def test_a_degraded_stream_shows_other_texts_than_the_clean_one(folder):
    data = ("live:easy:charts", "live:easy:charts degradation=light")
    kind = source(live(folder, data=data)).plan.kinds[0]
    labels = [kind[index].turns[0][1] for index in range(20)]
    assert not set(labels[::2]) & set(labels[1::2])


def test_degradation_is_that_of_the_entry_or_else_of_the_run():
    usual, own = LiveSource("live:middle:pages", 5, "none"), LiveSource("live:middle:pages degradation=fax", 5, "none")
    assert (usual.degradation, own.degradation) == ("none", "fax")
    assert usual.fingerprint != own.fingerprint == LiveSource("live:middle:pages", 5, "fax").fingerprint
    pictures = [np.asarray(each.read("pages", 0).pictures[0].decode()) for each in (usual, own)]
    assert pictures[0].shape != pictures[1].shape or (pictures[0] != pictures[1]).any()
    with pytest.raises(UserError, match="there is no degradation 'faks'; known are none, light"):
        LiveSource("live:middle:pages degradation=faks", 5, "none")


def test_settings_can_be_changed_and_the_stream_begins_where_it_is_told():
    plain = LiveSource("live:middle:pages pages.words=[2,3] pages.letters=0.0", 5, "none")
    later = LiveSource("live:middle:pages pages.words=[2,3] pages.letters=0.0 pages@7", 5, "none")
    assert plain.fingerprint == later.fingerprint
    (one,), (two,) = plain.read("pages", 7).turns, later.read("pages", 0).turns
    assert one == two and len(one[1].split()) < 12


@pytest.mark.parametrize("word", ["charts@7", "pages@x", "pages"])
def test_a_beginning_of_nothing_is_refused(word):
    with pytest.raises(UserError, match="KIND@NUMBER"):
        LiveSource(f"live:middle:pages {word}", 0, "none")
