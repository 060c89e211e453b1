"""The model in the paper's four parts: pure functions from what the part before hands on."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from dsocr_jax.batch import Batch
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.ocr import causal_mask, place_vision
from dsocr_jax.preprocess import NORMALISED
from dsocr_jax.weights.params import abstract_model, flatten, unflatten
from train.config import TrainConfig
from train.loss import head_loss
from train.pipeline.schedule import Figures
from train.step import kind_sums, routing_metrics

#: The parts of each stage, by the number of stages.
STAGES: dict[int, tuple[tuple[int, ...], ...]] = {1: ((0, 1, 2, 3),), 2: ((0, 1, 2), (3,)), 4: ((0,), (1,), (2,), (3,))}

_LAYER = re.compile(r"^decoder/layers/(\d+)/")


@dataclasses.dataclass(frozen=True)
class Job:
    """What the parts must know of a step."""

    config: TrainConfig
    graphdef: Any
    backends: Backends
    #: Equal parts that the batch falls into, over devices and microbatches.
    shares: int
    #: Labelled tokens of the whole batch.
    tokens: Array
    #: Kinds of samples that are reported; 0 for none.
    kinds: int


def first_half(layers: int) -> int:
    """Return how many of the decoder's layers part 2 has; part 3 has the head and the loss besides."""
    return -(-layers // 2)


def part_of(name: str, layers: int) -> int:
    """Return the part that has the parameter ``name`` of a model with so many decoder layers."""
    if name.startswith("encoder/sam/"):
        return 0
    if name.startswith(("encoder/", "decoder/embed/")):
        return 1
    match = _LAYER.match(name)
    return 2 if match and int(match[1]) < first_half(layers) else 3


def handed_on(part: int, batch: Batch, config: TrainConfig) -> Any:
    """Return the shapes of what a part hands on for ``batch``: SAM's maps by size of the views, then hidden states."""
    model, dtype = config.model_config, jnp.dtype(config.compute_dtype)
    if part == 0:
        sides = {size: size // model.stride for size in batch.views}
        shapes = {size: (x.shape[0] * x.shape[1], sides[size], sides[size]) for size, x in batch.views.items()}
        return {size: jax.ShapeDtypeStruct((*x, model.sam.compressor[1]), dtype) for size, x in shapes.items()}
    return jax.ShapeDtypeStruct((*batch.tokens.shape, model.decoder.hidden), dtype) if part in (1, 2) else ()


def run_parts(
    parts: tuple[int, ...], params: Mapping[str, Array], incoming: Any, batch: Batch, job: Job
) -> tuple[Any, Array, Figures]:
    """Run parts one after the other; return what they hand on, add to the objective, and add to the metrics.

    Args:
        parts: their numbers.
        params: of these parts, by name, layers not stacked.
        incoming: what the part before handed on.
        batch: a microbatch.
        job: see there.
    """
    # Parameters of other stages are there as shapes only.
    there = {**flatten(abstract_model(job.config.model_config)[1]), **params}
    model = nnx.merge(job.graphdef, unflatten(job.config.model_config, there))
    figures: Figures = {}
    for part in parts:
        incoming, more = (_sam, _clip, _first, _second)[part](model, incoming, batch, job)
        figures = {name: figures.get(name, 0) + more.get(name, 0) for name in {**figures, **more}}
    return incoming, jnp.float32(figures.get("loss", 0)) + figures.get("router_loss", 0), figures


def _sam(model: Any, _: Any, batch: Batch, job: Job) -> tuple[dict[int, Array], Figures]:
    levels = jnp.asarray(NORMALISED, job.config.compute_dtype)
    views = {size: levels[x.reshape(-1, *x.shape[2:])] for size, x in batch.views.items()}
    return {size: model.encoder.sam(pixels, job.backends) for size, pixels in views.items()}, {}


def _clip(model: Any, maps: dict[int, Array], batch: Batch, job: Job) -> tuple[Array, Figures]:
    embedded, encoder = model.decoder.embed(batch.tokens).astype(job.config.compute_dtype), model.encoder
    if not maps:
        return embedded, {}
    first = jnp.stack([encoder.image_newline[...], encoder.view_separator[...]])
    rows = [jnp.broadcast_to(first, (batch.groups, *first.shape))]
    for _, features in sorted(maps.items()):
        tokens = encoder.clip(features, job.backends)[:, 1:]
        tokens = encoder.projector(jnp.concatenate([tokens, features.reshape(tokens.shape)], axis=-1))
        rows.append(tokens.reshape(batch.groups, -1, tokens.shape[-1]))
    return place_vision(embedded, batch.vision_index, jnp.concatenate(rows, axis=1)), {}


def _first(model: Any, x: Array, batch: Batch, job: Job) -> tuple[Array, Figures]:
    return _layers(model, range(first_half(len(model.decoder.layers))), x, batch, job)


def _second(model: Any, x: Array, batch: Batch, job: Job) -> tuple[tuple[()], Figures]:
    count = len(model.decoder.layers)
    x, figures = _layers(model, range(first_half(count), count), x, batch, job)
    kernel = model.decoder.lm_head.kernel[...]
    total, losses = head_loss(model.decoder.norm(x), kernel, batch.labels, job.config.loss_chunk)
    figures["loss"] = total / jnp.maximum(job.tokens, 1)
    if job.kinds and batch.kinds is not None:
        figures |= kind_sums(losses, batch.labels, batch.kinds, job.kinds)
    return (), figures


def _layers(model: Any, numbers: range, x: Array, batch: Batch, job: Job) -> tuple[Array, Figures]:
    mask = causal_mask(batch.segments)
    x, routing = model.decoder.some_layers(numbers, x, batch.positions, mask, batch.groups, job.backends)
    return x, routing_metrics(routing, job.shares, job.backends)
