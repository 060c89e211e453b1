"""Arithmetic on bytes that comes out the same on every processor.

OpenCV computes weighted sums in single precision, with or without fused multiplication. If all weights are
multiples of 1/1024, and offsets too, each product and sum fits its 24 bits: there is nothing to round differently.
"""

from typing import Any

import cv2
import numpy as np

#: What a part tells about itself: JSON-compatible.
Facts = dict[str, Any]


def exact(value: float) -> float:
    """Return the nearest multiple of 1/1024."""
    return round(value * 1024) / 1024


def blend(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """Return ``first`` with ``share`` (0 to 1, taken in steps of 1/1024) of ``second``; same shapes, uint8."""
    share = exact(share)
    return first if share == 0 else cv2.addWeighted(first, 1 - share, second, share, 0)


def stretch(gain: float, middle: int) -> tuple[float, float]:
    """Return weight and offset that multiply the distance from ``middle`` by ``gain``, in steps of 1/1024."""
    gain = exact(gain)
    return gain, -gain * middle


def shade(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Return ``image`` times ``field`` / 255; a gray field shades a coloured picture, and the other way round not."""
    if image.ndim == 3 and field.ndim == 2:
        field = cv2.merge([field] * 3)
    return cv2.multiply(image, field, scale=1 / 255)


def shade_lightly(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Return `shade` as it is on white, for a gray field near 255: what the field lacks to 255 is taken off."""
    lack = cv2.bitwise_not(field)
    return cv2.subtract(image, cv2.merge([lack] * 3) if image.ndim == 3 else lack)
