"""The useful work of a training step, from its configuration and its batch alone, and what a device could do.

Useful is what the result needs: matrix products and convolutions of tokens and views that are there, of the experts
that were chosen, of causal pairs of one sample, of the head where there is a label, backward only for what is trained
or leads to it. Not counted: padding, what is computed a second time to save memory, norms and other small things. A
multiplication and an addition count two.
"""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from dsocr_jax.batch import IGNORED, TEXT, Batch
from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from dsocr_jax.model.rivals import KERNEL
from dsocr_jax.modes import FIRST_ROW, view_side
from train.config import TrainConfig
from train.trained import is_trained, named_by

#: Products per second of 16-bit floats summed in float32, without sparsity, as the makers state them; the first name
#: that the device's begins with.
PEAKS = (
    ("NVIDIA H100 PCIe", 756e12),
    ("NVIDIA H100 NVL", 835e12),
    ("NVIDIA H100", 989e12),
    ("NVIDIA H200", 989e12),
    ("NVIDIA GH200", 989e12),
    ("NVIDIA B200", 2250e12),
    ("NVIDIA A100", 312e12),
    ("NVIDIA L40S", 362e12),
    ("NVIDIA L4", 121e12),
    ("TPU v4", 275e12),
    ("TPU v5 lite", 197e12),
    ("TPU v5", 459e12),
    ("TPU v6", 918e12),
)

#: Parts of the model in the order of the computation; `train.profile` uses the same names.
PARTS = ("sam", "clip", "projector", "attention", "dense", "router", "experts", "shared", "head")


def peak_flops(device: str, dtype: str) -> float | None:
    """Return what a device of this kind (``jax.Device.device_kind``) can do in a second; None where it is not known."""
    if dtype != "bfloat16":
        return None
    return next((peak for name, peak in PEAKS if device.startswith(name)), None)


@dataclasses.dataclass(frozen=True)
class Work:
    """What a batch holds.

    Attributes:
        tokens: that are not padding.
        pairs: of a token and one that it sees: itself and those before it in its sample.
        labelled: tokens whose loss counts.
        views: in use, by size in pixels.
    """

    tokens: int
    pairs: int
    labelled: int
    views: Mapping[int, int]


