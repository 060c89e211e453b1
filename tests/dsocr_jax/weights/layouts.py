"""Folders in the released layout, right and wrong, for the tests of the weights."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from dsocr_jax.weights.safetensors_files import INDEX_FILE, SHARD_FILE
from tests.reference import weights

CODES = {
    np.dtype(ml_dtypes.bfloat16): "BF16",
    np.dtype(np.float16): "F16",
    np.dtype(np.float32): "F32",
    np.dtype(np.float64): "F64",
    np.dtype(np.int64): "I64",
}
TINY = weights.CONFIGS["tiny"]
SHAPES = weights.tensor_shapes(TINY)


def tensors(seed: str = "s0") -> dict[str, np.ndarray]:
    """The small model's weights, bfloat16, by released name."""
    return {name: weights.tensor(name, shape, seed) for name, shape in SHAPES.items()}


def entry(array: np.ndarray, start: int) -> dict[str, Any]:
    """A tensor's entry in a header."""
    return {"dtype": CODES[array.dtype], "shape": list(array.shape), "data_offsets": [start, start + array.nbytes]}


def write_raw(file: Path, header: Any, data: bytes = b"") -> None:
    """A shard of any header (bytes as they are, else JSON) and data."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(head)) + head + data)


def write_shard(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """A right shard."""
    header, start = {}, 0
    for name, array in arrays.items():
        header[name] = entry(array, start)
        start += array.nbytes
    write_raw(file, header, b"".join(array.tobytes() for array in arrays.values()))


def write_folder(folder: Path, shards: Mapping[str, Mapping[str, np.ndarray]], config: Any = TINY) -> Path:
    """Shards with their index and ``config.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard, arrays in shards.items():
        write_shard(folder / shard, arrays)
    index = {name: shard for shard, arrays in shards.items() for name in arrays}
    write_index(folder, index)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def write_index(folder: Path, weight_map: Any) -> None:
    """An index of any map."""
    (folder / INDEX_FILE).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def one_shard(folder: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """A folder of one shard, named as the released one."""
    return write_folder(folder, {SHARD_FILE: arrays})


def split(arrays: Mapping[str, np.ndarray], count: int) -> dict[str, dict[str, np.ndarray]]:
    """The tensors dealt out to ``count`` shards."""
    names = [f"model-{i + 1:05}-of-{count:06}.safetensors" for i in range(count)]
    return {shard: {name: arrays[name] for name in list(arrays)[i::count]} for i, shard in enumerate(names)}
