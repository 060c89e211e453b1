"""The CLIP ViT tower, which reads SAM's compressed map instead of pixels."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from dsocr_jax.config import ClipConfig
from dsocr_jax.model.attention import attend
from dsocr_jax.model.backends import DEFAULT, Backends
from dsocr_jax.model.layers import MLP, layer_norm, linear, quick_gelu, resize_grid
from dsocr_jax.model.scan import run_layers


class SelfAttention(nnx.Module):
    """Plain multi-head self-attention."""

    def __init__(self, width: int, heads: int, rngs: nnx.Rngs):
        self.qkv = linear(width, 3 * width, rngs)
        self.proj = linear(width, width, rngs)
        self.heads = heads

    def __call__(self, x: Float[Array, "b s c"], backends: Backends = DEFAULT) -> Float[Array, "b s c"]:
        """Every token attends to every token."""
        b, s, c = x.shape
        q, k, v = jnp.moveaxis(self.qkv(x).reshape(b, s, 3, self.heads, c // self.heads), 2, 0)
        return self.proj(attend(q, k, v, backend=backends.attention).reshape(b, s, c))


class ClipBlock(nnx.Module):
    """A pre-norm block."""

    def __init__(self, config: ClipConfig, rngs: nnx.Rngs):
        self.norm1 = layer_norm(config.width, config.norm_eps, rngs)
        self.attn = SelfAttention(config.width, config.heads, rngs)
        self.norm2 = layer_norm(config.width, config.norm_eps, rngs)
        self.mlp = MLP(config.width, config.ffn, quick_gelu, rngs)

    def __call__(self, x: Float[Array, "b s c"], backends: Backends = DEFAULT) -> Float[Array, "b s c"]:
        """Attention, then the MLP, each added to its input."""
        x = x + self.attn(self.norm1(x), backends)
        return x + self.mlp(self.norm2(x))


class Clip(nnx.Module):
    """A map ``[b, m, m, c]`` to tokens ``[b, 1 + m * m, c]``, the class token first; no final norm."""

    def __init__(self, config: ClipConfig, rngs: nnx.Rngs):
        self.class_embed = nnx.Param(0.02 * rngs.params.normal((config.width,)))
        self.pos_embed = nnx.Param(0.02 * rngs.params.normal((1 + config.grid**2, config.width)))
        # Stored by the released weights and never used: SAM's map takes its place.
        self.patch_embed = nnx.Conv(
            3, config.width, (config.patch,) * 2, strides=config.patch, padding=0, use_bias=False, rngs=rngs
        )
        self.pre_norm = layer_norm(config.width, config.norm_eps, rngs)
        self.blocks = nnx.List([ClipBlock(config, rngs) for _ in range(config.layers)])
        self.grid = config.grid

    def embed(self, features: Float[Array, "b m m c"]) -> Float[Array, "b s c"]:
        """Class token and flattened map, with positions, normalised."""
        b, m, _, c = features.shape
        first = jnp.broadcast_to(self.class_embed[...].astype(features.dtype), (b, 1, c))
        tokens = jnp.concatenate([first, features.reshape(b, m * m, c)], axis=1)
        table = self.pos_embed[...]
        # Only the grid is resized, not the row of the class token.
        grid = resize_grid(table[1:].reshape(self.grid, self.grid, c), m).reshape(m * m, c)
        return self.pre_norm(tokens + jnp.concatenate([table[:1], grid]))

    def __call__(self, features: Float[Array, "b m m c"], backends: Backends = DEFAULT) -> Float[Array, "b s c"]:
        """All blocks over the embedded map."""
        return run_layers(self.blocks, self.embed(features), lambda block, x: block(x, backends), backends)
