"""Texts as windows: computed by hand, parted without loss, and in exactly the places of a picture's tokens."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsocr_jax.batch import collate, make_dialogue, make_example, regroup, view_counts
from dsocr_jax.config import RIVALS, ModelConfig, RivalConfig, config_from_dict, config_to_dict, preset
from dsocr_jax.errors import UserError
from dsocr_jax.modes import FIRST_ROW
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.weights.released_config import config_to_released
from dsocr_jax.windows import NOTHING, TooLong, lay_out, text_views, view_spec

NANO = preset("nano")
TOKENIZER = Tokenizer.load()
TEXT = "The sea is wide, and 4711 ships are on it."
_ = NOTHING


def nano(kind: str, window: int = 16) -> ModelConfig:
    return dataclasses.replace(NANO, rival=RivalConfig(kind, window))


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (8, [[10, 11, _], [12, 13, _], [14, 15, _], [16, 17, _]]),
        (10, [[10, 11, _], [12, 13, 14], [15, 16, _], [17, 18, 19]]),
        (3, [[10, _, _], [11, _, _], [12, _, _], [_, _, _]]),
        (0, [[_, _, _]] * 4),
    ],
)
def test_windows_by_hand(count, expected):
    rival = RivalConfig("mean", 4)
    found = lay_out(list(range(10, 10 + count)), 4, rival)
    assert found.dtype == np.int32
    assert found.tolist() == [[*row, _] for row in expected]


def test_truncation_keeps_the_first_tokens_one_a_vector():
    rival = RivalConfig("truncated")
    assert lay_out([5, 6, 7], 2, rival).tolist() == [[5], [6]]
    assert lay_out([5], 2, rival).tolist() == [[5], [_]]


@given(st.integers(0, 200), st.integers(1, 30))
def test_windows_part_the_text_evenly(count, vectors):
    found = lay_out(list(range(count)), vectors, RivalConfig("mean", 256))
    there = found != NOTHING
    lengths = there.sum(axis=1)
    assert lengths.max() - lengths.min() <= 1
    # What is there stands in front, in the order of the text, and nothing is lost.
    assert (there[:, :-1] >= there[:, 1:]).all()
    assert found[there].tolist() == list(range(count))


@pytest.mark.parametrize("kind", ["mean", "convolved"])
def test_text_beyond_the_room_is_refused(kind):
    rival = RivalConfig(kind, 4)
    assert (lay_out([1] * 12, 3, rival) == 1).all()
    with pytest.raises(TooLong, match="a text of 13 tokens, and 3 vectors take 4 each"):
        lay_out([1] * 13, 3, rival)


@pytest.mark.parametrize("kind", RIVALS)
@pytest.mark.parametrize("mode", [mode for mode in NANO.modes if not mode.crop], ids=lambda mode: mode.name)
def test_prompts_are_those_of_a_picture(kind, mode):
    arguments = (mode, "<image>\nFree OCR.")
    optical = make_example(TOKENIZER, NANO, *arguments, Image.new("RGB", (192, 100)), TEXT)
    rival = make_example(TOKENIZER, nano(kind), *arguments, TEXT, TEXT)
    np.testing.assert_array_equal(rival.tokens, optical.tokens)
    np.testing.assert_array_equal(rival.labels, optical.labels)
    assert view_counts(rival) == view_counts(optical)
    one, other = (collate([row], config, 64) for row, config in ((optical, NANO), (rival, nano(kind))))
    np.testing.assert_array_equal(other.vision_index, one.vision_index)


@pytest.mark.parametrize("kind", RIVALS)
def test_a_batch_has_each_rows_text_at_its_places(kind):
    config, mode = nano(kind), NANO.modes[0]
    texts = ["one two three", "four", TEXT]
    rows = [make_example(TOKENIZER, config, mode, "<image>\nFree OCR.", text, text) for text in texts]
    batch = collate(rows, config, 64, {mode.base_size: 5})
    spec = view_spec(config, mode.base_size)
    windows = batch.views[mode.base_size]
    assert windows.shape == (1, 5, *spec.shape)
    assert (windows[0, 3:] == NOTHING).all()
    for row, text in enumerate(texts):
        index = batch.vision_index[row][batch.vision_index[row] >= FIRST_ROW] - FIRST_ROW
        found = windows.reshape(-1, spec.shape[1])[index]
        np.testing.assert_array_equal(found, text_views(TOKENIZER.encode(text), config, mode).global_view)


def test_rows_that_are_groups_join_into_one():
    config, mode = nano("mean"), NANO.modes[0]
    rows = [make_example(TOKENIZER, config, mode, "<image>", text, text) for text in ("one", TEXT)]
    room = {mode.base_size: 1}
    parts = [collate([row], config, 64, room) for row in rows]
    joined, whole = regroup(parts, config, 1), collate(rows, config, 64, {mode.base_size: 2})
    np.testing.assert_array_equal(joined.views[mode.base_size], whole.views[mode.base_size])
    np.testing.assert_array_equal(joined.vision_index, whole.vision_index)


@pytest.mark.parametrize(
    ("config", "page", "mode", "message"),
    [
        (NANO, "text", "tiny", "reads pictures, and was given a text"),
        (nano("mean"), Image.new("RGB", (9, 9)), "tiny", "cannot read a picture"),
        (nano("mean"), "text", "gundam", "mode gundam cuts pictures into tiles"),
        (nano("mean", 2), TEXT * 9, "tiny", "4 vectors take 2 each"),
    ],
)
def test_what_an_encoder_cannot_take_is_refused(config, page, mode, message):
    chosen = next(one for one in NANO.modes if one.name == mode)
    with pytest.raises(UserError, match=message):
        make_dialogue(TOKENIZER, config, chosen, [("<image>", "a")], [page])


@pytest.mark.parametrize("kind", RIVALS)
def test_the_rival_is_part_of_the_configuration(kind):
    assert config_from_dict(config_to_dict(nano(kind))) == nano(kind)


def test_configurations_from_before_rivals_are_read():
    values = config_to_dict(NANO)
    assert values.pop("rival") is None
    assert config_from_dict(values) == NANO


@pytest.mark.parametrize(("change", "message"), [({"kind": "median"}, "'median'"), ({"window": 24}, "not 24")])
def test_rivals_that_mean_nothing_are_refused(change, message):
    with pytest.raises(UserError, match=message):
        RivalConfig(**change)


@pytest.mark.parametrize("kind", RIVALS)
def test_the_released_layout_has_no_place_for_a_rival(kind):
    released = ModelConfig(rival=RivalConfig(kind))
    with pytest.raises(UserError, match="cannot express rival"):
        config_to_released(released)
