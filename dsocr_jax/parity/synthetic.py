"""Weights, pictures and inputs by formula, so that numbers can be compared without the released weights.

Only a bit generator whose stream numpy guarantees and single float32 operations are used: the arrays are the same
bit for bit on every machine. For a tensor ``name`` and a text ``seed``::

    s = sums of the four 16-bit pieces of every draw of PCG64(sha256("seed:name"))     # exact integers, mean 131070
    w = bfloat16(float32(s - 131070) * float32(scale * sqrt(3) / 65536) + offset)      # about N(offset, scale^2)
"""

import hashlib
import math

import ml_dtypes
import numpy as np

BFLOAT16: np.dtype = np.dtype(ml_dtypes.bfloat16)

#: Mean of four draws of 16 bits, and what makes their spread 1.
MEAN, UNIT = 131070, math.sqrt(3.0) / 65536
#: Draws made at a time: 32 MiB of them.
CHUNK = 1 << 22

#: With a seed of this ending the tensors of `SHRUNK` are scaled by `SHRINK`.
SMALL_SEED = "-small"
#: Exact in bfloat16; makes what enters the normalisations as small as their epsilons.
SHRINK = np.float32(2.0**-10)
#: Endings of the names of the tensors whose product a normalisation takes directly.
SHRUNK = (
    ".patch_embed.proj.weight",
    ".patch_embed.proj.bias",
    ".pos_embed",
    ".neck.0.weight",
    ".neck.2.weight",
    ".net_3.weight",
    ".class_embedding",
    ".position_embedding.weight",
    ".pre_layrnorm.weight",
    ".pre_layrnorm.bias",
    ".projector.layers.weight",
    ".projector.layers.bias",
    ".embed_tokens.weight",
    ".image_newline",
    ".view_seperator",
)


def noise(key: str, size: int) -> np.ndarray:
    """Return ``size`` uint32 numbers from 0 to 262140, named by ``key``."""
    generator = np.random.PCG64(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little"))
    out = np.empty(size, np.uint32)
    for start in range(0, size, CHUNK):
        stop = min(size, start + CHUNK)
        # Pieces are added, so their order within a draw, and with it the machine's byte order, does not matter.
        pieces = generator.random_raw(stop - start).view(np.uint16).reshape(-1, 4)
        np.copyto(out[start:stop], pieces[:, 0])
        for k in (1, 2, 3):
            out[start:stop] += pieces[:, k]
    return out


def normal(key: str, shape: tuple[int, ...], scale: float) -> np.ndarray:
    """Return float32 numbers of about N(0, scale^2)."""
    centred = (noise(key, math.prod(shape)).astype(np.int32) - MEAN).astype(np.float32)
    return (centred * np.float32(UNIT * scale)).reshape(shape)


def spread_and_mean(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Return scale and offset of the released tensor ``name``."""
    if name.endswith(".bias"):
        return 0.1, 0.0
    if name.endswith((".rel_pos_h", ".rel_pos_w")):
        return 0.15, 0.0
    if name.endswith((".pos_embed", ".position_embedding.weight")):
        return 0.5, 0.0
    if name.endswith(("embed_tokens.weight", "class_embedding", "image_newline", "view_seperator")):
        return 1.0, 0.0
    if len(shape) == 1:  # the weight of a normalisation
        return 0.1, 1.0
    gain = 3.0 if name == "lm_head.weight" else 2.0 if name.endswith(".mlp.gate.weight") else 1.0
    return gain / math.sqrt(math.prod(shape[1:])), 0.0


def tensor(name: str, shape: tuple[int, ...], seed: str) -> np.ndarray:
    """Return the released tensor ``name`` of a seed: bfloat16, in PyTorch layout."""
    scale, offset = spread_and_mean(name, shape)
    values = normal(f"{seed}:{name}", shape, scale)
    values += np.float32(offset)
    rounded = values.astype(BFLOAT16)
    if seed.endswith(SMALL_SEED) and name.endswith(SHRUNK):
        rounded = (rounded.astype(np.float32) * SHRINK).astype(BFLOAT16)
    return rounded


def image(key: str, height: int, width: int) -> np.ndarray:
    """Return a picture, uint8 [height, width, 3]: two gradients and noise."""
    down = (64 * np.arange(height) // height)[:, None, None]
    across = (112 * np.arange(width) // width)[None, :, None]
    grain = (noise(f"image:{key}", height * width * 3) % 48).reshape(height, width, 3)
    return (across + down + 16 * np.arange(3) + grain).astype(np.uint8)


def operation_input(key: str, shape: tuple[int, ...], scale: float) -> np.ndarray:
    """Return an input of a single operation: float32, about N(0, scale^2)."""
    return normal(f"ops:{key}", shape, scale)
