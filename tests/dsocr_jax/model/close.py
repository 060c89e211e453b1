"""How near a fast form must come to the plain one, in float32."""

from typing import Any

import jax
import numpy as np

FORWARD, GRADIENT = 1e-5, 1e-4


def close(found: Any, expected: Any, limit: float) -> None:
    """Compare two trees: the largest difference of each array, as a share of the expected one's largest number."""
    leaves, wanted = jax.tree.leaves_with_path(found), jax.tree.leaves_with_path(expected)
    assert [path for path, _ in leaves] == [path for path, _ in wanted]
    for (path, leaf), (_, right) in zip(leaves, wanted, strict=True):
        ours, theirs = np.asarray(leaf, np.float64), np.asarray(right, np.float64)
        assert ours.shape == theirs.shape, jax.tree_util.keystr(path)
        assert np.isfinite(ours).all(), jax.tree_util.keystr(path)
        error = np.abs(ours - theirs).max(initial=0) / max(np.abs(theirs).max(initial=0), 1e-12)
        assert error <= limit, f"{jax.tree_util.keystr(path)}: {error:.1e}"
