"""The bfloat16 run: the model is held against the original's own distance between bfloat16 and float32.

Rounding makes two correct bfloat16 programs differ, so equality cannot be asked for; a distance from the original's
float32 numbers of about the original's own can.
"""

import math
from typing import Any

import numpy as np

from dsocr_jax.parity.forward import HIDDEN, Forward, derived_logits
from dsocr_jax.parity.inputs import read_inputs
from dsocr_jax.parity.models import TOWERS
from dsocr_jax.parity.results import Comparison, Limits, Verdict

NO_SPREAD = "the fixtures say nothing of bfloat16 for it"
#: A distance below this share of the original's own cannot come out of bfloat16.
TOO_NEAR = 0.01
NEAR = "nearer to float32 than bfloat16 can be: it was computed in another type"


def compare_spread(found: Comparison, forward: Forward, spread: dict[str, Any] | None, limits: Limits) -> None:
    """Compare towers and logits of one fixture; everything else is not run.

    Errors are L2 norms of the difference, relative to the norm of the original's float32 array; of the best ids, the
    share that differs.
    """
    fixture = found.fixture
    found.inputs(("input_ids", "labels", "attention_mask"))
    if spread:
        inputs = read_inputs(fixture, forward.parameters.config)
        if inputs.batch.views:
            for name, array in forward.encode(inputs).items():
                tower = name.partition("_")[0]
                entry = fixture.entries.get(name)
                if entry is not None and tower in TOWERS and tower in spread:
                    _distance(found, name, TOWERS[tower], entry.spread(array), spread[tower], limits)
        expected = spread.get(f"logits_{fixture.meta.get('mode')}")
        if expected and "input_ids" in fixture.entries:
            logits = forward.logits(forward.decode(inputs.batch)[HIDDEN])
            if entry := fixture.entries.get("logits"):
                _distance(found, "logits", "logits", entry.spread(logits), expected, limits)
            best = fixture.entries.get("argmax") or fixture.entries.get("top8_ids")
            if best is not None and best.stride == 1:
                theirs = best.sample.reshape(-1, best.shape[-1] if best.name != "argmax" else 1)[:, 0]
                share = float(np.mean(derived_logits(logits, fixture)["argmax"]().reshape(-1) != theirs))
                limit = _share_limit(1 - expected["argmax_agree"], theirs.size, limits.spread)
                found.number(best.name, "argmax", share, limit)
    for name in found.left():
        found.not_run(name, "bfloat16", NO_SPREAD)


def _distance(
    found: Comparison, name: str, stage: str, distance: float, original: dict[str, Any], limits: Limits
) -> None:
    """Judge a distance from the original's float32 numbers by that of the original itself in bfloat16."""
    theirs = original["relative_norm"]
    if distance < TOO_NEAR * theirs:
        found.add(name, stage, Verdict.MISS, error=distance, limit=theirs * limits.spread, note=NEAR)
    else:
        found.number(name, stage, distance, theirs * limits.spread)


def _share_limit(theirs: float, positions: int, spread: float) -> float:
    """Return the largest share of differing best ids: ``spread`` times the original's own, and what counting adds.

    The original's is a count too, of 2 in 64 or so: two standard deviations are allowed on top.
    """
    share = max(theirs, 1 / positions)
    return spread * share + 2 * math.sqrt(share / positions)
