"""The language model: Llama-style attention, one dense layer, then mixture-of-experts layers."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from dsocr_jax.config import DecoderConfig
from dsocr_jax.model.layers import RMSNorm, SwiGLU, linear, rotary_angles, rotate
from dsocr_jax.model.moe import MoE


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class LayerCache:
    """Keys and values ``[b, s, kv_heads, d]`` of one layer; position p of a row lies at index p."""

    keys: Array
    values: Array

    def write(self, keys: Array, values: Array, positions: Int[Array, "b t"]) -> "LayerCache":
        """Store new keys and values at their positions; positions beyond the cache are dropped."""
        rows = jnp.arange(keys.shape[0])[:, None]
        return LayerCache(
            self.keys.at[rows, positions].set(keys.astype(self.keys.dtype), mode="drop"),
            self.values.at[rows, positions].set(values.astype(self.values.dtype), mode="drop"),
        )


Rope = tuple[Array, Array]


class CausalAttention(nnx.Module):
    """Multi-head attention with rotary positions; no biases."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        self.dim = config.hidden // config.heads
        self.q = linear(config.hidden, config.heads * self.dim, rngs, bias=False)
        self.k = linear(config.hidden, config.kv_heads * self.dim, rngs, bias=False)
        self.v = linear(config.hidden, config.kv_heads * self.dim, rngs, bias=False)
        self.o = linear(config.heads * self.dim, config.hidden, rngs, bias=False)

    def __call__(
        self,
        x: Float[Array, "b t h"],
        rope: Rope,
        positions: Int[Array, "b t"],
        mask: Bool[Array, "b 1 t s"],
        cache: LayerCache | None,
    ) -> tuple[Float[Array, "b t h"], LayerCache | None]:
        """Output, and the cache with this call's keys and values; with a cache, the mask is over its positions."""
        b, t, _ = x.shape
        q, k, v = (part(x).reshape(b, t, -1, self.dim) for part in (self.q, self.k, self.v))
        q, k = rotate(q, *rope), rotate(k, *rope)
        if cache is not None:
            cache = cache.write(k, v, positions)
            k, v = cache.keys, cache.values
        out = jax.nn.dot_product_attention(q, k.astype(q.dtype), v.astype(q.dtype), mask=mask)
        return self.o(out.reshape(b, t, -1)), cache


class DecoderLayer(nnx.Module):
    """Pre-norm attention and a feed-forward part: dense, or a mixture of experts."""

    def __init__(self, config: DecoderConfig, dense: bool, rngs: nnx.Rngs):
        self.input_norm = RMSNorm(config.hidden, config.norm_eps)
        self.attn = CausalAttention(config, rngs)
        self.post_norm = RMSNorm(config.hidden, config.norm_eps)
        if dense:
            self.mlp = SwiGLU(config.hidden, config.dense_ffn, rngs)
        else:
            self.moe = MoE(config, rngs)
        self.dense = dense

    def __call__(
        self,
        x: Float[Array, "b t h"],
        rope: Rope,
        positions: Int[Array, "b t"],
        mask: Bool[Array, "b 1 t s"],
        cache: LayerCache | None = None,
        groups: int = 1,
        backend: str = "blocked",
    ) -> tuple[Float[Array, "b t h"], Float[Array, ""], LayerCache | None]:
        """Output, router loss (0 for a dense layer) and the cache with this call's keys and values."""
        y, cache = self.attn(self.input_norm(x), rope, positions, mask, cache)
        x = x + y
        y = self.post_norm(x)
        if self.dense:
            return x + self.mlp(y), jnp.zeros((), jnp.float32), cache
        y, loss = self.moe(y, groups, backend)
        return x + y, loss, cache


class Decoder(nnx.Module):
    """Embedded tokens to hidden states; `logits` turns those into scores over the vocabulary."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        self.embed = nnx.Embed(config.vocab_size, config.hidden, rngs=rngs)
        self.layers = nnx.List([DecoderLayer(config, i < config.dense_layers, rngs) for i in range(config.layers)])
        self.norm = RMSNorm(config.hidden, config.norm_eps)
        self.lm_head = linear(config.hidden, config.vocab_size, rngs, bias=False)
        self.config = config

    def __call__(
        self,
        x: Float[Array, "b t h"],
        positions: Int[Array, "b t"],
        mask: Bool[Array, "b 1 t s"],
        caches: list[LayerCache] | None = None,
        groups: int = 1,
        backend: str = "blocked",
    ) -> tuple[Float[Array, "b t h"], Float[Array, ""], list[LayerCache]]:
        """Normalised hidden states, the sum of the router losses, and the new caches."""
        config = self.config
        rope = rotary_angles(positions, config.hidden // config.heads, config.rope_base)
        total, new = jnp.zeros((), jnp.float32), []
        for i, layer in enumerate(self.layers):
            x, loss, cache = layer(x, rope, positions, mask, caches[i] if caches else None, groups, backend)
            total = total + loss
            new += [cache] if cache is not None else []
        return self.norm(x), total, new

    def logits(self, hidden: Float[Array, "*b h"]) -> Float[Array, "*b v"]:
        """Scores over the vocabulary, float32."""
        return self.lm_head(hidden).astype(jnp.float32)

    def empty_caches(self, rows: int, length: int, dtype: jnp.dtype) -> list[LayerCache]:
        """Zeroed caches of every layer for ``rows`` sequences of at most ``length`` positions."""
        shape = (rows, length, self.config.kv_heads, self.config.hidden // self.config.heads)
        return [LayerCache(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype)) for _ in self.layers]
