"""Simple rivals of the encoder, for the question whether the way through a picture is worth it.

A rival is given the text itself, as the decoder's own embeddings, and presses it into as many vectors as a picture gets
vision tokens: by means over equal windows, by learned convolutions that halve the text again and again, or by dropping
all but the first embeddings. After arXiv 2512.03643, which holds optical compression against means, a hierarchy of
convolutions and truncation; the form of the convolutions here is our own.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from dsocr_jax.config import ModelConfig
from dsocr_jax.model.encoder import join_rows
from dsocr_jax.model.layers import RMSNorm, exact_gelu
from dsocr_jax.windows import NOTHING

#: Token ids to their embeddings.
LookUp = Callable[[Array], Array]

#: Positions that a convolution sees: the two that become one, and one on either side.
KERNEL = 4


class Halving(nnx.Module):
    """Two neighbours become one: their mean, and what a convolution over them and their own neighbours adds."""

    def __init__(self, width: int, eps: float, rngs: nnx.Rngs):
        self.norm = RMSNorm(width, eps)
        self.conv = nnx.Conv(width, width, KERNEL, strides=2, padding="SAME", use_bias=False, rngs=rngs)
        # Zero, so that an untrained stack is a mean: embeddings are small beside what a convolution makes of them.
        self.out = nnx.Linear(width, width, use_bias=False, kernel_init=nnx.initializers.zeros, rngs=rngs)

    def __call__(
        self, x: Float[Array, "b t h"], there: Bool[Array, "b t"]
    ) -> tuple[Float[Array, "b t//2 h"], Bool[Array, "b t//2"]]:
        """Vectors of every pair and whether there is one; positions without any are zero, going in and coming out."""
        added = self.out(exact_gelu(self.conv(self.norm(x))))
        pairs = there.reshape(there.shape[0], -1, 2)
        pooled = pool(x.reshape(*pairs.shape, x.shape[-1]), pairs)
        there = pairs.any(axis=-1)
        return jnp.where(there[..., None], pooled + added, 0).astype(x.dtype), there


class TextEncoder(nnx.Module):
    """Windows of a text to one vector each, with the learned newline and separator of a picture."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs):
        hidden, rival = config.decoder.hidden, config.rival
        assert rival is not None
        levels = rival.window.bit_length() - 1 if rival.kind == "convolved" else 0
        self.convolutions = nnx.List([Halving(hidden, config.decoder.norm_eps, rngs) for _ in range(levels)])
        self.image_newline = nnx.Param(rngs.params.normal((hidden,)) * hidden**-0.5)
        self.view_separator = nnx.Param(rngs.params.normal((hidden,)) * hidden**-0.5)

    def __call__(self, windows: Int[Array, "b s w"], look_up: LookUp) -> Float[Array, "b s h"]:
        """Windows of texts to their vectors; an empty window becomes zeros."""
        there = windows != NOTHING
        x = jnp.where(there[..., None], look_up(windows.clip(min=0)), 0)
        if not self.convolutions:  # a truncated text has one token a window, which is its own mean
            return pool(x, there)
        b, s, w = windows.shape
        x, there = x.reshape(b, s * w, -1), there.reshape(b, s * w)
        with jax.named_scope("projector"):
            for halving in self.convolutions:
                x, there = halving(x, there)
        return x

    def vision_table(self, views: Mapping[int, Int[Array, "g v s w"]], look_up: LookUp) -> Float[Array, "g r h"]:
        """All rows that `dsocr_jax.modes` lays out, as `dsocr_jax.model.encoder.DeepEncoder.vision_table`.

        Args:
            views: windows of texts by the size of the view that they stand for.
            look_up: the decoder's embeddings.
        """
        return join_rows(self, views, lambda windows: self(windows, look_up))


def pool(x: Float[Array, "*b w h"], there: Bool[Array, "*b w"]) -> Float[Array, "*b h"]:
    """Mean over the positions that are there, summed in float32; zeros where none is. The others must be zero."""
    count = jnp.maximum(there.sum(axis=-1), 1)[..., None]
    return (x.astype(jnp.float32).sum(axis=-2) / count).astype(x.dtype)
