"""Decoding with a cache, a prefill and then one token a row, against whole rows without one."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.model.backends import Backends
from dsocr_jax.model.ocr import DeepseekOCR, causal_mask
from tests.dsocr_jax.model import small
from tests.dsocr_jax.model.close import FORWARD, close

#: Tokens of each row before decoding begins, and how many are decoded.
PROMPTS, NEW = np.array([5, 1, 7, 3]), 4
ROWS, LENGTH = len(PROMPTS), int(PROMPTS.max()) + NEW


def tokens() -> np.ndarray:
    """Rows of different lengths, padded on the right."""
    ids = np.random.default_rng(0).integers(1, 60, (ROWS, LENGTH)).astype(np.int32)
    return np.where(np.arange(LENGTH) < (PROMPTS + NEW)[:, None], ids, 0)


def model() -> DeepseekOCR:
    return nnx.merge(*small.parameters())


@cache
def whole() -> np.ndarray:
    """Hidden states of whole rows."""
    lengths = (PROMPTS + NEW)[:, None]
    segments = jnp.asarray((np.arange(LENGTH) < lengths).astype(np.int32))
    positions = jnp.broadcast_to(jnp.arange(LENGTH), (ROWS, LENGTH))

    @jax.jit
    def run(model: DeepseekOCR, ids: jax.Array) -> jax.Array:
        return model.decoder(model.decoder.embed(ids), positions, causal_mask(segments), backends=small.PLAIN)[0]

    return np.asarray(run(model(), jnp.asarray(tokens())))


@pytest.mark.parametrize("grouped", ["blocked", "ragged", "capacity"])
def test_each_row_goes_on_as_if_it_were_whole(grouped: str) -> None:
    """Prompts of different lengths; what stands behind a prompt in its padded row is overwritten before it is seen."""
    ids, backends = tokens(), Backends(grouped=grouped)
    prompt = int(PROMPTS.max())

    @jax.jit
    def run(model: DeepseekOCR, ids: jax.Array, positions: jax.Array, caches: list):
        mask = (jnp.arange(LENGTH) <= positions[:, :, None])[:, None]
        hidden, _, caches = model.decoder(model.decoder.embed(ids), positions, mask, caches, backends=backends)
        return hidden, caches

    positions = jnp.broadcast_to(jnp.arange(prompt), (ROWS, prompt))
    hidden, caches = run(
        model(), ids[:, :prompt], positions, model().decoder.empty_caches(ROWS, LENGTH, jnp.dtype("float32"))
    )
    for row, length in enumerate(PROMPTS):
        close(hidden[row, :length], whole()[row, :length], FORWARD)
    rows = np.arange(ROWS)
    for step in range(NEW):
        place = PROMPTS + step
        hidden, caches = run(model(), ids[rows, place][:, None], jnp.asarray(place)[:, None], caches)
        close(hidden[:, 0], whole()[rows, place], FORWARD)


def test_positions_beyond_the_cache_are_dropped() -> None:
    cache = model().decoder.empty_caches(1, 2, jnp.dtype("float32"))[0]
    ones = jnp.ones((1, 2, *cache.keys.shape[2:]))
    written = cache.write(ones, ones, jnp.array([[1, 2]]))
    np.testing.assert_array_equal(written.keys[0, :, 0, 0], [0, 1])


def test_layers_with_caches_are_never_scanned() -> None:
    """A scan would copy every cache at every step."""
    caches = model().decoder.empty_caches(1, 4, jnp.dtype("float32"))
    x, positions, mask = jnp.ones((1, 1, 32)), jnp.zeros((1, 1), jnp.int32), jnp.ones((1, 1, 1, 4), bool)
    backends = Backends(layers="scanned", grouped="ragged")
    jaxpr = jax.make_jaxpr(lambda m: m.decoder(x, positions, mask, caches, backends=backends))(model())
    assert not any(equation.primitive.name == "scan" for equation in jaxpr.eqns)
