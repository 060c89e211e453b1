import dataclasses
import json
from collections import Counter
from pathlib import Path

import jax
import numpy as np
import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.weights.tokenizer_files import check_tokenizer
from tests.train import tiny
from train.config import TrainConfig
from train.data import BatchSource, Feed, digest, example_of, open_sets


def unpacked(folder: Path, **changes: object) -> TrainConfig:
    return tiny.tiny_config(folder, **{"batch_size": 8, "rows": None, **changes})


def make(config: TrainConfig, **where: int) -> BatchSource:
    return BatchSource(config, open_sets(config), Tokenizer.load(config.tokenizer), **where)


def drawn(source: BatchSource, count: int) -> list[tuple[str, int]]:
    return [(record.kind, record.id) for record in (source.stream[i] for i in range(count))]


def same(a: object, b: object) -> bool:
    return jax.tree.all(jax.tree.map(np.array_equal, a, b))


def test_kinds_come_by_their_number_unless_weights_are_given(folder):
    assert Counter(kind for kind, _ in drawn(make(unpacked(folder)), 320)) == {"charts": 200, "pages": 120}
    weighted = make(unpacked(folder, mixture={"charts": 1, "pages": 3}))
    assert Counter(kind for kind, _ in drawn(weighted, 320)) == {"charts": 80, "pages": 240}
    without = make(unpacked(folder, mixture={"charts": 0, "pages": 3}))
    assert {kind for kind, _ in drawn(without, 50)} == {"pages"}


def test_every_sample_comes_once_before_any_comes_again_and_epochs_differ(folder):
    order = [id for kind, id in drawn(make(unpacked(folder, mixture={"charts": 1, "pages": 0})), 40)]
    assert sorted(order[:20]) == sorted(order[20:]) == list(range(20))
    assert order[:20] != order[20:]
    assert order[:20] != sorted(order[:20])


def test_seed_decides_the_order(folder):
    orders = [drawn(make(unpacked(folder, seed=seed)), 32) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_processes_share_the_samples_and_the_rows(folder):
    config = unpacked(folder, mixture={"charts": 1, "pages": 0})
    parts = [make(config, groups=4, process=process, processes=2) for process in (0, 1)]
    ids = [{id for _, id in drawn(part, 10)} for part in parts]
    assert ids[0] | ids[1] == set(range(20))
    assert not ids[0] & ids[1]
    fed = parts[1][0]
    assert (len(fed.batch.tokens), fed.batch.groups) == (4, 2)
    assert fed.batch.views[64].shape == (2, 2, 64, 64, 3)


def test_batches_of_two_sets_hold_samples_of_both(folder, tmp_path):
    other = tiny.write_set(tmp_path / "other", {"charts": 5})
    config = unpacked(folder, mixture={"charts": 1, "pages": 0}, data=(folder / "data", other))
    assert Counter(id for _, id in drawn(make(config), 25)) == Counter([*range(20), *range(5)])


def test_samples_that_are_too_long_are_counted_and_replaced_by_their_kind(folder, tmp_path):
    data = tiny.write_set(tmp_path / "data", {"charts": 16, "pages": 16}, long={"charts": [0, 3, 5, 9]})
    source = make(unpacked(folder, data=(data,)))
    fed = [source[number] for number in range(4)]  # one epoch of 32
    left_out = sum((one.left_out for one in fed), Counter())
    assert set(left_out) == {"charts too long"}
    assert left_out["charts too long"] >= 4
    assert sum((one.kinds for one in fed), Counter()) == {"charts": 16, "pages": 16}
    z = source.tokenizer.encode("z")[0]
    assert all((one.batch.tokens != z).all() and one.batch.mask.any(axis=1).all() for one in fed)
    assert same(source[2].batch, fed[2].batch)


def test_samples_are_packed_into_rows_within_their_group(folder):
    alone, packed = make(unpacked(folder), groups=2), make(unpacked(folder, rows=4), groups=2)
    one, many = alone[0].batch, packed[0].batch
    assert (one.tokens.shape, many.tokens.shape) == ((8, 32), (4, 32))
    assert packed[0].left_out == {}
    assert many.segments.max() == 2
    for group in range(2):
        assert sorted(map(bytes, one.views[64][group])) == sorted(map(bytes, many.views[64][group]))
        apart = [row[row != tiny.MODEL.pad_token_id].tolist() for row in one.tokens[4 * group :][:4]]
        rows = zip(many.tokens[2 * group :][:2], many.segments[2 * group :][:2], strict=True)
        together = [row[segments == n].tolist() for row, segments in rows for n in (1, 2)]
        assert sorted(apart) == sorted(together)


def test_samples_without_a_place_are_counted(folder):
    packed = make(unpacked(folder, rows=2))
    fed = packed[0]
    assert fed.batch.segments.max(axis=1).tolist() == [2, 2]
    assert sum(fed.left_out.values()) == 4
    assert set(fed.left_out) <= {"charts without a place", "pages without a place"}
    assert same(packed[0].batch, fed.batch)


def test_a_kind_that_never_fits_is_an_error(folder, tmp_path):
    data = tiny.write_set(tmp_path / "data", {"charts": 3, "pages": 9}, long={"charts": [0, 1, 2]})
    source = make(unpacked(folder, data=(data,)))
    with pytest.raises(UserError, match="samples of charts one after the other were longer than --length 32"):
        source[0]


def test_an_error_of_a_thread_reaches_the_loop_as_it_is(folder, tmp_path):
    data = tiny.write_set(tmp_path / "data", {"charts": 3}, long={"charts": [0, 1, 2]})
    with (
        Feed(make(unpacked(folder, data=(data,))), workers=2) as feed,
        pytest.raises(UserError, match="longer"),
    ):
        next(feed)


@pytest.mark.parametrize("workers", [1, 3])
def test_feed_goes_on_exactly_behind_a_position(folder, workers):
    source = make(unpacked(folder))
    with Feed(source, workers) as feed:
        before = [next(feed) for _ in range(2)]
        position = json.loads(json.dumps(feed.position()))
        after = [next(feed) for _ in range(3)]
    assert all(same(fed.batch, source[n].batch) for n, fed in enumerate([*before, *after]))
    with Feed(make(unpacked(folder)), 2) as feed:
        feed.seek(position)
        assert all(same(next(feed).batch, fed.batch) for fed in after)


def test_modes_take_turns(folder):
    source = make(unpacked(folder, modes=("tiny", "small")))
    assert [tuple(source[n].batch.views) for n in range(3)] == [(64,), (128,), (64,)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mixture": {"chart": 1.0}}, "no 'chart'; did you mean 'charts'"),
        ({"mixture": {"charts": 1.0}}, "no weight for pages, which the data has"),
    ],
)
def test_mixture_and_data_must_go_together(folder, changes, message):
    with pytest.raises(UserError, match=message):
        open_sets(unpacked(folder, **changes))


