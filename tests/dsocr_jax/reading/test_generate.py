"""Greedy decoding against the original's, and a row's independence from its batch."""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.batch import Batch, Example, collate, collate_rows
from dsocr_jax.model.ocr import causal_mask
from dsocr_jax.reading.generate import Generated, generate
from dsocr_jax.reading.repetition import NoRepeat
from tests.reference import tiny

NAMES = ["tiny512", "base1024", "gundam_2x1"]
NEW = 24


def prompt(name: str) -> Example:
    """The fixture's row without its answer."""
    meta, entries = tiny.load(name)
    views, mode = tiny.picture(meta)
    ids = entries["input_ids"].sample[0]
    end = len(ids) - meta["answer_len"]
    return Example(ids[:end].astype(np.int32), np.full(end, -100, np.int32), views, mode)


def run(batch: Batch, rule: NoRepeat | None = None) -> Generated:
    return generate(tiny.model(), batch, NEW, rule)


@cache
def alone(name: str, rule: NoRepeat | None = None) -> Generated:
    row = prompt(name)
    return run(collate([row], tiny.CONFIG, len(row.tokens)), rule)


@pytest.mark.parametrize("name", NAMES)
def test_greedy_ids(name: str) -> None:
    np.testing.assert_array_equal(alone(name).tokens[0], tiny.load(name)[1]["greedy_ids"].sample)


@pytest.mark.parametrize("name", NAMES)
def test_greedy_ids_with_the_whole_sequence_rule(name: str) -> None:
    found = alone(name, NoRepeat(3)).tokens[0]
    np.testing.assert_array_equal(found, tiny.load(name)[1]["greedy_ngram3_ids"].sample)


@pytest.mark.parametrize("name", NAMES[:1])
def test_log_probs_are_those_of_the_logits(name: str) -> None:
    logits = tiny.load(name)[1]["greedy_logits"].sample
    expected = np.asarray(jax.nn.log_softmax(logits))[np.arange(NEW), tiny.load(name)[1]["greedy_ids"].sample]
    np.testing.assert_allclose(alone(name).log_probs[0], expected, rtol=1e-4, atol=1e-4)


def test_text_only() -> None:
    ids = tiny.load("text")[1]["input_ids"].sample[0, :16].astype(np.int32)
    batch = collate([Example(ids, np.full(16, -100, np.int32))], tiny.CONFIG, 16)
    np.testing.assert_array_equal(run(batch).tokens[0], tiny.load("text")[1]["greedy_prompt16_ids"].sample)


def test_a_row_answers_the_same_alone_and_in_a_mixed_batch() -> None:
    """Pictures of other sizes, a row without a picture and longer prompts beside it change nothing."""
    text = tiny.load("text")[1]["input_ids"].sample[0, :16].astype(np.int32)
    rows = [prompt("tiny512"), Example(text, np.full(16, -100, np.int32)), prompt("gundam_2x1")]
    together = run(collate(rows, tiny.CONFIG, max(len(row.tokens) for row in rows) + 3))
    np.testing.assert_array_equal(together.tokens[0], tiny.load("tiny512")[1]["greedy_ids"].sample)
    np.testing.assert_array_equal(together.tokens[1], tiny.load("text")[1]["greedy_prompt16_ids"].sample)
    np.testing.assert_array_equal(together.tokens[2], tiny.load("gundam_2x1")[1]["greedy_ids"].sample)


def test_a_row_stops_at_eos() -> None:
    expected = tiny.load("tiny512")[1]["greedy_ids"].sample
    place = 5
    assert expected[place] not in expected[:place]
    model = tiny.model()
    config = dataclasses.replace(model.config, eos_token_id=int(expected[place]))
    row = prompt("tiny512")
    stopping = nnx.merge(*nnx.split(model))
    stopping.config = config
    out = generate(stopping, collate([row], tiny.CONFIG, len(row.tokens)), NEW)
    assert out.lengths[0] == place + 1 and out.ended[0]
    np.testing.assert_array_equal(out.tokens[0, : place + 1], expected[: place + 1])


def test_the_mask_shows_the_past_only() -> None:
    mask = np.asarray(causal_mask(jnp.array([[1, 1, 0]])))[0, 0]
    np.testing.assert_array_equal(mask, [[1, 0, 0], [1, 1, 0], [1, 1, 0]])


def test_packed_examples_do_not_see_each_other() -> None:
    """Hidden states of examples packed into one row are those of the examples alone."""
    rows = [
        prompt("tiny512"),
        Example(tiny.load("text")[1]["input_ids"].sample[0, :16].astype(np.int32), np.full(16, -100, np.int32)),
    ]
    model = tiny.model()
    packed, _ = model.hidden_states(collate_rows([rows], tiny.CONFIG, sum(len(row.tokens) for row in rows)))
    start = 0
    for row in rows:
        single, _ = model.hidden_states(collate([row], tiny.CONFIG, len(row.tokens)))
        np.testing.assert_allclose(packed[0, start : start + len(row.tokens)], single[0], rtol=1e-4, atol=1e-4)
        start += len(row.tokens)
