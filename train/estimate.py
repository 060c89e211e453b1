"""What a run would take on devices that are not there: memory of each, and time.

The state is counted to the byte. Activations are an estimate: the arrays that the backward pass finds kept, and the
largest that stand beside them, times what compilers were seen to make of that on a GPU (docs/performance.md). The time
is arithmetic on an assumed share of the peak.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence

import jax.numpy as jnp

from dsocr_jax.errors import UserError
from dsocr_jax.model.backends import Backends
from dsocr_jax.model.scan import is_of_layer
from train.config import TrainConfig
from train.flops import peak_flops
from train.sharding import Row, axes_of
from train.trained import is_trained

#: Memory of a device in bytes: of H100 and H200 as seen, else as the makers state it; `train.flops` has their peaks.
MEMORY = {"A100-40": 40e9, "A100": 80e9, "B200": 180e9, "H100": 85.5e9, "H200": 150.7e9, "L40S": 48e9}

#: Share of a device's memory that a run may plan with: the rest goes to the driver, libraries and fragments.
USABLE = 0.92

#: Activations measured against those counted: 0.85, 0.79 and 0.84 in the benchmark's three works on an H100.
REUSED = 0.85


@dataclasses.dataclass(frozen=True)
class Devices:
    """Devices to plan for.

    Attributes:
        kind: one of `MEMORY`.
        count: of all hosts together.
    """

    kind: str
    count: int

    @classmethod
    def parse(cls, words: str) -> "Devices":
        """Read ``H100:64``; UserError if it is not of that form."""
        kind, _, count = words.partition(":")
        if kind not in MEMORY or not (count or "1").isdecimal() or int(count or 1) < 1:
            raise UserError(f"--on takes KIND:COUNT such as H100:8, and knows {', '.join(MEMORY)}; it got {words!r}")
        return cls(kind, int(count or 1))

    @property
    def memory(self) -> float:
        """Bytes of one device."""
        return MEMORY[self.kind]

    @property
    def peak(self) -> float:
        """16-bit products per second of one device."""
        peak = peak_flops(f"NVIDIA {self.kind}", "bfloat16")
        assert peak is not None
        return peak


@dataclasses.dataclass(frozen=True)
class Load:
    """What one device computes at a time.

    Attributes:
        tokens: of its rows, padding included, in one of the step's parts.
        rows: of these.
        views: in the room for pictures, by size in pixels.
    """

    tokens: int
    rows: int
    views: dict[int, int]


def memory(
    config: TrainConfig, params: list[Row], moments: list[Row], load: Load, backends: Backends, fsdp: int = 1
) -> dict[str, float]:
    """Return the bytes that one device holds at most, by what they are for.

    Args:
        config: of the run.
        params, moments: with bytes per device (`train.sharding.sharding_table`).
        load: of the device with most to do.
        backends: how the model computes.
        fsdp: devices that layers are split over and gathered from.
    """
    width = 2 if config.compute_dtype == "bfloat16" else 4
    trained = [row for row in params if is_trained(row.name, config)]
    elements = sum(_elements(row) for row in params)
    gradients = sum(_elements(row) for row in trained)
    return {
        "parameters": sum(row.bytes_per_device for row in params),
        "moments": sum(row.bytes_per_device for row in moments),
        "copy to compute with": 0 if width == 4 else elements * width,
        "gradients": gradients * (width if config.accumulate == 1 else width + 4),
        "gathered layers": gathered(config, params, backends, fsdp) * width,
        "activations": REUSED
        * (decoder_activations(config, load, backends, width) + encoder_activations(config, load, backends, width)),
        # Their room is free again before the layers' gradients fill theirs.
        "logits": max(logits(config, load, width) - gradients * width, 0.0),
    }


def gathered(config: TrainConfig, params: list[Row], backends: Backends, fsdp: int) -> float:
    """Return how many numbers of layers that came together for the forward pass wait for the backward pass."""
    if fsdp == 1 or (backends.gathered == "again" and backends.remat != "none"):
        return 0.0
    waiting = [row for row in params if is_of_layer(row.name) and any("fsdp" in axes for axes in _axes(row))]
    return sum(fsdp * _elements(row) for row in waiting if _waits(row.name, config))


def _axes(row: Row) -> list[tuple[str, ...]]:
    return axes_of(row.spec, len(row.shape))


def _waits(name: str, config: TrainConfig) -> bool:
    tower = re.match(r"encoder/(sam|clip)/", name)
    return tower is None or _reached(config, tower[1])


def _elements(row: Row) -> float:
    return row.bytes_per_device / jnp.dtype(row.dtype).itemsize


def decoder_activations(config: TrainConfig, load: Load, backends: Backends, width: int) -> float:
    """Return the bytes of what the decoder's layers keep for the backward pass, and of one layer at work."""
    decoder = config.model_config.decoder
    h, kv = decoder.hidden, decoder.kv_heads * (decoder.hidden // decoder.heads)
    attention, dense = 2 * h + 2 * kv, 2 * decoder.dense_ffn + h
    routed = 2 * decoder.top_k * decoder.expert_ffn + (0 if backends.grouped == "triton" else decoder.top_k * h)
    experts = routed + 2 * decoder.shared_experts * decoder.expert_ffn + h + decoder.experts
    sparse = decoder.layers - decoder.dense_layers
    kept = decoder.layers * h
    if backends.remat != "full":
        kept += decoder.layers * attention + decoder.dense_layers * dense + sparse * experts
    if backends.remat == "none":  # norms, rotated queries, gated products: about as much again
        kept *= 2
    # One layer's backward pass: gradients of its products, and rows of all chosen experts, in and out.
    working = max(2 * (attention + dense), 2 * (attention + experts) + 2 * decoder.top_k * h)
    return float(load.tokens * width * (kept + working))


def encoder_activations(config: TrainConfig, load: Load, backends: Backends, width: int) -> float:
    """Return the bytes of what the encoder's blocks keep, and of one block at work."""
    model, total = config.model_config, 0.0
    if model.rival is not None:
        positions = sum(views * (size // model.stride) ** 2 * model.rival.width for size, views in load.views.items())
        # The embeddings of the windows and their gradient; convolutions keep a few arrays of half, a quarter ... of it.
        return float(positions * model.decoder.hidden * width * (2 if model.rival.kind != "convolved" else 8))
    for size, views in load.views.items():
        pixels = views * size * size * 3 * (1 + width)
        patches, tokens = views * (size // model.sam.patch) ** 2, views * ((size // model.stride) ** 2 + 1)
        sam = _tower(patches, model.sam.width, model.sam.mlp_ratio * model.sam.width)
        clip = _tower(tokens, model.clip.width, model.clip.ffn)
        total += pixels + width * 2 * (sam + clip)  # one block of each at work, and its gradient
        for block, layers, where in ((sam, model.sam.layers, "sam"), (clip, model.clip.layers, "clip")):
            if _reached(config, where):
                total += width * layers * (block if backends.remat != "full" else block / 10)
    return total


def _tower(vectors: int, width: int, inner: int) -> int:
    """Numbers that one block of a tower keeps: its input and the results of its products."""
    return vectors * (6 * width + inner)


def _reached(config: TrainConfig, where: str) -> bool:
    """Whether a backward pass goes through a tower: it is trained, or something before it is."""
    names = {"sam": "encoder/sam/blocks/0/attn/qkv/kernel", "clip": "encoder/clip/blocks/0/attn/qkv/kernel"}
    return any(is_trained(names[tower], config) for tower in ("sam", where))


def logits(config: TrainConfig, load: Load, width: int) -> float:
    """Return the bytes of the logits of one chunk, of their gradient, and of the head's."""
    decoder = config.model_config.decoder
    chunk = min(config.loss_chunk, config.length) * load.rows
    return float(chunk * decoder.vocab_size * (4 + width) + 4 * decoder.vocab_size * decoder.hidden)


def hours(flops: float, devices: Devices, share: float, steps: int) -> float:
    """Return the hours of ``steps`` steps of ``flops`` operations each, at a share of the devices' peak."""
    return steps * flops / (devices.count * devices.peak * share) / 3600


def loads(config: TrainConfig, rooms: Sequence[Mapping[int, int]], shards: int) -> list[Load]:
    """Return what one device computes at a time, for each mode.

    Args:
        config: of the run.
        rooms: room for views of one row, by size, in each mode.
        shards: devices that the rows are split over.
    """
    rows = config.rows // (shards * config.accumulate)
    return [Load(rows * config.length, rows, {size: rows * count for size, count in room.items()}) for room in rooms]
