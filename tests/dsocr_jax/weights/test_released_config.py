"""The released ``config.json`` in both directions, and what it may not ask for."""

import copy
import dataclasses
from typing import Any

import pytest

from dsocr_jax.config import preset
from dsocr_jax.errors import UserError
from dsocr_jax.weights.released_config import ONLY, config_from_released, config_to_released, differences
from tests.reference import weights


def without_extras(values: dict[str, Any]) -> dict[str, Any]:
    """As the real file is: without the three keys that the reference weights add."""
    values = copy.deepcopy(values)
    del values["image_token_id"]
    del values["vision_config"]["width"]["sam_vit_b"]["neck_channels"]
    del values["vision_config"]["width"]["clip-l-14-224"]["ffn"]
    return values


FULL = without_extras(weights.CONFIGS["full"])


@pytest.mark.parametrize("values", [FULL, weights.CONFIGS["full"]], ids=["real", "with three keys"])
def test_the_released_file_is_the_released_model(values: dict[str, Any]) -> None:
    assert config_from_released(values) == preset("released")


def test_the_released_model_is_the_released_file() -> None:
    assert config_to_released(preset("released")) == FULL


def test_the_small_model_there_and_back() -> None:
    assert config_from_released(weights.CONFIGS["tiny"]) == preset("test")
    assert config_from_released(config_to_released(preset("test"))) == preset("test")


def test_the_extra_keys_are_heeded() -> None:
    values = copy.deepcopy(weights.CONFIGS["full"])
    values["image_token_id"] = 7
    values["vision_config"]["width"]["sam_vit_b"]["neck_channels"] = 24
    values["vision_config"]["width"]["clip-l-14-224"]["ffn"] = 48
    config = config_from_released(values)
    assert (config.image_token_id, config.sam.neck, config.clip.ffn) == (7, 24, 48)


def altered(place: str, value: Any) -> dict[str, Any]:
    """The released file with one value set, in both places of the language model."""
    values = copy.deepcopy(FULL)
    *parents, last = place.split(".")
    node = values
    for part in parents:
        node = node[part]
    node[last] = value
    if not parents and place not in ("projector_config", "vision_config", "tile_tag", "language_config"):
        values["language_config"][last] = value
    return values


REFUSED = {
    "use_mla": True,
    "norm_topk_prob": True,
    "scoring_func": "sigmoid",
    "topk_method": "noaux_tc",
    "n_group": 8,
    "topk_group": 4,
    "routed_scaling_factor": 2.5,
    "moe_layer_freq": 2,
    "seq_aux": False,
    "hidden_act": "gelu",
    "rope_scaling": {"type": "yarn", "factor": 40},
    "attention_bias": True,
    "attention_dropout": 0.1,
    "tie_word_embeddings": True,
    "quantization_config": {"quant_method": "fp8"},
}


def test_every_choice_of_the_original_has_its_refusal() -> None:
    assert REFUSED.keys() == ONLY.keys()


@pytest.mark.parametrize(("name", "value"), REFUSED.items())
def test_what_the_port_does_not_compute_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UserError, match=f"{name} is .*, and this port computes only"):
        config_from_released(altered(name, value))


@pytest.mark.parametrize(("name", "value"), [(name, allowed[0]) for name, allowed in ONLY.items()])
def test_saying_what_the_port_computes_is_fine(name: str, value: Any) -> None:
    assert config_from_released(altered(name, value)) == preset("released")


