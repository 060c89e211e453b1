"""One table of tensor names: read forwards to load released weights, backwards to export them.

A row pairs a released name with our parameter path and says how the array is laid out there.
``{i}`` is a layer, ``{e}`` a routed expert.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from dsocr_jax.config import ModelConfig


@dataclasses.dataclass(frozen=True)
class Layout:
    """How an array changes between the released layout and ours, and back."""

    ours: Callable[[np.ndarray], np.ndarray]
    released: Callable[[np.ndarray], np.ndarray]


SAME = Layout(lambda x: x, lambda x: x)
#: ``[out, in]`` to ``[in, out]``.
LINEAR = Layout(lambda x: x.T, lambda x: x.T)
#: ``[out, in, h, w]`` to ``[h, w, in, out]``.
CONV = Layout(lambda x: x.transpose(2, 3, 1, 0), lambda x: x.transpose(3, 2, 0, 1))
#: ``[1, n, n, c]`` to ``[n, n, c]``.
UNBATCHED = Layout(lambda x: x[0], lambda x: x[None])

Row = tuple[str, str, Layout]


def _linear(released: str, ours: str) -> list[Row]:
    return [(f"{released}.weight", f"{ours}/kernel", LINEAR), (f"{released}.bias", f"{ours}/bias", SAME)]


def _norm(released: str, ours: str) -> list[Row]:
    return [(f"{released}.weight", f"{ours}/scale", SAME), (f"{released}.bias", f"{ours}/bias", SAME)]


def _swiglu(released: str, ours: str) -> list[Row]:
    return [(f"{released}.{part}_proj.weight", f"{ours}/{part}/kernel", LINEAR) for part in ("gate", "up", "down")]


_SAM, _CLIP, _LAYER = "model.sam_model", "model.vision_model", "model.layers.{i}"

ENCODER: list[Row] = [
    (f"{_SAM}.patch_embed.proj.weight", "encoder/sam/patch_embed/kernel", CONV),
    (f"{_SAM}.patch_embed.proj.bias", "encoder/sam/patch_embed/bias", SAME),
    (f"{_SAM}.pos_embed", "encoder/sam/pos_embed", UNBATCHED),
    (f"{_SAM}.neck.0.weight", "encoder/sam/neck/conv1/kernel", CONV),
    *_norm(f"{_SAM}.neck.1", "encoder/sam/neck/norm1"),
    (f"{_SAM}.neck.2.weight", "encoder/sam/neck/conv2/kernel", CONV),
    *_norm(f"{_SAM}.neck.3", "encoder/sam/neck/norm2"),
    (f"{_SAM}.net_2.weight", "encoder/sam/compressor/conv1/kernel", CONV),
    (f"{_SAM}.net_3.weight", "encoder/sam/compressor/conv2/kernel", CONV),
    (f"{_CLIP}.embeddings.class_embedding", "encoder/clip/class_embed", SAME),
    (f"{_CLIP}.embeddings.patch_embedding.weight", "encoder/clip/patch_embed/kernel", CONV),
    (f"{_CLIP}.embeddings.position_embedding.weight", "encoder/clip/pos_embed", SAME),
    *_norm(f"{_CLIP}.pre_layrnorm", "encoder/clip/pre_norm"),
    *_linear("model.projector.layers", "encoder/projector"),
    ("model.image_newline", "encoder/image_newline", SAME),
    ("model.view_seperator", "encoder/view_separator", SAME),
]

SAM_BLOCK: list[Row] = [
    *_norm(f"{_SAM}.blocks.{{i}}.norm1", "encoder/sam/blocks/{i}/norm1"),
    *_linear(f"{_SAM}.blocks.{{i}}.attn.qkv", "encoder/sam/blocks/{i}/attn/qkv"),
    *_linear(f"{_SAM}.blocks.{{i}}.attn.proj", "encoder/sam/blocks/{i}/attn/proj"),
    (f"{_SAM}.blocks.{{i}}.attn.rel_pos_h", "encoder/sam/blocks/{i}/attn/rel_pos_h", SAME),
    (f"{_SAM}.blocks.{{i}}.attn.rel_pos_w", "encoder/sam/blocks/{i}/attn/rel_pos_w", SAME),
    *_norm(f"{_SAM}.blocks.{{i}}.norm2", "encoder/sam/blocks/{i}/norm2"),
    *_linear(f"{_SAM}.blocks.{{i}}.mlp.lin1", "encoder/sam/blocks/{i}/mlp/fc1"),
    *_linear(f"{_SAM}.blocks.{{i}}.mlp.lin2", "encoder/sam/blocks/{i}/mlp/fc2"),
]

CLIP_BLOCK: list[Row] = [
    *_norm(f"{_CLIP}.transformer.layers.{{i}}.layer_norm1", "encoder/clip/blocks/{i}/norm1"),
    *_linear(f"{_CLIP}.transformer.layers.{{i}}.self_attn.qkv_proj", "encoder/clip/blocks/{i}/attn/qkv"),
    *_linear(f"{_CLIP}.transformer.layers.{{i}}.self_attn.out_proj", "encoder/clip/blocks/{i}/attn/proj"),
    *_norm(f"{_CLIP}.transformer.layers.{{i}}.layer_norm2", "encoder/clip/blocks/{i}/norm2"),
    *_linear(f"{_CLIP}.transformer.layers.{{i}}.mlp.fc1", "encoder/clip/blocks/{i}/mlp/fc1"),
    *_linear(f"{_CLIP}.transformer.layers.{{i}}.mlp.fc2", "encoder/clip/blocks/{i}/mlp/fc2"),
]

DECODER: list[Row] = [
    ("model.embed_tokens.weight", "decoder/embed/embedding", SAME),
    ("model.norm.weight", "decoder/norm/scale", SAME),
    ("lm_head.weight", "decoder/lm_head/kernel", LINEAR),
]

DECODER_LAYER: list[Row] = [
    (f"{_LAYER}.input_layernorm.weight", "decoder/layers/{i}/input_norm/scale", SAME),
    *[(f"{_LAYER}.self_attn.{p}_proj.weight", f"decoder/layers/{{i}}/attn/{p}/kernel", LINEAR) for p in "qkvo"],
    (f"{_LAYER}.post_attention_layernorm.weight", "decoder/layers/{i}/post_norm/scale", SAME),
]

DENSE_LAYER: list[Row] = _swiglu(f"{_LAYER}.mlp", "decoder/layers/{i}/mlp")

MOE_LAYER: list[Row] = [
    (f"{_LAYER}.mlp.gate.weight", "decoder/layers/{i}/moe/router/kernel", LINEAR),
    *_swiglu(f"{_LAYER}.mlp.shared_experts", "decoder/layers/{i}/moe/shared"),
]

#: Each row stands for one slice, along the first axis, of a stacked array.
EXPERT: list[Row] = [
    (f"{_LAYER}.mlp.experts.{{e}}.{p}_proj.weight", f"decoder/layers/{{i}}/moe/experts/{p}", LINEAR)
    for p in ("gate", "up", "down")
]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One of our arrays and the released tensors that it is made of (more than one: stacked on axis 0)."""

    path: str
    released: tuple[str, ...]
    layout: Layout
    stacked: bool = False

    def load(self, read: Callable[[str], np.ndarray]) -> np.ndarray:
        """Our array from the released tensors."""
        parts = [self.layout.ours(read(name)) for name in self.released]
        return np.stack(parts) if self.stacked else parts[0]

    def export(self, array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """The released tensors from our array."""
        parts = array if self.stacked else [array]
        for name, part in zip(self.released, parts, strict=True):
            yield name, np.ascontiguousarray(self.layout.released(part))


def entries(config: ModelConfig) -> Iterator[Entry]:
    """Every array of the model, in a fixed order."""

    def plain(rows: list[Row], layers: range | list[int] | None = None) -> Iterator[Entry]:
        for i in [0] if layers is None else layers:
            for released, ours, layout in rows:
                yield Entry(ours.replace("{i}", str(i)), (released.replace("{i}", str(i)),), layout)

    decoder = config.decoder
    dense = range(min(decoder.dense_layers, decoder.layers))
    mixture = range(decoder.dense_layers, decoder.layers)
    yield from plain(ENCODER)
    yield from plain(SAM_BLOCK, range(config.sam.layers))
    yield from plain(CLIP_BLOCK, range(config.clip.layers))
    yield from plain(DECODER)
    yield from plain(DECODER_LAYER, range(decoder.layers))
    yield from plain(DENSE_LAYER, dense)
    yield from plain(MOE_LAYER, mixture)
    for i in mixture:
        for released, ours, layout in EXPERT:
            names = tuple(released.replace("{i}", str(i)).replace("{e}", str(e)) for e in range(decoder.experts))
            yield Entry(ours.replace("{i}", str(i)), names, layout, stacked=True)
