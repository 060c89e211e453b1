"""The model's shapes without its arrays."""

import dataclasses

import jax
import pytest
from flax import nnx

from dsocr_jax.config import ModelConfig, RivalConfig, preset
from dsocr_jax.model.ocr import DeepseekOCR, abstract_ocr

NANO = preset("nano")


@pytest.mark.parametrize(
    "config",
    [
        NANO,
        preset("test"),
        dataclasses.replace(NANO, grey=True),
        dataclasses.replace(NANO, rival=RivalConfig("convolved", 4)),
    ],
    ids=["nano", "test", "grey", "rival"],
)
def test_shapes_are_those_of_the_model_that_is_drawn(config: ModelConfig) -> None:
    graph, state = nnx.split(abstract_ocr(config))
    drawn_graph, drawn = nnx.split(nnx.eval_shape(lambda: DeepseekOCR(config, nnx.Rngs(0))))
    assert graph == drawn_graph
    assert jax.tree.map(lambda x: (x.shape, x.dtype), state) == jax.tree.map(lambda x: (x.shape, x.dtype), drawn)
