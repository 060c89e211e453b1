"""The input as a whole: mixtures, modes, packing, positions, groups and processes, refusals."""

import json
import time
from collections import Counter
from dataclasses import replace

import jax
import numpy as np
import pytest

from dsocr_jax.batch import IGNORED
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.weights.tokenizer_files import check_tokenizer
from tests.train import tiny
from train.config import TrainConfig
from train.data import BatchSource, Fed, Feed, digest, example_of, open_sets
from train.data.feed import copied

HALF = {"charts": 1.0, "pages": 1.0}


def make(config: TrainConfig, **where: int) -> BatchSource:
    return BatchSource(config, open_sets(config), Tokenizer.load(config.tokenizer), **where)


def fed(config: TrainConfig, steps: int, **where: int) -> list[Fed]:
    with Feed(make(config, **where), 0) as feed:
        return [next(feed) for _ in range(steps)]


def same(a: object, b: object) -> bool:
    return jax.tree.all(jax.tree.map(np.array_equal, a, b))


def drawn(config: TrainConfig, count: int, mode: int = 0) -> list[tuple[str, str]]:
    """Kind and name of the first samples of the mixture."""
    plan = make(config).plan
    return [(plan.kinds[place].name, sample.name) for place, sample in (plan.sample(mode, n) for n in range(count))]


def test_kinds_come_by_their_number_unless_weights_are_given(folder):
    config = tiny.tiny_config(folder)
    assert Counter(kind for kind, _ in drawn(config, 320)) == {"charts": 200, "pages": 120}
    weighted = replace(config, mixture={"charts": 1, "pages": 3})
    assert Counter(kind for kind, _ in drawn(weighted, 320)) == {"charts": 80, "pages": 240}
    without = replace(config, mixture={"charts": 0, "pages": 3})
    assert {kind for kind, _ in drawn(without, 50)} == {"pages"}


def test_every_sample_comes_once_before_any_comes_again_and_epochs_and_modes_differ(folder):
    config = tiny.tiny_config(folder, mixture={"charts": 1, "pages": 0}, modes=("tiny", "small"))
    order = [name for _, name in drawn(config, 40)]
    assert sorted(order[:20]) == sorted(order[20:]) == sorted(f"{folder}/data charts {i}" for i in range(20))
    assert order[:20] != order[20:]
    other = [name for _, name in drawn(config, 20, mode=1)]
    assert sorted(other) == sorted(order[:20])
    assert other != order[:20]


