"""A model that compiles in seconds, random weights, a tokenizer of bytes; requests, pages, pictures and answers."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import tokenizers
from flax import nnx
from PIL import Image

from dsocr_jax.batch import Example, collate, make_example
from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig
from dsocr_jax.model.ocr import DeepseekOCR
from dsocr_jax.modes import Mode
from dsocr_jax.reading.documents import Page
from dsocr_jax.reading.engine import Engine, EngineOptions, Progress, Request
from dsocr_jax.reading.generate import generate
from dsocr_jax.reading.repetition import NoRepeat
from dsocr_jax.tokenizer import BOS, EOS, OCR_TOKENS, PAD, Tokenizer
from dsocr_jax.weights.checkpoint import LoadedModel
from dsocr_jax.weights.params import abstract_model

SPECIAL = [BOS, EOS, PAD, *OCR_TOKENS]
MODES = (
    Mode("tiny", base_size=64, tile_size=64, crop=False, fit="stretch"),
    Mode("base", base_size=128, tile_size=128, crop=False, fit="pad"),
    Mode("gundam", base_size=128, tile_size=64, crop=True, fit="pad", max_tiles=4, tile_threshold=64),
)
CONFIG = ModelConfig(
    sam=SamConfig(width=16, layers=1, heads=2, global_layers=(0,), window=4, grid=4, neck=8, compressor=(8, 16)),
    clip=ClipConfig(width=16, layers=1, heads=2, ffn=32, grid=1),
    decoder=DecoderConfig(
        vocab_size=288, hidden=32, layers=2, heads=2, kv_heads=2, dense_layers=1, dense_ffn=32, experts=4, top_k=2,
        expert_ffn=16, max_positions=256,
    ),
    modes=MODES,
    image_token_id=SPECIAL.index(OCR_TOKENS[0]),
)  # fmt: skip


@cache
def model(scale: float = 0.15) -> DeepseekOCR:
    rng = np.random.default_rng(0)
    graph, state = abstract_model(CONFIG)
    params = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(scale=scale, size=leaf.shape), leaf.dtype), state)
    return nnx.merge(graph, params)


@cache
def tokenizer() -> Tokenizer:
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    words = {word: number for number, word in enumerate([*SPECIAL, *letters])}
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(words, []))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    inner.add_special_tokens(SPECIAL)
    return Tokenizer(inner)


def loaded() -> LoadedModel:
    return LoadedModel(CONFIG, model(), tokenizer())


def picture(seed: int, width: int = 90, height: int = 60) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def page(seed: int, width: int = 90, height: int = 60) -> Page:
    return Page(picture(seed, width, height), f"picture {seed}", name=f"picture-{seed}")


def example(seed: int, mode: Mode | None = MODES[0], prompt: str = "<image>\nRead.") -> Example:
    if mode is None:
        return make_example(tokenizer(), CONFIG, None, prompt.replace("<image>", ""))
    return make_example(tokenizer(), CONFIG, mode, prompt, picture(seed))


def run(requests: list[Request], options: EngineOptions) -> dict[int, Progress]:
    """What an engine answers, by key."""
    engine = Engine(model(), options)
    for request in requests:
        engine.add(request)
    done = {}
    while engine.busy:
        for progress in engine.step():
            if progress.finish_reason:
                assert progress.request.key not in done
                done[progress.request.key] = progress
    assert engine.pool.free == engine.pool.available
    return done


@cache
def _generate(
    key: int, mode: Mode | None, prompt: str, most: int, rule: NoRepeat | None
) -> tuple[list[int], list[float]]:
    row = example(key, mode, prompt)
    # Room for the views of any mode: one program for each rule.
    out = generate(model(), collate([row], CONFIG, 64, {64: 5, 128: 1}), most, rule)
    n = int(out.lengths[0])
    return np.asarray(out.tokens)[0, :n].tolist(), np.asarray(out.log_probs)[0, :n].tolist()


def reference(
    key: int, mode: Mode | None = MODES[0], prompt: str = "<image>\nRead.", most: int = 40, rule: NoRepeat | None = None
) -> tuple[list[int], list[float]]:
    """Ids and log-probabilities that the plain loop gives for the row alone."""
    return _generate(key, mode, prompt, most, rule)
