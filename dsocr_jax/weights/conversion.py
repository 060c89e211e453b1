"""A released folder into ours, and ours into a released one."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from rich.markup import escape

from dsocr_jax.config import ModelConfig
from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from dsocr_jax.weights.checkpoint import (
    CONFIG_FILE,
    MAX_CONFIG_BYTES,
    RELEASED_FOLDER,
    LoadedModel,
    in_released_layout,
    large_progress,
    load_model,
    model_folder,
    parameter_bytes,
    read_config,
    save_model,
)
from dsocr_jax.weights.folders import check_new, check_room, complete_folder
from dsocr_jax.weights.params import flatten
from dsocr_jax.weights.released import released_shapes
from dsocr_jax.weights.released_config import config_from_released, config_to_released, differences
from dsocr_jax.weights.safetensors_files import FLOATS, write_shard
from dsocr_jax.weights.strict_json import read_json
from dsocr_jax.weights.table import entries
from dsocr_jax.weights.tokenizer_files import TOKENIZER_FILE

#: Files beside the released weights that both directions carry along. Code is not among them.
CARRIED = (
    CONFIG_FILE,
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "processor_config.json",
    "preprocessor_config.json",
)
MAX_CARRIED_BYTES = 64 << 20


def convert(source: str | Path, target: str | Path, check_finite: bool = False) -> None:
    """Write the released folder ``source`` as a model folder of ours, all weights in the type they have.

    Args:
        source: a folder in the released layout.
        target: a new or empty folder.
        check_finite: refuse infinities and NaNs.

    Raises:
        UserError: the source is refused (all problems at once), or the target cannot be written; it is then as before.
    """
    source, target = model_folder(source), Path(target)
    if not in_released_layout(source):
        raise UserError(f"{source}: is a model of ours already; 'dsocr export' writes the released layout")
    check_new(target)
    kept, tokenizer = _carried(source), source / TOKENIZER_FILE
    loaded = load_model(source, check_finite=check_finite)
    params = nnx.state(loaded.model, nnx.Param)
    check_room(target, parameter_bytes(params))
    console.print(f"writing {parameter_bytes(params) / 1e6:,.0f} MB")
    save_model(target, loaded.config, params, tokenizer if tokenizer.is_file() else None, tuple(kept.values()))
    console.print(escape(f"written {target}"))


def export(source: str | Path, target: str | Path, dtype: str = "bfloat16") -> None:
    """Write a model folder in the released layout: one shard, its index, ``config.json`` and the tokenizer's files.

    The ``config.json`` that a conversion kept is used again if it still describes the model; else one is made.

    Args:
        source: a model folder (or a training run).
        target: a new or empty folder.
        dtype: of the weights: bfloat16, float16 or float32. Narrower than they are, they are rounded to nearest even.

    Raises:
        UserError: the source is refused, the released layout cannot express the model, or the target cannot be
            written; it is then as before.
    """
    source, target = model_folder(source), Path(target)
    check_new(target)
    kept = _carried(source)
    described = _describe(read_config(source), kept.pop(CONFIG_FILE, None), dtype)
    loaded = load_model(source, dtype)
    check_room(target, parameter_bytes(nnx.state(loaded.model, nnx.Param)))
    with complete_folder(target) as partial:
        _write_weights(partial, loaded, dtype)
        (partial / CONFIG_FILE).write_bytes(described)
        for file in kept.values():
            shutil.copyfile(file, partial / file.name)
        if (source / TOKENIZER_FILE).is_file():
            shutil.copyfile(source / TOKENIZER_FILE, partial / TOKENIZER_FILE)
    console.print(escape(f"written {target}"))


def _carried(source: Path) -> dict[str, Path]:
    """The files beside the released weights, by name."""
    folder = source if in_released_layout(source) else source / RELEASED_FOLDER
    files = {name: folder / name for name in CARRIED if (folder / name).is_file()}
    for file in files.values():
        if file.stat().st_size > MAX_CARRIED_BYTES:
            raise UserError(f"{file}: larger than {MAX_CARRIED_BYTES} bytes; it is none of the model's files")
    return files


def _describe(config: ModelConfig, kept: Path | None, dtype: str) -> bytes:
    """The released ``config.json``: the kept one if it says the same, to the byte where the type is the same too."""
    values = _matching(config, kept) if kept is not None else None
    if kept is not None and values is not None and values == _typed(values, dtype):
        return kept.read_bytes()
    values = _typed(config_to_released(config) if values is None else values, dtype)
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()


def _matching(config: ModelConfig, kept: Path) -> dict[str, Any] | None:
    """The content of the kept file, or None if it is not that of ``config``."""
    try:
        values = read_json(kept, MAX_CONFIG_BYTES)
        return values if not differences(config_from_released(values), config) else None
    except (OSError, ValueError, AttributeError, UserError):
        return None


def _typed(values: dict[str, Any], dtype: str) -> dict[str, Any]:
    """A released configuration that says ``dtype`` wherever it gives the type of the weights."""
    typed = copy.deepcopy(values)
    for part in (typed, typed.get("language_config", {})):
        for name in ("torch_dtype", "dtype"):
            if name in part:
                part[name] = dtype
    return typed


def _write_weights(folder: Path, loaded: LoadedModel, dtype: str) -> None:
    params = nnx.state(loaded.model, nnx.Param)
    arrays = flatten(params)
    code = next(code for code, stored in FLOATS.items() if stored == jnp.dtype(dtype))
    with large_progress("writing", parameter_bytes(params), "MB") as advance:

        def tensors() -> Iterator[tuple[str, np.ndarray]]:
            for entry in entries(loaded.config):
                for name, tensor in entry.export(np.asarray(arrays[entry.path])):
                    yield name, tensor
                    advance(tensor.nbytes)

        write_shard(folder, released_shapes(loaded.config), code, tensors())