def test_test_sets_are_not_trained_on(folder, tmp_path):
    data = tiny.write_set(tmp_path / "data", {"charts": 3}, split="test")
    with pytest.raises(UserError, match="is a test set"):
        open_sets(unpacked(folder, data=(data,)))


def test_rows_must_split_over_the_mesh(folder):
    with pytest.raises(UserError, match="--batch-size 6 does not split over 4 parts"):
        make(unpacked(folder, batch_size=6), groups=4)


def test_tokenizer_must_be_the_models(folder):
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    check_tokenizer(tokenizer, tiny.MODEL, "--tokenizer")
    with pytest.raises(UserError, match=r"--tokenizer: .*<image> is 3, the model has 7"):
        check_tokenizer(tokenizer, dataclasses.replace(tiny.MODEL, image_token_id=7), "--tokenizer")


def test_digest_is_of_the_contents_not_of_the_place(folder, tmp_path):
    config = unpacked(folder)
    (tmp_path / "moved").symlink_to(folder / "data")
    moved = dataclasses.replace(config, data=(tmp_path / "moved",))
    other = dataclasses.replace(config, data=(tiny.write_set(tmp_path / "other", {"charts": 20, "pages": 11}),))
    assert digest(open_sets(config)) == digest(open_sets(moved)) != digest(open_sets(other))


def test_swapped_picture_changes_the_views_alone(folder):
    source = make(unpacked(folder))
    one, other = source.sources["charts"][1], source.sources["charts"][2]
    arguments = (source.tokenizer, tiny.MODEL, tiny.MODEL.modes[0])
    own, swapped = example_of(one, *arguments), example_of(one, *arguments, picture_of=other)
    assert np.array_equal(own.tokens, swapped.tokens)
    assert np.array_equal(own.labels, swapped.labels)
    assert np.array_equal(swapped.views.global_view, example_of(other, *arguments).views.global_view)
    assert not np.array_equal(swapped.views.global_view, own.views.global_view)
