"""The counted work is what the program does, product by product."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.batch import TEXT, Batch
from dsocr_jax.bench.flops import encoder_flops
from dsocr_jax.config import ModelConfig, preset
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.weights.params import flatten, unflatten
from tests.tracing import equations
from tests.train import tiny
from train.config import LoraConfig, TrainConfig
from train.flops import PARTS, Work, count_flops, peak_flops, products, step_flops, work_of

ROWS, LENGTH = 2, 24


def operations(equation: Any) -> int:
    """Of one matrix product or convolution."""
    out = math.prod(equation.outvars[0].aval.shape) if equation.outvars else 0
    shapes = [value.aval.shape for value in equation.invars]
    if equation.primitive.name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2 * out * math.prod(shapes[0][axis] for axis in contracted)
    if equation.primitive.name == "ragged_dot_general":
        # Rows of one expert each: over the rows [m, k] by [g, k, n], or for the gradient [m, k] by [m, n].
        (m, k), right = shapes[:2]
        return 2 * m * k * right[-1]
    if equation.primitive.name == "conv_general_dilated":
        kernel, dims = shapes[1], equation.params["dimension_numbers"]
        if equation.params["lhs_dilation"] != (1, 1) or equation.params["rhs_dilation"] != (1, 1):
            raise AssertionError("dilated convolutions are not counted here, and the model has none")
        return 2 * out * math.prod(kernel) // kernel[dims.rhs_spec[0]]
    return 0


def whole_batch(config: ModelConfig, views: int) -> Batch:
    """Rows of one sample each, without padding; the first tokens are those of a picture."""
    shape = (ROWS, LENGTH)
    ones = np.ones(shape, np.int32)
    index = np.full(shape, TEXT, np.int32)
    index[:views, :1] = 2 + np.arange(views)[:, None]
    pictures = {64: np.zeros((1, views, 64, 64, 3), np.uint8)} if views else {}
    return Batch(ones, ones, ones, np.arange(LENGTH) * ones, index, pictures)


def counted(config: ModelConfig, batch: Batch, is_trained: Callable[[str], bool] = lambda name: True) -> int:
    """Operations of a loss over every position, and of its gradient, as the program has them."""
    graphdef, abstract = nnx.split(nnx.eval_shape(lambda: DeepseekOCR(config, nnx.Rngs(0))), nnx.Param)[:2]
    params = flatten(abstract)

    def loss(trained: dict[str, Any], rest: dict[str, Any]) -> jax.Array:
        model = nnx.merge(graphdef, unflatten(config, trained | rest))
        return jnp.sum(model.logits(model.forward(batch, Backends(grouped="ragged"))[0]) ** 2)

    trained = {name: x for name, x in params.items() if is_trained(name)}
    rest = {name: x for name, x in params.items() if name not in trained}
    traced = jax.make_jaxpr(jax.grad(loss))(trained, rest)
    return sum(operations(equation) for equation in equations(traced.jaxpr))


def dense_work(views: int) -> Work:
    """What the plain form computes of `whole_batch`: all pairs, and the head everywhere."""
    tokens = ROWS * LENGTH
    return Work(tokens, tokens * LENGTH, tokens, {64: views} if views else {})


def test_text_alone_is_what_the_program_multiplies() -> None:
    expected = count_flops(products(tiny.MODEL, dense_work(0)), tiny.MODEL, lambda name: True)
    assert sum(expected.values()) == counted(tiny.MODEL, whole_batch(tiny.MODEL, 0))


FROZEN = {
    "all but the last matrix": lambda name: name == "decoder/lm_head/kernel",
    "embedding": lambda name: name != "decoder/embed/embedding",
    "queries": lambda name: "/attn/q/" not in name,
}


@pytest.mark.parametrize("trained", FROZEN.values(), ids=FROZEN)
def test_what_is_frozen_has_no_gradient(trained: Callable[[str], bool]) -> None:
    expected = count_flops(products(tiny.MODEL, dense_work(0)), tiny.MODEL, trained)
    assert sum(expected.values()) == counted(tiny.MODEL, whole_batch(tiny.MODEL, 0), trained)


def test_a_frozen_picture_side_is_computed_forward_only() -> None:
    work = dense_work(2)
    frozen = count_flops(products(tiny.MODEL, work), tiny.MODEL, lambda name: name.startswith("decoder"))
    assert sum(frozen[part] for part in ("sam", "clip", "projector")) == 2 * encoder_flops(tiny.MODEL, 64)
    forward = dict.fromkeys(PARTS, 0.0)
    for product in products(tiny.MODEL, work):
        forward[product.part] += product.flops
    assert all(frozen[part] > 2 * forward[part] for part in ("attention", "experts", "head"))
    # Behind a trained projector the frozen decoder hands the gradient on: once forward, once backward; pairs twice.
    projector = count_flops(products(tiny.MODEL, work), tiny.MODEL, lambda name: "projector" in name)
    assert projector["projector"] == 2 * forward["projector"]
    assert projector["clip"] == forward["clip"]
    assert projector["head"] == 2 * forward["head"]


@pytest.mark.parametrize(("name", "size"), [("nano", 192), ("test", 512), ("released", 1024)])
def test_the_encoder_is_what_reading_counts(name: str, size: int) -> None:
    config = preset(name)
    work = Work(0, 0, 0, {size: 3})
    assert sum(product.flops for product in products(config, work)) == 3 * encoder_flops(config, size)


def test_all_of_a_step_is_nearly_what_xla_counts() -> None:
    """XLA counts more than products, and adds the position tables' gradients."""
    model = dataclasses.replace(
        tiny.MODEL,
        decoder=dataclasses.replace(tiny.MODEL.decoder, dense_layers=1, hidden=128, dense_ffn=256),
        sam=dataclasses.replace(tiny.MODEL.sam, width=96, neck=32, compressor=(32, 64)),
        clip=dataclasses.replace(tiny.MODEL.clip, width=64, ffn=256),
    )
    graphdef, params, _ = nnx.split(nnx.eval_shape(lambda: DeepseekOCR(model, nnx.Rngs(0))), nnx.Param, ...)
    batch = whole_batch(model, 2)

    def loss(params: Any) -> jax.Array:
        whole = nnx.merge(graphdef, params)
        return jnp.sum(whole.logits(whole.hidden_states(batch)[0]) ** 2)

    analysis = jax.jit(jax.grad(loss)).lower(params).cost_analysis()
    ours = sum(count_flops(products(model, dense_work(2)), model, lambda name: True).values())
    assert ours == pytest.approx(analysis["flops"], rel=0.06)


