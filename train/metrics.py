"""Files of numbers: one JSON object per line, one line per logged step, no step twice."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

#: Decimals of figures that come as tables.
DECIMALS = 5

#: Lines hold a step's figures only; a longer one is not ours.
MAX_LINE = 100_000


class MetricsFile:
    """Appends lines; what lies behind the step that a run goes on from is cut off first. A context manager."""

    def __init__(self, path: Path, step: int) -> None:
        """Open ``path``; lines of steps after ``step`` belong to work that was lost, and so does a torn line."""
        kept = [line for line in read_metrics(path) if line["step"] <= step]
        temporary = path.with_name(f".{path.name}.partial")
        temporary.write_text("".join(map(_line, kept)), encoding="utf-8")
        temporary.replace(path)
        self._stream = path.open("a", encoding="utf-8")

    def write(self, values: dict[str, Any]) -> None:
        """Append one line; it is on disk, as far as the system is concerned, when this returns."""
        self._stream.write(_line(values))
        self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of ``path``, up to the first torn one; nothing if there is no such file."""
    lines: list[dict[str, Any]] = []
    if not path.exists():
        return lines
    with path.open(encoding="utf-8", errors="replace") as stream:
        while text := stream.readline(MAX_LINE):
            try:
                line = json.loads(text)
            except ValueError:
                break
            if not isinstance(line, dict) or not isinstance(line.get("step"), int) or not text.endswith("\n"):
                break
            lines.append(line)
    return lines


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays as JSON holds them: a figure that is not finite is None, those of tables are rounded."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        array = np.asarray(value)
        if array.ndim == 0:
            found[name] = array.item() if math.isfinite(array) else None
        else:
            found[name] = (array.astype(np.float64).round(DECIMALS) if array.ndim > 1 else array).tolist()
    return found


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, allow_nan=False) + "\n"
