"""What a run leaves for the reader."""

import dataclasses

import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.config import preset
from dsocr_jax.weights.params import abstract_model, flatten, init_params, unflatten
from train.publish import in_colour


def test_a_model_that_learned_in_grey_sees_the_same_in_colour_and_luma_alone():
    grey = dataclasses.replace(preset("nano"), grey=True)
    arrays = {name: np.asarray(x) for name, x in flatten(init_params(grey, 0)).items()}
    sizes, folded = in_colour(grey, arrays)
    assert not sizes.grey
    views = np.random.default_rng(0).integers(0, 256, (1, 1, 128, 128, 1), np.uint8)
    tables = []
    for config, params, pixels in ((grey, arrays, views), (sizes, folded, np.repeat(views, 3, -1))):
        model = nnx.merge(
            abstract_model(config)[0], unflatten(config, {name: jnp.asarray(x) for name, x in params.items()})
        )
        tables.append(np.asarray(model.encoder.vision_table({128: jnp.asarray(pixels)})))
    np.testing.assert_allclose(*tables, atol=2e-5)
    kernel = folded["encoder/sam/patch_embed/kernel"]
    np.testing.assert_allclose(kernel[:, :, 1] * 0.299, kernel[:, :, 0] * 0.587, rtol=1e-4, atol=1e-7)
