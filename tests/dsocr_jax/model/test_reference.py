"""The port against numbers that the original computed: every mode, every block, gradients."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsocr_jax.model.encoder import DeepEncoder
from dsocr_jax.model.layers import rotary_angles
from dsocr_jax.model.ocr import DeepseekOCR, causal_mask
from dsocr_jax.preprocess import normalise
from dsocr_jax.weights.params import flatten
from dsocr_jax.weights.table import entries as weight_entries
from tests.reference import tiny

NATIVE = ["tiny512", "small640", "base1024", "large1280"]
TILED = ["gundam_2x1", "gundam_1x2", "gundam_2x3", "gundam_3x3", "gundam_m_2x1"]
SMALL_WEIGHTS = ["small_tiny512", "small_small640"]


def seed_of(name: str) -> str:
    return tiny.load(name)[0]["seed"]


@cache
def forward(name: str) -> dict[str, np.ndarray]:
    """Everything that the fixtures hold of a forward pass."""
    batch, model = tiny.batch(tiny.load(name)), tiny.model(seed_of(name))

    @jax.jit
    def run(model: DeepseekOCR) -> dict[str, jax.Array]:
        out = {"embedded": model.embed(batch)}
        for size, views in batch.views.items():
            pixels = jnp.asarray(normalise(np.asarray(views)[0]))
            features = model.encoder.sam(pixels)
            out |= {f"sam_{size}": features, f"clip_{size}": model.encoder.clip(features)}
            out[f"proj_{size}"] = model.encoder(pixels)
        x, positions = out["embedded"], jnp.arange(batch.tokens.shape[1])[None]
        for i, layer in enumerate(model.decoder.layers):
            mask = causal_mask(jnp.asarray(batch.segments))
            y, _ = layer.attn(layer.input_norm(x), _rope(model, positions), positions, mask, None)
            if not layer.dense:
                _, weights, experts = layer.moe.route(layer.post_norm(x + y)[0])
                out |= {f"router{i}_experts": experts, f"router{i}_weights": weights}
            x = layer(x, _rope(model, positions), positions, mask)[0]
            out[f"tap_dec_layer{i}"] = x
        out["tap_dec_norm"] = model.hidden_states(batch)[0]
        out["logits"] = model.logits(out["tap_dec_norm"])[0]
        return out

    return jax.tree.map(np.asarray, run(model))


def _rope(model: DeepseekOCR, positions: jax.Array) -> tuple[jax.Array, jax.Array]:
    config = model.config.decoder
    return rotary_angles(positions, config.hidden // config.heads, config.rope_base)


@pytest.mark.parametrize("name", NATIVE + TILED + SMALL_WEIGHTS)
def test_vision_towers(name: str) -> None:
    (meta, entries), out = tiny.load(name), forward(name)
    for view, size in (("global", meta["base_size"]), ("local", meta.get("tile_size"))):
        if f"sam_{view}" in entries:
            entries[f"sam_{view}"].check(out[f"sam_{size}"].transpose(0, 3, 1, 2))
            entries[f"clip_{view}"].check(out[f"clip_{size}"])
            entries[f"proj_{view}"].check(out[f"proj_{size}"])


@pytest.mark.parametrize("name", NATIVE + TILED + SMALL_WEIGHTS)
def test_image_sequence(name: str) -> None:
    (_, entries), out = tiny.load(name), forward(name)
    places = entries["input_ids"].sample[0] == tiny.CONFIG.image_token_id
    entries["sequence"].check(out["embedded"][0][places])


@pytest.mark.parametrize("name", [*NATIVE, *TILED, "text"])
def test_logits(name: str) -> None:
    (_, entries), out = tiny.load(name), forward(name)
    entries["logits"].check(out["logits"])
    entries["logits_tail"].check(out["logits"][-24:])
    if "argmax" in entries:
        entries["argmax"].check(out["logits"].argmax(-1))


@pytest.mark.parametrize("name", [*NATIVE, *TILED, "text"])
def test_router(name: str) -> None:
    (_, entries), out = tiny.load(name), forward(name)
    for i in (1, 2):
        order = out[f"router{i}_experts"].argsort(-1)
        entries[f"router{i}_experts"].check(np.take_along_axis(out[f"router{i}_experts"], order, -1))
        entries[f"router{i}_weights"].check(np.take_along_axis(out[f"router{i}_weights"], order, -1))


@pytest.mark.parametrize("name", NATIVE)
def test_taps(name: str) -> None:
    (meta, entries), batch = tiny.load(name), tiny.batch(tiny.load(name))

    @jax.jit
    def run(encoder: DeepEncoder, pixels: jax.Array) -> dict[str, jax.Array]:
        taps = {"tap_sam_patch": encoder.sam.patch_embed(pixels)}
        x = encoder.sam.embed(pixels)
        for i, block in enumerate(encoder.sam.blocks):
            x = taps[f"tap_sam_block{i}"] = block(x)
        x = encoder.sam.neck(x)
        taps["tap_sam_neck"] = x.transpose(0, 3, 1, 2)
        taps["tap_sam_net2"] = encoder.sam.compressor.conv1(x).transpose(0, 3, 1, 2)
        x = taps["tap_clip_preln"] = encoder.clip.embed(encoder.sam.compressor(x))
        for i, block in enumerate(encoder.clip.blocks):
            x = taps[f"tap_clip_layer{i}"] = block(x)
        return taps

    pixels = jnp.asarray(normalise(np.asarray(batch.views[meta["base_size"]])[0]))
    taps = run(tiny.model().encoder, pixels) | {k: v for k, v in forward(name).items() if k.startswith("tap_dec")}
    known = {key for key in entries if key.startswith("tap_")}
    assert known - set(taps) == {"tap_clip_embed"}  # ours is normalised in the same step
    for key in known & set(taps):
        entries[key].check(np.asarray(taps[key]))


@pytest.mark.parametrize("name", [*NATIVE, *TILED])
def test_loss(name: str) -> None:
    meta, entries = tiny.load(name)
    labels = entries["labels"].sample[0]
    logp = jax.nn.log_softmax(forward(name)["logits"].astype(np.float64))
    picked = [-logp[t, labels[t + 1]] for t in range(len(labels) - 1) if labels[t + 1] >= 0]
    np.testing.assert_allclose(np.mean(picked), meta["eval_loss"], rtol=1e-5)


@pytest.mark.parametrize("name", ["train_tiny512", "train_gundam_2x1", "train_batch2"])
def test_gradients(name: str) -> None:
    meta, entries = tiny.load(name)
    batch = tiny.batch((meta, entries))
    graphdef, params = nnx.split(tiny.model())
    targets = jnp.asarray(batch.labels[:, 1:])

    def loss(params: nnx.State) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        model = nnx.merge(graphdef, params)
        hidden, router_loss = model.hidden_states(batch)
        logp = jax.nn.log_softmax(model.logits(hidden)[:, :-1])
        picked = jnp.take_along_axis(logp, targets.clip(min=0)[..., None], -1)[..., 0]
        cross_entropy = -jnp.sum(picked * (targets >= 0)) / jnp.sum(targets >= 0)
        return cross_entropy + router_loss, (cross_entropy, router_loss)

    (_, (cross_entropy, router_loss)), grads = jax.jit(jax.value_and_grad(loss, has_aux=True))(params)
    np.testing.assert_allclose(cross_entropy, meta["loss"], rtol=1e-5)
    np.testing.assert_allclose(router_loss, sum(meta["aux"]), rtol=1e-4)
    ours = flatten(grads)
    released = {
        key: value for entry in weight_entries(tiny.CONFIG) for key, value in entry.export(np.asarray(ours[entry.path]))
    }
    for key, entry in entries.items():
        if key.startswith("grad:"):
            entry.check(released[key.removeprefix("grad:")], rtol=1e-3)
    for key, norm in meta["grad_norm"].items():
        np.testing.assert_allclose(np.linalg.norm(released[key].astype(np.float64)), norm or 0, rtol=1e-3, atol=1e-9)
