"""A model that compiles in seconds, a tokenizer of bytes, and sample sets whose pictures show their labels."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import tokenizers
from array_record.python.array_record_module import ArrayRecordWriter

from datagen import manifest, records
from datagen.sample import GENERATOR_VERSION, Sample
from dsocr_jax.batch import Batch
from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from dsocr_jax.modes import Mode
from dsocr_jax.tokenizer import BOS, EOS, OCR_TOKENS, PAD
from dsocr_jax.weights.params import path_name
from train.config import MeshConfig, OptimizerConfig, TrainConfig
from train.data import BatchSource, Feed

#: Stripes of a picture, each black or white: one character of the label each.
STRIPES = 4

SPECIAL = [BOS, EOS, PAD, *OCR_TOKENS]

MODEL = ModelConfig(
    sam=SamConfig(width=16, layers=1, heads=2, global_layers=(0,), window=4, grid=4, neck=8, compressor=(8, 16)),
    clip=ClipConfig(width=16, layers=1, heads=2, ffn=32, grid=1),
    decoder=DecoderConfig(
        vocab_size=288,
        hidden=32,
        layers=1,
        heads=2,
        kv_heads=2,
        dense_layers=0,
        dense_ffn=32,
        experts=4,
        top_k=2,
        expert_ffn=16,
        max_positions=256,
    ),
    modes=(
        Mode("tiny", base_size=64, tile_size=64, crop=False, fit="stretch"),
        Mode("small", base_size=128, tile_size=128, crop=False, fit="stretch"),
    ),
    image_token_id=SPECIAL.index(OCR_TOKENS[0]),
)


def write_tokenizer(folder: Path) -> Path:
    """Write a tokenizer whose tokens are the special ones and the single bytes."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: len(SPECIAL) + i for i, character in enumerate(alphabet)}
    inner = tokenizers.Tokenizer(tokenizers.models.BPE({token: i for i, token in enumerate(SPECIAL)} | vocabulary, []))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    inner.add_special_tokens(SPECIAL)
    folder.mkdir(parents=True, exist_ok=True)
    inner.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def sample(kind: str, index: int, label: str | None = None) -> Sample:
    """Return sample ``index``: its picture shows its bits as stripes, its label names them (unless one is given)."""
    bits = [index * 7 + 3 >> i & 1 for i in range(STRIPES)]
    image = np.repeat(np.array(bits, np.uint8) * 255, 64 // STRIPES)[:, None].repeat(64, axis=1)
    letters = "ab" if kind == "charts" else "xy"
    text = "".join(letters[bit] for bit in bits)
    return Sample(image, "<image>\nRead.", label or text, kind, {}, index, 0)


def write_set(
    folder: Path, counts: dict[str, int], split: str = "train", long: dict[str, list[int]] | None = None
) -> Path:
    """Write a set of stripes; samples of ``long`` have labels that no row of the tests has room for."""
    folder.mkdir(parents=True)
    config = {"counts": counts, "seed": 0, "split": split, "level": "easy", "shard_size": 8, "settings": {}}
    written = {}
    for shard in manifest.plan(counts, split, 8):
        writer = ArrayRecordWriter(str(folder / shard.name), "group_size:1,uncompressed")
        for index in range(shard.first, shard.first + shard.records):
            label = "z" * 300 if index in (long or {}).get(shard.kind, []) else None
            writer.write(records.encode(sample(shard.kind, index, label)))
        writer.close()
        data = (folder / shard.name).read_bytes()
        written[shard.name] = manifest.Written(shard.name, len(data), hashlib.sha256(data).hexdigest(), {})
    whole = manifest.Manifest(config, GENERATOR_VERSION, manifest.versions(), True, written)
    manifest.write_text(folder / manifest.FILE, manifest.dump(whole))
    return folder


def random_params(abstract: Any) -> Any:
    """Draw parameters on the host: the model's own initialisation takes seconds to compile."""
    rng = np.random.default_rng(0)

    def draw(path: tuple[Any, ...], leaf: Any) -> np.ndarray:
        if path_name(path).endswith(("scale", "bias")):
            return np.full(leaf.shape, path_name(path).endswith("scale"), leaf.dtype)
        return rng.normal(scale=leaf.shape[-2:][0] ** -0.5, size=leaf.shape).astype(leaf.dtype)

    return jax.tree.map_with_path(draw, abstract)


def batches(source: BatchSource, count: int) -> list[Batch]:
    """Return the first batches of a run."""
    with Feed(source, 0) as feed:
        return [next(feed).batch for _ in range(count)]


def tiny_config(folder: Path, **changes: object) -> TrainConfig:
    """Return a run on one device over the set ``folder/data``, with the tokenizer ``folder/tokenizer.json``."""
    config = TrainConfig(
        model=MODEL,
        tokenizer=folder / "tokenizer.json",
        data=(str(folder / "data"),),
        length=32,
        rows=8,
        steps=6,
        out=folder / "run",
        workers=0,
        optimizer=OptimizerConfig(peak_lr=1e-2, warmup=2, schedule="constant"),
        freeze=("^encoder/clip/",),
        mesh=MeshConfig(),
        loss_chunk=8,
        checkpoint_every=4,
        log_every=1,
    )
    return dataclasses.replace(config, **changes)
