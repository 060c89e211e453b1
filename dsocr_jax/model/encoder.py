"""DeepEncoder: views of pictures to the rows that replace the placeholders (paper, section 3.2)."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from dsocr_jax.config import ModelConfig
from dsocr_jax.model.backends import DEFAULT, Backends
from dsocr_jax.model.clip import Clip
from dsocr_jax.model.layers import linear
from dsocr_jax.model.sam import Sam
from dsocr_jax.preprocess import NORMALISED


class DeepEncoder(nnx.Module):
    """SAM, compressor, CLIP and projector, with the learned newline and view separator."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs):
        hidden = config.decoder.hidden
        self.sam = Sam(config.sam, rngs)
        self.clip = Clip(config.clip, rngs)
        self.projector = linear(config.clip.width + config.sam.compressor[1], hidden, rngs)
        self.image_newline = nnx.Param(rngs.params.normal((hidden,)) * hidden**-0.5)
        self.view_separator = nnx.Param(rngs.params.normal((hidden,)) * hidden**-0.5)

    def __call__(self, pixels: Float[Array, "b S S c"], backends: Backends = DEFAULT) -> Float[Array, "b s h"]:
        """Normalised pixels of equally sized views to their m * m tokens, row by row; c = 1 for `ModelConfig.grey`."""
        with jax.named_scope("sam"):
            features = self.sam(pixels, backends)
        with jax.named_scope("clip"):
            tokens = self.clip(features, backends)[:, 1:]
        with jax.named_scope("projector"):
            return self.projector(jnp.concatenate([tokens, features.reshape(tokens.shape)], axis=-1))

    def vision_table(
        self, views: Mapping[int, UInt8[Array, "g v S S c"]], backends: Backends = DEFAULT
    ) -> Float[Array, "g r h"]:
        """All rows that `dsocr_jax.modes` lays out, per group of batch rows.

        Row 0 is the newline, row 1 the separator; then the tokens of every view, sizes rising.

        Args:
            views: pictures as uint8 by size; ``g`` groups of ``v`` views each.
            backends: how the towers compute.
        """
        # A lookup instead of arithmetic: the pixels keep the original's bits under any compiler.
        levels = jnp.asarray(NORMALISED, self.image_newline[...].dtype)
        return join_rows(self, views, lambda pixels: self(levels[pixels], backends))


def join_rows(encoder: Any, views: Mapping[int, Array], encode: Callable[[Array], Array]) -> Float[Array, "g r h"]:
    """The vision table: an encoder's newline and separator, then the vectors of every view, sizes rising.

    Args:
        encoder: has the vectors ``image_newline`` and ``view_separator``.
        views: ``[g, v, ...]`` by size: ``g`` groups of ``v`` views each.
        encode: views ``[b, ...]`` of one size to their vectors ``[b, s, h]``.
    """
    newline, separator = encoder.image_newline[...], encoder.view_separator[...]
    groups = next(iter(views.values())).shape[0] if views else 1
    rows = [jnp.broadcast_to(jnp.stack([newline, separator]), (groups, 2, newline.shape[0]))]
    for size in sorted(views):
        g, v = views[size].shape[:2]
        vectors = encode(views[size].reshape(g * v, *views[size].shape[2:]))
        rows.append(vectors.reshape(g, -1, vectors.shape[-1]))
    return jnp.concatenate(rows, axis=1)
