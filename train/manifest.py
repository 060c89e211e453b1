"""A folder with a manifest: the checksum of every file, so that damage of any kind is noticed.

The manifest is written last, when everything else has reached the disk, and vouches for itself as well.
"""

import concurrent.futures
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from dsocr_jax.weights.strict_json import parse_json

FILE = "manifest.json"

#: The list of a checkpoint's files; a state of terabytes needs less.
MAX_BYTES = 64 << 20

#: Files that are read at a time; a disk that is fast needs several cores for the checksums.
READERS = 8


class Damaged(Exception):
    """The folder is not what was written; the message says which file, and what is wrong with it."""


def seal(folder: Path, meta: dict[str, Any]) -> None:
    """Write the manifest of ``folder``, with ``meta`` in it; all of it is on the disk when this returns.

    Args:
        folder: complete; its files are read once, for their checksums.
        meta: what JSON can hold.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
        digests = list(pool.map(lambda name: _digest(folder / name, flush=True), names))
    for parent in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        flush_folder(parent)
    content = {"meta": meta, "files": {name: list(digest) for name, digest in zip(names, digests, strict=True)}}
    replace_file(folder / FILE, _text(content))


def read_meta(folder: Path) -> dict[str, Any]:
    """Return the ``meta`` that a folder was sealed with.

    Raises:
        Damaged: there is no manifest, or not the one that was written.
    """
    return _read(folder)["meta"]


def verify(folder: Path) -> None:
    """Read every file of ``folder`` and hold it against the manifest.

    Raises:
        Damaged: something is missing, cut off or changed.
    """
    files = _read(folder)["files"]

    def fault(name: str) -> str | None:
        size, sha256 = files[name]
        try:
            found = _digest(folder / name)
        except FileNotFoundError:
            return f"{name} is missing"
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})"
        if found[0] != size:
            return f"{name} has {found[0]} bytes and was written with {size}"
        return None if found[1] == sha256 else f"{name} has changed since it was written"

    with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
        faults = [text for text in pool.map(fault, sorted(files)) if text]
    if faults:
        more = f" (and {len(faults) - 1} more files)" if len(faults) > 1 else ""
        raise Damaged(faults[0] + more)


def replace_file(path: Path, text: str) -> None:
    """Write a file that is on the disk as a whole, or not at all, whenever the power fails."""
    temporary = path.with_name(f".{path.name}.partial")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Bring the names in ``folder`` to the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _digest(path: Path, flush: bool = False) -> tuple[int, str]:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = stream.tell()
        if flush:
            os.fsync(stream.fileno())
    return size, sha256


def _text(content: dict[str, Any]) -> str:
    # Its own checksum first; whoever changes a single character of the rest no longer has this text.
    body = json.dumps(content, indent=1, allow_nan=False)
    return json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "content": content}, indent=1) + "\n"


def _read(folder: Path) -> dict[str, Any]:
    try:
        with (folder / FILE).open("rb") as stream:
            data = stream.read(MAX_BYTES)
    except OSError as error:
        raise Damaged(f"{FILE} cannot be read ({error.strerror})") from None
    try:
        content = parse_json(data)["content"]
        if _text(content).encode() == data:
            return content
    except (ValueError, KeyError, TypeError):
        pass
    raise Damaged(f"{FILE} has changed since it was written")
