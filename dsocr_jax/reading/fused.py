"""The decoder laid out for reading: fused projections, a paged cache, kernels where there is a GPU.

Computes what `dsocr_jax.model.decoder` computes (the tests hold the two against each other). There a layer's
products are apart, as the weights are; here the projections of a layer that read the same input are one product,
and the cache is a pool of pages, so that rows of any length share the memory.
"""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from dsocr_jax.config import DecoderConfig
from dsocr_jax.model.backends import DEFAULT
from dsocr_jax.model.decoder import Decoder, DecoderLayer
from dsocr_jax.model.grouped import grouped_matmul
from dsocr_jax.model.kernels import grouped as kernels
from dsocr_jax.model.kernels.decode import paged_decode

#: Tokens of a page of the cache.
PAGE = 64
#: Rows whose experts' weights are read row by row.
FEW = 2


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class FusedExperts:
    """Weights of a mixture-of-experts layer; the router's are float32."""

    router: Array
    gate: Array
    up: Array
    down: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class FusedLayer:
    """Weights of one layer: ``qkv`` [h, (n + 2m) d], and ``gate_up`` of the dense or the shared part."""

    norm1: Array
    qkv: Array
    out: Array
    norm2: Array
    gate_up: Array
    down: Array
    experts: FusedExperts | None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class FusedDecoder:
    """All weights of the decoder; what a device needs to read."""

    embed: Array
    layers: tuple[FusedLayer, ...]
    norm: Array
    head: Array
    config: DecoderConfig = dataclasses.field(metadata={"static": True})


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Pages:
    """The cache: keys and values [pages, PAGE, kv_heads, d] of every layer. Page 0 belongs to nobody."""

    keys: tuple[Array, ...]
    values: tuple[Array, ...]


def fuse(decoder: Decoder) -> FusedDecoder:
    """Lay a decoder's weights out; the experts' (most of all) are shared with it, not copied."""
    return FusedDecoder(
        decoder.embed.embedding[...],
        tuple(_fuse_layer(layer) for layer in decoder.layers),
        decoder.norm.scale[...],
        decoder.lm_head.kernel[...],
        decoder.config,
    )


def _fuse_layer(layer: DecoderLayer) -> FusedLayer:
    attn = layer.attn
    qkv = jnp.concatenate([part.kernel[...] for part in (attn.q, attn.k, attn.v)], axis=1)
    mlp = layer.mlp if layer.dense else layer.moe.shared
    experts = None
    if not layer.dense:
        moe = layer.moe
        router = moe.router.kernel[...].astype(jnp.float32)
        experts = FusedExperts(router, moe.experts.gate[...], moe.experts.up[...], moe.experts.down[...])
    return FusedLayer(
        layer.input_norm.scale[...],
        qkv,
        attn.o.kernel[...],
        layer.post_norm.scale[...],
        jnp.concatenate([mlp.gate.kernel[...], mlp.up.kernel[...]], axis=1),
        mlp.down.kernel[...],
        experts,
    )


