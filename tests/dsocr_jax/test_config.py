"""Presets, their sizes, and configurations as JSON."""

import dataclasses
import json

import pytest

from dsocr_jax.config import PRESETS, ModelConfig, config_from_dict, config_to_dict, preset
from dsocr_jax.errors import UserError
from dsocr_jax.model.ocr import count_parameters
from dsocr_jax.weights.params import abstract_model, flatten
from dsocr_jax.weights.table import entries
from tests.reference import weights


def test_the_released_model_has_its_parameters() -> None:
    assert count_parameters(preset("released")) == 3_336_106_240


@pytest.mark.parametrize(("name", "reference"), [("released", "full"), ("test", "tiny")])
def test_every_released_tensor_has_its_place_and_shape(name: str, reference: str) -> None:
    """The table names exactly the tensors of the released layout, and their shapes fill our arrays."""
    shapes = weights.tensor_shapes(weights.CONFIGS[reference])
    table = list(entries(preset(name)))
    assert sorted(key for entry in table for key in entry.released) == sorted(shapes)
    ours = {path: leaf.shape for path, leaf in flatten(abstract_model(preset(name))[1]).items()}
    assert sorted(entry.path for entry in table) == sorted(ours)
    for entry in table:
        released = shapes[entry.released[0]]
        size = len(entry.released) if entry.stacked else 1
        for n in released:
            size *= n
        expected = 1
        for n in ours[entry.path]:
            expected *= n
        assert size == expected, entry.path


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip(name: str) -> None:
    assert config_from_dict(json.loads(json.dumps(config_to_dict(preset(name))))) == preset(name)


@pytest.mark.parametrize("change", ["unknown", "missing"])
def test_a_configuration_of_other_fields_is_refused(change: str) -> None:
    values = config_to_dict(preset("test"))
    if change == "unknown":
        values["decoder"]["colour"] = 1
    else:
        del values["sam"]
    with pytest.raises(UserError, match="colour" if change == "unknown" else "sam"):
        config_from_dict(values)


def test_sizes_that_do_not_fit_are_all_named() -> None:
    config = preset("test")
    with pytest.raises(UserError) as error:
        dataclasses.replace(
            config, clip=dataclasses.replace(config.clip, width=100), image_token_id=config.decoder.vocab_size
        )
    assert "sam.compressor" in str(error.value) and "vocab_size" in str(error.value)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(UserError, match="released, nano, test"):
        preset("large")


def test_the_stride_follows_the_patch() -> None:
    assert ModelConfig().stride == 64
