"""The recipes: the paper's numbers, the parts that each trains, and shapes at full size without allocating any."""

import dataclasses
from pathlib import Path

import jax
import pytest

from dsocr_jax.modes import MODES
from dsocr_jax.weights.params import abstract_model, flatten
from train.checks import check
from train.cli import load_config
from train.config import MeshConfig, TrainConfig
from train.freeze import describe, parts
from train.lora import count, targets
from train.optimizer import make_optimizer, make_schedule
from train.setup import abstract_state
from train.sharding import make_mesh, sharding_table

CONFIGS = Path(__file__).parents[2] / "configs"
RECIPES = ("stage1_encoder", "stage2", "gundam_m", "finetune_full", "finetune_lora", "nano", "rivals", "small")
#: Parameters of the released model, and of its part that stage 2 freezes; those that no gradient reaches.
RELEASED, SAM_AND_COMPRESSOR, UNUSED = 3_336_106_240, 95_569_152, 602_112


def load(name: str) -> TrainConfig:
    config = load_config(CONFIGS / f"{name}.py")
    given = {"data": ("somewhere",)}
    return dataclasses.replace(config, **given, init_from=Path("model") if config.lora else None)


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_is_sound_once_its_data_are_given(name):
    check(load(name))


def test_every_recipe_is_tested():
    assert {file.stem for file in CONFIGS.glob("*.py")} == set(RECIPES)


def test_stage_1_has_the_numbers_of_the_paper():
    config = load("stage1_encoder")
    assert (config.length, config.rows, config.epochs) == (4096, 1280, 2.0)
    assert (config.optimizer.schedule, config.optimizer.peak_lr) == ("cosine", 5e-5)
    decoder = config.model_config.decoder
    assert decoder.dense_layers == decoder.layers
    assert config.freeze == ()


def test_stage_1_hands_its_whole_encoder_to_stage_2():
    one, two = (flatten(abstract_model(load(name).model_config)[1]) for name in ("stage1_encoder", "stage2"))
    for name, array in two.items():
        if name.startswith("encoder/"):
            assert one[name].shape == array.shape, name


def test_stage_2_has_the_numbers_of_the_paper():
    config = load("stage2")
    assert (config.length, config.rows, config.modes) == (8192, 640, ("tiny", "small", "base", "large", "gundam"))
    assert (config.optimizer.schedule, config.optimizer.peak_lr) == ("step", 3e-5)
    ocr = sum(config.mixture[kind] for kind in ("pages", "charts", "molecules", "geometry"))
    assert (ocr, config.mixture["general"], config.mixture["text"]) == (70, 20, 10)
    assert sum(config.mixture.values()) == 100
    assert config.mesh.stage == 1


def test_stage_2_is_cut_as_it_says():
    config = load("stage2")
    schedule = make_schedule(config.optimizer, config.steps)
    after = [float(schedule(config.optimizer.warmup + step)) / 3e-5 for step in (0, 9_999, 10_000, 20_000, 30_000)]
    assert after == pytest.approx([1, 1, 0.5, 0.25, 0.125])


def test_gundam_m_has_the_views_of_the_paper():
    (mode,) = load("gundam_m").model_modes
    assert mode == MODES["gundam-m"]
    assert (mode.tile_size, mode.base_size, mode.crop) == (1024, 1280, True)


@pytest.mark.parametrize(
    ("name", "size", "frozen"),
    [
        ("stage1_encoder", 854_242_560, UNUSED),
        ("stage2", RELEASED, SAM_AND_COMPRESSOR + UNUSED),
        ("gundam_m", RELEASED, SAM_AND_COMPRESSOR + UNUSED),
        ("finetune_full", RELEASED, UNUSED),
        ("finetune_lora", RELEASED, RELEASED),
        ("nano", 1_516_768, 56_448),
    ],
)
def test_what_is_trained_is_what_the_recipe_says(name, size, frozen):
    config = load(name)
    found = parts(abstract_model(config.model_config)[1], config).values()
    assert sum(part.trained + part.frozen for part in found) == size
    assert sum(part.frozen for part in found) == frozen


def test_stage_2_freezes_sam_and_the_compressor_and_nothing_else():
    config = load("stage2")
    said = parts(abstract_model(config.model_config)[1], config)
    assert {name for name, part in said.items() if part.frozen} == {"SAM", "compressor", "CLIP's patches"}


def test_adapters_of_lora_are_on_projector_attention_and_what_every_token_passes():
    config = load("finetune_lora")
    assert config.lora is not None
    params = flatten(abstract_model(config.model_config)[1])
    # 12 layers of attention, 11 shared experts and a dense layer with three matrices each, the projector.
    assert len(targets(params, config.lora)) == 12 * 4 + 12 * 3 + 1
    assert count(params, config.lora) == 4_031_488
    assert "4,031,488 numbers are trained (0.12%)" in describe(params, config)[-1]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("devices", [1, 8])
def test_state_has_a_place_on_one_device_and_on_eight(name, devices):
    """Shapes alone: at full size, in float32 with both moments, this would be 40 GB."""
    config = load(name)
    mesh = make_mesh(config.mesh, jax.devices()[:devices])
    state = abstract_state(config, make_optimizer(config))
    assert all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(state))
    rows = sharding_table(state.params, mesh)
    whole = sum(leaf.size * leaf.dtype.itemsize for leaf in state.params.values())
    share = sum(row.bytes_per_device for row in rows) / whole
    split = devices if config.mesh.fsdp == -1 else 1
    assert 1 / split <= share < 1 / split + 0.01
    if name not in ("nano", "finetune_full", "finetune_lora"):  # those are for one device
        assert config.rows % (config.accumulate * devices) == 0


def test_the_pipeline_of_the_paper_is_an_override():
    config = dataclasses.replace(load("stage2"), mesh=MeshConfig(data=-1, fsdp=1, stage=4), accumulate=16)
    check(config)
    assert dict(make_mesh(config.mesh, jax.devices()).shape) == {
        "data": 2,
        "fsdp": 1,
        "expert": 1,
        "tensor": 1,
        "stage": 4,
    }