def empty_pages(decoder: FusedDecoder, count: int) -> Pages:
    """Return ``count`` zeroed pages a layer, in the decoder's type."""
    config = decoder.config
    shape = (count, PAGE, config.kv_heads, config.hidden // config.heads)
    make = partial(jnp.zeros, shape, decoder.embed.dtype)
    return Pages(tuple(make() for _ in decoder.layers), tuple(make() for _ in decoder.layers))


def page_bytes(config: DecoderConfig, itemsize: int) -> int:
    """Bytes that a page takes over all layers."""
    return 2 * config.layers * PAGE * config.kv_heads * (config.hidden // config.heads) * itemsize


def _rms(x: Array, scale: Array, eps: float) -> Array:
    x32 = x.astype(jnp.float32)
    x32 = x32 * jax.lax.rsqrt(jnp.mean(x32 * x32, axis=-1, keepdims=True) + eps)
    return scale * x32.astype(x.dtype)


def _swiglu(x: Array, gate_up: Array, down: Array) -> Array:
    gate, up = jnp.split(x @ gate_up, 2, axis=-1)
    return (jax.nn.silu(gate) * up) @ down


def _angles(positions: Array, config: DecoderConfig) -> tuple[Array, Array]:
    """Cosines and sines, float32, of the first half of a head's channels."""
    dim = config.hidden // config.heads
    exponents = jnp.arange(0, dim, 2, dtype=jnp.float32) / dim
    angles = positions[..., None].astype(jnp.float32) * (1.0 / config.rope_base**exponents)
    return jnp.cos(angles), jnp.sin(angles)


def _turn(x: Float[Array, "*b n d"], cos: Array, sin: Array) -> Float[Array, "*b n d"]:
    first, second = jnp.split(x, 2, axis=-1)
    cos, sin = cos[..., None, :], sin[..., None, :]
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1).astype(x.dtype)


def rank_experts(logits: Float[Array, "t e"]) -> tuple[Float[Array, "t e"], Int[Array, "t e"]]:
    """Probabilities, and each expert's rank among them (equal ones in rising order), by comparing all with all.

    For 64 experts this is two small kernels, where a sort is many.
    """
    probabilities = jax.nn.softmax(logits, axis=-1)
    number = jnp.arange(logits.shape[-1])
    mine, other = probabilities[:, :, None], probabilities[:, None, :]
    rank = ((other > mine) | ((other == mine) & (number[None, None, :] < number[None, :, None]))).sum(axis=-1)
    return probabilities, rank


def _places(experts: Int[Array, " r"], count: int) -> tuple[Array, Array]:
    """Where each row goes when rows are sorted by expert (stable), and each expert's number of rows."""
    rows = experts.shape[0]
    sizes = (experts[:, None] == jnp.arange(count)).sum(axis=0).astype(jnp.int32)
    if rows > 4096:  # comparing all with all no longer is the quicker way
        return jnp.argsort(jnp.argsort(experts, stable=True)), sizes
    number = jnp.arange(rows)
    lower, equal = experts[None] < experts[:, None], experts[None] == experts[:, None]
    before = lower | (equal & (number[None] < number[:, None]))
    return before.sum(axis=1), sizes


def _routed(x: Float[Array, "t h"], experts: FusedExperts, k: int, use_kernels: bool) -> Float[Array, "t h"]:
    """The chosen experts' outputs times their weights, summed in float32."""
    tokens, hidden = x.shape
    probabilities, rank = rank_experts(x.astype(jnp.float32) @ experts.router)
    if use_kernels and FEW < tokens <= kernels.FEW_ROWS:
        weights = jnp.where(rank < k, probabilities, 0.0)
        return kernels.every_expert(x, experts.gate, experts.up, experts.down, weights)
    slot = rank[:, None, :] == jnp.arange(k)[None, :, None]
    weights = (slot * probabilities[:, None, :]).sum(axis=-1)
    ids = (slot * jnp.arange(rank.shape[-1])).sum(axis=-1).reshape(-1)
    rows = jnp.repeat(x, k, axis=0)
    place, plan, sizes = None, None, jnp.zeros(experts.gate.shape[0], jnp.int32)
    if use_kernels and tokens <= FEW:
        plan = kernels.single_tiles(ids)
    else:
        place, sizes = _places(ids, experts.gate.shape[0])
        rows = jnp.zeros_like(rows).at[place].set(rows, unique_indices=True)
    if use_kernels:
        inner = kernels.gated(rows, experts.gate, experts.up, sizes, plan=plan)
        out = kernels.matmul(inner, experts.down, sizes, plan=plan)
    else:
        gate, up = (grouped_matmul(rows, w, sizes, DEFAULT)[0] for w in (experts.gate, experts.up))
        out, _ = grouped_matmul(jax.nn.silu(gate) * up, experts.down, sizes, DEFAULT)
    out = out if place is None else out[place]
    return jnp.einsum("tkh,tk->th", out.reshape(tokens, k, hidden).astype(jnp.float32), weights).astype(x.dtype)


def _feed_forward(x: Float[Array, "t h"], layer: FusedLayer, config: DecoderConfig, use_kernels: bool) -> Array:
    out = _swiglu(x, layer.gate_up, layer.down)
    if layer.experts is not None:
        out = _routed(x, layer.experts, config.top_k, use_kernels) + out
    return out


def prefill(
    decoder: FusedDecoder,
    x: Float[Array, "b t h"],
    lengths: Int[Array, " b"],
    pages: Pages,
    table: Int[Array, "b p"],
    use_kernels: bool,
) -> tuple[Float[Array, "b h"], Pages]:
    """Pass whole prompts through the decoder and store their keys and values.

    Args:
        decoder: the weights.
        x: embedded prompts, padded on the right; nothing before a row's end looks at what is behind it.
        lengths: of the prompts; 0 for rows that only fill the batch up.
        pages: the cache.
        table: pages of each row, at least ``t / PAGE`` of them; those of a row's padding are not written.
        use_kernels: the kernels, or the plain forms.

    Returns:
        The last token's normalised hidden state of each row, and the cache.
    """
    config = decoder.config
    b, t, h = x.shape
    n, m, d = config.heads, config.kv_heads, config.hidden // config.heads
    positions = jnp.arange(t)
    cos, sin = _angles(positions, config)
    inside = positions[None] < lengths[:, None]
    # What lies behind a row's end goes to a page that does not exist, and is dropped.
    page = jnp.where(inside, table[:, positions // PAGE], pages.keys[0].shape[0])
    place = jnp.broadcast_to(positions % PAGE, page.shape)
    all_keys, all_values = [], []
    cudnn = use_kernels and x.dtype == jnp.bfloat16
    for layer, keys, values in zip(decoder.layers, pages.keys, pages.values, strict=True):
        qkv = (_rms(x, layer.norm1, config.norm_eps) @ layer.qkv).reshape(b, t, n + 2 * m, d)
        q, k, v = qkv[:, :, :n], qkv[:, :, n : n + m], qkv[:, :, n + m :]
        q, k = _turn(q, cos, sin), _turn(k, cos, sin)
        all_keys.append(keys.at[page, place].set(k, mode="drop"))
        all_values.append(values.at[page, place].set(v, mode="drop"))
        out = jax.nn.dot_product_attention(q, k, v, is_causal=True, implementation="cudnn" if cudnn else "xla")
        x = x + out.reshape(b, t, -1) @ layer.out
        y = _rms(x, layer.norm2, config.norm_eps).reshape(b * t, h)
        x = x + _feed_forward(y, layer, config, use_kernels).reshape(b, t, h)
    last = jnp.take_along_axis(x, jnp.maximum(lengths - 1, 0)[:, None, None], axis=1)[:, 0]
    return _rms(last, decoder.norm, config.norm_eps), Pages(tuple(all_keys), tuple(all_values))


def decode(
    decoder: FusedDecoder,
    tokens: Int[Array, " b"],
    positions: Int[Array, " b"],
    pages: Pages,
    table: Int[Array, "b p"],
    use_kernels: bool,
) -> tuple[Float[Array, "b h"], Pages]:
    """Pass one token a row through the decoder.

    Args:
        decoder: the weights.
        tokens: the last id of each row.
        positions: its position; -1 for idle rows, whose output means nothing.
        pages: the cache.
        table: pages of each row, as many as its position needs.
        use_kernels: the kernels, or the plain forms.

    Returns:
        Normalised hidden states, and the cache with the tokens' keys and values.
    """
    config = decoder.config
    n, m, d = config.heads, config.kv_heads, config.hidden // config.heads
    x = decoder.embed[tokens]
    cos, sin = _angles(positions, config)
    all_keys, all_values = [], []
    for layer, keys, values in zip(decoder.layers, pages.keys, pages.values, strict=True):
        qkv = (_rms(x, layer.norm1, config.norm_eps) @ layer.qkv).reshape(-1, n + 2 * m, d)
        attend = paged_decode if use_kernels else _plain_paged
        out, keys, values = attend(qkv, cos, sin, positions, table, keys, values)  # noqa: PLW2901
        all_keys.append(keys)
        all_values.append(values)
        x = x + out.reshape(x.shape[0], -1) @ layer.out
        x = x + _feed_forward(_rms(x, layer.norm2, config.norm_eps), layer, config, use_kernels)
    return _rms(x, decoder.norm, config.norm_eps), Pages(tuple(all_keys), tuple(all_values))


def _plain_paged(
    qkv: Array, cos: Array, sin: Array, positions: Array, table: Array, keys: Array, values: Array
) -> tuple[Array, Array, Array]:
    """What `paged_decode` computes, by gathering every row's pages."""
    b, _, d = qkv.shape
    m = keys.shape[2]
    n = qkv.shape[1] - 2 * m
    q, k, v = _turn(qkv[:, :n], cos, sin), _turn(qkv[:, n : n + m], cos, sin), qkv[:, n + m :]
    row = jnp.arange(b)
    active = positions >= 0
    page = jnp.where(active, table[row, positions // PAGE], keys.shape[0])
    keys = keys.at[page, positions % PAGE].set(k, mode="drop")
    values = values.at[page, positions % PAGE].set(v, mode="drop")
    room = table.shape[1] * PAGE
    mask = (jnp.arange(room) <= positions[:, None])[:, None, None]
    out = jax.nn.dot_product_attention(
        q[:, None], keys[table].reshape(b, room, m, d), values[table].reshape(b, room, m, d), mask=mask
    )
    return jnp.where(active[:, None, None], out[:, 0], 0).astype(qkv.dtype), keys, values


def scores(decoder: FusedDecoder, hidden: Float[Array, "b h"]) -> Float[Array, "b v"]:
    """Logits over the vocabulary, float32."""
    return (hidden @ decoder.head).astype(jnp.float32)
