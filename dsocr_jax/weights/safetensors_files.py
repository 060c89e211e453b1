"""Safetensors shards and their index, checked in full before a byte of a tensor is read.

The file begins with the length of its header (8 bytes, little-endian), the header follows (JSON: name to type, shape
and place), then the tensors without gaps. We read the header ourselves: the usual reader stops at the first fault,
and keeps the last of two tensors with one name.
"""

import dataclasses
import json
import math
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from dsocr_jax.weights.strict_json import parse_json, read_json

INDEX_FILE = "model.safetensors.index.json"
#: The one shard that we write has the name that the released one has.
SHARD_FILE = "model-00001-of-000001.safetensors"

#: Largest header and index, in bytes; those of the released model take 0.4 MB.
MAX_HEADER_BYTES = MAX_INDEX_BYTES = 64 << 20
MAX_AXES = 8
#: Most faults named of one header or index.
MAX_FAULTS = 20

#: The types that weights may have.
FLOATS = {
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
}
#: Bytes of an element of every type, to check the places of tensors that are not ours.
ITEM_BYTES = {
    **{name: dtype.itemsize for name, dtype in FLOATS.items()},
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 1),
    **dict.fromkeys(("U16", "I16"), 2),
    **dict.fromkeys(("U32", "I32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor on disk.

    Attributes:
        file: its shard.
        dtype: its type as the header names it.
        shape: its shape.
        start: its first byte in the file.
    """

    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int

    def open(self) -> np.ndarray:
        """A view of the file: only what is copied out of it is read, and letting it go gives the memory back."""
        view = np.memmap(self.file, FLOATS[self.dtype], "r", self.start, self.shape)
        return view.view(np.ndarray)


@dataclasses.dataclass
class Contents:
    """What a folder of shards holds, and everything that is wrong with it.

    Attributes:
        tensors: by name.
        problems: one line each.
        unreadable: names that the index gives to a shard that cannot be read.
        torn: shards whose header is whole and whose data are not.
        blind: whether something cannot be read and no index says what it held.
    """

    tensors: dict[str, Tensor] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)
    unreadable: set[str] = dataclasses.field(default_factory=set)
    torn: set[str] = dataclasses.field(default_factory=set)
    blind: bool = False

    def lacks(self, name: str) -> bool:
        """Whether a tensor is missing, and not just lost in a fault that is already listed."""
        return not (self.blind or name in self.tensors or name in self.unreadable)


def read_folder(folder: Path) -> Contents:
    """Read the index and the headers of all shards in ``folder``; faults are collected, not raised."""
    contents = Contents()
    index = _read_index(folder, contents.problems)
    if index is None:
        contents.blind = True
        return contents
    broken: set[str] = set()
    for shard in sorted(set(index.values())) or _shards(folder):
        try:
            tensors, fault = read_header(folder / shard)
        except (OSError, ValueError) as error:
            reason = "is listed in the index but absent" if isinstance(error, FileNotFoundError) else str(error)
            contents.problems.append(f"{shard}: {reason}")
            broken.add(shard)
            continue
        if fault:
            contents.problems.append(f"{shard}: {fault}")
            contents.torn.add(shard)
        for name, tensor in tensors.items():
            if name in contents.tensors:
                contents.problems.append(f"{name} is in {contents.tensors[name].file.name} and again in {shard}")
            elif index and index.get(name) != shard:
                place = f"places it in {index[name]}" if name in index else "does not list it"
                contents.problems.append(f"{name} is in {shard}, the index {place}")
            contents.tensors[name] = tensor
    contents.blind = bool(broken and not index)
    contents.unreadable = {name for name, shard in index.items() if shard in broken}
    absent = [name for name in index if name not in contents.tensors and name not in contents.unreadable]
    contents.problems += [f"{name} is not in {index[name]}, where the index places it" for name in absent]
    return contents


def _read_index(folder: Path, problems: list[str]) -> dict[str, str] | None:
    """Shard of every tensor; empty when one shard stands alone, None when nothing can be read."""
    file = folder / INDEX_FILE
    if not file.is_file():
        shards = _shards(folder)
        if len(shards) == 1:
            return {}
        if shards:
            problems.append(f"{len(shards)} shards and no {INDEX_FILE}; copy it too")
        elif pickles := sorted(path.name for path in folder.glob("*.bin")):
            problems.append(f"{pickles[0]} is a pickle, which can run code, and is never read; save as safetensors")
        else:
            problems.append("no safetensors files")
        return None
    try:
        values = read_json(file, MAX_INDEX_BYTES)
        weights = values.get("weight_map") if isinstance(values, dict) else None
        if not isinstance(weights, dict) or not weights:
            raise ValueError("has no 'weight_map'")
        strange = sorted({repr(name)[:100] for name in weights.values() if not _is_plain(name)})
        if strange:
            raise ValueError(f"names a shard that is no plain file name: {', '.join(strange[:MAX_FAULTS])}")
    except (OSError, ValueError) as error:
        problems.append(f"{INDEX_FILE}: {error}")
        return None
    return weights


def _shards(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.safetensors"))


def _is_plain(name: Any) -> bool:
    """Whether a shard's name stays inside the folder."""
    return isinstance(name, str) and name.endswith(".safetensors") and not set(name) & set("/\\:\0") and name[0] != "."


def read_header(file: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors of a shard by its header, and what is wrong with the length of the data behind it, if anything.

    Raises:
        ValueError: listing what is wrong with it.
        OSError: it cannot be read.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        first = stream.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else size
        if length > MAX_HEADER_BYTES and length <= size - 8:
            raise ValueError(f"its header of {length} bytes is larger than the {MAX_HEADER_BYTES} that we read")
        if length > size - 8:
            raise ValueError(f"truncated, or no safetensors file: {size} bytes do not hold the header")
        try:
            header = parse_json(stream.read(length))
        except ValueError as error:
            raise ValueError(f"damaged header: {error}") from error
    if not isinstance(header, dict):
        raise ValueError("damaged header: it is no object")
    header.pop("__metadata__", None)
    problems: list[str] = []
    places, tensors = [], {}
    for name, entry in header.items():
        if fault := _entry_fault(entry):
            problems.append(f"{name}: {fault}")
            continue
        start, stop = entry["data_offsets"]
        places.append((start, stop, name))
        tensors[name] = Tensor(file, entry["dtype"], tuple(entry["shape"]), 8 + length + start)
    problems += _place_faults(places) if len(places) == len(header) else []
    if problems:
        raise ValueError("damaged header: " + "; ".join(problems[:MAX_FAULTS]) + _more(problems))
    return tensors, _end_fault(max((stop for _, stop, _ in places), default=0), size - 8 - length)


def _more(problems: list[str]) -> str:
    return f"; and {len(problems) - MAX_FAULTS} more" if len(problems) > MAX_FAULTS else ""


def _entry_fault(entry: Any) -> str:
    """What is wrong with one tensor's entry by itself; empty if nothing."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        return "its entry needs dtype, shape and data_offsets, and nothing else"
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        return f"type {str(dtype)[:40]!r} is not known"
    if not _are_sizes(shape) or len(shape) > MAX_AXES:
        return "its shape is no list of sizes"
    if not _are_sizes(offsets) or len(offsets) != 2:
        return "its data_offsets are no pair of places"
    expected = math.prod(shape) * ITEM_BYTES[dtype]
    if offsets[1] - offsets[0] != expected:
        return f"its data_offsets span {offsets[1] - offsets[0]} bytes, its shape and type {expected}"
    return ""


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 1 << 48 for value in values)


def _place_faults(places: list[tuple[int, int, str]]) -> list[str]:
    """Gaps and overlaps of ``places``, in bytes after the header."""
    problems, at = [], 0
    for start, stop, name in sorted(places):
        if start != at:
            problems.append(f"{name} {'overlaps the tensor' if start < at else 'leaves a gap'} before it")
        at = max(at, stop)
    return problems


def _end_fault(asked: int, there: int) -> str:
    """What is wrong with the data behind a header that asks for ``asked`` bytes; empty if nothing."""
    if asked > there:
        return f"truncated: {asked - there} bytes are missing at the end; copy it again"
    return f"{there - asked} bytes at the end belong to no tensor" if asked < there else ""


def write_shard(
    folder: Path, shapes: Mapping[str, tuple[int, ...]], dtype: str, tensors: Iterable[tuple[str, np.ndarray]]
) -> None:
    """Write one shard and its index.

    Args:
        folder: where to.
        shapes: of every tensor.
        dtype: of every tensor, as the header names it.
        tensors: all of them, in any order, contiguous.
    """
    places, end = {}, 0
    for name in sorted(shapes):
        places[name] = end
        end += math.prod(shapes[name]) * FLOATS[dtype].itemsize
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    for name, start in places.items():
        stop = start + math.prod(shapes[name]) * FLOATS[dtype].itemsize
        header[name] = {"dtype": dtype, "shape": list(shapes[name]), "data_offsets": [start, stop]}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)  # the tensors begin at a multiple of 8
    with (folder / SHARD_FILE).open("wb") as stream:
        stream.write(struct.pack("<Q", len(head)) + head)
        for name, tensor in tensors:
            stream.seek(8 + len(head) + places.pop(name))
            stream.write(tensor.reshape(-1).view(np.uint8).data)
        stream.flush()
        os.fsync(stream.fileno())
    if places:
        raise ValueError(f"not written: {', '.join(places)}")
    index = {"metadata": {"total_size": end}, "weight_map": dict.fromkeys(sorted(shapes), SHARD_FILE)}
    (folder / INDEX_FILE).write_text(json.dumps(index, indent=2) + "\n")