WRONG = {
    "vocab_size": ("129280", "vocab_size is '129280', not a whole number"),
    "num_hidden_layers": (10**9, "num_hidden_layers is 1000000000"),
    "n_routed_experts": (0, "n_routed_experts is 0"),
    "hidden_size": (True, "hidden_size is True"),
    "num_attention_heads": (7, "decoder.hidden must be a multiple"),
    "rope_theta": (0, "rope_theta is 0, not a positive number"),
    "rms_norm_eps": ("1e-6", "rms_norm_eps is '1e-6', not a positive number"),
    "bos_token_id": (-1, "bos_token_id is -1"),
    "bos_token_id ": (None, "bos_token_id is missing"),
    "use_mla": (None, "use_mla is missing"),
    "image_token_id": (200_000, "special token ids"),
    "tile_tag": ("1D", "tile_tag is 1D"),
    "vision_config": ([], "vision_config is missing"),
    "language_config": (3, "language_config is missing"),
    "vision_config.width.sam_vit_b": (None, "vision_config.width.sam_vit_b is missing"),
    "vision_config.width.sam_vit_b.global_attn_indexes": ([2, 12], "sam.global_layers"),
    "vision_config.width.sam_vit_b.downsample_channels": ([512], "downsample_channels is [512], not 2"),
    "vision_config.width.clip-l-14-224.layers": ("many", "vision_config.width.clip-l-14-224.layers is 'many'"),
    "projector_config.input_dim": (1024, "projector_config.input_dim is 1024"),
    "projector_config.projector_type": ("downsample_mlp_gelu", "projector_config.projector_type"),
}


@pytest.mark.parametrize("place", WRONG)
def test_wrong_values_are_named(place: str) -> None:
    value, message = WRONG[place]
    with pytest.raises(UserError) as error:
        config_from_released(altered(place.strip(), value))
    assert message in str(error.value)


def test_all_faults_are_listed_and_what_follows_from_them_is_not() -> None:
    values = altered("hidden_size", "1280") | {"tile_tag": "1D"}
    values["language_config"]["vocab_size"] = "129280"
    del values["vision_config"]["width"]["clip-l-14-224"]["width"]
    with pytest.raises(UserError) as error:
        config_from_released(values)
    assert [line.strip() for line in str(error.value).splitlines()] == [
        "vocab_size is 129280 at the top and '129280' in language_config",
        "vocab_size is '129280', not a whole number from 1 to 16777216",
        "hidden_size is '1280', not a whole number from 1 to 16777216",
        "vision_config.width.clip-l-14-224.width is missing",
        "tile_tag is 1D, and this port computes only 2D",
    ]


def test_the_two_places_must_agree() -> None:
    values = copy.deepcopy(FULL)
    values["language_config"]["num_experts_per_tok"] = 8
    with pytest.raises(UserError, match="num_experts_per_tok is 6 at the top and 8 in language_config"):
        config_from_released(values)


@pytest.mark.parametrize("place", ["top", "language_config"])
def test_one_place_is_enough(place: str) -> None:
    values = copy.deepcopy(FULL)
    if place == "top":
        del values["language_config"]
    else:
        for name in values["language_config"]:
            values.pop(name)
    assert config_from_released(values) == preset("released")


def test_all_problems_are_said_at_once() -> None:
    values = {**FULL, "use_mla": True, "hidden_act": "gelu"}
    del values["language_config"]
    with pytest.raises(UserError) as error:
        config_from_released(values)
    assert "use_mla" in str(error.value) and "hidden_act" in str(error.value)


def test_values_that_the_file_leaves_to_the_code_survive() -> None:
    config = preset("test")
    decoder = dataclasses.replace(config.decoder, rope_base=5e5, norm_eps=1e-5, router_loss=0.01)
    config = dataclasses.replace(config, decoder=decoder, pad_token_id=3)
    assert config_from_released(config_to_released(config)) == config


def test_what_the_layout_cannot_express_is_named() -> None:
    with pytest.raises(UserError, match=r"cannot express sam\.window"):
        config_to_released(preset("nano"))


def test_modes_are_no_difference() -> None:
    config = preset("test")
    assert differences(config, dataclasses.replace(config, modes=config.modes[:1])) == []
    assert differences(config, dataclasses.replace(config, eos_token_id=9)) == ["eos_token_id"]
