"""Where a comparison takes its parameters from: the recipe, or a model folder; a part of the model at a time."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.config import ModelConfig
from dsocr_jax.model.ocr import count_parameters
from dsocr_jax.parity import synthetic
from dsocr_jax.weights.checkpoint import in_released_layout, load_model, model_folder, read_config
from dsocr_jax.weights.params import abstract_model, flatten, read_part, unflatten
from dsocr_jax.weights.released import open_released, released_shapes
from dsocr_jax.weights.table import entries

#: A model of at most this many parameters is kept in memory; of a larger one each part is made, used and dropped.
KEPT = 300_000_000

#: One parameter in our layout, by its path and type.
Give = Callable[[str, np.dtype], Any]


class Parameters:
    """Parameters by path, such as ``decoder/norm/scale``, all in one type.

    Attributes:
        config: of the model.
        fits: whether the whole model is kept in memory.
    """

    def __init__(self, config: ModelConfig, give: Give, dtype: Any):
        self.config, self._give, self._dtype = config, give, np.dtype(dtype)
        self.fits = count_parameters(config) <= KEPT
        self._kept: dict[str, Any] = {}

    def take(self, paths: Iterable[str]) -> list[Any]:
        """Return parameters."""
        return [self._one(path) for path in paths]

    def _one(self, path: str) -> Any:
        if path in self._kept:
            return self._kept[path]
        array = jnp.asarray(self._give(path, self._dtype), self._dtype)
        if self.fits:
            self._kept[path] = array
        return array

    def all(self) -> nnx.State:
        """Return every parameter, for models that `fits` holds for."""
        names = [entry.path for entry in entries(self.config)]
        return unflatten(self.config, dict(zip(names, self.take(names), strict=True)))


def from_tensors(config: ModelConfig, read: Callable[[str], np.ndarray], dtype: Any) -> Parameters:
    """Return parameters put together from released tensors, each read when it is asked for."""
    table = {entry.path: entry for entry in entries(config)}
    shapes = {path: leaf.shape for path, leaf in flatten(abstract_model(config)[1]).items()}

    def give(path: str, dtype: np.dtype) -> np.ndarray:
        whole = (slice(None),) * len(shapes[path])
        return read_part(table[path], whole, shapes[path], read, dtype)

    return Parameters(config, give, dtype)


def synthetic_parameters(config: ModelConfig, seed: str, dtype: Any) -> Parameters:
    """Return the parameters that the recipe of `synthetic` gives for a seed."""
    shapes = released_shapes(config)
    return from_tensors(config, lambda name: synthetic.tensor(name, shapes[name], seed), dtype)


def folder_parameters(folder: str | Path, dtype: Any) -> Parameters:
    """Return the parameters of a model folder: the released layout is read part by part, our own at once.

    Raises:
        UserError: the folder is not a model, or its tensors do not fit its configuration.
    """
    folder = model_folder(folder)
    if in_released_layout(folder):
        model = open_released(folder, read_config(folder))
        return from_tensors(model.config, model.read, dtype)
    loaded = load_model(folder, dtype)
    arrays = flatten(nnx.state(loaded.model, nnx.Param))
    return Parameters(loaded.config, lambda path, _: arrays[path], dtype)
