"""A training state in few bytes: what travels between two stretches of a run (`train.stretch`).

A parameter is kept in bfloat16, the type that it is computed with, so that the loss goes on where it was; what is lost
is the part of it that no forward pass has seen. Adam's second moment is kept as its logarithm in steps of half an
octave, the first as a multiple of the root of the second in eighths: moments change by as much in a few steps anyway.
A first moment without a second one (Muon's) is kept in eighths of the root of its mean square.
The bytes are sorted into planes that deflate shrinks to some 20 bits for a parameter with its moments, and lie in parts
of at most `PART` bytes with a list of digests.
"""

import hashlib
import json
import math
import zlib
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from dsocr_jax.errors import UserError
from dsocr_jax.weights.strict_json import read_json
from train.manifest import replace_file

INDEX, FORMAT = "state.json", 1

#: Bytes of one part.
PART = 15 << 20

#: Most bytes of the list, and of the planes when they are whole again.
MAX_INDEX, MAX_BYTES = 4 << 20, 4 << 30

#: Steps of the second moment's logarithm (base 2) and of the first moment over its root.
OCTAVE, SHARE = 2.0, 8.0

#: The logarithm that code 1 stands for; code 0 is no moment at all.
LEAST = -126.0

#: Names of Adam's moments in optax.
FIRST, SECOND = "mu", "nu"

#: What a first moment is kept as that has no second one, and the roots of the mean squares of these.
LONE, ROOTS = "lone", "roots"

#: Where the optimizer's arrays lie; those that are no moments are kept as they are.
OPTIMIZER = "opt_state"

Arrays = Mapping[str, np.ndarray]


def write_state(folder: Path, arrays: Arrays, meta: dict[str, Any]) -> int:
    """Write arrays by name, and ``meta`` beside them; what was in the folder is replaced. Returns the bytes written.

    Args:
        folder: made when it is not there.
        arrays: float32 parameters and moments, or integers. Moments are told by `FIRST` and `SECOND` in their names.
        meta: what JSON can hold.
    """
    planes = _pack(arrays)
    blob = b"".join(planes.values())
    parts = [blob[at : at + PART] for at in range(0, len(blob), PART)]
    digests = [hashlib.sha256(part).hexdigest() for part in parts]
    index = {
        "format": FORMAT,
        "meta": meta,
        "arrays": {name: [str(x.dtype), list(x.shape)] for name, x in arrays.items()},
        "planes": {name: len(plane) for name, plane in planes.items()},
        "parts": digests,
    }
    folder.mkdir(parents=True, exist_ok=True)
    names = [part_name(number, digest) for number, digest in enumerate(digests)]
    for name, part in zip(names, parts, strict=True):
        (folder / name).write_bytes(part)
    replace_file(folder / INDEX, json.dumps(index) + "\n")
    # Only now: whoever is killed before this leaves the state that was there.
    for file in folder.glob("state.[0-9]*"):
        if file.name not in names:
            file.unlink()
    return len(blob)


def part_name(number: int, digest: str) -> str:
    """Return the name of a part's file: another one for every content."""
    return f"state.{number:02d}.{digest[:8]}"


def read_meta(folder: Path) -> dict[str, Any]:
    """Return what was written beside the arrays."""
    return _read_index(folder)["meta"]


