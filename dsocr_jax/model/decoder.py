"""The language model: Llama-style attention, one dense layer, then mixture-of-experts layers."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from dsocr_jax.config import DecoderConfig
from dsocr_jax.model.attention import attend
from dsocr_jax.model.backends import DEFAULT, Backends
from dsocr_jax.model.layers import RMSNorm, SwiGLU, linear, rotary_angles, rotate
from dsocr_jax.model.moe import MoE, Routing
from dsocr_jax.model.scan import run_layers


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
        backends: Backends = DEFAULT,
    ) -> tuple[Float[Array, "b t h"], LayerCache | None]:
        """Output, and the cache with this call's keys and values.

        With a cache, the mask is over its positions; without one it shows no position what stands behind it.
        """
        b, t, _ = x.shape
        q, k, v = (part(x).reshape(b, t, -1, self.dim) for part in (self.q, self.k, self.v))
        q, k = rotate(q, *rope), rotate(k, *rope)
        if cache is not None:
            cache = cache.write(k, v, positions)
            k, v = cache.keys, cache.values
        causal = cache is None
        out = attend(q, k.astype(q.dtype), v.astype(q.dtype), mask, causal, backends.attention)
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
        backends: Backends = DEFAULT,
    ) -> tuple[Float[Array, "b t h"], LayerCache | None, Routing | None]:
        """Output, the cache with this call's keys and values, and what the router did (None for a dense layer)."""
        with jax.named_scope("attention"):
            y, cache = self.attn(self.input_norm(x), rope, positions, mask, cache, backends)
        x = x + y
        y = self.post_norm(x)
        if self.dense:
            with jax.named_scope("dense"):
                y = self.mlp(y)
            return x + y, cache, None
        y, routing = self.moe(y, groups, backends)
        return x + y, cache, routing


class Decoder(nnx.Module):
    """Embedded tokens to hidden states; `logits` turns those into scores over the vocabulary."""

    def __init__(self, config: DecoderConfig, rngs: nnx.Rngs):
        self.embed = nnx.Embed(config.vocab_size, config.hidden, rngs=rngs)
        # Otherwise it would go on to give the type that it was made in, whatever its table is converted to.
        self.embed.dtype = None
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
        backends: Backends = DEFAULT,
        backend: str | None = None,
    ) -> tuple[Float[Array, "b t h"], Float[Array, ""], list[LayerCache]]:
        """Normalised hidden states, the sum of the router losses, and the new caches.

        Args:
            x: embedded tokens.
            positions: of the tokens in their rows.
            mask: over the caches' positions, or over the tokens themselves (causal) without caches.
            caches: of every layer; with them the layers are always unrolled, and each cache is updated in place.
            groups: see `dsocr_jax.model.moe.MoE`.
            backends: how to compute.
            backend: short for a change of ``backends.grouped`` alone.
        """
        if backend is not None:
            backends = dataclasses.replace(backends, grouped=backend)
        if caches is None:
            hidden, routing = self.forward(x, positions, mask, groups, backends)
            return hidden, routing.loss, []
        rope, total = self._rope(positions), jnp.zeros((), jnp.float32)
        new: list[LayerCache] = []
        for layer, cache in zip(self.layers, caches, strict=True):
            x, filled, did = layer(x, rope, positions, mask, cache, groups, backends)
            total = total if did is None else total + did.loss
            new += [filled] if filled is not None else []
        return self.norm(x), total, new

    def forward(
        self,
        x: Float[Array, "b t h"],
        positions: Int[Array, "b t"],
        mask: Bool[Array, "b 1 t t"],
        groups: int = 1,
        backends: Backends = DEFAULT,
    ) -> tuple[Float[Array, "b t h"], Routing]:
        """Whole rows without caches: normalised hidden states, and what the routers did.

        Args:
            x, positions, mask, groups, backends: see `__call__`.
        """
        x, routing = self.some_layers(range(self.config.layers), x, positions, mask, groups, backends)
        return self.norm(x), routing

    def some_layers(
        self,
        numbers: range,
        x: Float[Array, "b t h"],
        positions: Int[Array, "b t"],
        mask: Bool[Array, "b 1 t t"],
        groups: int = 1,
        backends: Backends = DEFAULT,
    ) -> tuple[Float[Array, "b t h"], Routing]:
        """Hidden states after consecutive layers, not normalised, and what their routers did.

        Args:
            numbers: of the layers.
            x, positions, mask, groups, backends: see `__call__`.

        Returns:
            The states; the sum of the losses, the shares without room divided by the number of all sparse layers, and
            the loads ``[l, e]`` of all sparse layers, 0 for those that are not among ``numbers``.
        """
        sparse = max(self.config.layers - self.config.dense_layers, 0)
        rope, zero = self._rope(positions), jnp.zeros((), jnp.float32)
        before = jnp.int32(max(numbers.start - self.config.dense_layers, 0))
        start = (x, Routing(zero, zero, jnp.zeros((sparse, self.config.experts), jnp.float32)), before)

        def call(layer: Any, carry: tuple[Array, Routing, Array]) -> tuple[Array, Routing, Array]:
            x, total, number = carry
            x, _, routing = layer(x, rope, positions, mask, None, groups, backends)
            if routing is None:
                return x, total, number
            load = jax.lax.dynamic_update_index_in_dim(total.load, routing.load, number, 0)
            return x, Routing(total.loss + routing.loss, total.no_room + routing.no_room / sparse, load), number + 1

        x, routing, _ = run_layers(list(self.layers)[numbers.start : numbers.stop], start, call, backends)
        return x, routing

    def _rope(self, positions: Int[Array, "b t"]) -> Rope:
        return rotary_angles(positions, self.config.hidden // self.config.heads, self.config.rope_base)

    def logits(self, hidden: Float[Array, "*b h"]) -> Float[Array, "*b v"]:
        """Scores over the vocabulary, float32."""
        with jax.named_scope("head"):
            return self.lm_head(hidden).astype(jnp.float32)

    def empty_caches(self, rows: int, length: int, dtype: jnp.dtype) -> list[LayerCache]:
        """Zeroed caches of every layer for ``rows`` sequences of at most ``length`` positions."""
        shape = (rows, length, self.config.kv_heads, self.config.hidden // self.config.heads)
        return [LayerCache(jnp.zeros(shape, dtype), jnp.zeros(shape, dtype)) for _ in self.layers]
