"""Blur and loss of resolution. All parts share one allowance of blur, `datagen.degrade.legibility.Legibility`."""

import math

import cv2
import numpy as np

from datagen.degrade.arithmetic import Facts, blend
from datagen.degrade.legibility import Legibility

#: Standard deviations in pixels at strength 1, for text of 20 pixels or more.
_MOST_GAUSSIAN, _MOST_DEFOCUS, _MOST_MOTION = 1.7, 1.6, 1.7

_SMALLEST = 0.02


def gaussian_blur(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Blur by a Gaussian."""
    sigma = legible.take_blur(_MOST_GAUSSIAN * strength)
    if sigma < _SMALLEST:
        return image, {"sigma": 0.0}
    side = 3 if sigma < 0.75 else 5 if sigma < 1.25 else 7
    return cv2.GaussianBlur(image, (side, side), sigma), {"sigma": sigma}


def defocus(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Blur by a box as wide as the lens's disc, mixed with the next smaller one for sizes between."""
    sigma = legible.take_blur(_MOST_DEFOCUS * strength)
    # A box of side n has the variance (n*n - 1) / 12 along each axis; a mixture has the mean of the variances.
    variance, side = sigma * sigma, 3
    while (side * side - 1) / 12 < variance:
        side += 2
    smaller = side - 2
    inner, outer = (smaller * smaller - 1) / 12, (side * side - 1) / 12
    base = cv2.blur(image, (smaller, smaller)) if smaller > 1 else image
    return blend(base, cv2.blur(image, (side, side)), (variance - inner) / (outer - inner)), {"sigma": sigma}


def motion_blur(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Smear along a line: the mean of the picture and shifted copies of it."""
    angle = 2 * math.pi * rng.random()
    sigma = legible.take_blur(_MOST_MOTION * strength)
    # Two copies at a distance d, mixed in equal parts, have a standard deviation of d / 2 along the line.
    far = max(1, round(2 * sigma / math.sqrt(1.25)))
    steps = ((far, 1.0), (max(1, far // 2), 1.0)) if far > 1 else ((1, min(1.0, 4 * sigma * sigma)),)
    for distance, share in steps:
        dx, dy = round(distance * math.cos(angle)), round(distance * math.sin(angle))
        image = blend(image, _shifted(image, dx, dy), share / 2)
    return image, {"sigma": sigma, "degrees": math.degrees(angle)}


def _shifted(image: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Return the picture moved by whole pixels; its edges are repeated."""
    height, width = image.shape[:2]
    wide = cv2.copyMakeBorder(image, max(dy, 0), max(-dy, 0), max(dx, 0), max(-dx, 0), cv2.BORDER_REPLICATE)
    return wide[max(-dy, 0) : max(-dy, 0) + height, max(-dx, 0) : max(-dx, 0) + width]


def rescale(
    image: np.ndarray, strength: float, rng: np.random.Generator, legible: Legibility
) -> tuple[np.ndarray, Facts]:
    """Make the picture smaller, then as large as before."""
    factor = max(1 - 0.55 * strength, legible.smallest_scale())
    height, width = image.shape[:2]
    # Half a pixel of the small picture is lost.
    legible.take_blur(0.5 * math.sqrt(1 / factor**2 - 1))
    small = cv2.resize(image, (max(1, round(width * factor)), max(1, round(height * factor))))
    return cv2.resize(small, (width, height)), {"factor": factor}
