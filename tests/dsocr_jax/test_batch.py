"""Examples and batches: labels, placeholders, and where each picture's vectors come from."""

import dataclasses
from collections import Counter
from functools import cache, partial
from math import isqrt

import jax
import numpy as np
import pytest
from flax import nnx
from hypothesis import example as at
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dsocr_jax.batch import (
    IGNORED,
    TEXT,
    Batch,
    Example,
    collate,
    collate_rows,
    make_dialogue,
    make_document,
    make_example,
    pack,
    regroup,
    view_counts,
)
from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.modes import FIRST_ROW, NEWLINE_ROW, NO_TILES, SEPARATOR_ROW, Mode, find_mode
from dsocr_jax.modes import MODES as RELEASED
from dsocr_jax.parity.source import synthetic_parameters
from dsocr_jax.preprocess import Views
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.weights.params import abstract_model
from tests.dsocr_jax.parity import made
from tests.reference import tiny

CONFIG, TOKENIZER = preset("nano"), Tokenizer.load()
MODES = {mode.name: mode for mode in CONFIG.modes}


def example(mode: str = "tiny", size: tuple[int, int] = (50, 40), answer: str | None = "yes") -> Example:
    colour = Image.new("RGB", size, (size[0] % 256, 0, 0))
    return make_example(TOKENIZER, CONFIG, find_mode(mode, MODES), "<image>\nFree OCR.", colour, answer)


def test_only_the_answer_and_its_end_are_labelled() -> None:
    row = example(answer="yes")
    answer = [*TOKENIZER.encode("yes"), CONFIG.eos_token_id]
    assert row.labels[row.labels != IGNORED].tolist() == answer
    assert row.tokens[-len(answer) :].tolist() == answer


def test_without_an_answer_nothing_is_labelled() -> None:
    row = example(answer=None)
    assert (row.labels == IGNORED).all()


def test_a_row_that_is_too_long_is_refused() -> None:
    with pytest.raises(UserError, match="longer than 5"):
        make_example(TOKENIZER, CONFIG, None, "one two three four five six seven", None, "a", 5)


def test_padding_is_masked_and_unlabelled() -> None:
    row = example()
    n = len(row.tokens)
    batch = collate([row], CONFIG, n + 3)
    assert batch.mask[0].tolist() == [True] * n + [False] * 3
    assert (batch.labels[0, n:] == IGNORED).all() and (batch.vision_index[0, n:] == TEXT).all()
    assert (batch.tokens[0, n:] == CONFIG.pad_token_id).all()


