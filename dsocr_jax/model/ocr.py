"""The whole model: pictures and tokens in, hidden states and scores out."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from dsocr_jax.batch import TEXT, Batch
from dsocr_jax.config import ModelConfig
from dsocr_jax.model.decoder import Decoder
from dsocr_jax.model.encoder import DeepEncoder


def place_vision(
    embedded: Float[Array, "b t h"], vision_index: Int[Array, "b t"], table: Float[Array, "g r h"]
) -> Float[Array, "b t h"]:
    """Put rows of the vision table where ``vision_index`` names one, and keep the text elsewhere."""
    b, t, h = embedded.shape
    groups = table.shape[0]
    index = vision_index.reshape(groups, b * t // groups)
    rows = jnp.take_along_axis(table, index.clip(min=0)[..., None], axis=1).reshape(b, t, h)
    return jnp.where((vision_index == TEXT)[..., None], embedded, rows.astype(embedded.dtype))


def causal_mask(segments: Int[Array, "b t"]) -> Bool[Array, "b 1 t t"]:
    """Each position sees itself and those before it in its segment.

    Padding, segment 0, is not seen; it sees all that stands before it, as in the original, where it counts
    in the router's loss.
    """
    t = segments.shape[1]
    query, key = segments[:, :, None], segments[:, None, :]
    visible = ((query == key) | (query == 0)) & (key != 0)
    return (jnp.tril(jnp.ones((t, t), bool)) & visible)[:, None]


class DeepseekOCR(nnx.Module):
    """DeepEncoder and MoE decoder. Computes in the type of its parameters; knows nothing of meshes."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs):
        self.encoder = DeepEncoder(config, rngs)
        self.decoder = Decoder(config.decoder, rngs)
        self.config = config

    def embed(self, batch: Batch) -> Float[Array, "b t h"]:
        """Token embeddings with the pictures' vectors in their places."""
        batch = jax.tree.map(jnp.asarray, batch)
        embedded = self.decoder.embed(batch.tokens)
        if not batch.views:
            return embedded
        return place_vision(embedded, batch.vision_index, self.encoder.vision_table(batch.views))

    def hidden_states(self, batch: Batch, backend: str = "blocked") -> tuple[Float[Array, "b t h"], Float[Array, ""]]:
        """Hidden states of every position, and the router loss summed over the layers (float32)."""
        batch = jax.tree.map(jnp.asarray, batch)
        x, mask = self.embed(batch), causal_mask(batch.segments)
        hidden, loss, _ = self.decoder(x, batch.positions, mask, groups=batch.groups, backend=backend)
        return hidden, loss

    def logits(self, hidden: Float[Array, "*b h"]) -> Float[Array, "*b v"]:
        """Scores over the vocabulary, float32."""
        return self.decoder.logits(hidden)


def count_parameters(config: ModelConfig) -> int:
    """Number of parameters, without allocating any."""
    model = nnx.eval_shape(lambda: DeepseekOCR(config, nnx.Rngs(0)))
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