def test_a_batch_is_counted_without_its_padding() -> None:
    """Two rows in two groups: samples of 3 and 2 tokens, and one of 4; the second group's second view is not used."""
    segments = np.array([[1, 1, 1, 2, 2, 0], [1, 1, 1, 1, 0, 0]], np.int32)
    labels = np.array([[5, -100, 5, -100, 5, -100], [-100, -100, -100, 5, -100, -100]], np.int32)
    # Views of 64 pixels are 1 token each, of 128 pixels 4; rows 0 and 1 of the table are no views.
    index = np.array([[2, 3, 0, TEXT, 1, TEXT], [4, 5, 2, 0, TEXT, TEXT]], np.int32)
    views = {64: np.zeros((2, 2, 64, 64, 3), np.uint8), 128: np.zeros((2, 1, 128, 128, 3), np.uint8)}
    batch = Batch(segments, labels, segments, segments, index, views, groups=2)
    assert work_of(batch, tiny.MODEL) == Work(9, 6 + 3 + 10, 3, {64: 3, 128: 1})


def test_one_layer_by_hand() -> None:
    """5 tokens of which 2 have labels, 15 pairs, two of four experts, nothing trained but the head."""
    config = TrainConfig(model=tiny.MODEL, freeze=("^encoder/", "^decoder/(embed|layers|norm)/"))
    flops = step_flops(config, Work(5, 15, 2, {}))
    assert flops["attention"] == 2 * (5 * 4 * 32 * 32 + 15 * 2 * 32)
    assert flops["router"] == 2 * 5 * 32 * 4
    assert flops["experts"] == 2 * 5 * 2 * (3 * 32 * 16 + 32)
    assert flops["shared"] == 2 * 5 * 3 * 32 * 32
    assert flops["head"] == 2 * (2 * 2 * 32 * 288)
    assert flops["sam"] == flops["clip"] == flops["projector"] == flops["dense"] == 0


def test_adapters_come_on_top_and_alone_have_gradients() -> None:
    work = Work(5, 15, 2, {})
    bare = step_flops(TrainConfig(model=tiny.MODEL, freeze=(".",)), work)
    adapted = step_flops(TrainConfig(model=tiny.MODEL, lora=LoraConfig(rank=2, on=("/attn/o/kernel$",))), work)
    # The first adapter has no gradient to hand on; what comes behind it has.
    assert adapted["attention"] - bare["attention"] == 2 * (2 * 5 * 2 * 64)
    assert adapted["head"] == 2 * bare["head"]


def test_peaks_are_those_of_the_named_devices() -> None:
    assert peak_flops("NVIDIA H100 80GB HBM3", "bfloat16") == 989e12
    assert peak_flops("NVIDIA A100-SXM4-80GB", "bfloat16") == 312e12
    assert peak_flops("NVIDIA L40S", "bfloat16") == 362e12
    assert peak_flops("cpu", "bfloat16") is None
    assert peak_flops("NVIDIA H100 80GB HBM3", "float32") is None
