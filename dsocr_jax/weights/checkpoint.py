"""A model as a folder: ``config.json``, ``tokenizer.json`` and the parameters in orbax's layout."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from flax import nnx

from dsocr_jax.config import ModelConfig, config_from_dict, config_to_dict
from dsocr_jax.errors import UserError
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.tokenizer import SMALL_TOKENIZER, Tokenizer
from dsocr_jax.weights.params import abstract_model, flatten, unflatten

FORMAT = "dsocr-jax model"
VERSION = 1
CONFIG_FILE, TOKENIZER_FILE, PARAMS_FOLDER = "config.json", "tokenizer.json", "params"


class LoadedModel(NamedTuple):
    """What `load_model` returns."""

    config: ModelConfig
    model: DeepseekOCR
    tokenizer: Tokenizer


def save_model(
    folder: str | Path, config: ModelConfig, params: nnx.State, tokenizer_file: str | Path = SMALL_TOKENIZER
) -> None:
    """Write a model folder; an existing one is replaced only when the new one is complete."""
    folder = Path(folder).absolute()  # orbax fails late, in a thread, on a relative path
    partial = folder.with_name(folder.name + ".partial")
    previous = folder.with_name(folder.name + ".previous")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        described = {"format": FORMAT, "version": VERSION, "model": config_to_dict(config)}
        (partial / CONFIG_FILE).write_text(json.dumps(described, indent=1) + "\n")
        shutil.copyfile(tokenizer_file, partial / TOKENIZER_FILE)
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(partial / PARAMS_FOLDER, _nest(flatten(params)))
    except (OSError, ValueError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise UserError(f"{folder}: the model could not be written ({error}); what was there is intact") from error
    shutil.rmtree(previous, ignore_errors=True)
    if folder.exists():
        folder.rename(previous)
    partial.rename(folder)
    shutil.rmtree(previous, ignore_errors=True)


def model_folder(path: str | Path) -> Path:
    """The model folder meant by ``path``: itself, or the ``model`` inside a training run."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: no such folder; name a model folder or a training run")
    for folder in (path, path / "model", path / "model.previous"):
        if (folder / CONFIG_FILE).is_file():
            return folder
    raise UserError(f"{path}: holds no model ({CONFIG_FILE} is missing); name a model folder or a training run")


def read_config(path: str | Path) -> ModelConfig:
    """The configuration in a model folder."""
    file = model_folder(path) / CONFIG_FILE
    try:
        described = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: not readable ({error}); copy the model again") from error
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise UserError(f"{file}: not a model of ours; a released one is converted by 'dsocr convert'")
    if described.get("version") != VERSION:
        raise UserError(f"{file}: version {described.get('version')}, this program reads version {VERSION}; update it")
    try:
        return config_from_dict(described["model"])
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{file}: {error}") from error


def load_model(path: str | Path, dtype: Any = None) -> LoadedModel:
    """Load a model folder (or the model of a training run).

    Args:
        dtype: what to convert the parameters to while reading; None keeps the stored type.

    Raises:
        UserError: something is missing or does not fit; all problems at once, before parameters are read.
    """
    folder = model_folder(path)
    config = read_config(folder)
    tokenizer = Tokenizer.load(folder / TOKENIZER_FILE)
    if tokenizer.vocab_size > config.decoder.vocab_size:
        raise UserError(
            f"{folder}: the tokenizer has {tokenizer.vocab_size} ids and the model {config.decoder.vocab_size}; "
            "they do not belong together"
        )
    params = _read_params(folder / PARAMS_FOLDER, config, dtype)
    return LoadedModel(config, nnx.merge(abstract_model(config)[0], params), tokenizer)


def _read_params(folder: Path, config: ModelConfig, dtype: Any) -> nnx.State:
    folder = folder.absolute()
    if not folder.is_dir():
        raise UserError(f"{folder}: the parameters are missing; copy the model again")
    _, abstract = abstract_model(config)
    with ocp.StandardCheckpointer() as checkpointer:
        try:
            stored = _flat(checkpointer.metadata(folder).item_metadata.tree)
            unflatten(config, stored)  # names and shapes, before memory is taken
            target = {
                name: jax.ShapeDtypeStruct(
                    leaf.shape, dtype or stored[name].dtype, sharding=jax.sharding.SingleDeviceSharding(jax.devices()[0])
                )
                for name, leaf in flatten(abstract).items()
            }
            restored = _flat(checkpointer.restore(folder, _nest(target)))
        except UserError as error:
            raise UserError(f"{folder.parent}: {error}; is this a checkpoint of another shape?") from error
        except Exception as error:  # orbax and tensorstore raise many kinds for a damaged folder
            detail = str(error).splitlines()[0][:200]
            raise UserError(f"{folder}: damaged or incomplete ({detail}); copy the model again") from error
    return unflatten(config, restored)


def _nest(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dictionaries from names with slashes."""
    tree: dict[str, Any] = {}
    for name, array in arrays.items():
        *parents, last = name.split("/")
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = array
    return tree


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The inverse of `_nest`."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}/") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def cast(params: nnx.State, dtype: Any) -> nnx.State:
    """The parameters in another type."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), params)


def parameter_bytes(params: nnx.State) -> int:
    """Bytes that the parameters take."""
    return sum(np.dtype(leaf.dtype).itemsize * leaf.size for leaf in jax.tree.leaves(params))
