"""How fast pages are read: encoder and decoding, with random weights of a named size."""

import dataclasses
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.bench.chance import chance
from dsocr_jax.bench.device import DeviceSpeed, seconds
from dsocr_jax.bench.flops import decode_bytes, encoder_flops
from dsocr_jax.bench.row import Row
from dsocr_jax.config import ModelConfig
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.ocr import DeepseekOCR, abstract_ocr
from dsocr_jax.reading import fused
from dsocr_jax.reading.slots import ACTIVE, SlotOptions, Slots, advance, empty_slots
from dsocr_jax.reading.vision import encode_views


def random_model(config: ModelConfig, dtype: jnp.dtype) -> DeepseekOCR:
    """Return a model with random weights."""
    graph, state = nnx.split(abstract_ocr(config))
    leaves, tree = jax.tree.flatten(state)

    def make(number: int, shape: tuple[int, ...]) -> jax.Array:
        if len(shape) < 2:  # norms' scales and biases
            return jnp.ones(shape, dtype)
        return chance(number, shape, dtype, shape[-2] ** -0.5)

    made = jax.jit(lambda: [make(number, leaf.shape) for number, leaf in enumerate(leaves)])()
    return nnx.merge(graph, jax.tree.unflatten(tree, made))


def encoder_work(model: DeepseekOCR, size: int, count: int, backends: Backends) -> Callable[[], jax.Array]:
    """Return what encodes ``count`` views of ``size`` pixels at once."""
    pixels = jnp.zeros((count, size, size, 3), jnp.uint8)
    rows = count * (size // model.config.stride) ** 2
    table = [jnp.zeros((rows, model.config.decoder.hidden), model.encoder.image_newline[...].dtype)]

    def work() -> jax.Array:
        table[0] = encode_views(model.encoder, pixels, table[0], jnp.int32(0), backends)
        return table[0]

    return work


def encoder_row(model: DeepseekOCR, size: int, count: int, backends: Backends, speed: DeviceSpeed) -> Row:
    """Time the encoder on ``count`` views of ``size`` pixels at once."""
    took = seconds(encoder_work(model, size, count, backends))
    share = count * encoder_flops(model.config, size) / took / speed.flops
    return Row(f"encoder, {size} px", count / took, "img/s", share, "matmul peak", f"{count} at once")


class DecodeWork:
    """Decoding of ``batch`` rows that have ``context`` ids each, ``steps`` ids at a time."""

    def __init__(self, decoder: fused.FusedDecoder, batch: int, context: int, steps: int, kernels: bool):
        self.decoder, self.context, self.steps = decoder, context, steps
        width = -(-(context + 2 * steps) // fused.PAGE)
        self.slots: Slots = empty_slots(fused.empty_pages(decoder, batch * width + 1), batch, width * fused.PAGE)
        self.table = np.arange(batch * width, dtype=np.int32).reshape(batch, width) + 1
        self.options = SlotOptions(end=-1, kernels=kernels)
        ids = jax.random.randint(jax.random.key(1), self.slots.ids.shape, 0, decoder.config.vocab_size, jnp.int32)
        self.slots = dataclasses.replace(self.slots, ids=ids)

    def begin(self) -> None:
        """Put all rows back to their context."""
        batch = self.slots.status.shape[0]
        full = jnp.full(batch, self.context, jnp.int32)
        self.slots = dataclasses.replace(
            self.slots, lengths=full, limits=full + 10**6, status=jnp.full(batch, ACTIVE, jnp.int32)
        )
        jax.block_until_ready(self.slots)

    def run(self) -> jax.Array:
        """Decode, and return the new ids."""
        self.slots, ids, _, _ = advance(self.decoder, self.slots, self.table, self.steps, self.options)
        return ids


def decode_row(
    decoder: fused.FusedDecoder, batch: int, context: int, speed: DeviceSpeed, kernels: bool, steps: int = 64
) -> Row:
    """Time decoding of ``batch`` rows that have ``context`` tokens each, half of ``steps`` more on average."""
    work, times = DecodeWork(decoder, batch, context, steps, kernels), []
    for _ in range(4):
        work.begin()
        start = time.perf_counter()
        jax.block_until_ready(work.run())
        times.append(time.perf_counter() - start)
    took = min(times[1:]) / steps
    floor = decode_bytes(decoder.config, batch, context + steps / 2, decoder.embed.dtype.itemsize) / speed.bandwidth
    return Row(
        f"decode, batch {batch}", batch / took, "tok/s", floor / took, "memory bandwidth",
        f"{context} tokens of context, {took * 1e3:.2f} ms a step, floor {floor * 1e3:.2f} ms",
    )  # fmt: skip
