"""Parameters by path: from the model's structure to names such as ``decoder/layers/0/attn/q/kernel``."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from flax import nnx

from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.weights.table import entries


def path_name(path: tuple[Any, ...]) -> str:
    """The name of a parameter from its key path."""
    return jax.tree_util.keystr(path, simple=True, separator="/").removesuffix("/value")


def abstract_model(config: ModelConfig) -> tuple[nnx.GraphDef[DeepseekOCR], nnx.State]:
    """Structure and parameter shapes of the model; allocates nothing."""
    return nnx.split(nnx.eval_shape(lambda: DeepseekOCR(config, nnx.Rngs(0))), nnx.Param)[:2]


def init_params(config: ModelConfig, seed: int) -> nnx.State:
    """Freshly initialised float32 parameters."""
    return nnx.state(DeepseekOCR(config, nnx.Rngs(seed)), nnx.Param)


def flatten(params: nnx.State) -> dict[str, Any]:
    """Parameters by name."""
    return {path_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(params)}


def unflatten(config: ModelConfig, arrays: Mapping[str, Any]) -> nnx.State:
    """The inverse of `flatten`; names and shapes must be exactly the model's.

    Raises:
        UserError: listing every missing, unknown and misshapen array.
    """
    _, abstract = abstract_model(config)
    expected = flatten(abstract)
    problems = [f"missing {name}" for name in expected if name not in arrays]
    problems += [f"unknown {name}" for name in arrays if name not in expected]
    problems += [
        f"{name} has shape {tuple(arrays[name].shape)}, expected {leaf.shape}"
        for name, leaf in expected.items()
        if name in arrays and tuple(arrays[name].shape) != leaf.shape
    ]
    if problems:
        raise UserError("parameters do not fit the model: " + "; ".join(problems))
    return jax.tree_util.tree_map_with_path(lambda path, _: arrays[path_name(path)], abstract)


def from_released(config: ModelConfig, read: Callable[[str], np.ndarray], dtype: Any = None) -> nnx.State:
    """Parameters from released tensors, one array in memory beyond them at a time.

    Args:
        read: gives the released tensor of a name, in PyTorch layout.
        dtype: what to convert to; None keeps the stored type.
    """

    def convert(array: np.ndarray) -> jax.Array:
        return jax.numpy.asarray(array if dtype is None else array.astype(dtype))

    return unflatten(config, {entry.path: convert(entry.load(read)) for entry in entries(config)})
