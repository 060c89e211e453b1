"""Parts that happen when a page is printed: spread of ink, halftone dots, missing toner, black and white only."""

import cv2
import numpy as np

from datagen.degrade import textures
from datagen.degrade.arithmetic import Facts, blend, exact, stretch
from datagen.degrade.legibility import Legibility
from datagen.degrade.tiles import piece, tile

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def ink(image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility) -> tuple[np.ndarray, Facts]:
    """Spread the ink (strokes grow) or thin it, then make the edges ragged."""
    spread, raggedness = rng.random(2).tolist()
    spreads = spread < 0.65
    grown = cv2.erode(image, _CROSS) if spreads else cv2.dilate(image, _CROSS)
    # Holes of small letters close, and thin strokes vanish, long before large ones do.
    amount = strength * (0.1 + 0.55 * legible.share(7, 22)) * (1.0 if spreads else 0.6)
    image = blend(image, grown, amount)
    height, width = image.shape[:2]
    grain = piece(tile(textures.noise, 1), height, width, rng)
    if image.ndim == 3:
        grain = cv2.merge([grain] * 3)
    # A little lighter, so that the unevenness shows in ink and tones and at edges, and hardly on paper.
    rough, mean = stretch((0.1 + 0.4 * raggedness) * strength, 128)
    lighter = round(1.2 * rough * textures.NOISE_SIGMA)
    image = cv2.addWeighted(image, 1, grain, rough, mean + lighter)
    return image, {"spread" if spreads else "thinned": amount}


def halftone(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Print tones as dots; paper and full ink stay as they are."""
    fine = [i for i, period in enumerate(textures.HALFTONES) if i == 0 or period < legible.detail / 3.2]
    which = fine[int(rng.random() * len(fine))]
    height, width = image.shape[:2]
    dots = piece(tile(textures.halftone, which, 1 if image.ndim == 2 else 3), height, width, rng, turn=False)
    printed = cv2.addWeighted(image, 2, dots, -2, 128)
    amount = strength * (0.35 + 0.4 * legible.share(8, 20))
    return blend(image, printed, amount), {"period": textures.HALFTONES[which], "amount": amount}


def dropouts(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Lighten spots of the ink, and lay dust on the paper."""
    height, width = image.shape[:2]
    amount = exact(strength * (0.35 + 0.65 * legible.share(8, 24)))
    missing = cv2.convertScaleAbs(piece(tile(textures.dropouts), height, width, rng), alpha=amount)
    dust = cv2.convertScaleAbs(piece(tile(textures.dust), height, width, rng), alpha=amount, beta=255 * (1 - amount))
    if image.ndim == 3:
        missing, dust = cv2.merge([missing] * 3), cv2.merge([dust] * 3)
    return cv2.min(cv2.add(image, missing), dust), {"amount": amount}


def bilevel(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Leave black and white; at less than full strength, and for small text, edges stay softer."""
    height, width = image.shape[:2]
    # Uneven thresholds make ragged edges. They are high, so that thin smooth lines, never quite black, do not break.
    base = 160 + 5 * round(4 * rng.random())
    grain = piece(tile(textures.noise, 1), height, width, rng)
    level = cv2.convertScaleAbs(grain, alpha=0.375, beta=base - 48)
    gain = round(2 + 6 * strength * legible.share(6, 16))
    hard = cv2.addWeighted(image, gain, level, -gain, 128)
    return blend(image, hard, strength), {"gain": gain}
