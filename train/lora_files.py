"""Adapters as a folder: ``adapters.json`` (what they are and what they belong to) and ``adapters.safetensors``."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy

from dsocr_jax.config import ModelConfig, config_from_dict, config_to_dict
from dsocr_jax.errors import UserError
from dsocr_jax.model.scan import unstack_arrays
from dsocr_jax.weights.folders import complete_folder
from dsocr_jax.weights.strict_json import read_json
from train.config import LoraConfig

FORMAT, VERSION = "dsocr-jax adapters", 1
DESCRIPTION_FILE, ARRAYS_FILE = "adapters.json", "adapters.safetensors"
MAX_DESCRIPTION_BYTES = 1 << 20


class StoredAdapters(NamedTuple):
    """What `load_adapters` returns.

    Attributes:
        arrays: float32, by name, each layer for itself.
        lora: rank, alpha and patterns.
        model: sizes of the model that they belong to.
    """

    arrays: dict[str, np.ndarray]
    lora: LoraConfig
    model: ModelConfig


def save_adapters(folder: Path, adapters: Mapping[str, Any], lora: LoraConfig, model: ModelConfig) -> None:
    """Write adapters alone; a folder that is there is replaced only when the new one is complete.

    Args:
        folder: where to.
        adapters: by name, layers stacked or not.
        lora: rank, alpha and patterns.
        model: sizes of the model that they belong to.

    Raises:
        UserError: for what the system reports while writing, such as a full disk.
    """
    plain = unstack_arrays({name: np.asarray(array, np.float32) for name, array in adapters.items()}, np.split)
    arrays = {name: np.ascontiguousarray(array) for name, array in plain.items()}
    described = {"format": FORMAT, "version": VERSION, "lora": dataclasses.asdict(lora), "model": config_to_dict(model)}
    with complete_folder(folder) as partial:
        (partial / DESCRIPTION_FILE).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
        safetensors.numpy.save_file(arrays, partial / ARRAYS_FILE)


def load_adapters(folder: Path) -> StoredAdapters:
    """Read what `save_adapters` wrote.

    Raises:
        UserError: the folder holds no adapters, or something in it is damaged.
    """
    file = folder / DESCRIPTION_FILE
    if not file.is_file():
        raise UserError(f"{folder}: holds no adapters ({DESCRIPTION_FILE} is missing); name RUN/adapters of a LoRA run")
    try:
        described = read_json(file, MAX_DESCRIPTION_BYTES)
        if not isinstance(described, dict) or (described.get("format"), described.get("version")) != (FORMAT, VERSION):
            raise ValueError(f"it is not of the format {FORMAT!r}, version {VERSION}")
        lora = LoraConfig(**{**described["lora"], "on": tuple(described["lora"]["on"])})
        model = config_from_dict(described["model"])
        arrays = safetensors.numpy.load_file(folder / ARRAYS_FILE)
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise UserError(f"{folder}: the adapters are not readable ({error}); copy them again") from error
    return StoredAdapters(arrays, lora, model)