def test_vision_indices_of_mixed_rows_do_not_collide() -> None:
    """Each picture's rows of the table are its own, and together they are all that is used."""
    text = Example(np.array([0, 5], np.int32), np.full(2, IGNORED, np.int32))
    rows = [example("tiny"), text, example("base"), example("gundam", (500, 300)), example("tiny", (60, 60))]
    batch = collate(rows, CONFIG, 200)
    used = [set(index[index >= FIRST_ROW].tolist()) for index in batch.vision_index]
    for i, first in enumerate(used):
        for second in used[i + 1 :]:
            assert not first & second
    table = FIRST_ROW + sum(v.shape[1] * (size // CONFIG.stride) ** 2 for size, v in batch.views.items())
    assert set().union(*used) == set(range(FIRST_ROW, table))
    assert not used[1]
    assert [(index == SEPARATOR_ROW).sum() for index in batch.vision_index] == [1, 0, 1, 1, 1]


def test_views_lie_where_the_indices_point() -> None:
    rows = [example("tiny", (50, 40)), example("tiny", (90, 40))]
    batch = collate(rows, CONFIG, 64)
    side = CONFIG.stride
    for b, width in enumerate((50, 90)):
        first = batch.vision_index[b][batch.vision_index[b] >= FIRST_ROW].min()
        view = batch.views[128][0, (first - FIRST_ROW) // (128 // side) ** 2]
        assert view[0, 0].tolist() == [width, 0, 0]


def test_groups_count_their_rows_of_the_table_from_the_start() -> None:
    rows = [example("tiny"), example("tiny"), example("tiny"), example("tiny")]
    batch = collate(rows, CONFIG, 64, {128: 2}, groups=2)
    assert batch.views[128].shape == (2, 2, 128, 128, 3)
    np.testing.assert_array_equal(batch.vision_index[0], batch.vision_index[2])
    np.testing.assert_array_equal(batch.vision_index[1], batch.vision_index[3])


def test_too_many_views_for_the_room_are_refused() -> None:
    with pytest.raises(UserError, match="room for 1"):
        collate([example(), example()], CONFIG, 64, {128: 1})


def test_placeholders_must_match_the_picture() -> None:
    row = example()
    extra = np.append(row.tokens, CONFIG.image_token_id).astype(np.int32)
    broken = Example(extra, np.full_like(extra, IGNORED), row.views, row.mode)
    with pytest.raises(UserError, match="placeholders"):
        collate([broken], CONFIG, 64)


def test_view_counts_of_tiles_and_global_view() -> None:
    row = example("gundam", (500, 300))
    assert row.views is not None
    columns, lines = row.views.grid
    assert view_counts(row) == {128: columns * lines, 192: 1}


@given(st.lists(st.integers(1, 20), max_size=30))
def test_packing_loses_and_repeats_nothing(lengths: list[int]) -> None:
    rows = pack(lengths, 20)
    assert sorted(i for row in rows for i in row) == list(range(len(lengths)))
    assert all(sum(lengths[i] for i in row) <= 20 for row in rows)


def test_packed_rows_number_their_examples_and_count_positions_anew() -> None:
    one, two = example(answer="a"), example("small", answer="be")
    n, m = len(one.tokens), len(two.tokens)
    batch = collate_rows([[one, two]], CONFIG, n + m + 2)
    assert batch.segments[0].tolist() == [1] * n + [2] * m + [0, 0]
    assert batch.positions[0, : n + m].tolist() == [*range(n), *range(m)]
    alone = collate([two], CONFIG, m)
    seen = alone.vision_index[0] >= FIRST_ROW
    shift = (128 // CONFIG.stride) ** 2
    np.testing.assert_array_equal(batch.vision_index[0, n : n + m][seen], alone.vision_index[0][seen] + shift)


def test_a_dialogue_of_one_turn_is_an_example() -> None:
    colour, mode = Image.new("RGB", (260, 130)), find_mode("gundam", MODES)
    one = make_dialogue(TOKENIZER, CONFIG, mode, [(" <image>\nFree OCR. ", "yes")], [colour])
    other = make_example(TOKENIZER, CONFIG, mode, " <image>\nFree OCR. ", colour, "yes")
    np.testing.assert_array_equal(one.tokens, other.tokens)
    np.testing.assert_array_equal(one.labels, other.labels)
    assert one.views is not None and one.views.grid == (2, 1)


def test_pictures_of_a_dialogue_stand_where_their_placeholders_do() -> None:
    mode = find_mode("gundam", MODES)
    pictures = [Image.new("RGB", (60, 60), (7, 0, 0)), Image.new("RGB", (260, 130), (9, 0, 0))]
    turns = [("<image> and <image>", "two"), ("sure?", "yes")]
    row = make_dialogue(TOKENIZER, CONFIG, mode, turns, pictures)
    assert view_counts(row) == {128: 2, 192: 2}
    batch = collate([example("tiny", (3, 3)), row], CONFIG, len(row.tokens))
    seen = pixels(batch, 1)
    placeholders = np.flatnonzero(row.tokens == CONFIG.image_token_id)
    first, second = np.split(placeholders, np.flatnonzero(np.diff(placeholders) > 1) + 1)
    # Grey of the padding, and what the picture itself is.
    colours = [
        set(seen[span, :, :, 0].ravel().tolist()) - {NEWLINE_ROW, SEPARATOR_ROW, 127} for span in (first, second)
    ]
    assert [max(found) for found in colours] == [7, 9]
    assert not colours[0] & {9} and not colours[1] & {7}


def test_a_dialogue_needs_a_place_for_every_picture() -> None:
    with pytest.raises(UserError, match="1 <image> for 0 pictures"):
        make_dialogue(TOKENIZER, CONFIG, find_mode("tiny", MODES), [("<image>", "a")])
    with pytest.raises(UserError, match="0 <image> for 1 pictures"):
        make_dialogue(TOKENIZER, CONFIG, find_mode("tiny", MODES), [("a", "b")], [Image.new("RGB", (9, 9))])


def test_of_a_document_everything_is_labelled_but_its_first_token() -> None:
    ids = [*TOKENIZER.encode("some words"), CONFIG.eos_token_id]
    assert make_document(TOKENIZER, CONFIG, "some words", 100).labels.tolist() == [IGNORED, *ids]
    cut = make_document(TOKENIZER, CONFIG, "some words", 3)
    assert (cut.tokens[1:].tolist(), cut.labels.tolist()) == (ids[:2], [IGNORED, *ids[:2]])


four_rows = st.lists(st.sampled_from(["tiny", "gundam", "both", "none"]), min_size=4, max_size=4)


@given(four_rows, st.sampled_from([1, 2, 4]))
@settings(deadline=None, max_examples=20)
def test_rows_that_are_regrouped_see_what_they_saw(kinds: list[str], groups: int) -> None:
    samples = {"tiny": [example("tiny", (9, 9))], "gundam": [example("gundam", (260, 130))], "none": []}
    samples["both"] = samples["tiny"] + samples["gundam"]
    rows, room = [samples[kind] for kind in kinds], {128: 4, 192: 2}
    alone = [collate_rows([row], CONFIG, 120, room, kinds=[[3] * len(row)]) for row in rows]
    parts = [collate_rows(rows[:3], CONFIG, 120, room, 3, [[3] * len(row) for row in rows[:3]]), alone[3]]
    together = regroup(parts, CONFIG, groups)
    assert together.groups == groups
    for b, row in enumerate(alone):
        for name in ("tokens", "labels", "segments", "positions", "kinds"):
            np.testing.assert_array_equal(getattr(together, name)[b], getattr(row, name)[0])
        np.testing.assert_array_equal(pixels(together, b), pixels(row, 0))
        assert (together.kinds[b] == 3 * (together.segments[b] > 0)).all()


def pixels(batch: Batch, b: int) -> np.ndarray:
    """What each position of a row sees: a square of pixels; newline, separator and text are all of one value."""
    side, group = CONFIG.stride, b // (len(batch.tokens) // batch.groups)
    table = [np.full((1, side, side, 3), value, np.uint8) for value in (NEWLINE_ROW, SEPARATOR_ROW)]
    for size, views in sorted(batch.views.items()):
        m = size // side
        table.append(views[group].reshape(-1, m, side, m, side, 3).swapaxes(2, 3).reshape(-1, side, side, 3))
    seen = np.concatenate(table)[batch.vision_index[b]]
    seen[batch.vision_index[b] == TEXT] = 255
    return seen


@cache
def tokens_a_side(size: int) -> int:
    """m, where the encoder itself makes m * m tokens of a view."""
    model, view = tiny.model(), jax.ShapeDtypeStruct((1, 1, size, size, 3), np.uint8)
    rows = jax.eval_shape(lambda view: model.encoder.vision_table({size: view}), view).shape[1] - FIRST_ROW
    assert isqrt(rows) ** 2 == rows
    return isqrt(rows)


def every_size(test):
    """Pictures from a pixel to a long line, and around the sizes at which tiles begin."""
    side = st.one_of(st.integers(1, 50), st.integers(635, 645), st.integers(51, 2000))
    for size in ((1, 1), (10_000, 50), (50, 10_000), (640, 640), (641, 640), (3000, 1)):
        test = at(size)(test)
    return given(st.one_of(st.tuples(side, side), st.tuples(st.integers(1, 10_000), st.integers(1, 50))))(test)


@pytest.mark.parametrize("mode", [*RELEASED.values(), *MODES.values()], ids=lambda mode: f"{mode.name}{mode.base_size}")
@settings(max_examples=4, deadline=None)
@every_size
def test_there_are_as_many_placeholders_as_features(mode: Mode, size: tuple[int, int]) -> None:
    row = make_example(TOKENIZER, CONFIG, mode, "<image>", Image.new("RGB", size))
    batch = collate([row], CONFIG, len(row.tokens))
    index = batch.vision_index[0][batch.tokens[0] == CONFIG.image_token_id]
    m = tokens_a_side(mode.base_size)
    lines, features = m, m * m
    if len(row.views.tiles):
        n = tokens_a_side(mode.tile_size)
        columns, rows = row.views.grid
        assert len(row.views.tiles) == columns * rows
        lines, features = lines + rows * n, features + columns * rows * n * n
    assert len(index) == features + lines + 1
    # Every feature stands in one place, and each line of a map ends in a newline.
    used = Counter(index.tolist())
    assert (used.pop(NEWLINE_ROW), used.pop(SEPARATOR_ROW)) == (lines, 1)
    assert sorted(used.elements()) == list(range(FIRST_ROW, FIRST_ROW + features))


#: A model of every kind of part, compiled as quickly as can be.
SIZES = made.CONFIG
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
SMALL, LARGE = Mode("small", 64, 64, crop=False, fit="pad"), Mode("large", 128, 64, crop=True, fit="pad")
#: Every batch below has this shape, so that the model is compiled for it once.
ROWS, LENGTH, ROOM = 4, 40, {64: 8, 128: 4}
TEXT_ROW, PICTURE, TILED = range(3)


@cache
def candidates() -> list[Example]:
    """Text alone, a picture, and a tiled one."""
    rng = np.random.default_rng(0)

    def row(count: int, mode: Mode | None = None, placeholders: int = 0, grid: tuple[int, int] = NO_TILES) -> Example:
        tokens = [0, *[SIZES.image_token_id] * placeholders, *rng.integers(3, 59, count)]
        views = None
        if mode is not None:
            tiles = grid[0] * grid[1] if grid != NO_TILES else 0
            views = Views(
                rng.integers(0, 256, (mode.base_size, mode.base_size, 3), np.uint8),
                rng.integers(0, 256, (tiles, mode.tile_size, mode.tile_size, 3), np.uint8),
                grid,
            )
        return Example(np.array(tokens, np.int32), np.full(len(tokens), IGNORED, np.int32), views, mode)

    return [row(17), row(12, SMALL, 3), row(9, LARGE, 10, (2, 1))]


@partial(jax.jit, compiler_options=QUICK)
def compiled(model: DeepseekOCR, batch: Batch) -> jax.Array:
    return model.logits(model.hidden_states(batch)[0])


@cache
def model() -> DeepseekOCR:
    return nnx.merge(abstract_model(SIZES)[0], synthetic_parameters(SIZES, made.SEED, np.float32).all())


def batch_of(rows: list[list[int]]) -> Batch:
    """A batch of the one shape; rows that are not given are empty."""
    filled = [[candidates()[number] for number in row] for row in rows]
    return collate_rows(filled + [[]] * (ROWS - len(rows)), SIZES, LENGTH, ROOM)


def scores(batch: Batch) -> np.ndarray:
    return np.asarray(compiled(model(), batch))


@cache
def expected(number: int) -> np.ndarray:
    """Scores of an example in a batch of its own."""
    return scores(batch_of([[number]]))[0, : len(candidates()[number].tokens)]


def assert_close(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("number", [TEXT_ROW, TILED])
def test_padding_changes_nothing(number: int) -> None:
    row = candidates()[number]
    assert_close(expected(number), scores(collate([row], SIZES, len(row.tokens)))[0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([TEXT_ROW, PICTURE, TILED]), min_size=1, max_size=ROWS))
def test_neither_order_nor_neighbours_change_a_row(numbers: list[int]) -> None:
    found = scores(batch_of([[number] for number in numbers]))
    for number, ours in zip(numbers, found, strict=False):
        assert_close(ours[: len(expected(number))], expected(number))


@settings(max_examples=10, deadline=None)
@given(st.permutations([TEXT_ROW, PICTURE, TILED]), st.integers(0, 3))
def test_what_is_packed_into_a_row_does_not_see_each_other(numbers: list[int], place: int) -> None:
    rows = [[PICTURE], [TILED], [TEXT_ROW]]
    rows.insert(place, numbers[:2])
    found, start = scores(batch_of(rows))[place], 0
    for number in numbers[:2]:
        theirs = expected(number)
        assert_close(found[start : start + len(theirs)], theirs)
        start += len(theirs)


@pytest.mark.parametrize("place", range(ROWS))
def test_text_alone_does_not_see_its_neighbours_pictures(place: int) -> None:
    """With other pixels beside it a row of text keeps its very bits; the others do not."""
    numbers = [TILED, PICTURE, PICTURE]
    numbers.insert(place, TEXT_ROW)
    batch = batch_of([[number] for number in numbers])
    inverted = dataclasses.replace(batch, views={size: 255 - views for size, views in batch.views.items()})
    changed = (scores(batch) != scores(inverted)).any(axis=(1, 2))
    assert changed.tolist() == [number != TEXT_ROW for number in numbers]
