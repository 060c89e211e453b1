"""The whole model: pictures and tokens in, hidden states and scores out."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from dsocr_jax.batch import TEXT, Batch
from dsocr_jax.config import ModelConfig
from dsocr_jax.model.backends import DEFAULT, Backends
from dsocr_jax.model.decoder import Decoder
from dsocr_jax.model.encoder import DeepEncoder
from dsocr_jax.model.moe import Routing
from dsocr_jax.model.rivals import TextEncoder
from dsocr_jax.modes import FIRST_ROW


def place_vision(
    embedded: Float[Array, "b t h"], vision_index: Int[Array, "b t"], table: Float[Array, "g r h"]
) -> Float[Array, "b t h"]:
    """Put rows of the vision table where ``vision_index`` names one, and keep the text elsewhere.

    What many positions share is put there by comparison: gradients of a gather are added up one after another where
    positions name the same row, and text would name one, too (45 of a small model's 190 ms a step on an H100).
    """
    b, t, h = embedded.shape
    groups, rows = table.shape[:2]
    index = vision_index.reshape(groups, b * t // groups)
    outside = jnp.where(index < FIRST_ROW, rows, index)[..., None]
    vectors = jnp.take_along_axis(table, outside, axis=1, mode="fill", fill_value=0)
    for row in range(FIRST_ROW):
        vectors = jnp.where((index == row)[..., None], table[:, row, None], vectors)
    return jnp.where((vision_index == TEXT)[..., None], embedded, vectors.reshape(b, t, h).astype(embedded.dtype))


def causal_mask(segments: Int[Array, "b t"]) -> Bool[Array, "b 1 t t"]:
    """Each position sees itself and those before it in its segment.

    Padding, segment 0, is not seen; it sees all that stands before it, as in the original, where it counts
    in the router's loss. In a row of nothing but padding it sees the first position: a softmax over nothing would
    be whatever an implementation makes of it.
    """
    t = segments.shape[1]
    query, key = segments[:, :, None], segments[:, None, :]
    visible = ((query == key) | (query == 0)) & ((key != 0) | (jnp.arange(t) == 0))
    return (jnp.tril(jnp.ones((t, t), bool)) & visible)[:, None]


class DeepseekOCR(nnx.Module):
    """DeepEncoder (or a simple rival of it) and MoE decoder. Computes in the type of its parameters; knows no mesh."""

    def __init__(self, config: ModelConfig, rngs: nnx.Rngs):
        self.encoder: Any = (DeepEncoder if config.rival is None else TextEncoder)(config, rngs)
        self.decoder = Decoder(config.decoder, rngs)
        self.config = config
        #: Type of embedded tokens where their table is kept in more bits than the rest; None for the table's own.
        self.embedding_dtype: Any = None

    def embed(self, batch: Batch, backends: Backends = DEFAULT) -> Float[Array, "b t h"]:
        """Token embeddings with the pictures' vectors in their places."""
        batch = jax.tree.map(jnp.asarray, batch)
        look_up = functools.partial(self._look_up, backends)
        embedded = look_up(batch.tokens)
        if not batch.views:
            return embedded
        encode = self.encoder.vision_table
        if self.config.rival is not None:
            return place_vision(embedded, batch.vision_index, encode(batch.views, look_up))
        table = encode(batch.views) if backends == DEFAULT else encode(batch.views, backends)
        return place_vision(embedded, batch.vision_index, table)

    def _look_up(self, backends: Backends, ids: Int[Array, "*b"]) -> Float[Array, "*b h"]:
        return backends.placement.look_up(self.decoder.embed, ids, self.embedding_dtype)

    def hidden_states(
        self, batch: Batch, backends: Backends = DEFAULT
    ) -> tuple[Float[Array, "b t h"], Float[Array, ""]]:
        """Hidden states of every position, and the router loss summed over the layers (float32)."""
        hidden, routing = self.forward(batch, backends)
        return hidden, routing.loss

    def forward(self, batch: Batch, backends: Backends = DEFAULT) -> tuple[Float[Array, "b t h"], Routing]:
        """Hidden states of every position, and what the routers did (`dsocr_jax.model.decoder.Decoder.forward`)."""
        batch = jax.tree.map(jnp.asarray, batch)
        x, mask = self.embed(batch, backends), causal_mask(batch.segments)
        return self.decoder.forward(x, batch.positions, mask, batch.groups, backends)

    def logits(self, hidden: Float[Array, "*b h"]) -> Float[Array, "*b v"]:
        """Scores over the vocabulary, float32."""
        return self.decoder.logits(hidden)


class _OneKey(nnx.Rngs):
    """Gives everyone the same key: where shapes alone are asked for, counting keys takes most of the time."""

    def __init__(self) -> None:
        self.params = _Stream()


class _Stream:
    """The part of `nnx.RngStream` that the modules use."""

    def __init__(self) -> None:
        self.key = jax.random.key(0)

    def __call__(self) -> Array:
        return self.key

    def __getattr__(self, name: str) -> Any:
        return functools.partial(getattr(jax.random, name), self.key)


def abstract_ocr(config: ModelConfig) -> DeepseekOCR:
    """Return the model with shapes in place of arrays; allocates nothing."""
    model: DeepseekOCR = nnx.eval_shape(lambda: DeepseekOCR(config, _OneKey()))
    return model


def count_parameters(config: ModelConfig) -> int:
    """Number of parameters, without allocating any."""
    model = abstract_ocr(config)
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
