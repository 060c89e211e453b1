"""Blur and loss of resolution. All parts share one allowance of blur, `datagen.degrade.legibility.Legibility`."""

import math

import cv2
import numpy as np

from datagen.degrade.arithmetic import Facts, blend
from datagen.degrade.legibility import Legibility

#: Standard deviations in pixels at strength 1, for text of 20 pixels or more.
_MOST_GAUSSIAN, _MOST_DEFOCUS, _MOST_MOTION = 1.7, 1.6, 1.7

_SMALLEST = 0.02

#: Side of the kernel of motion, and how many points its line has.
_KERNEL, _POINTS = 9, 65


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
    """Smear along a line."""
    angle = math.pi * rng.random()
    # All of it along one line hides more than the same in all directions.
    sigma = legible.take_blur(_MOST_MOTION * strength, weight=2)
    # Points on a line of length l have the variance l * l / 12.
    along = np.linspace(-0.5, 0.5, _POINTS) * sigma * math.sqrt(12)
    kernel = np.zeros((_KERNEL, _KERNEL))
    x, y = along * math.cos(angle) + _KERNEL // 2, along * math.sin(angle) + _KERNEL // 2
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for right, down in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = np.abs(1 - right - (x - left)) * np.abs(1 - down - (y - top))
        np.add.at(kernel, (top + down, left + right), weight / _POINTS)
    # Weights of whole 1/1024 make the sums exact, as in `datagen.degrade.arithmetic`.
    kernel = np.rint(kernel * 1024)
    kernel[_KERNEL // 2, _KERNEL // 2] += 1024 - kernel.sum()
    blurred = cv2.filter2D(image, -1, (kernel / 1024).astype(np.float32), borderType=cv2.BORDER_REPLICATE)
    return blurred, {"sigma": sigma, "degrees": math.degrees(angle)}


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
