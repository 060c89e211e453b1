import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from dsocr_jax.batch import IGNORED, collate, make_example
from dsocr_jax.tokenizer import Tokenizer
from tests.train import tiny
from train.loss import cross_entropy, head_loss, row_losses, token_losses


def test_cross_entropy_by_hand():
    logits = jnp.array([[0.0, 0.0], [0.0, np.log(3.0)], [5.0, 7.0]])
    targets = jnp.array([1, 0, IGNORED])
    np.testing.assert_allclose(cross_entropy(logits, targets), [np.log(2), np.log(4), 0.0], rtol=1e-6)


def test_only_labelled_tokens_count_and_each_is_predicted_from_the_position_before():
    # The head is the identity: hidden vectors are the logits. Position 1 predicts token 2, position 2 token 3.
    hidden = jnp.array([[[9.0, -9.0], [0.0, np.log(3.0)], [np.log(7.0), 0.0], [9.0, 9.0]]])
    labels = jnp.array([[IGNORED, IGNORED, 1, 1]])
    total, count = row_losses(lambda x: x, hidden, labels, chunk=2)
    np.testing.assert_allclose(total, [np.log(4 / 3) + np.log(8)], rtol=1e-6)
    assert count.tolist() == [2]


def test_prompt_picture_and_padding_are_not_labelled(folder):
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    picture = Image.fromarray(tiny.sample("charts", 1).image).convert("RGB")
    example = make_example(tokenizer, tiny.MODEL, tiny.MODEL.modes[0], "<image>\nRead.", picture, "abba")
    batch = collate([example], tiny.MODEL, 24)
    answer = [*tokenizer.encode("abba"), tiny.MODEL.eos_token_id]
    assert batch.labels[batch.labels != IGNORED].tolist() == answer
    assert batch.tokens[batch.labels != IGNORED].tolist() == answer
    assert (batch.labels[0, : len(example.tokens) - len(answer)] == IGNORED).all()
    assert (batch.labels[0, len(example.tokens) :] == IGNORED).all()


@pytest.mark.parametrize("chunk", [1, 4, 64])
def test_chunks_change_neither_loss_nor_gradient(chunk):
    rng = np.random.default_rng(0)
    hidden, head = jnp.array(rng.normal(size=(3, 7, 5))), jnp.array(rng.normal(size=(5, 11)))
    labels = jnp.array(rng.integers(0, 11, (3, 7))).at[:, :2].set(IGNORED).at[1].set(IGNORED)

    def chunked(hidden, head):
        return row_losses(lambda x: x @ head, hidden, labels, chunk)[0]

    def whole(hidden, head):
        return cross_entropy(hidden[:, :-1] @ head, labels[:, 1:]).sum(axis=1)

    weigh = jnp.array([1.0, 2.0, 3.0])
    found, expected = (
        jax.jit(jax.value_and_grad(lambda *x, f=f: f(*x) @ weigh, argnums=(0, 1)))(hidden, head)
        for f in (chunked, whole)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), found, expected)


@pytest.mark.parametrize("chunk", [1, 4, 64])
def test_gradients_made_on_the_way_are_those_of_the_losses(chunk):
    rng = np.random.default_rng(1)
    hidden = jnp.array(rng.normal(size=(3, 7, 5)), jnp.float32)
    head = jnp.array(rng.normal(size=(5, 11)), jnp.float32)
    labels = jnp.array(rng.integers(0, 11, (3, 7))).at[:, :2].set(IGNORED).at[1].set(IGNORED)

    def plain(hidden, head):
        losses = token_losses(lambda x: x @ head, hidden, labels, chunk)
        return 0.3 * losses.sum(), losses

    def fused(hidden, head):
        total, losses = head_loss(hidden, head, labels, chunk)
        return 0.3 * total, losses

    found, expected = (
        jax.jit(jax.value_and_grad(f, argnums=(0, 1), has_aux=True))(hidden, head) for f in (fused, plain)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), found, expected)
    np.testing.assert_allclose(head_loss(hidden, head, labels, chunk)[1], expected[0][1], rtol=1e-6, atol=1e-6)


def test_no_array_of_all_logits_exists():
    rows, length, vocabulary, chunk = 2, 33, 50, 8
    hidden, head = jnp.ones((rows, length, 4)), jnp.ones((4, vocabulary))
    labels = jnp.ones((rows, length), int)
    gradient = jax.grad(lambda head: row_losses(lambda x: x @ head, hidden, labels, chunk)[0].sum())
    assert f"{rows},{chunk},{vocabulary}]" in (text := str(jax.make_jaxpr(gradient)(head)))
    assert f"{rows},{length},{vocabulary}]" not in text
    assert f"{rows},{length - 1},{vocabulary}]" not in text
    assert f"[{length // chunk},{rows},{chunk},{vocabulary}]" not in text
