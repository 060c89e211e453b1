"""Compare a fixture of the whole model, of its encoder or of its decoder."""

import re

import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.batch import IGNORED
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.parity.forward import HIDDEN, VIEW, Forward, cross_entropy, derived_logits
from dsocr_jax.parity.gradients import compare_gradients
from dsocr_jax.parity.inputs import Inputs, read_inputs
from dsocr_jax.parity.results import Comparison, Limits
from dsocr_jax.reading.generate import generate
from dsocr_jax.reading.repetition import NoRepeat, banned_ids
from dsocr_jax.weights.params import abstract_model

TOWERS = {"sam": "SAM", "clip": "CLIP", "proj": "projector"}
ROUTER = re.compile(r"router(\d+)_(experts|weights|margin)")
GREEDY = re.compile(r"greedy(?:_prompt(\d+))?(?:_ngram(\d+))?_ids")
GRADIENT = "grad:"
#: The stage of greedy decoding under the rule against repetition.
GREEDY_STAGE = {False: "greedy", True: "greedy, n-gram rule"}


def compare_model(found: Comparison, forward: Forward, limits: Limits) -> None:
    """Compare every array of one fixture that belongs to the model."""
    fixture, parameters = found.fixture, forward.parameters
    limit = limits.forward if parameters.fits else limits.full
    inputs = read_inputs(fixture, parameters.config)
    found.inputs(("input_ids", "labels", "attention_mask"))
    if inputs.batch.views:
        for name, array in forward.encode(inputs).items():
            tower = VIEW.fullmatch(name)
            found.array(name, TOWERS[tower[1]] if tower else "taps", array, limit)
        found.array("sequence", "sequence", lambda: forward.sequence(inputs.batch), limit)
    if "input_ids" not in fixture.entries:
        return
    logits = _decoder(found, forward, inputs, limit)
    _losses(found, inputs, logits, limit)
    _greedy(found, forward, inputs, limit)
    wanted = [name for name in found.left() if name.startswith(GRADIENT)]
    if wanted or fixture.meta.get("grad_norm"):
        if parameters.fits:
            compare_gradients(found, parameters, inputs, limits)
        for name in wanted if not parameters.fits else ():
            found.not_run(name, "gradients", "the gradient of a model of this size is not taken")


def _decoder(found: Comparison, forward: Forward, inputs: Inputs, limit: float) -> np.ndarray:
    outputs = forward.decode(inputs.batch)
    for name, array in outputs.items():
        if name.startswith("tap_"):
            found.array(name, "taps", array, limit)
        elif router := ROUTER.fullmatch(name):
            found.array(name, f"router {router[1]}", array, limit)
    logits = forward.logits(outputs[HIDDEN])
    for name, compute in derived_logits(logits, found.fixture).items():
        found.array(name, "argmax" if name == "argmax" or name.endswith("_ids") else "logits", compute, limit)
    aux = found.fixture.meta.get("aux")
    if isinstance(aux, list):
        ours = [float(outputs[name]) for name in outputs if name.startswith("aux")]
        for i, theirs in enumerate(aux):
            value = ours[i] if i < len(ours) else float("nan")
            found.relative(f"meta.aux[{i}]", "router loss", value, theirs, limit)
    return logits


def _losses(found: Comparison, inputs: Inputs, logits: np.ndarray, limit: float) -> None:
    """Compare the mean cross entropy; without stored labels every token is one."""
    labels = np.asarray(inputs.batch.labels)
    if "labels" not in found.fixture.entries:
        labels = np.where(np.asarray(inputs.batch.mask), np.asarray(inputs.batch.tokens), IGNORED)
    for name in ("loss", "eval_loss"):
        if isinstance(theirs := found.fixture.meta.get(name), float):
            found.relative(f"meta.{name}", "loss", cross_entropy(logits, labels), theirs, limit)


def _greedy(found: Comparison, forward: Forward, inputs: Inputs, limit: float) -> None:
    """Compare greedy decoding.

    A model that fits in memory writes the ids itself, with its cache. Of a larger one each id is compared with the
    best after the original's ids before it, in one forward pass: if all are equal, decoding gives those ids.
    """
    parameters = forward.parameters
    model = None
    for name in [name for name in found.left() if GREEDY.fullmatch(name)]:
        match = GREEDY.fullmatch(name)
        assert match
        ids = found.fixture.entries[name].sample.reshape(-1).astype(np.int32)
        start = int(match[1]) if match[1] else inputs.prompt
        rule = NoRepeat(int(match[2])) if match[2] else None
        stage = GREEDY_STAGE[rule is not None]
        if parameters.fits:
            model = model or nnx.merge(abstract_model(parameters.config)[0], parameters.all())
            found.array(name, stage, _written(model, inputs, start, len(ids), rule), limit)
        with_logits = name == "greedy_ids" and found.has("greedy_logits")
        if with_logits or not parameters.fits:
            batch = inputs.prefix(start, parameters.config, ids[:-1])
            hidden = forward.decode(batch)[HIDDEN]
            logits = forward.logits(hidden[:, start - 1 : start - 1 + len(ids)])[0]
            found.array(name, stage, _best(logits, np.asarray(batch.tokens)[0], start, rule), limit)
            if with_logits:
                found.array("greedy_logits", stage, logits, limit)


def _best(logits: np.ndarray, row: np.ndarray, start: int, rule: NoRepeat | None) -> np.ndarray:
    """The best id at each step that the rule allows, given the ids before it."""
    if rule is not None:
        rows = jnp.broadcast_to(jnp.asarray(row), (len(logits), len(row)))
        lengths = start + jnp.arange(len(logits))
        logits = np.where(np.asarray(banned_ids(rule, rows, lengths, logits.shape[-1])), -np.inf, logits)
    return logits.argmax(-1)


def _written(model: DeepseekOCR, inputs: Inputs, start: int, count: int, rule: NoRepeat | None) -> np.ndarray:
    out = generate(model, inputs.prefix(start, model.config), count, rule)
    return np.asarray(out.tokens[0, : int(out.lengths[0])])
