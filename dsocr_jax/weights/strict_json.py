"""JSON from folders that we did not write: bounded, and without the silences of the usual reader."""

import json
from pathlib import Path
from typing import Any


def read_json(file: Path, limit: int) -> Any:
    """The content of a JSON file of at most ``limit`` bytes.

    Raises:
        ValueError: it is larger, is no JSON, or gives one name twice.
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"larger than {limit} bytes")
    return parse_json(data)


def parse_json(data: bytes) -> Any:
    """The value that ``data`` holds.

    Raises:
        ValueError: it is no JSON (NaN and infinities are none), is nested too deeply, or gives one name twice.
    """
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"gives '{name[:200]}' twice")
        values[name] = value
    return values


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
