"""Fixtures on disk: pairs of ``NAME.json`` and ``NAME.npz`` that hold what the original computed.

The JSON has ``meta``, the inputs and scalars, and for each array its shape, stride and figures of the whole. The npz
has the whole array when the stride is 1, otherwise the sample ``x.reshape(-1)[::stride]``; the stride is a prime, so a
sample walks through every axis, and the figures notice what lies between.
"""

import dataclasses
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dsocr_jax.errors import UserError
from dsocr_jax.weights import strict_json

#: Largest description of a fixture that is read.
MAX_JSON_BYTES = 256 << 20

#: A scale below this counts as zero.
TINY = 1e-30
#: ``ramp`` weighs element i by ``i % RAMP - RAMP // 2``, which notices moved elements.
#: `RAMP_SPREAD` is the spread of those weights.
RAMP, RAMP_SPREAD = 997, 288
#: Strides that samples may have; primes.
STRIDES = (1, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 37, 53, 79, 97, 127, 197, 293, 509, 769, 983, 1201, 3079, 4801, 9973)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One array of the reference run.

    Attributes:
        name: of the array.
        shape: of the whole array.
        stride: of the sample.
        sample: what is stored, in the array's own shape when the stride is 1.
        figures: for floating-point arrays ``sum``, ``norm`` (L2), ``max_abs`` and ``ramp`` of the whole, in float64.
    """

    name: str
    shape: tuple[int, ...]
    stride: int
    sample: np.ndarray
    figures: dict[str, float]

    @property
    def exact(self) -> bool:
        """Whether the array is to be met value by value, as ids and choices are."""
        return self.sample.dtype.kind != "f"

    def differing(self, ours: np.ndarray) -> int:
        """Return how many stored values differ."""
        return int((ours.reshape(-1)[:: self.stride] != self.sample.reshape(-1)).sum())

    def error(self, ours: np.ndarray) -> float:
        """Return the worst error of the sample and of the figures, relative to the array's scale."""
        return max(self.errors(ours).values())

    def errors(self, ours: np.ndarray) -> dict[str, float]:
        """Return the largest error of the sample and the errors of the figures, relative to the array's scale."""
        flat = ours.reshape(-1).astype(np.float64)
        sample = self.sample.reshape(-1).astype(np.float64)
        found, size = _figures(flat), math.sqrt(max(flat.size, 1))
        top, norm = max(self.figures["max_abs"], TINY), max(self.figures["norm"], TINY)
        errors = {
            "sample": float(np.abs(flat[:: self.stride] - sample).max(initial=0.0)) / top,
            "norm": abs(found["norm"] - self.figures["norm"]) / norm,
            "sum": abs(found["sum"] - self.figures["sum"]) / (norm * size),
            "ramp": abs(found["ramp"] - self.figures["ramp"]) / (norm * RAMP_SPREAD * size),
        }
        # A value that is not a number is as wrong as can be, and must not get lost in a maximum.
        return {name: error if math.isfinite(error) else math.inf for name, error in errors.items()}

    def spread(self, ours: np.ndarray) -> float:
        """Return the L2 norm of the sample's difference, relative to the sample's norm."""
        sample = self.sample.reshape(-1).astype(np.float64)
        difference = ours.reshape(-1)[:: self.stride].astype(np.float64) - sample
        return float(np.linalg.norm(difference) / max(float(np.linalg.norm(sample)), TINY))


@dataclasses.dataclass(frozen=True)
class Fixture:
    """One pair of files: ``name`` is its path inside the folder, without the ending."""

    name: str
    meta: dict[str, Any]
    entries: dict[str, Entry]


def read_fixture(folder: str | Path, name: str) -> Fixture:
    """Read ``folder/NAME.json`` and ``folder/NAME.npz``.

    Raises:
        UserError: a file is missing, unreadable, or does not hold what the other says.
    """
    file = Path(folder) / f"{name}.json"
    described = read_json(file)
    try:
        meta, arrays = dict(described["meta"]), dict(described["arrays"])
        stored = _read_arrays(file.with_suffix(".npz"))
        if extra := sorted(set(stored) - set(arrays)):
            raise UserError(f"{file}: does not describe {', '.join(extra[:5])} of the npz; make the fixture again")
        entries = {key: _entry(file, key, info, stored) for key, info in arrays.items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{file}: not a fixture ({type(error).__name__}: {error}); make it again") from error
    return Fixture(name, meta, entries)


def write_fixture(
    folder: str | Path, name: str, meta: dict[str, Any], arrays: Mapping[str, np.ndarray], keep: int = 1 << 62
) -> None:
    """Write one pair of files.

    Args:
        folder: the fixture folder.
        name: path inside it, without the ending.
        meta: JSON-compatible.
        arrays: what the original computed.
        keep: about how many values of a floating-point array are stored, by default all; integers are stored whole.
    """
    file = Path(folder) / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    info, stored = {}, {}
    for key, array in arrays.items():
        whole = np.asarray(array)
        stride, figures = 1, {}
        if whole.dtype.kind == "f":
            stride = next((s for s in STRIDES if whole.size <= s * keep), STRIDES[-1])
            figures = _figures(whole.reshape(-1).astype(np.float64))
        stored[key] = whole if stride == 1 else whole.reshape(-1)[::stride]
        info[key] = {"shape": list(whole.shape), "stride": stride, "dtype": whole.dtype.name, **figures}
    np.savez_compressed(file.with_suffix(".npz"), **stored)  # type: ignore[arg-type]
    file.write_text(json.dumps({"meta": meta, "arrays": info}, indent=1) + "\n")


def read_json(file: Path) -> Any:
    """Read a JSON file, or raise `UserError`."""
    try:
        return strict_json.read_json(file, MAX_JSON_BYTES)
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: not readable ({error}); copy it again") from error


def _read_arrays(file: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{file}: not readable ({error}); copy it again") from error


def _entry(file: Path, key: str, info: dict[str, Any], stored: dict[str, np.ndarray]) -> Entry:
    if key not in stored:
        raise UserError(f"{file}: describes {key}, which the npz does not hold; copy both files again")
    shape, stride, sample = tuple(info["shape"]), int(info["stride"]), stored[key]
    if stride < 1 or sample.size != -(-math.prod(shape) // stride):
        raise UserError(
            f"{file}: {key} holds {sample.size} values, which do not fit {shape} by {stride}; make it again"
        )
    figures = {} if sample.dtype.kind != "f" else {k: float(info[k]) for k in ("sum", "norm", "max_abs", "ramp")}
    return Entry(key, shape, stride, sample, figures)


def _figures(flat: np.ndarray) -> dict[str, float]:
    weights = np.arange(flat.size, dtype=np.int64) % RAMP - RAMP // 2
    return {
        "sum": float(flat.sum()),
        "norm": math.sqrt(float((flat * flat).sum())),
        "max_abs": float(np.abs(flat).max(initial=0.0)),
        "ramp": float((flat * weights).sum()),
    }
