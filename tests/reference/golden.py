"""Read the fixtures of this folder and compare a port's arrays with them (numpy only).

meta, entries = load("tiny/base1024")
entries["sam_global"].check(mine, rtol=1e-4)      # raises AssertionError, returns the errors
"""

import json
import math
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


class Entry:
    """One array of the reference run: a sample of its values and figures of the whole.

    The sample is ``x.reshape(-1)[::stride]`` (all of ``x``, in its own shape, when the
    stride is 1; otherwise the stride is a prime, so it walks through every axis).
    ``sum``, ``norm``, ``max_abs`` and ``ramp`` were taken over all of ``x`` in float64;
    ``ramp`` is ``sum(x[i] * (i % 997 - 498))`` and notices moved elements.
    """

    def __init__(self, name, info, sample):
        self.name, self.info, self.sample = name, info, sample
        self.shape, self.stride = tuple(info["shape"]), info["stride"]

    def errors(self, x):
        """Largest sample error and errors of the figures, all relative to the array's scale."""
        x = np.asarray(x)
        assert x.shape == self.shape, f"{self.name}: shape {x.shape}, expected {self.shape}"
        flat = x.reshape(-1)
        picked = flat[:: self.stride]
        if self.sample.dtype.kind != "f":
            return {"different": int((picked != self.sample.reshape(-1)).sum())}
        d = flat.astype(np.float64)
        top = max(self.info["max_abs"], 1e-30)
        ramp = np.arange(d.size, dtype=np.int64) % 997 - 498
        spread = max(self.info["norm"], 1e-30)
        return {
            "sample": float(np.abs(picked.astype(np.float64) - self.sample.reshape(-1)).max()) / top,
            "norm": abs(math.sqrt(float((d * d).sum())) - self.info["norm"]) / spread,
            "sum": abs(float(d.sum()) - self.info["sum"]) / (spread * math.sqrt(d.size)),
            "ramp": abs(float((d * ramp).sum()) - self.info["ramp"]) / (spread * 288 * math.sqrt(d.size)),
        }

    def check(self, x, rtol=1e-4):
        errors = self.errors(x)
        limit = 0 if "different" in errors else rtol
        assert all(v <= limit for v in errors.values()), f"{self.name}: {errors}"
        return errors


def load(name, folder=HERE):
    """``(meta, {array name: Entry})`` of one fixture, such as ``tiny/base1024``."""
    manifest = json.loads((Path(folder) / f"{name}.json").read_text())
    arrays = np.load(Path(folder) / f"{name}.npz")
    return manifest["meta"], {k: Entry(k, v, arrays[k]) for k, v in manifest["arrays"].items()}
