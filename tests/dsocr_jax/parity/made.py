"""A small fixture folder of another size, another seed and other pictures, made by this port itself.

It tests the tool, not the model: what the tool computes for the folder is written into it, so an untouched folder is
met to the last bit, and every planted fault must be noticed.
"""

import json
from pathlib import Path
from typing import Any

import jax
import ml_dtypes
import numpy as np
from flax import nnx
from PIL import Image

from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from dsocr_jax.modes import Mode, choose_grid, count_tokens, valid_tokens_by_code
from dsocr_jax.parity import synthetic
from dsocr_jax.parity.fixture import Entry, Fixture, write_fixture
from dsocr_jax.parity.forward import HIDDEN, Forward, cross_entropy
from dsocr_jax.parity.gradients import losses_and_gradients
from dsocr_jax.parity.inputs import read_inputs
from dsocr_jax.parity.operations import OPERATIONS
from dsocr_jax.parity.preprocessing import digest
from dsocr_jax.parity.source import Parameters, synthetic_parameters
from dsocr_jax.preprocess import normalise, preprocess
from dsocr_jax.reading.generate import generate
from dsocr_jax.reading.repetition import NoRepeat
from dsocr_jax.weights.params import abstract_model, flatten
from dsocr_jax.weights.released_config import config_to_released
from dsocr_jax.weights.table import entries

SEED = "another seed"
CONFIG = ModelConfig(
    sam=SamConfig(width=16, layers=2, heads=1, global_layers=(1,), grid=8, neck=8, compressor=(8, 16)),
    clip=ClipConfig(width=16, layers=1, heads=2, ffn=24, grid=2),
    decoder=DecoderConfig(
        vocab_size=64, hidden=16, layers=2, heads=2, kv_heads=2, dense_ffn=24, experts=4, top_k=2, expert_ffn=8
    ),
    image_token_id=60,
)
#: A global view and 2 x 1 tiles, all of 128 pixels: 2 * (2 + 1) + 1 and (2 * 2 + 1) * 2 placeholders.
META: dict[str, Any] = {
    "seed": SEED, "key": "made", "mode": "made", "base_size": 128, "tile_size": 128, "grid_w_h": [2, 1],
    "answer_len": 3,
}  # fmt: skip
PLACEHOLDERS = 17


def as_entry(name: str, array: np.ndarray) -> Entry:
    return Entry(name, array.shape, 1, array, {})


def write_all(root: Path) -> None:
    """Write every kind of fixture below ``root``."""
    small = root / "small"
    small.mkdir(parents=True)
    (small / "config.json").write_text(json.dumps(config_to_released(CONFIG)))
    with jax.default_matmul_precision("highest"):
        _write_model(small)
        _write_operations(root)
    _write_preprocessing(root)
    rules = {"whitelist": [7], "cases": [{"ids": [5, 6, 5], "windowed": [[2, 3, 0, [6]]], "whole": {"2": [6]}}]}
    (root / "rules.json").write_text(json.dumps(rules))


def _write_model(folder: Path) -> None:
    ids = np.array([[0, *[60] * PLACEHOLDERS, 7, 8, 9, 10, 11]], np.int32)
    labels = np.where(np.arange(ids.shape[1]) < ids.shape[1] - 3, -100, ids).astype(np.int32)
    parameters: Parameters = synthetic_parameters(CONFIG, SEED, np.float32)
    forward = Forward(parameters)
    given = {name: as_entry(name, array) for name, array in (("input_ids", ids), ("labels", labels))}
    inputs = read_inputs(Fixture("made", META, given), CONFIG)
    arrays = {"input_ids": ids, "labels": labels, **forward.encode(inputs)}
    arrays["sequence"] = forward.sequence(inputs.batch)
    outputs = forward.decode(inputs.batch)
    logits = forward.logits(outputs[HIDDEN])
    arrays |= {name: array for name, array in outputs.items() if name.startswith(("tap_dec", "router"))}
    arrays |= {"logits": logits, "argmax": logits.argmax(-1)}
    whole = nnx.merge(abstract_model(CONFIG)[0], parameters.all())
    for name, rule in (("greedy_ids", None), ("greedy_ngram2_ids", 2)):
        out = generate(whole, inputs.prefix(inputs.prompt, CONFIG), 4, NoRepeat(rule) if rule else None)
        arrays[name] = np.asarray(out.tokens[0, : int(out.lengths[0])])
    (_, router_loss), gradients = losses_and_gradients(abstract_model(CONFIG)[0], parameters.all(), inputs.batch)
    found = flatten(gradients)
    released = {key: value for entry in entries(CONFIG) for key, value in entry.export(np.asarray(found[entry.path]))}
    for name in ("lm_head.weight", "model.sam_model.pos_embed"):
        arrays[f"grad:{name}"] = released[name]
    norms = {name: float(np.linalg.norm(value.astype(np.float64))) for name, value in released.items()}
    meta = {
        **META,
        "loss": cross_entropy(logits, labels),
        "aux": [float(router_loss)],
        "grad_norm": norms,
    }
    write_fixture(folder, "made", meta, arrays, keep=400)


def _write_operations(root: Path) -> None:
    case = {"what": "activation", "inputs": {"x": {"key": "made", "shape": [4, 8], "scale": 1.5}}}
    x = synthetic.operation_input("made", (4, 8), 1.5)
    value = np.asarray(OPERATIONS["sam_gelu"]({"x": x}, [], {}, "")[""])
    write_fixture(root, "single", {"cases": {"sam_gelu": case}}, {"sam_gelu": value})


def _write_preprocessing(root: Path) -> None:
    source = synthetic.image("made", 90, 200)
    mode = Mode("gundam", 128, 64, crop=True, fit="pad", tile_threshold=640)
    views = preprocess(Image.fromarray(source), mode)
    grid = choose_grid(200, 90, mode)
    floats = normalise(views.global_view).transpose(2, 0, 1)
    facts = {
        "base_size": 128, "image_size": 64, "crop": True, "grid_w_h": list(grid), "tiles": 0,
        "image_tokens": count_tokens(mode, grid, 64), "valid_tokens": valid_tokens_by_code(200, 90, mode, 64),
        "global_uint8_sha256": digest(views.global_view), "tiles_uint8_sha256": [],
        "global_bf16_sha256": digest(floats.astype(ml_dtypes.bfloat16)),
    }  # fmt: skip
    case = {"key": "made", "width": 200, "height": 90, "source_sha256": digest(source), "modes": {"gundam": facts}}
    write_fixture(root, "views", {"cases": [case]}, {"200x90/gundam/global": floats}, keep=3000)
