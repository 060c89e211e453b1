"""``python -m train.merge_lora``: a model and its adapters as one plain model, for reading and for ``dsocr export``."""

from pathlib import Path
from typing import Any, Literal

import jax.numpy as jnp
import tyro
from flax import nnx
from rich.markup import escape

from dsocr_jax.config import ModelConfig, config_to_dict
from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.weights.checkpoint import (
    RELEASED_FOLDER,
    in_released_layout,
    load_model,
    model_folder,
    read_config,
    save_model,
)
from dsocr_jax.weights.conversion import CARRIED
from dsocr_jax.weights.folders import check_new, check_room
from dsocr_jax.weights.params import flatten, unflatten
from dsocr_jax.weights.tokenizer_files import TOKENIZER_FILE
from train.lora import check_fit, merged
from train.lora_files import load_adapters


def merge(
    model: Path, adapters: Path, out: Path, dtype: Literal["bfloat16", "float16", "float32"] | None = None
) -> None:
    """Write a model with its adapters in it.

    Args:
        model: the folder that the adapters were trained on, in either layout.
        adapters: the folder of the adapters, ``RUN/adapters``.
        out: a new or empty folder.
        dtype: of the merged parameters, such as bfloat16; the model's own when not given.

    Raises:
        UserError: the adapters do not belong to the model, or something cannot be read or written.
    """
    check_new(out)
    stored, source = load_adapters(adapters), model_folder(model)
    if _sizes(read_config(source)) != _sizes(stored.model):
        raise UserError(f"{adapters}: these adapters belong to a model of other sizes than {model}; name that one")
    loaded = load_model(source, None if dtype is None else jnp.dtype(dtype))
    params = flatten(nnx.state(loaded.model, nnx.Param))
    check_fit(params, stored.arrays, stored.lora.rank)
    check_room(out, sum(array.nbytes for array in params.values()))
    # One array at a time: the sum is float32, and a whole large model in float32 may not fit.
    for name, array in params.items():
        pair = {key: x for key, x in stored.arrays.items() if key.rpartition("/")[0] == name}
        params[name] = merged({name: array}, pair, stored.lora)[name]
    released = source if in_released_layout(source) else source / RELEASED_FOLDER
    kept = tuple(released / name for name in CARRIED if (released / name).is_file())
    tokenizer = source / TOKENIZER_FILE
    save_model(out, loaded.config, unflatten(loaded.config, params), tokenizer if tokenizer.is_file() else None, kept)
    console.print(escape(f"written {out}"))


def _sizes(config: ModelConfig) -> dict[str, Any]:
    return {name: value for name, value in config_to_dict(config).items() if name != "modes"}


if __name__ == "__main__":
    run_door(lambda: tyro.cli(merge, prog="python -m train.merge_lora"))
