"""A model whose layers repeat in every way that the scan knows, and a batch with all that a batch can hold."""

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from dsocr_jax.batch import IGNORED, TEXT, Batch
from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from dsocr_jax.model.backends import Backends
from dsocr_jax.modes import Mode
from dsocr_jax.weights.params import abstract_model, path_name

CONFIG = ModelConfig(
    sam=SamConfig(
        width=16, layers=4, heads=2, global_layers=(1, 3), window=3, grid=6, neck=8, compressor=(8, 16), mlp_ratio=2
    ),
    clip=ClipConfig(width=16, layers=2, heads=2, ffn=32, grid=3),
    decoder=DecoderConfig(
        vocab_size=64,
        hidden=32,
        layers=3,
        heads=4,
        kv_heads=2,
        dense_layers=1,
        dense_ffn=32,
        experts=8,
        top_k=2,
        expert_ffn=16,
        max_positions=32,
        router_loss=0.1,
    ),
    modes=(Mode("tiny", base_size=128, tile_size=128, crop=False, fit="stretch"),),
    image_token_id=63,
)
ROWS, LENGTH, SIZE = 8, 10, 128


@cache
def parameters(config: ModelConfig = CONFIG) -> tuple[nnx.GraphDef, nnx.State]:
    """Structure and random float32 parameters; no table, bias or scale is as it would begin."""
    graphdef, abstract = abstract_model(config)
    rng = np.random.default_rng(0)

    def draw(path: tuple[Any, ...], leaf: Any) -> np.ndarray:
        scale = path_name(path).endswith("scale")
        spread = 0.3 if len(leaf.shape) < 2 or "rel_pos" in path_name(path) else leaf.shape[-2] ** -0.5
        return rng.normal(float(scale), spread, leaf.shape).astype(leaf.dtype)

    return graphdef, jax.tree.map_with_path(draw, abstract)


def batch(groups: int = 1, pictures: bool = True) -> Batch:
    """Rows of text and of a picture's four tokens, packed ones and padded ones; one picture for each row, or none."""
    rng = np.random.default_rng(1)
    shape, per_group = (ROWS, LENGTH), ROWS // groups
    segments, index = np.ones(shape, np.int32), np.full(shape, TEXT, np.int32)
    segments[1, 4:], segments[2, 7:], segments[3, :3] = 2, 0, 1
    segments[3, 3:8], segments[3, 8:] = 2, 0
    for row in range(0, ROWS if pictures else 0, 2):
        index[row, 1:5] = 2 + 4 * (row % per_group) + np.arange(4)
    views = rng.integers(0, 256, (groups, per_group, SIZE, SIZE, 3)).astype(np.uint8)
    return Batch(
        tokens=rng.integers(1, 60, shape).astype(np.int32),
        labels=np.full(shape, IGNORED, np.int32),
        segments=segments,
        positions=np.broadcast_to(np.arange(LENGTH, dtype=np.int32), shape).copy(),
        vision_index=index,
        views={SIZE: views} if pictures else {},
        groups=groups,
    )


def loss_of(
    params: nnx.State, data: Batch, backends: Backends, config: ModelConfig = CONFIG
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    """A function of every hidden state and the router's loss, and both of these."""
    model = nnx.merge(parameters(config)[0], params)
    hidden, router_loss = model.hidden_states(data, backends)
    weight = jnp.cos(jnp.arange(hidden.size, dtype=jnp.float32)).reshape(hidden.shape)
    return jnp.sum(hidden * weight) + router_loss, (hidden, router_loss)


@cache
def compute(backends: Backends, config: ModelConfig = CONFIG, pictures: bool = True) -> tuple[Any, Any]:
    """Hidden states and router loss, and gradients, on one device."""
    run = jax.jit(jax.grad(partial(loss_of, config=config), has_aux=True))
    grads, out = run(parameters(config)[1], batch(pictures=pictures), backends)
    return out, grads


#: The plain form of everything.
PLAIN = Backends(grouped="ragged")
