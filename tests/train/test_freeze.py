"""What is said to be trained is what gradients reach: one step on a tiled picture, with every part of the model."""

import dataclasses

import jax
import numpy as np
import pytest
from PIL import Image

from dsocr_jax.batch import Batch, collate, make_example
from dsocr_jax.config import RivalConfig, preset
from dsocr_jax.modes import Mode, choose_grid
from dsocr_jax.tokenizer import Tokenizer
from dsocr_jax.weights.params import abstract_model, flatten
from tests.train import tiny
from train.config import LoraConfig, OptimizerConfig, TrainConfig
from train.freeze import PARTS, UNUSED, describe, part_of, parts
from train.setup import prepare
from train.step import TrainState, put_batch

#: Tiles beside a global view; all of one size compile faster.
TILED = Mode("gundam", base_size=64, tile_size=64, crop=True, fit="pad", max_tiles=2, tile_threshold=64)
#: The decoder has a dense layer and a mixture.
MODEL = dataclasses.replace(
    tiny.MODEL,
    decoder=dataclasses.replace(tiny.MODEL.decoder, layers=2, dense_layers=1),
    modes=(TILED,),
)
#: Without momentum and decay, Adam moves exactly the numbers whose gradient is not zero.
PLAIN = OptimizerConfig(peak_lr=1e-3, schedule="constant", warmup=0, weight_decay=0.0, b1=0.0, clip=None)
ROWS, LENGTH = 4, 40


def pictures(folder) -> Batch:
    """Rows of two tiles and a global view each, and a text."""
    rng, tokenizer = np.random.default_rng(0), Tokenizer.load(folder / "tokenizer.json")
    examples = []
    for word in ("abba", "kind", "xylo", "Quiz"):
        picture = Image.fromarray(rng.integers(0, 256, (64, 128, 3), np.uint8))
        assert choose_grid(*picture.size, TILED) == (2, 1)
        examples.append(make_example(tokenizer, MODEL, TILED, "<image>\nRead.", picture, word))
    return collate(examples, MODEL, LENGTH)


def moved(folder, freeze: tuple[str, ...]) -> tuple[dict[str, np.ndarray], TrainConfig]:
    """Return by name which numbers one step moves."""
    changes = {"model": MODEL, "modes": ("gundam",), "length": LENGTH, "freeze": freeze, "optimizer": PLAIN}
    config = tiny.tiny_config(folder, **changes)
    setup = prepare(config, jax.devices()[:1])
    params = tiny.random_params(setup.abstract.params)
    moments = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), setup.abstract.opt_state)
    state = jax.device_put(TrainState(params, moments, np.zeros((), np.int32)), setup.shardings)
    batch = pictures(folder)
    state, _ = setup.step(state, put_batch(batch, setup.mesh))
    return {name: np.asarray(x) != params[name] for name, x in state.params.items()}, config


@pytest.fixture(scope="module")
def all_trained(folder):
    return moved(folder, ())


@pytest.mark.parametrize(
    "part",
    [
        *("SAM", "compressor", "CLIP", "projector", "newline", "separator", "embedding", "attention"),
        *("router", "experts", "shared experts", "dense", "norms", "head"),
    ],
)
def test_gradients_reach_every_array_of_a_part_that_is_asked_for(all_trained, part):
    arrays = {name: x for name, x in all_trained[0].items() if part_of(name) == part}
    assert arrays
    assert [name for name, x in arrays.items() if not x.any()] == []


def test_every_expert_learns(all_trained):
    for name, x in all_trained[0].items():
        if part_of(name) == "experts":
            assert x.reshape(MODEL.decoder.experts, -1).any(axis=1).all(), name


def test_what_is_called_unused_is(all_trained):
    assert [name for name, x in all_trained[0].items() if not x.any()] == ["encoder/clip/patch_embed/kernel"]


def test_exactly_what_is_said_to_be_trained_moves(folder):
    found, config = moved(folder, (r"^encoder/sam/", r"^encoder/image_newline$", r"/router/", r"^decoder/embed/"))
    said = parts(abstract_model(MODEL)[1], config)
    for name, x in found.items():
        part = said[part_of(name)]
        assert x.any() == bool(part.trained), name
        assert not (part.trained and part.frozen)


def test_every_parameter_belongs_to_a_part():
    nano = preset("nano")
    models = nano, dataclasses.replace(nano, rival=RivalConfig("convolved"))
    names = [name for model in models for name in flatten(abstract_model(model)[1])]
    assert {part_of(name) for name in names} == {part for part, _ in PARTS}


def test_lines_say_frozen_where_something_is_frozen():
    params = abstract_model(preset("nano"))[1]
    lines = describe(params, TrainConfig(freeze=(r"^encoder/sam/(?!compressor)", r"layers/0/attn/")))
    state = {line[: len(UNUSED)].strip(): line[len(UNUSED) :].split(None, 1)[1] for line in lines}
    assert state["SAM"] == "frozen"
    assert state["compressor"] == "trained"
    assert state["attention"] == "73,728 trained, 36,864 frozen"
    assert state[UNUSED].startswith("never used")


def test_lines_count_adapters_whether_they_are_there_or_not():
    params = flatten(abstract_model(preset("nano"))[1])
    config = TrainConfig(lora=LoraConfig(rank=2, on=("/attn/q/kernel$", "^decoder/lm_head/kernel$")))
    without = describe(params, config)
    there = {f"decoder/layers/{i}/attn/q/kernel/lora_{end}": np.zeros((96, 2)) for i in range(3) for end in "ab"}
    there |= {"decoder/lm_head/kernel/lora_a": np.zeros((96, 2)), "decoder/lm_head/kernel/lora_b": np.zeros((2, 2048))}
    assert describe(params | there, config) == without
    assert any("frozen, with adapters of 1,152 that are trained" in line for line in without)
    assert "5,440 numbers are trained" in without[-1]
