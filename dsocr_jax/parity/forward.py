"""Everything that a fixture can hold of a forward pass, by the fixtures' names and in their layouts."""

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsocr_jax.batch import IGNORED, Batch
from dsocr_jax.parity.fixture import Fixture
from dsocr_jax.parity.inputs import Inputs
from dsocr_jax.parity.source import Parameters
from dsocr_jax.parity.streamed import Recorder, streamed_model

#: Outputs that the original has channels first.
CHANNELS_FIRST = {"sam", "tap_sam_neck", "tap_sam_net2"}
#: The last output of the decoder before the scores.
HIDDEN = "tap_dec_norm"
VIEW = re.compile(r"(sam|clip|proj)_(global|local)")


class Forward:
    """One model, run on fixture after fixture.

    Attributes:
        parameters: of the model.
        vision: whether the last fixture had a picture.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        self._recorder = Recorder()
        self._model: Any = streamed_model(parameters, self._recorder)

    def encode(self, inputs: Inputs) -> dict[str, np.ndarray]:
        """Return the outputs of the vision towers: taps are those of the global view."""
        self._recorder.clear()
        self._model.encoder.vision_table(inputs.batch.views)
        calls = self._recorder.calls
        sizes = sorted(inputs.batch.views)
        last_block = self.parameters.config.clip.layers - 1
        found: dict[str, np.ndarray] = {}
        for view, (size, places) in inputs.slots.items():
            at = sizes.index(size)

            def of_view(name: str, at: int = at, places: list[int] = places) -> np.ndarray:
                array = calls[name][at][places]
                return array.transpose(0, 3, 1, 2) if name in CHANNELS_FIRST else array

            found[f"sam_{view}"], found[f"proj_{view}"] = of_view("sam"), of_view("proj")
            found[f"clip_{view}"] = of_view(f"tap_clip_layer{last_block}")
            if view == "global":
                found |= {name: of_view(name) for name in calls if name.startswith("tap_")}
        return found

    def decode(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return the outputs of the language model, batch axis first: taps, routers and their losses."""
        self._recorder.clear()
        self._model.hidden_states(batch)
        return {name: calls[-1] for name, calls in self._recorder.calls.items()}

    def sequence(self, batch: Batch) -> np.ndarray:
        """Return the vectors that replace the placeholders, in order."""
        embedded = np.asarray(self._model.embed(batch))
        return embedded[np.asarray(batch.tokens) == self.parameters.config.image_token_id]

    def logits(self, hidden: np.ndarray) -> np.ndarray:
        """Return scores over the vocabulary, float32."""
        return np.asarray(self._model.logits(jnp.asarray(hidden)))


def derived_logits(logits: np.ndarray, fixture: Fixture) -> dict[str, Callable[[], np.ndarray]]:
    """Return what a fixture may hold of the logits ``[b, t, v]``, each computed when it is asked for."""
    last = logits[0]
    found: dict[str, Callable[[], np.ndarray]] = {
        "logits": lambda: logits,
        "logits_last": lambda: last[-1],
        "logits_position_sum": lambda: logits.astype(np.float64).sum(-1),
        "logits_position_norm": lambda: np.linalg.norm(logits.astype(np.float64), axis=-1),
        "argmax": lambda: logits.argmax(-1),
    }
    if tail := fixture.entries.get("logits_tail"):
        found["logits_tail"] = lambda: last[-tail.shape[0] :]
    for name in fixture.entries:
        if match := re.fullmatch(r"top(\d+)_(ids|logits)", name):
            found[name] = _top(logits, int(match[1]), match[2])
    return found


def _top(logits: np.ndarray, k: int, part: str) -> Callable[[], np.ndarray]:
    def compute() -> np.ndarray:
        values, ids = jax.lax.top_k(jnp.asarray(logits), k)
        return np.asarray(ids if part == "ids" else values)

    return compute


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over labelled positions of logits ``[b, t, v]`` at t against the label at t + 1, in float64."""
    total, count = 0.0, 0
    for row, label in zip(logits, np.atleast_2d(labels), strict=True):
        for t in np.flatnonzero(label[1:] != IGNORED):
            scores = row[t].astype(np.float64)
            top = scores.max()
            total += float(top + np.log(np.exp(scores - top).sum()) - scores[label[t + 1]])
            count += 1
    return total / max(count, 1)
