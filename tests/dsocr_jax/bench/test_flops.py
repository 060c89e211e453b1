"""The counted work is what the program does, product by product."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from dsocr_jax.bench.flops import decode_bytes, encoder_flops
from dsocr_jax.config import DecoderConfig, ModelConfig, preset
from dsocr_jax.model.encoder import DeepEncoder
from tests.tracing import equations


def work(equation: Any) -> int:
    """Operations of one matrix product or convolution."""
    out = math.prod(equation.outvars[0].aval.shape) if equation.outvars else 0
    if equation.primitive.name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2 * out * math.prod(equation.invars[0].aval.shape[axis] for axis in contracted)
    if equation.primitive.name == "conv_general_dilated":
        kernel = equation.invars[1].aval.shape
        features = equation.params["dimension_numbers"].rhs_spec[0]
        return 2 * out * math.prod(kernel) // kernel[features]
    return 0


@pytest.mark.parametrize(("name", "size"), [("nano", 128), ("nano", 256), ("test", 512)])
def test_encoder(name: str, size: int) -> None:
    config = preset(name)
    model = nnx.eval_shape(lambda: DeepEncoder(config, nnx.Rngs(0)))
    graph, state = nnx.split(model)

    def counted(views: int) -> int:
        pixels = jax.ShapeDtypeStruct((views, size, size, 3), jnp.float32)
        traced = jax.make_jaxpr(lambda state, pixels: nnx.merge(graph, state)(pixels))(state, pixels)
        return sum(work(equation) for equation in equations(traced.jaxpr))

    # The difference: position tables are resized to the views' size once for all of them.
    assert counted(2) - counted(1) == encoder_flops(config, size)


def test_decoding_one_row_reads_the_weights_of_its_experts_and_its_cache() -> None:
    config = DecoderConfig(
        vocab_size=100, hidden=8, layers=3, heads=2, kv_heads=1, dense_layers=1, dense_ffn=16, experts=4, top_k=2,
        expert_ffn=6, shared_experts=1,
    )  # fmt: skip
    attention = 8 * (2 + 2) * 4 + 8 * 8
    dense, shared, expert, router = 3 * 8 * 16, 3 * 8 * 6, 3 * 8 * 6, 2 * 8 * 4  # the router is float32
    weights = 3 * attention + dense + 2 * (shared + 2 * expert + router) + 8 * 100
    assert decode_bytes(config, 1, 0, 2) == 2 * weights
    assert decode_bytes(config, 1, 10, 2) - decode_bytes(config, 1, 0, 2) == 2 * (2 * 3 * 10 * 4)


def test_many_rows_ask_for_every_expert_once() -> None:
    config = ModelConfig().decoder
    few, many = decode_bytes(config, 1, 0, 2), decode_bytes(config, 10_000, 0, 2)
    one = 3 * config.hidden * config.expert_ffn * (config.layers - 1) * 2
    assert many - few == pytest.approx((config.experts - config.top_k) * one)
