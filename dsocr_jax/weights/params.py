"""Parameters by path: from the model's structure to names such as ``decoder/layers/0/attn/q/kernel``."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.model.ocr import DeepseekOCR, abstract_ocr
from dsocr_jax.weights.table import Entry, entries

#: The sharding of a parameter from its path name; None for the default device.
Shardings = Callable[[str], jax.sharding.Sharding | None]
Index = tuple[slice, ...]

#: JAX's CPU devices take an array that begins at a multiple of this many bytes as it is, without a copy.
ALIGNMENT = 64
#: Rows of a matrix transposed together; a whole large one at once goes against the caches (8 times slower).
TRANSPOSED_ROWS = 256


def path_name(path: tuple[Any, ...]) -> str:
    """The name of a parameter from its key path."""
    return jax.tree_util.keystr(path, simple=True, separator="/").removesuffix("/value")


def abstract_model(config: ModelConfig) -> tuple[nnx.GraphDef[DeepseekOCR], nnx.State]:
    """Structure and parameter shapes of the model; allocates nothing."""
    graphdef, params = _traced(config)
    return graphdef, jax.tree.map(lambda leaf: leaf, params)


@functools.lru_cache(maxsize=8)
def _traced(config: ModelConfig) -> tuple[nnx.GraphDef[DeepseekOCR], nnx.State]:
    """Tracing the released model takes seconds, and loading needs the result several times."""
    return nnx.split(abstract_ocr(config), nnx.Param)[:2]


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


def default_sharding() -> jax.sharding.Sharding:
    """Where JAX puts an array that nobody places."""
    return jnp.zeros(()).sharding


def from_released(
    config: ModelConfig,
    read: Callable[[str], np.ndarray],
    dtype: Any = None,
    shardings: Shardings | None = None,
    advance: Callable[[int], Any] | None = None,
) -> nnx.State:
    """Parameters from released tensors, in host memory one array beyond them at a time.

    Args:
        read: gives the released tensor of a name, in PyTorch layout. If it is a view of a file, only what this
            process's devices hold is read.
        dtype: what to convert to; None keeps the stored type.
        shardings: where each parameter lives; by default all on the default device.
        advance: told the size of every array when it is there.

    Raises:
        UserError: shapes do not fit the model.
    """
    shapes = {name: leaf.shape for name, leaf in flatten(abstract_model(config)[1]).items()}
    arrays = {}
    for entry in entries(config):
        sharding = (shardings(entry.path) if shardings else None) or default_sharding()
        array = _place(entry, shapes[entry.path], read, dtype, sharding)
        arrays[entry.path] = array
        if advance:
            advance(array.size)
    return unflatten(config, arrays)


def _place(
    entry: Entry, shape: tuple[int, ...], read: Callable[[str], np.ndarray], dtype: Any, sharding: jax.sharding.Sharding
) -> jax.Array:
    parts: dict[tuple[Any, ...], np.ndarray] = {}  # devices that hold the same slice share one reading
    dtype = jnp.dtype(dtype or read(entry.released[0]).dtype)

    def part(index: Index | None) -> np.ndarray:
        assert index is not None  # it is None only for types that are not numbers
        key = tuple((axis.start, axis.stop) for axis in index)
        if key not in parts:
            parts[key] = read_part(entry, index, shape, read, dtype)
        return parts[key]

    array = jax.make_array_from_callback(shape, sharding, part, dtype=dtype)
    return array.block_until_ready()  # or the host's copies pile up while they travel


def read_part(
    entry: Entry, index: Index, shape: tuple[int, ...], read: Callable[[str], np.ndarray], dtype: np.dtype
) -> np.ndarray:
    """The slice ``index`` of our array of ``shape``; of stacked tensors only those in the slice are read."""
    out = _aligned(tuple(len(range(*axis.indices(n))) for axis, n in zip(index, shape, strict=True)), dtype)
    if entry.stacked:
        for target, name in zip(out, entry.released[index[0]], strict=True):
            _copy(target, entry.layout.ours(read(name))[index[1:]])
    else:
        _copy(out, entry.layout.ours(read(entry.released[0]))[index])
    return out


def _aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An uninitialised array that a CPU device can take over."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)


def _copy(target: np.ndarray, source: np.ndarray) -> None:
    """Copy and convert; a transposed source in strips, each converted before it is turned."""
    if source.shape != target.shape:
        raise UserError(f"a tensor of shape {source.shape} does not fit {target.shape}")
    if source.flags.c_contiguous or source.ndim < 2:
        target[...] = source
        return
    for i in range(0, source.shape[-1], TRANSPOSED_ROWS):
        target[..., i : i + TRANSPOSED_ROWS] = source[..., i : i + TRANSPOSED_ROWS].astype(target.dtype, copy=False)
