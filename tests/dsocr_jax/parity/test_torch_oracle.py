"""The port against transformers' own modules in PyTorch, at random sizes, with random weights; gradients too."""

from functools import cache
from importlib.util import find_spec
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.batch import Example, collate
from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.parity.source import from_tensors
from dsocr_jax.weights.params import abstract_model, flatten
from dsocr_jax.weights.released import released_shapes
from dsocr_jax.weights.table import entries

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("transformers") is None,
    reason="this oracle needs PyTorch and transformers 5.23 or later, which are not installed",
)
SEEDS = [0, 1, 2]
FORWARD, GRADIENT = 1e-5, 1e-4


@cache
def config(seed: int) -> ModelConfig:
    """A model of random sizes, small enough for both programs."""
    rng = np.random.default_rng(seed)

    def draw(*choices: int) -> int:
        return int(rng.choice(choices))

    sam_heads, clip_heads, heads = draw(1, 2, 3), draw(2, 4), draw(2, 4)
    out = clip_heads * draw(8, 12)
    layers = draw(2, 3)
    return ModelConfig(
        sam=SamConfig(
            width=16 * sam_heads,
            layers=layers,
            heads=sam_heads,
            global_layers=(layers - 1,),
            window=draw(5, 14),
            grid=16,
            neck=draw(8, 24),
            compressor=(draw(16, 20), out),
        ),
        clip=ClipConfig(width=out, layers=2, heads=clip_heads, ffn=3 * out, grid=4),
        decoder=DecoderConfig(
            vocab_size=97,
            hidden=16 * heads,
            layers=3,
            heads=heads,
            kv_heads=heads // draw(1, 2),
            dense_ffn=draw(40, 56),
            experts=draw(6, 9),
            top_k=draw(2, 3),
            expert_ffn=24,
            shared_experts=draw(1, 2),
        ),
        modes=(),
        image_token_id=96,
    )


@cache
def weights(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(100 + seed)
    return {
        name: (
            (len(shape) == 1 and "norm" in name and name.endswith("weight"))
            + rng.normal(size=shape) * (0.3 if len(shape) < 2 else np.prod(shape[1:]) ** -0.5)
        ).astype(np.float32)
        for name, shape in released_shapes(config(seed)).items()
    }


@cache
def ours(seed: int) -> DeepseekOCR:
    parameters = from_tensors(config(seed), weights(seed).__getitem__, np.float32)
    return nnx.merge(abstract_model(config(seed))[0], parameters.all())


def close(mine: Any, theirs: Any, limit: float) -> None:
    mine, theirs = np.asarray(mine), theirs.detach().numpy() if hasattr(theirs, "detach") else np.asarray(theirs)
    assert mine.shape == theirs.shape
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=limit * np.abs(theirs).max())


def numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(200 + seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(("seed", "side"), [(0, 128), (1, 256), (2, 320)])
def test_sam_and_compressor(seed: int, side: int) -> None:
    """Smaller than the position tables, of their size, and larger."""
    import torch

    from tests.dsocr_jax.parity import torch_models

    pixels = numbers(seed, 2, 3, side, side)
    with torch.inference_mode():
        theirs = torch_models.sam(config(seed), weights(seed))(torch.from_numpy(pixels)).last_hidden_state
    mine = nnx.jit(ours(seed).encoder.sam)(jnp.asarray(pixels.transpose(0, 2, 3, 1)))
    close(mine.transpose(0, 3, 1, 2), theirs, FORWARD)


@pytest.mark.parametrize(("seed", "side"), [(0, 4), (1, 5)])
def test_clip(seed: int, side: int) -> None:
    import torch

    from tests.dsocr_jax.parity import torch_models

    clip = ours(seed).encoder.clip
    features = jnp.asarray(numbers(seed, 2, side, side, config(seed).clip.width))
    embedded = clip.embed(features)
    with torch.inference_mode():
        blocks = torch_models.clip_blocks(config(seed), weights(seed))
        theirs = blocks(inputs_embeds=torch.from_numpy(np.array(embedded))).last_hidden_state
    close(nnx.jit(clip)(features), theirs, FORWARD)


def rows(seed: int) -> tuple[Any, np.ndarray, np.ndarray]:
    """Two rows of ids of other lengths: our batch, the ids and the mask."""
    rng = np.random.default_rng(300 + seed)
    lengths, total = (int(rng.integers(9, 14)), 17), 17
    texts = [rng.integers(3, 96, size=n).astype(np.int32) for n in lengths]
    batch = collate([Example(text, np.full_like(text, -100)) for text in texts], config(seed), total)
    return batch, np.asarray(batch.tokens), np.asarray(batch.mask)


@pytest.mark.parametrize("seed", SEEDS)
def test_decoder(seed: int) -> None:
    import torch

    from tests.dsocr_jax.parity import torch_models

    batch, ids, mask = rows(seed)
    with torch.inference_mode():
        model = torch_models.decoder(config(seed), weights(seed))
        theirs = model(torch.from_numpy(ids).long(), attention_mask=torch.from_numpy(mask).long()).last_hidden_state
    mine, _ = nnx.jit(lambda model: model.hidden_states(batch))(ours(seed))
    close(np.asarray(mine)[mask], theirs.numpy()[mask], FORWARD)


def released_gradients(seed: int, gradients: Any) -> dict[str, np.ndarray]:
    found = flatten(gradients)
    return {
        name: array
        for entry in entries(config(seed))
        if entry.path in found
        for name, array in entry.export(np.asarray(found[entry.path]))
    }


def check_gradients(module: Any, mine: dict[str, np.ndarray], names: dict[str, str]) -> None:
    theirs = {name: parameter.grad for name, parameter in module.named_parameters()}
    for name, released in names.items():
        assert float(theirs[name].abs().max()) > 0, name
        close(mine[released], theirs[name], GRADIENT)


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_gradients_of_the_decoder(seed: int) -> None:
    """Of a weighted sum of the hidden states: attention, router, routed and shared experts, norms, embeddings."""
    import torch

    from tests.dsocr_jax.parity import torch_models

    batch, ids, mask = rows(seed)
    scale = numbers(seed, *ids.shape, config(seed).decoder.hidden) * mask[..., None]
    model = torch_models.decoder(config(seed), weights(seed))
    out = model(torch.from_numpy(ids).long(), attention_mask=torch.from_numpy(mask).long()).last_hidden_state
    (out * torch.from_numpy(scale)).sum().backward()

    graphdef, params = nnx.split(ours(seed))
    run = jax.jit(jax.grad(lambda p: jnp.sum(nnx.merge(graphdef, p).hidden_states(batch)[0] * scale)))
    mine = {name.removeprefix("model."): array for name, array in released_gradients(seed, run(params)).items()}
    check_gradients(
        model,
        mine,
        {name: name for name, _ in model.named_parameters() if ".experts." not in name},
    )
    for i in range(config(seed).decoder.dense_layers, config(seed).decoder.layers):
        experts = model.layers[i].mlp.experts
        for part, theirs in zip(("gate", "up"), experts.gate_up_proj.grad.chunk(2, dim=1), strict=True):
            stacked = [mine[f"layers.{i}.mlp.experts.{e}.{part}_proj.weight"] for e in range(len(theirs))]
            close(np.stack(stacked), theirs, GRADIENT)


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_gradients_of_sam(seed: int) -> None:
    """Of a weighted sum of the compressed map at another size than that of the tables, so that they are resized."""
    import torch

    from tests.dsocr_jax.parity import torch_models

    pixels = numbers(seed, 1, 3, 192, 192)
    scale = numbers(seed, 1, config(seed).sam.compressor[1], 3, 3)
    model = torch_models.sam(config(seed), weights(seed))
    (model(torch.from_numpy(pixels)).last_hidden_state * torch.from_numpy(scale)).sum().backward()

    graphdef, params = nnx.split(ours(seed))

    def total(params: nnx.State) -> jax.Array:
        out = nnx.merge(graphdef, params).encoder.sam(jnp.asarray(pixels.transpose(0, 2, 3, 1)))
        return jnp.sum(out * scale.transpose(0, 2, 3, 1))

    mine = released_gradients(seed, jax.jit(jax.grad(total))(params))
    last = config(seed).sam.layers - 1
    check_gradients(
        model,
        mine,
        {
            "pos_embed": "model.sam_model.pos_embed",
            "patch_embed.projection.weight": "model.sam_model.patch_embed.proj.weight",
            "layers.0.attn.rel_pos_h": "model.sam_model.blocks.0.attn.rel_pos_h",
            f"layers.{last}.attn.rel_pos_w": f"model.sam_model.blocks.{last}.attn.rel_pos_w",
            f"layers.{last}.attn.qkv.bias": f"model.sam_model.blocks.{last}.attn.qkv.bias",
            "neck.conv2.weight": "model.sam_model.neck.2.weight",
            "proj.conv1.weight": "model.sam_model.net_2.weight",
        },
    )
