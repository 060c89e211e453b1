"""Rivals of the encoder: vectors computed by hand, gradients, and rows that do not depend on each other."""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.batch import Batch, collate, make_example
from dsocr_jax.config import RIVALS, ModelConfig, RivalConfig
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.model.rivals import Halving, TextEncoder
from dsocr_jax.modes import FIRST_ROW, NEWLINE_ROW, SEPARATOR_ROW
from dsocr_jax.weights.params import abstract_model, flatten
from dsocr_jax.windows import NOTHING
from tests.dsocr_jax.model.small import parameters
from tests.dsocr_jax.reading.small import CONFIG, tokenizer

#: Four vectors.
MODE = CONFIG.modes[1]
WINDOW = 8
TEXTS = ("Far away, behind", "ab", "word mountains.")


def config(kind: str | None) -> ModelConfig:
    return CONFIG if kind is None else dataclasses.replace(CONFIG, rival=RivalConfig(kind, WINDOW))


@cache
def model(kind: str | None) -> DeepseekOCR:
    graphdef, params = parameters(config(kind))
    return nnx.merge(graphdef, jax.tree.map(jnp.asarray, params))


def batch(kind: str, texts: tuple[str, ...] = TEXTS, length: int = 32) -> Batch:
    rows = [make_example(tokenizer(), config(kind), MODE, "<image>a", text, text) for text in texts]
    return collate(rows, config(kind), length)


def embeddings(kind: str, text: str) -> np.ndarray:
    return np.asarray(model(kind).decoder.embed.embedding[...])[tokenizer().encode(text)]


@cache
def embedded(kind: str) -> np.ndarray:
    """What the decoder is given of all rows: [3, length, hidden]."""
    return np.asarray(jax.jit(model(kind).embed)(batch(kind)))


def placed(kind: str, row: int) -> np.ndarray:
    """What stands at the places of a row's vectors: [4, hidden]."""
    return embedded(kind)[row, batch(kind).vision_index[row] >= FIRST_ROW]


def test_means_by_hand():
    # Sixteen tokens: four windows of four. Two: one a vector. Fifteen: windows of three, four, four and four.
    rows = embeddings("mean", TEXTS[0])
    np.testing.assert_allclose(placed("mean", 0), rows.reshape(4, 4, -1).mean(axis=1), rtol=1e-6)
    rows = embeddings("mean", TEXTS[1])
    np.testing.assert_array_equal(placed("mean", 1), [*rows, 0 * rows[0], 0 * rows[0]])
    rows = embeddings("mean", TEXTS[2])
    expected = [rows[:3].mean(0), rows[3:7].mean(0), rows[7:11].mean(0), rows[11:].mean(0)]
    np.testing.assert_allclose(placed("mean", 2), expected, rtol=1e-5, atol=1e-7)


def test_truncated_text_is_its_first_embeddings_to_the_bit():
    np.testing.assert_array_equal(placed("truncated", 0), embeddings("truncated", TEXTS[0])[:4])
    rows = embeddings("truncated", TEXTS[1])
    np.testing.assert_array_equal(placed("truncated", 1), [*rows, 0 * rows[0], 0 * rows[0]])


@pytest.mark.parametrize("kind", RIVALS)
def test_newlines_and_separator_stay_where_they_are(kind):
    made, encoder = batch(kind), model(kind).encoder
    for row, vector, times in ((NEWLINE_ROW, encoder.image_newline, 2), (SEPARATOR_ROW, encoder.view_separator, 1)):
        found = embedded(kind)[made.vision_index == row]
        assert len(found) == times * len(TEXTS)
        np.testing.assert_array_equal(found, np.broadcast_to(vector[...], found.shape))


@pytest.mark.parametrize("kind", RIVALS)
def test_as_many_rows_as_pictures_have(kind):
    ours, optical = model(kind), model(None)
    sizes = [one.base_size for one in CONFIG.modes[:2]]
    windows = {size: batch_like(kind, size) for size in sizes}
    pixels = {size: jax.ShapeDtypeStruct((2, 3, size, size, 3), jnp.uint8) for size in sizes}
    table = jax.eval_shape(lambda views: ours.encoder.vision_table(views, ours.decoder.embed), windows)
    assert table.shape == jax.eval_shape(optical.encoder.vision_table, pixels).shape


