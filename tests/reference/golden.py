"""The fixtures as the tests ask for them: every array with a check that raises.

meta, entries = load("tiny/base1024", folder)
entries["sam_global"].check(mine, rtol=1e-4)      # raises AssertionError, returns the errors
"""

from pathlib import Path
from typing import Any

import numpy as np

from dsocr_jax.parity.fixture import Entry as StoredEntry
from dsocr_jax.parity.fixture import read_fixture


class Entry(StoredEntry):
    """One array of the reference run: a sample of its values and figures of the whole."""

    def check(self, x: np.ndarray, rtol: float = 1e-4) -> dict[str, float]:
        x = np.asarray(x)
        assert x.shape == self.shape, f"{self.name}: shape {x.shape}, expected {self.shape}"
        errors = {"different": float(self.differing(x))} if self.exact else self.errors(x)
        limit = 0.0 if self.exact else rtol
        assert all(error <= limit for error in errors.values()), f"{self.name}: {errors}"
        return errors


def load(name: str, folder: Path) -> tuple[dict[str, Any], dict[str, Entry]]:
    """``(meta, {array name: Entry})`` of one fixture, such as ``tiny/base1024``."""
    fixture = read_fixture(folder, name)
    return fixture.meta, {key: Entry(**vars(entry)) for key, entry in fixture.entries.items()}
