"""A model as a folder: ``config.json``, ``tokenizer.json`` and the parameters in orbax's layout.

Folders in the released layout (``config.json`` and safetensors) are read as well.
"""

import contextlib
import functools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.config import ModelConfig, config_from_dict, config_to_dict
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.tokenizer import SMALL_TOKENIZER, Tokenizer
from dsocr_jax.weights.folders import complete_folder
from dsocr_jax.weights.orbax_params import read_params, write_params
from dsocr_jax.weights.params import Shardings, abstract_model, flatten
from dsocr_jax.weights.released import is_released, open_released, read_released_config
from dsocr_jax.weights.strict_json import read_json
from dsocr_jax.weights.tokenizer_files import TOKENIZER_FILE, load_tokenizer

FORMAT = "dsocr-jax model"
VERSION = 1
CONFIG_FILE, PARAMS_FOLDER = "config.json", "params"
#: In a converted model: the files beside the released weights, for the way back.
RELEASED_FOLDER = "released"

MAX_CONFIG_BYTES = 1 << 20
MILLION = 1_000_000
#: From this size on (parameters when loading, bytes when writing) a progress bar is shown.
LARGE = 300 * MILLION


class LoadedModel(NamedTuple):
    """What `load_model` returns. Without a tokenizer in the folder, the first use of this one is a `UserError`."""

    config: ModelConfig
    model: DeepseekOCR
    tokenizer: Tokenizer


def save_model(
    folder: str | Path,
    config: ModelConfig,
    params: nnx.State,
    tokenizer_file: str | Path | None = SMALL_TOKENIZER,
    released: tuple[Path, ...] = (),
) -> None:
    """Write a model folder; an existing one is replaced only when the new one is complete.

    Args:
        folder: where to.
        config: of the model.
        params: of the model.
        tokenizer_file: copied; None leaves it out.
        released: files kept under `RELEASED_FOLDER`.
    """
    with complete_folder(Path(folder)) as partial:
        described = {"format": FORMAT, "version": VERSION, "model": config_to_dict(config)}
        (partial / CONFIG_FILE).write_text(json.dumps(described, indent=1) + "\n")
        if tokenizer_file is not None:
            shutil.copyfile(tokenizer_file, partial / TOKENIZER_FILE)
        for file in released:
            (partial / RELEASED_FOLDER).mkdir(exist_ok=True)
            shutil.copyfile(file, partial / RELEASED_FOLDER / file.name)
        write_params(partial / PARAMS_FOLDER, params)


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
    """The configuration in a model folder of ours or in the released layout."""
    return _read_config(model_folder(path) / CONFIG_FILE)[0]


def _read_config(file: Path) -> tuple[ModelConfig, bool]:
    """The configuration, and whether it is in the released layout."""
    try:
        described = read_json(file, MAX_CONFIG_BYTES)
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: not readable ({error}); copy the model again") from error
    if is_released(described):
        return read_released_config(file, described), True
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise UserError(f"{file}: neither a model of ours nor one in the layout of DeepSeek-OCR; name another folder")
    if described.get("version") != VERSION:
        raise UserError(f"{file}: version {described.get('version')}, this program reads version {VERSION}; update it")
    try:
        return config_from_dict(described["model"]), False
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{file}: {error}") from error


def in_released_layout(path: str | Path) -> bool:
    """Whether ``path`` is a model folder in the released layout."""
    return _read_config(model_folder(path) / CONFIG_FILE)[1]


def load_model(
    path: str | Path, dtype: Any = None, shardings: Shardings | None = None, check_finite: bool = False
) -> LoadedModel:
    """Load a model folder of ours, the model of a training run, or a folder in the released layout.

    Args:
        path: the folder.
        dtype: what to convert the parameters to while reading; None keeps the stored type (float32 if a released
            file mixes types).
        shardings: from a parameter's path name to where it lives, None for the default device. Every device reads
            its own slices.
        check_finite: refuse infinities and NaNs; this reads everything once more.

    Raises:
        UserError: something is missing or does not fit; all problems at once, before parameters are read.
    """
    folder = model_folder(path)
    config, released = _read_config(folder / CONFIG_FILE)
    tokenizer = load_tokenizer(folder, config)
    if released:
        load = open_released(folder, config, check_finite).load
    else:
        load = functools.partial(read_params, folder / PARAMS_FOLDER, config)
    count = sum(leaf.size for leaf in jax.tree.leaves(abstract_model(config)[1]))
    with large_progress("loading", count, "M parameters") as advance:
        params = load(dtype, shardings, advance)
    if check_finite and not released:
        _check_finite(folder, params)
    return LoadedModel(config, nnx.merge(abstract_model(config)[0], params), tokenizer)


@contextlib.contextmanager
def large_progress(title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """A progress bar in millions, for large models alone; yields what advances it by single ones."""
    if total < LARGE:
        yield lambda amount: None
        return
    done = 0
    with progress(title, total // MILLION, unit) as advance:

        def count(amount: int) -> None:
            nonlocal done
            advance((done + amount) // MILLION - done // MILLION, "")
            done += amount

        yield count


def _check_finite(folder: Path, params: nnx.State) -> None:
    def sound(array: jax.Array) -> bool:
        return all(np.isfinite(np.asarray(shard.data)).all() for shard in array.addressable_shards)

    bad = [name for name, array in flatten(params).items() if not sound(array)]
    if bad:
        raise UserError(f"{folder}: values that are not finite in {', '.join(bad)}")


def cast(params: nnx.State, dtype: Any) -> nnx.State:
    """The parameters in another type."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), params)


def parameter_bytes(params: nnx.State) -> int:
    """Bytes that the parameters take."""
    return sum(np.dtype(leaf.dtype).itemsize * leaf.size for leaf in jax.tree.leaves(params))
