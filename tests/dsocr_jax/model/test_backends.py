"""The recorded numbers of the original, met by every combination of backends that runs on a CPU."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsocr_jax.model.backends import Backends
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.preprocess import normalise
from tests.reference import tiny

#: Every value of every choice that runs on a CPU, and every two of them together.
FAST = [
    Backends(relative="folded", grouped="capacity", layers="scanned", remat="dots"),
    Backends(relative="folded", grouped="ragged", layers="unrolled", remat="full"),
    Backends(relative="folded", grouped="blocked", layers="scanned", remat="full"),
    Backends(relative="plain", grouped="capacity", layers="unrolled", remat="dots"),
    Backends(relative="plain", grouped="ragged", layers="scanned", remat="none"),
]


def name_of(backends: Backends) -> str:
    return "-".join([backends.relative, backends.grouped, backends.layers, backends.remat])


@pytest.mark.parametrize("backends", FAST, ids=name_of)
def test_towers_and_scores(backends: Backends) -> None:
    """The vision towers, the sequence and the scores of one fixture."""
    _, entries = tiny.load("tiny512")
    batch = tiny.batch(tiny.load("tiny512"))
    pixels = jnp.asarray(normalise(np.asarray(batch.views[512])[0]))

    @jax.jit
    def run(model: DeepseekOCR) -> list[jax.Array]:
        return [model.encoder(pixels, backends), model.logits(model.hidden_states(batch, backends)[0])]

    projected, logits = run(tiny.model())
    entries["proj_global"].check(np.asarray(projected))
    entries["logits"].check(np.asarray(logits)[0])