def batch_like(kind: str, size: int) -> jax.ShapeDtypeStruct:
    width = 1 if kind == "truncated" else WINDOW
    return jax.ShapeDtypeStruct((2, 3, (size // CONFIG.stride) ** 2, width), jnp.int32)


def test_an_untrained_stack_of_convolutions_is_a_mean_of_means():
    encoder = TextEncoder(config("convolved"), nnx.Rngs(0))
    table = np.random.default_rng(0).normal(size=(9, 32)).astype(np.float32)
    windows = np.full((1, 2, WINDOW), NOTHING, np.int32)
    windows[0, 0, :5], windows[0, 1, :1] = range(5), 7
    found = jax.jit(lambda windows: encoder(windows, lambda ids: jnp.asarray(table)[ids]))(jnp.asarray(windows))
    # Pairs (0 1) (2 3) (4), then (0 1 2 3) (4), then both.
    expected = [(table[:4].mean(axis=0) + table[4]) / 2, table[7]]
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)


def test_a_convolution_over_pairs_by_hand():
    graphdef, state = nnx.split(Halving(2, 1e-6, nnx.Rngs(0)))
    rng = np.random.default_rng(0)
    halving = nnx.merge(graphdef, jax.tree.map(lambda x: jnp.asarray(rng.normal(size=x.shape), jnp.float32), state))
    x = rng.normal(size=(6, 2)).astype(np.float32)
    x[5] = 0
    there = np.arange(6) < 5
    found, left = jax.jit(halving)(jnp.asarray(x[None]), jnp.asarray(there[None]))
    normed = np.asarray(halving.norm(jnp.asarray(x)))
    padded = np.concatenate([np.zeros((1, 2)), normed, np.zeros((1, 2))])
    kernel, out = np.asarray(halving.conv.kernel[...]), np.asarray(halving.out.kernel[...])
    sums = np.array([np.einsum("ki,kio->o", padded[2 * i : 2 * i + 4], kernel) for i in range(3)])
    added = np.asarray(jax.nn.gelu(jnp.asarray(sums), approximate=False)) @ out
    means = np.stack([x[0:2].mean(axis=0), x[2:4].mean(axis=0), x[4]])
    np.testing.assert_allclose(found[0], means + added, rtol=1e-4, atol=1e-5)
    assert left.tolist() == [[True, True, True]]


@pytest.mark.parametrize("kind", RIVALS)
def test_every_parameter_of_the_encoder_gets_a_gradient(kind):
    graphdef, params = nnx.split(model(kind), nnx.Param)
    made = batch(kind)

    def loss(params: nnx.State) -> jax.Array:
        return jnp.sum(jnp.square(nnx.merge(graphdef, params).embed(made)))

    gradients = flatten(jax.jit(jax.grad(loss))(params))
    named = {name: np.asarray(x) for name, x in gradients.items() if name.startswith("encoder/")}
    assert ("encoder/convolutions/0/conv/kernel" in named) == (kind == "convolved")
    assert all(x.any() for x in named.values())
    # Tokens of the text are learned from in the vectors, too.
    alone = tokenizer().encode(TEXTS[0])[0]
    assert gradients["decoder/embed/embedding"][alone].any()


@pytest.mark.parametrize("kind", ["mean", "convolved"])
def test_rows_do_not_depend_on_their_order_neighbours_and_padding(kind):
    built = model(kind)
    run = jax.jit(lambda made: built.hidden_states(made)[0])
    whole = np.asarray(run(batch(kind)))
    turned = np.asarray(run(batch(kind, TEXTS[::-1])))
    np.testing.assert_allclose(turned[::-1], whole, rtol=1e-5, atol=1e-5)
    among_others = np.asarray(run(batch(kind, (TEXTS[0], "x", "y z"))))
    longer = np.asarray(run(batch(kind, TEXTS, 40)))
    count = int(batch(kind).mask[0].sum())
    for other in (among_others, longer):
        np.testing.assert_allclose(other[0, :count], whole[0, :count], rtol=1e-5, atol=1e-5)


def test_the_reading_models_parameters_are_as_they_were():
    names = flatten(abstract_model(CONFIG)[1])
    assert {name.split("/")[1] for name in names if name.startswith("encoder/")} == {
        "sam", "clip", "projector", "image_newline", "view_separator"
    }  # fmt: skip