def test_seed_decides_the_order(folder):
    orders = [drawn(tiny.tiny_config(folder, seed=seed), 32) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_batches_of_two_sets_hold_samples_of_both(folder, tmp_path):
    other = tiny.write_set(tmp_path / "other", {"charts": 5})
    config = tiny.tiny_config(folder, mixture={"charts": 1, "pages": 0}, data=(folder / "data", other))
    assert len(set(drawn(config, 25))) == 25


def test_what_is_fed_is_counted_and_named(folder):
    config = tiny.tiny_config(folder, mixture=HALF, modes=("tiny", "small"))
    source = make(config)
    for one, mode in zip(fed(config, 4), ("tiny", "small") * 2, strict=True):
        batch = one.batch
        assert one.mode == mode
        assert one.tokens == (batch.segments > 0).sum() == round(one.filled * batch.tokens.size)
        samples = int(batch.segments.max(axis=1).sum())
        assert len(one.samples) == samples == one.kinds.total() == one.pictures
        assert [name.split()[1] for name in one.samples] == [
            source.kinds[batch.kinds[b][batch.segments[b] == n][0]]
            for b in range(len(batch.tokens))
            for n in range(1, batch.segments[b].max() + 1)
        ]
        ((_, views),) = batch.views.items()
        shown = sum(bool(view.any()) for view in views.reshape(-1, *views.shape[2:]))
        assert shown <= one.pictures == round(one.views_filled * views.shape[1])
        assert (batch.kinds[batch.segments == 0] == 0).all()


def test_rows_are_filled(folder):
    config = tiny.tiny_config(folder, length=256, rows=4)
    assert np.mean([one.filled for one in fed(config, 8)]) > 0.95


def test_samples_that_are_too_long_are_counted_and_replaced_by_their_kind(folder, tmp_path):
    data = tiny.write_set(tmp_path / "data", {"charts": 16, "pages": 16}, long={"charts": [0, 3, 5, 9]})
    made = fed(tiny.tiny_config(folder, data=(data,), mixture=HALF), 12)
    left_out = sum((one.left_out for one in made), Counter())
    kinds = sum((one.kinds for one in made), Counter())
    assert set(left_out) == {"charts too long"}
    # A quarter of the charts is too long, and of those drawn instead.
    assert 0.2 * kinds["charts"] < left_out["charts too long"] < 0.5 * kinds["charts"]
    assert abs(kinds["charts"] - kinds["pages"]) < 20
    z = Tokenizer.load(folder / "tokenizer.json").encode("z")[0]
    assert all((one.batch.tokens != z).all() for one in made)


def test_pictures_are_degraded_on_the_fly(folder):
    config = tiny.tiny_config(folder, rows=2)
    plain, degraded, again = (fed(replace(config, degradation=name), 2) for name in ("none", "scan", "scan"))
    for one, other, same_one in zip(plain, degraded, again, strict=True):
        np.testing.assert_array_equal(one.batch.tokens, other.batch.tokens)
        assert not np.array_equal(one.batch.views[64], other.batch.views[64])
        assert same(other.batch, same_one.batch)


def test_a_kind_that_never_fits_is_an_error(folder, tmp_path):
    data = tiny.write_set(tmp_path / "data", {"charts": 3, "pages": 9}, long={"charts": [0, 1, 2]})
    with pytest.raises(UserError, match="samples of charts one after the other were too long"):
        fed(tiny.tiny_config(folder, data=(data,)), 1)


def test_feed_goes_on_exactly_behind_any_position(folder):
    config = tiny.tiny_config(folder, modes=("tiny", "small"), mode_shares={"tiny": 2, "small": 1})
    whole, positions = [], []
    with Feed(make(config), 0) as feed:
        for _ in range(9):
            positions.append(json.loads(json.dumps(feed.position())))
            whole.append(next(feed))
        for number, position in enumerate(positions):
            feed.seek(position)
            assert all(same(next(feed).batch, one.batch) for one in whole[number : number + 3])


def test_placing_a_batch_is_not_time_of_its_samples(folder):
    placing = 0.3

    def place(batch):
        time.sleep(placing)
        return copied(batch)

    with Feed(make(tiny.tiny_config(folder)), 0, place) as feed:
        began = time.monotonic()
        one = next(feed)
        passed = time.monotonic() - began
    assert 0 < one.awaited <= passed - placing


def test_modes_have_their_shares_of_the_steps(folder):
    config = tiny.tiny_config(folder, modes=("tiny", "small"), mode_shares={"tiny": 2, "small": 1})
    assert Counter(one.mode for one in fed(config, 9)) == {"tiny": 6, "small": 3}


def test_rows_do_not_depend_on_the_number_of_processes_or_groups(folder):
    config = tiny.tiny_config(folder, rows=8)
    whole = fed(config, 3)
    for processes, groups in ((1, 4), (2, 2), (2, 8), (4, 4)):
        parts = [fed(config, 3, process=p, processes=processes, groups=groups) for p in range(processes)]
        for step, one in enumerate(whole):
            batches = [part[step].batch for part in parts]
            assert all(batch.groups == groups // processes for batch in batches)
            for name in ("tokens", "labels", "segments", "positions", "kinds"):
                joined = np.concatenate([getattr(batch, name) for batch in batches])
                np.testing.assert_array_equal(joined, getattr(one.batch, name))
            for size, views in one.batch.views.items():
                joined = np.concatenate([batch.views[size] for batch in batches])
                assert joined.shape[:2] == (groups, views.shape[1] // groups)
                np.testing.assert_array_equal(joined.reshape(views.shape), views)
            assert sum((part[step].kinds for part in parts), Counter()) == one.kinds


def test_a_position_of_two_processes_goes_on_in_one(folder, monkeypatch):
    from train.data import feed as module
    from train.data.positions import joined

    config = tiny.tiny_config(folder)
    monkeypatch.setattr(module, "gathered", lambda lanes, processes: lanes)
    feeds = [Feed(make(config, process=p, processes=2, groups=2), 0) for p in (0, 1)]
    for feed in feeds:
        for _ in range(4):
            next(feed)
    positions = [feed.position() for feed in feeds]
    whole = {"step": 4, "lanes": joined([position["lanes"] for position in positions])}
    with Feed(make(config), 0) as feed:
        feed.seek(whole)
        for expected in fed(config, 7)[4:]:
            assert same(next(feed).batch, expected.batch)


def test_nothing_but_answers_is_labelled(folder):
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    for one in fed(tiny.tiny_config(folder), 2):
        labelled = one.batch.labels != IGNORED
        letters = {tokenizer.encode(letter)[0] for letter in "abxy"}
        assert set(one.batch.labels[labelled].tolist()) <= letters | {tiny.MODEL.eos_token_id}
        assert labelled.sum() == 5 * one.kinds.total()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mixture": {"chart": 1.0}}, "no 'chart'; did you mean 'charts'"),
        ({"mixture": {"charts": 1.0}}, "no weight for pages, which the data has"),
    ],
)
def test_mixture_and_data_must_go_together(folder, changes, message):
    with pytest.raises(UserError, match=message):
        open_sets(tiny.tiny_config(folder, **changes))


def test_test_sets_are_not_trained_on(folder, tmp_path):
    data = tiny.write_set(tmp_path / "data", {"charts": 3}, split="test")
    with pytest.raises(UserError, match="is a test set"):
        open_sets(tiny.tiny_config(folder, data=(data,)))


def test_rows_must_split_over_the_mesh_and_its_parts(folder):
    with pytest.raises(UserError, match="--rows 6 does not split into 4 equal parts of the mesh"):
        make(tiny.tiny_config(folder, rows=6), groups=4)
    with pytest.raises(UserError, match=r"--rows 6 .* \(the mesh has 2, --accumulate 2\)"):
        make(tiny.tiny_config(folder, rows=6, accumulate=2), groups=4)


def test_tokenizer_must_be_the_models(folder):
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    check_tokenizer(tokenizer, tiny.MODEL, "--tokenizer")
    with pytest.raises(UserError, match=r"--tokenizer: .*<image> is 3, the model has 7"):
        check_tokenizer(tokenizer, replace(tiny.MODEL, image_token_id=7), "--tokenizer")


def test_digest_is_of_the_contents_not_of_the_place(folder, tmp_path):
    config = tiny.tiny_config(folder)
    (tmp_path / "moved").symlink_to(folder / "data")
    moved = replace(config, data=(tmp_path / "moved",))
    other = replace(config, data=(tiny.write_set(tmp_path / "other", {"charts": 20, "pages": 11}),))
    assert digest(open_sets(config)) == digest(open_sets(moved)) != digest(open_sets(other))


def test_swapped_picture_changes_the_views_alone(folder):
    (sets,) = open_sets(tiny.tiny_config(folder))
    one, other = sets.samples[1], sets.samples[2]
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    arguments = (tokenizer, tiny.MODEL, tiny.MODEL.modes[0])
    own, swapped = example_of(one, *arguments), example_of(one, *arguments, picture_of=other)
    assert np.array_equal(own.tokens, swapped.tokens)
    assert np.array_equal(own.labels, swapped.labels)
    assert np.array_equal(swapped.views.global_view, example_of(other, *arguments).views.global_view)
    assert not np.array_equal(swapped.views.global_view, own.views.global_view)


def test_epochs_count_samples(folder):
    config = tiny.tiny_config(folder, length=64, rows=2)
    steps = make(config).steps_per_epoch()
    samples = sum(one.kinds.total() for one in fed(config, 20)) / 20
    assert steps == pytest.approx(32 / samples, rel=0.1)
