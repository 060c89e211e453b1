"""The work and the bytes that reading needs, from the configuration alone; the tests count them in the program."""

from dsocr_jax.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig


def encoder_flops(config: ModelConfig, size: int) -> int:
    """Floating-point operations of the matrix products and convolutions for one view of ``size`` pixels.

    A multiplication and an addition count two. Windows count with their padding, as the architecture has it.
    """
    sam, clip = config.sam, config.clip
    side = size // sam.patch
    tokens = (size // config.stride) ** 2
    total = side**2 * 3 * sam.patch**2 * sam.width
    for layer in range(sam.layers):
        total += _sam_layer(sam, side, 0 if layer in sam.global_layers else sam.window)
    total += side**2 * (sam.width * sam.neck + 9 * sam.neck**2)
    first, second = sam.compressor
    total += (side // 2) ** 2 * 9 * sam.neck * first + (side // 4) ** 2 * 9 * first * second
    total += clip.layers * _clip_layer(clip, tokens + 1)
    total += tokens * (clip.width + second) * config.decoder.hidden
    return 2 * total


def _sam_layer(sam: SamConfig, side: int, window: int) -> int:
    w = sam.width
    extent = window or side
    maps = (-(-side // window)) ** 2 if window else 1
    inside = extent**2
    # Queries against keys, against rows and columns of relative positions, and weights against values.
    scores = maps * inside * (2 * inside + 2 * extent) * w
    return maps * inside * 4 * w**2 + scores + side**2 * 2 * sam.mlp_ratio * w**2


def _clip_layer(clip: ClipConfig, tokens: int) -> int:
    return tokens * (4 * clip.width**2 + 2 * clip.width * clip.ffn) + 2 * tokens**2 * clip.width


def decode_bytes(config: DecoderConfig, batch: int, context: float, itemsize: int) -> float:
    """Bytes that a step must read: weights of the experts asked (if all are as likely), of the rest, and the cache."""
    h, d = config.hidden, config.hidden // config.heads
    attention = h * (config.heads + 2 * config.kv_heads) * d + config.heads * d * h
    dense = 3 * h * config.dense_ffn
    shared = 3 * h * config.shared_experts * config.expert_ffn
    asked = config.experts * (1 - (1 - config.top_k / config.experts) ** batch)
    routed = 3 * h * config.expert_ffn * asked + 2 * h * config.experts
    sparse = config.layers - config.dense_layers
    weights = config.layers * attention + config.dense_layers * dense + sparse * (shared + routed)
    weights += h * config.vocab_size
    cache = 2 * config.layers * batch * context * config.kv_heads * d
    return (weights + cache) * itemsize
