"""A photographed screen: fringes of colour where its pixels and the camera's disagree, and reflections."""

import cv2
import numpy as np

from datagen.degrade import textures
from datagen.degrade.arithmetic import Facts, exact
from datagen.degrade.legibility import Legibility
from datagen.degrade.tiles import piece, tile

_GRID = 24
_Y, _X = np.meshgrid(*[np.linspace(-1, 1, _GRID)] * 2, indexing="ij")


def moire(
    height: int, width: int, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Return the field of fringes and pixels, uint8 ``[height, width, 3]``, 255 where nothing changes."""
    which = int(rng.random() * textures.SCREENS)
    amount = exact(strength * (0.5 + 0.5 * legible.share(8, 18)))
    cut = piece(tile(textures.screen, which), height, width, rng, turn=False)
    return cv2.convertScaleAbs(cut, alpha=amount, beta=255 * (1 - amount)), {"screen": which, "amount": amount}


def glare(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Lay one or two soft reflections over the picture; text below keeps at least a good third of its contrast."""
    draw = rng.random((2, 6)).tolist()
    height, width = image.shape[:2]
    light = np.zeros((_GRID, _GRID))
    for number, (right, down, long, wide, turn, bright) in enumerate(draw):
        if number == 1 and bright < 0.5:
            continue
        angle = np.pi * turn
        x, y = _X - 2 * right + 1, _Y - 2 * down + 1
        u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        spot = np.clip(1 - (u / (0.4 + 1.4 * long)) ** 2 - (v / (0.25 + 0.4 * wide)) ** 2, 0, 1)
        light = np.maximum(light, (0.35 + 0.25 * bright) * spot * spot)
    kept = np.rint(255 * (1 - strength * light)).astype(np.uint8)
    field = cv2.resize(kept, (width, height), interpolation=cv2.INTER_LINEAR)
    if image.ndim == 3:
        field = cv2.merge([field] * 3)
    return cv2.bitwise_not(cv2.multiply(cv2.bitwise_not(image), field, scale=1 / 255)), {
        "brightest": float(round(strength * light.max(), 4))
    }