def read_state(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays by name, parameters and moments in float32, and what was written beside them.

    Raises:
        UserError: something is missing or not as it was written.
    """
    index = _read_index(folder)
    parts = []
    for number, digest in enumerate(index["parts"]):
        file = folder / part_name(number, digest)
        part = file.read_bytes() if file.is_file() else b""
        if hashlib.sha256(part).hexdigest() != digest:
            raise UserError(f"{file} is missing or damaged; bring the whole folder of the stretch before again")
        parts.append(part)
    blob, planes, at = b"".join(parts), {}, 0
    for name, size in index["planes"].items():
        planes[name] = blob[at : at + size]
        at += size
    shapes = {name: (np.dtype(dtype), tuple(shape)) for name, (dtype, shape) in index["arrays"].items()}
    return _unpack(planes, shapes), index["meta"]


def _read_index(folder: Path) -> dict[str, Any]:
    file = folder / INDEX
    try:
        index = read_json(file, MAX_INDEX)
        if not isinstance(index, dict) or index.get("format") != FORMAT:
            raise ValueError("another format")
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: no state of a stretch ({error}); name the --out of the stretch before") from None
    return index


def moment_of(name: str) -> tuple[str, str]:
    """Return which moment an array is (`FIRST`, `SECOND` or neither, ""), and the name of the other one."""
    words = name.split("/")
    for own, other in ((FIRST, SECOND), (SECOND, FIRST)):
        if own in words:
            place = words.index(own)
            return own, "/".join([*words[:place], other, *words[place + 1 :]])
    return "", ""


def _kinds(arrays: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the arrays in the planes that they belong to."""
    kinds: dict[str, list[str]] = {FIRST: [], SECOND: [], LONE: [], "weight": [], "whole": []}
    for name, x in arrays.items():
        dtype = x[0] if isinstance(x, tuple) else x.dtype
        kinds[_kind(name, dtype, arrays)].append(name)
    return kinds


def _kind(name: str, dtype: np.dtype, names: Container[str]) -> str:
    if dtype.kind != "f":
        return "whole"
    moment, other = moment_of(name)
    if moment == FIRST:
        return FIRST if other in names else LONE
    return moment or ("whole" if name.startswith(f"{OPTIMIZER}/") else "weight")


def _pack(arrays: Arrays) -> dict[str, bytes]:
    kinds = _kinds(arrays)
    bits = _joined([_to_bfloat16(arrays[name]) for name in kinds["weight"]], np.uint16)
    second = _joined([_log_codes(arrays[name]) for name in kinds[SECOND]], np.uint8)
    first = _joined([_shares(arrays[name], arrays[moment_of(name)[1]]) for name in kinds[FIRST]], np.int8)
    roots = np.asarray([_root_mean_square(arrays[name]) for name in kinds[LONE]], np.float32)
    lone = _joined([_in_eighths(arrays[n], root) for n, root in zip(kinds[LONE], roots, strict=True)], np.int8)
    whole = b"".join(np.ascontiguousarray(arrays[name]).tobytes() for name in kinds["whole"])
    planes = {
        "high": zlib.compress((bits >> 8).astype(np.uint8).tobytes(), 6),
        "low": (bits & 0xFF).astype(np.uint8).tobytes(),
        SECOND: zlib.compress(second.tobytes(), 6),
        FIRST: zlib.compress(first.tobytes(), 6),
        "whole": whole,
    }
    return planes | ({LONE: zlib.compress(lone.tobytes(), 6), ROOTS: roots.tobytes()} if kinds[LONE] else {})


def _unpack(planes: dict[str, bytes], shapes: dict[str, tuple[np.dtype, tuple[int, ...]]]) -> dict[str, np.ndarray]:
    kinds = _kinds(shapes)
    high, second, first = (np.frombuffer(_inflated(planes[name]), np.uint8) for name in ("high", SECOND, FIRST))
    bits = high.astype(np.uint32) << 24 | np.frombuffer(planes["low"], np.uint8).astype(np.uint32) << 16
    found = _cut(bits.view(np.float32), kinds["weight"], shapes)
    found |= _cut(_from_log_codes(second), kinds[SECOND], shapes)
    shares = _cut(first.view(np.int8).astype(np.float32) / SHARE, kinds[FIRST], shapes)
    found |= {name: x * np.sqrt(found[moment_of(name)[1]]) for name, x in shares.items()}
    if kinds[LONE]:
        lone = np.frombuffer(_inflated(planes[LONE]), np.int8).astype(np.float32) / SHARE
        roots = np.frombuffer(planes[ROOTS], np.float32)
        pairs = zip(_cut(lone, kinds[LONE], shapes).items(), roots, strict=True)
        found |= {name: x * root for (name, x), root in pairs}
    at = 0
    for name in kinds["whole"]:
        dtype, shape = shapes[name]
        size = math.prod(shape) * dtype.itemsize
        found[name] = np.frombuffer(planes["whole"][at : at + size], dtype).reshape(shape)
        at += size
    return {name: found[name] for name in shapes}


def _inflated(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    out = stream.decompress(data, MAX_BYTES)
    if not stream.eof:
        raise UserError("the state of a stretch is damaged: a part of it does not end")
    return out


def _joined(arrays: list[np.ndarray], dtype: Any) -> np.ndarray:
    return np.concatenate([x.reshape(-1) for x in arrays]) if arrays else np.zeros(0, dtype)


def _cut(
    flat: np.ndarray, names: list[str], shapes: dict[str, tuple[np.dtype, tuple[int, ...]]]
) -> dict[str, np.ndarray]:
    sizes = [math.prod(shapes[name][1]) for name in names]
    if sum(sizes) != flat.size:
        raise UserError("the state of a stretch is damaged: its parts are not as long as its list says")
    ends = np.cumsum(sizes)
    return {
        name: flat[end - size : end].reshape(shapes[name][1])
        for name, size, end in zip(names, sizes, ends, strict=True)
    }


def _to_bfloat16(x: np.ndarray) -> np.ndarray:
    """Return the bits, rounded to nearest even; values must be finite."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def _log_codes(second: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        codes = np.rint((np.log2(second.astype(np.float64)) - LEAST) * OCTAVE) + 1
    return np.where(second > 0, np.clip(codes, 1, 255), 0).astype(np.uint8)


def _from_log_codes(codes: np.ndarray) -> np.ndarray:
    table = np.exp2((np.arange(256) - 1) / OCTAVE + LEAST)
    table[0] = 0.0
    return table.astype(np.float32)[codes]


def _shares(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    # Over the root of what will be read, so that the product is the moment.
    root = np.sqrt(_from_log_codes(_log_codes(second)))
    shares = np.divide(first, root, out=np.zeros_like(root), where=root > 0)
    return np.clip(np.rint(shares * SHARE), -127, 127).astype(np.int8)


def _root_mean_square(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if x.size else 0.0


def _in_eighths(x: np.ndarray, root: np.float32) -> np.ndarray:
    shares = np.divide(x, root, dtype=np.float32) if root > 0 else np.zeros(x.shape, np.float32)
    return np.clip(np.rint(shares * SHARE), -127, 127).astype(np.int8)


def flat_state(state: Any) -> dict[str, np.ndarray]:
    """Return a `train.step.TrainState` as arrays on the host by name."""
    leaves = jax.tree_util.tree_leaves_with_path(state)
    hosted = jax.device_get([leaf for _, leaf in leaves])
    return {_name(path): np.asarray(x) for (path, _), x in zip(leaves, hosted, strict=True)}


def placed_state(arrays: Arrays, abstract: Any, shardings: Any) -> Any:
    """Return the state on the devices, in the structure of ``abstract``.

    Raises:
        UserError: it is of another model or optimizer.
    """
    wanted = {_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(abstract)}
    other = sorted({*wanted} ^ {*arrays}) + [n for n in wanted if n in arrays and wanted[n].shape != arrays[n].shape]
    if other:
        raise UserError(
            f"the stretch before was of another model or optimizer: {other[0]} differs; take its configuration"
        )

    def place(path: Any, leaf: Any, sharding: Any) -> jax.Array:
        return jax.device_put(arrays[_name(path)].astype(leaf.dtype), sharding)

    return jax.tree_util.tree_map_with_path(place, abstract, shardings)


def _name(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")
