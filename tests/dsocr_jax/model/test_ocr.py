"""Where vision vectors are put, and patches as a matrix product."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.batch import TEXT
from dsocr_jax.model.ocr import place_vision
from dsocr_jax.model.sam import Patches
from dsocr_jax.modes import FIRST_ROW


def by_gather(embedded: jax.Array, index: jax.Array, table: jax.Array) -> jax.Array:
    """The plain form: one group after another, every position looked up by itself."""
    groups = index.reshape(table.shape[0], -1)
    rows = jnp.stack([group[places] for group, places in zip(table, groups, strict=True)]).reshape(embedded.shape)
    return jnp.where((index == TEXT)[..., None], embedded, rows)


def test_vision_vectors_and_their_gradients_go_where_the_index_says() -> None:
    rng = np.random.default_rng(0)
    groups, rows, b, t, h = 2, 40, 4, 30, 8
    table, embedded = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((groups, rows, h), (b, t, h)))
    index = np.full((b, t), TEXT)
    for group in range(groups):  # the first two rows stand in many places, the others in one
        of_group = index[2 * group : 2 * group + 2].reshape(-1)
        places = rng.permutation(2 * t)[:45]
        of_group[places] = np.concatenate([np.repeat(np.arange(FIRST_ROW), 5), rng.permutation(rows - 2)[:35] + 2])
        index[2 * group : 2 * group + 2] = of_group.reshape(2, t)
    weight = rng.normal(size=(b, t, h))
    where = jnp.asarray(index)
    np.testing.assert_array_equal(place_vision(embedded, where, table), by_gather(embedded, where, table))

    def loss(form, embedded, table):
        return (form(embedded, where, table) * weight).sum()

    got, expected = (jax.grad(loss, (1, 2))(form, embedded, table) for form in (place_vision, by_gather))
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("channels", [3, 1])
def test_patches_are_the_convolution(channels: int) -> None:
    patches = Patches(12, 4, nnx.Rngs(0))
    patches.bias[...] = jax.random.normal(jax.random.key(2), (12,))
    pixels = jax.random.normal(jax.random.key(1), (2, 16, 16, channels))
    numbers = jax.lax.conv_dimension_numbers((2, 16, 16, 3), (4, 4, 3, 12), ("NHWC", "HWIO", "NHWC"))
    colours = jnp.broadcast_to(pixels, (2, 16, 16, 3))
    plain = jax.lax.conv_general_dilated(colours, patches.kernel[...], (4, 4), "VALID", dimension_numbers=numbers)
    np.testing.assert_allclose(patches(pixels), plain + patches.bias[...], rtol=1e-5, atol=1e-5)