def work_of(batch: Batch, config: ModelConfig) -> Work:
    """Count what a batch (numpy leaves) holds."""
    segments = np.asarray(batch.segments)
    rows, length = segments.shape
    counts = np.bincount((segments + np.arange(rows)[:, None] * (length + 1)).ravel(), minlength=rows * (length + 1))
    lengths = counts.reshape(rows, length + 1)[:, 1:].astype(np.int64)
    labelled = np.asarray(batch.labels)[:, 1:] != IGNORED
    return Work(
        tokens=int(lengths.sum()),
        pairs=int((lengths * (lengths + 1) // 2).sum()),
        labelled=int(labelled.sum()),
        views=_views_in_use(batch, config),
    )


def _views_in_use(batch: Batch, config: ModelConfig) -> dict[int, int]:
    index = np.asarray(batch.vision_index)
    per_group = index.reshape(batch.groups, -1)
    used: Counter[int] = Counter()
    start = FIRST_ROW
    for size in sorted(batch.views):
        views, tokens = batch.views[size].shape[1], view_side(size, config.stride) ** 2
        for group in per_group:
            inside = group[(group != TEXT) & (group >= start) & (group < start + views * tokens)]
            seen = np.zeros(views, bool)
            seen[(inside - start) // tokens] = True
            used[size] += int(seen.sum())
        start += views * tokens
    return {size: count for size, count in used.items() if count}


@dataclasses.dataclass(frozen=True)
class Product:
    """One product of the forward pass.

    Attributes:
        part: one of `PARTS`.
        place: beginning of the names of its layer's parameters.
        name: of its parameter; None where two computed things are multiplied.
        vectors: that the parameter is applied to.
        size: multiplications for each of them.
        sides: length of such a vector before and after, together.
    """

    part: str
    place: str
    name: str | None
    vectors: int
    size: int
    sides: int = 0

    @property
    def flops(self) -> float:
        """Operations of the forward pass."""
        return 2.0 * self.vectors * self.size


def _matrix(part: str, place: str, name: str, vectors: int, inside: int, outside: int) -> Product:
    return Product(part, place, f"{place}/{name}", vectors, inside * outside, inside + outside)


def _sam_products(sam: SamConfig, size: int, views: int) -> Iterator[Product]:
    side, w, at = size // sam.patch, sam.width, "encoder/sam"
    yield _matrix("sam", f"{at}/patch_embed", "kernel", views * side**2, 3 * sam.patch**2, w)
    for layer in range(sam.layers):
        place = f"{at}/blocks/{layer}"
        extent = side if layer in sam.global_layers else sam.window
        # Windows count with their padding, as the architecture has it.
        inside = views * (-(-side // extent)) ** 2 * extent**2
        yield _matrix("sam", place, "attn/qkv/kernel", inside, w, 3 * w)
        for table in ("attn/rel_pos_h", "attn/rel_pos_w"):
            yield Product("sam", place, f"{place}/{table}", inside, extent * w)
        yield Product("sam", place, None, inside, 2 * extent**2 * w)
        yield _matrix("sam", place, "attn/proj/kernel", inside, w, w)
        yield _matrix("sam", place, "mlp/fc1/kernel", views * side**2, w, sam.mlp_ratio * w)
        yield _matrix("sam", place, "mlp/fc2/kernel", views * side**2, sam.mlp_ratio * w, w)
    yield _matrix("sam", f"{at}/neck", "conv1/kernel", views * side**2, w, sam.neck)
    yield _matrix("sam", f"{at}/neck", "conv2/kernel", views * side**2, 9 * sam.neck, sam.neck)
    first, second = sam.compressor
    yield _matrix("sam", f"{at}/compressor", "conv1/kernel", views * (side // 2) ** 2, 9 * sam.neck, first)
    yield _matrix("sam", f"{at}/compressor", "conv2/kernel", views * (side // 4) ** 2, 9 * first, second)


def _clip_products(clip: ClipConfig, tokens: int, views: int) -> Iterator[Product]:
    w, vectors = clip.width, views * tokens
    for layer in range(clip.layers):
        place = f"encoder/clip/blocks/{layer}"
        yield _matrix("clip", place, "attn/qkv/kernel", vectors, w, 3 * w)
        yield Product("clip", place, None, vectors, 2 * tokens * w)
        yield _matrix("clip", place, "attn/proj/kernel", vectors, w, w)
        yield _matrix("clip", place, "mlp/fc1/kernel", vectors, w, clip.ffn)
        yield _matrix("clip", place, "mlp/fc2/kernel", vectors, clip.ffn, w)


def _rival_products(config: ModelConfig, work: Work) -> Iterator[Product]:
    """Convolutions over windows of text, their padding counted; means and truncated texts need no product."""
    rival, h = config.rival, config.decoder.hidden
    if rival is None or rival.kind != "convolved":
        return
    positions = sum(views * (size // config.stride) ** 2 * rival.window for size, views in work.views.items())
    for level in range(rival.window.bit_length() - 1):
        positions //= 2
        place = f"encoder/convolutions/{level}"
        yield _matrix("projector", place, "conv/kernel", positions, KERNEL * h, h)
        yield _matrix("projector", place, "out/kernel", positions, h, h)


def _decoder_products(decoder: DecoderConfig, work: Work) -> Iterator[Product]:
    h, tokens = decoder.hidden, work.tokens
    dim = h // decoder.heads
    for layer in range(decoder.layers):
        place = f"decoder/layers/{layer}"
        for name, heads in (("q", decoder.heads), ("k", decoder.kv_heads), ("v", decoder.kv_heads)):
            yield _matrix("attention", place, f"attn/{name}/kernel", tokens, h, heads * dim)
        yield Product("attention", place, None, work.pairs, 2 * decoder.heads * dim)
        yield _matrix("attention", place, "attn/o/kernel", tokens, decoder.heads * dim, h)
        if layer < decoder.dense_layers:
            yield from _gated("dense", place, "mlp", "/kernel", tokens, h, decoder.dense_ffn)
            continue
        width = decoder.shared_experts * decoder.expert_ffn
        yield from _gated("shared", place, "moe/shared", "/kernel", tokens, h, width)
        yield _matrix("router", place, "moe/router/kernel", tokens, h, decoder.experts)
        yield from _gated("experts", place, "moe/experts", "", tokens * decoder.top_k, h, decoder.expert_ffn)
        yield Product("experts", place, None, tokens * decoder.top_k, h)  # times the router's weights
    yield _matrix("head", "decoder/lm_head", "kernel", work.labelled, h, decoder.vocab_size)


def _gated(part: str, place: str, owner: str, end: str, vectors: int, h: int, width: int) -> Iterator[Product]:
    for name, sides in (("gate", (h, width)), ("up", (h, width)), ("down", (width, h))):
        yield _matrix(part, place, f"{owner}/{name}{end}", vectors, *sides)


def products(config: ModelConfig, work: Work) -> list[Product]:
    """Return the products of the forward pass in their order."""
    found: list[Product] = []
    if config.rival is not None:
        return [*_rival_products(config, work), *_decoder_products(config.decoder, work)]
    for size, views in sorted(work.views.items()):
        tokens = (size // config.stride) ** 2
        found += _sam_products(config.sam, size, views)
        found += _clip_products(config.clip, tokens + 1, views)
        vectors, width = views * tokens, config.clip.width + config.sam.compressor[1]
        found.append(_matrix("projector", "encoder/projector", "kernel", vectors, width, config.decoder.hidden))
    return found + list(_decoder_products(config.decoder, work))


def _places(config: ModelConfig) -> list[tuple[str, tuple[str, ...]]]:
    """Return the layers in the order of the computation, each with small parameters that stand before its products."""
    sam, clip = "encoder/sam", "encoder/clip"
    sam_blocks = [f"{sam}/blocks/{i}" for i in range(config.sam.layers)]
    clip_blocks = [f"{clip}/blocks/{i}" for i in range(config.clip.layers)]
    layers = [f"decoder/layers/{i}" for i in range(config.decoder.layers)]
    decoder = [
        *((place, (f"{place}/input_norm/scale",)) for place in layers),
        ("decoder/lm_head", ("decoder/norm/scale",)),
    ]
    embedding = ("decoder/embed", ("decoder/embed/embedding",))
    if config.rival is not None:  # it begins with the embeddings
        levels = [f"encoder/convolutions/{level}" for level in range(config.rival.window.bit_length() - 1)]
        return [
            embedding,
            *((place, (f"{place}/norm/scale",)) for place in levels),
            ("encoder", ("encoder/image_newline", "encoder/view_separator")),
            *decoder,
        ]
    return [
        (f"{sam}/patch_embed", ()),
        (sam, (f"{sam}/patch_embed/bias", f"{sam}/pos_embed")),
        *((place, (f"{place}/norm1/scale", f"{place}/norm1/bias")) for place in sam_blocks),
        (f"{sam}/neck", ()),
        (f"{sam}/compressor", (f"{sam}/neck/norm2/scale",)),
        (clip, (f"{clip}/class_embed", f"{clip}/pos_embed", f"{clip}/pre_norm/scale")),
        *((place, (f"{place}/norm1/scale", f"{place}/norm1/bias")) for place in clip_blocks),
        ("encoder/projector", ()),
        ("encoder", ("encoder/projector/bias", "encoder/image_newline", "encoder/view_separator")),
        embedding,
        *decoder,
    ]


def _adapted(found: list[Product], config: TrainConfig) -> list[Product]:
    """Put the products of the adapters behind those of the matrices that they stand beside."""
    if config.lora is None:
        return found
    out = []
    for product in found:
        out.append(product)
        if product.name is not None and named_by(product.name, config.lora.on):
            size = config.lora.rank * product.sides
            out.append(dataclasses.replace(product, name=f"{product.name}/lora_a", size=size, sides=0))
    return out


def step_flops(config: TrainConfig, work: Work) -> dict[str, float]:
    """Return the useful operations of one step, forward and backward, by part (see `PARTS`)."""
    found = _adapted(products(config.model_config, work), config)
    return count_flops(found, config.model_config, lambda name: is_trained(name, config))


def count_flops(found: list[Product], config: ModelConfig, trained: Callable[[str], bool]) -> dict[str, float]:
    """Return the operations, forward and backward, of products in their order.

    A product's backward pass has the gradient of its parameter, if that is trained, and that of what came in, if
    something that is trained lies before it (both factors of a product without a parameter).
    """
    inside: dict[str, list[str]] = {}
    for product in found:
        if product.name is not None:
            inside.setdefault(product.place, []).append(product.name)
    before, seen = {}, False  # layer → whether anything trained lies before its first product
    for place, first in _places(config):
        seen = seen or any(map(trained, first))
        before[place] = seen
        seen = seen or any(map(trained, inside.get(place, ())))
    total = dict.fromkeys(PARTS, 0.0)
    for _, layer in itertools.groupby(found, key=lambda product: product.place):
        leads = False
        for product in layer:
            leads = leads or before[product.place]
            own = product.name is not None and trained(product.name)
            backward = own + leads if product.name is not None else 2 * leads
            total[product.part] += product.flops * (1 + backward)
            leads = leads or own
    return total
