"""Examples and batches: labels, placeholders, and where each picture's vectors come from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsocr_jax.batch import IGNORED, TEXT, Example, collate, collate_rows, make_example, pack, view_counts
from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.modes import FIRST_ROW, SEPARATOR_ROW, find_mode
from dsocr_jax.tokenizer import Tokenizer

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
