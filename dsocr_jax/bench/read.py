"""How fast pages are read: encoder, decoding, whole pages; with random weights of a named size."""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from PIL import Image

from dsocr_jax.batch import IGNORED, Example
from dsocr_jax.bench.device import DeviceSpeed, seconds
from dsocr_jax.config import DecoderConfig, ModelConfig
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.modes import Mode, count_tokens
from dsocr_jax.preprocess import preprocess
from dsocr_jax.reading import fused
from dsocr_jax.reading.engine import Engine, EngineOptions, Request
from dsocr_jax.reading.slots import ACTIVE, SlotOptions, advance, empty_slots
from dsocr_jax.reading.vision import encode_views
from dsocr_jax.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        work: what was done.
        rate: how much of it a second.
        unit: of the rate.
        share: of the limit that ``limit`` names; None where none was computed.
        limit: what bounds the work.
        note: sizes.
    """

    work: str
    rate: float
    unit: str
    share: float | None
    limit: str
    note: str


def random_model(config: ModelConfig, dtype: jnp.dtype, seed: int = 0) -> DeepseekOCR:
    """Return a model with random weights.

    They repeat one block of numbers, whose length is prime: drawing billions of numbers, or compiling it for every
    shape, would take longer than the measurements.
    """
    model = nnx.eval_shape(lambda: DeepseekOCR(config, nnx.Rngs(0)))
    graph, state = nnx.split(model)
    block = np.random.default_rng(seed).standard_normal(1_000_003, np.float32)

    def make(number: int, leaf: jax.ShapeDtypeStruct) -> jax.Array:
        if len(leaf.shape) < 2:  # norms' scales and biases
            return jnp.ones(leaf.shape, dtype)
        values = np.roll(block, 7919 * number) * leaf.shape[-2] ** -0.5
        return jnp.asarray(np.resize(values.astype(dtype), leaf.shape))

    leaves, tree = jax.tree.flatten(state)
    return nnx.merge(graph, jax.tree.unflatten(tree, [make(i, leaf) for i, leaf in enumerate(leaves)]))


def encoder_row(model: DeepseekOCR, size: int, count: int, backends: Backends, speed: DeviceSpeed) -> Row:
    """Time the encoder on ``count`` views of ``size`` pixels at once."""
    stride = model.config.stride
    pixels = jnp.zeros((count, size, size, 3), jnp.uint8)
    rows = count * (size // stride) ** 2
    graph = jnp.zeros((rows, model.config.decoder.hidden), model.encoder.image_newline[...].dtype)
    holder = [graph]

    def work() -> jax.Array:
        holder[0] = encode_views(model.encoder, pixels, holder[0], jnp.int32(0), backends)
        return holder[0]

    took = seconds(work)
    compiled = encode_views.lower(model.encoder, pixels, holder[0], jnp.int32(0), backends)
    cost = compiled.cost_analysis() or {}
    share = cost.get("flops", 0.0) / took / speed.flops
    return Row(f"encoder, {size} px", count / took, "img/s", share or None, "matmul peak", f"{count} at once")


def decode_row(
    decoder: fused.FusedDecoder, batch: int, context: int, speed: DeviceSpeed, kernels: bool, steps: int = 64
) -> Row:
    """Time decoding of ``batch`` rows that have ``context`` tokens each, half of ``steps`` more on average."""
    config = decoder.config
    width = -(-(context + 4 * steps) // fused.PAGE)
    pages = fused.empty_pages(decoder, batch * width + 1)
    slots = empty_slots(pages, batch, width * fused.PAGE)
    table = np.arange(batch * width, dtype=np.int32).reshape(batch, width) + 1
    ids = jax.random.randint(jax.random.key(1), slots.ids.shape, 0, config.vocab_size, jnp.int32)
    full = jnp.full(batch, context, jnp.int32)
    options = SlotOptions(end=-1, kernels=kernels)
    times = []
    for _ in range(4):
        fresh = dataclasses.replace(
            slots, ids=ids + 0, lengths=full + 0, limits=full + 10**6, status=jnp.full(batch, ACTIVE, jnp.int32),
            runs=slots.runs * 0, choice=jax.tree.map(lambda x: x + 0, slots.choice),
        )  # fmt: skip
        jax.block_until_ready(fresh)
        start = time.perf_counter()
        slots, *rest = advance(decoder, fresh, table, steps, options)
        jax.block_until_ready(rest)
        times.append(time.perf_counter() - start)
    took = min(times[1:]) / steps
    floor = decode_bytes(config, batch, context + steps / 2, decoder.embed.dtype.itemsize) / speed.bandwidth
    return Row(
        f"decode, batch {batch}", batch / took, "tok/s", floor / took, "memory bandwidth",
        f"{context} tokens of context, {took * 1e3:.2f} ms a step, floor {floor * 1e3:.2f} ms",
    )  # fmt: skip


def decode_bytes(config: DecoderConfig, batch: int, context: float, itemsize: int) -> float:
    """Bytes that a step must read: weights of the experts asked (if all are as likely), of the rest, and the cache."""
    h, d = config.hidden, config.hidden // config.heads
    attention = h * (config.heads + 2 * config.kv_heads) * d + config.heads * d * h
    dense = 3 * h * config.dense_ffn
    shared = 3 * h * config.shared_experts * config.expert_ffn
    asked = config.experts * (1 - (1 - config.top_k / config.experts) ** batch)
    routed = 3 * h * config.expert_ffn * asked + 2 * h * config.experts
    sparse = config.layers - config.dense_layers
    weights = config.layers * attention + config.dense_layers * dense + sparse * (shared + routed)
    weights += h * config.vocab_size
    cache = 2 * config.layers * batch * context * config.kv_heads * d
    return (weights + cache) * itemsize


def pages_row(
    model: DeepseekOCR, tokenizer: Tokenizer, mode: Mode, files: Sequence[Path], tokens: int, options: EngineOptions,
    backends: Backends, workers: int,
) -> Row:  # fmt: skip
    """Time whole pages: files in, text out; every answer has ``tokens`` ids, since random weights do not end."""
    engine, config = Engine(model, options, backends), model.config

    def prepare(item: tuple[int, Path]) -> Request:
        number, file = item
        with Image.open(file) as image:
            views = preprocess(image.convert("RGB"), mode)
        # Ids of any vocabulary: a begin mark, the placeholders, and a prompt of four words.
        places = [config.image_token_id] * count_tokens(mode, views.grid, config.stride)
        ids = np.array([config.bos_token_id, *places, *range(100, 105)], np.int32)
        return Request(number, Example(ids, np.full_like(ids, IGNORED), views, mode), tokens)

    def run(some: Sequence[tuple[int, Path]]) -> int:
        done = 0
        with ThreadPoolExecutor(workers) as pool:
            coming = _window(pool, prepare, some, 2 * options.rows)
            more = True
            while more or engine.busy:
                while more and engine.free > -GATHER:
                    request = next(coming, None)
                    more = request is not None
                    if request is not None:
                        engine.add(request)
                for progress in engine.step():
                    if progress.finish_reason:
                        tokenizer.decode([token % tokenizer.vocab_size for token in progress.tokens])
                        done += 1
        return done

    run(list(enumerate(files[: min(len(files), options.rows)])))
    start = time.perf_counter()
    count = run(list(enumerate(files)))
    took = time.perf_counter() - start
    return Row(
        f"whole pages, {mode.name}", count / took, "pages/s", None, "decoding",
        f"{count} PNG files of {tokens} answer tokens in {took:.1f} s, {options.rows} rows, {workers} threads",
    )  # fmt: skip


#: Requests that wait inside the engine, so that prompts join in groups.
GATHER = 16


def _window(pool: ThreadPoolExecutor, prepare, items: Sequence[tuple[int, Path]], size: int) -> Iterator[Request]:  # type: ignore[no-untyped-def]
    futures = []
    todo = iter(items)
    for item in todo:
        futures.append(pool.submit(prepare, item))
        if len(futures) == size:
            break
    while futures:
        yield futures.pop(0).result()
        following = next(todo, None)
        if following is not None:
            futures.append(pool.submit(prepare, following))
