"""The bfloat16 run: the model is held against the original's own distance between bfloat16 and float32.

Rounding makes two correct bfloat16 programs differ, so equality cannot be asked for; a distance from the original's
float32 numbers of about the original's own can.
"""

from typing import Any

import numpy as np

from dsocr_jax.parity.forward import HIDDEN, Forward, derived_logits
from dsocr_jax.parity.inputs import read_inputs
from dsocr_jax.parity.models import TOWERS
from dsocr_jax.parity.results import Comparison, Limits, Verdict

NO_SPREAD = "the fixtures say nothing of bfloat16 for it"


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
                    limit = spread[tower]["relative_norm"] * limits.spread
                    _add(found, name, TOWERS[tower], entry.spread(array), limit)
        expected = spread.get(f"logits_{fixture.meta.get('mode')}")
        if expected and "input_ids" in fixture.entries:
            logits = forward.logits(forward.decode(inputs.batch)[HIDDEN])
            if entry := fixture.entries.get("logits"):
                _add(found, "logits", "logits", entry.spread(logits), expected["relative_norm"] * limits.spread)
            best = fixture.entries.get("argmax") or fixture.entries.get("top8_ids")
            if best is not None and best.stride == 1:
                theirs = best.sample.reshape(-1, best.shape[-1] if best.name != "argmax" else 1)[:, 0]
                share = float(np.mean(derived_logits(logits, fixture)["argmax"]().reshape(-1) != theirs))
                _add(found, best.name, "argmax", share, (1 - expected["argmax_agree"]) * limits.spread)
    for name in found.left():
        found.not_run(name, "bfloat16", NO_SPREAD)


def _add(found: Comparison, name: str, stage: str, error: float, limit: float) -> None:
    verdict = Verdict.MET if error <= limit else Verdict.MISS
    found.add(name, stage, verdict, error=error, limit=limit)
