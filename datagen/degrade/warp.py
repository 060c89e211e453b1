"""The page lies askew or is seen at an angle: one homography, and the paper goes on around the picture."""

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from datagen.degrade.legibility import Legibility

Matrix = list[list[float]]

IDENTITY: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]

#: At strength 1.
_MOST_DEGREES = 6.0
_MOST_TILT = 0.11

#: Turning may add this share of the shorter side, at most: a long strip is turned less.
_MOST_GROWTH = 0.3

#: What interpolation between pixels blurs, as a standard deviation.
_OWN_BLUR = 0.35


def homography(
    height: int, width: int, rotation: float, perspective: float, rng: np.random.Generator, legible: Legibility
) -> tuple[Matrix, tuple[int, int], dict[str, float]]:
    """Return a random homography that keeps the whole picture, the size (rows, columns) of the result, and its facts.

    Pixel ``(x, y)``, counted from 0 at the centre of the first, goes to ``H @ (x, y, 1)``.
    """
    turn, right, down = (2 * rng.random(3) - 1).tolist()
    sign = 1.0 if turn > 0 else -1.0
    limit = math.asin(min(1.0, _MOST_GROWTH * min(height, width) / max(height, width)))
    # Where a part is wanted it shows: the amount is the strength, only little varied.
    angle = min(limit, math.radians(_MOST_DEGREES) * rotation * (0.6 + 0.4 * abs(turn))) * sign
    # What is far away gets smaller, which small text cannot.
    most = _MOST_TILT * perspective * (0.4 + 0.6 * legible.share(8, 18))
    tilt_x, tilt_y = most * right, most * down
    cos, sin = math.cos(angle), math.sin(angle)
    to_centre: Matrix = [[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]]
    turned: Matrix = [[cos, -sin, 0], [sin, cos, 0], [2 * tilt_x / width, 2 * tilt_y / height, 1]]
    placed = _times(turned, to_centre)
    xs, ys = zip(*(_apply(placed, x, y) for x in (-0.5, width - 0.5) for y in (-0.5, height - 0.5)), strict=True)
    moved = _times([[1, 0, -0.5 - min(xs)], [0, 1, -0.5 - min(ys)], [0, 0, 1]], placed)
    # Rounded, so that the last bits of a processor's sine do not show in the record.
    matrix = [[float(f"{value / moved[2][2]:.10g}") for value in row] for row in moved]
    size = max(1, math.ceil(max(ys) - min(ys) - 1e-6)), max(1, math.ceil(max(xs) - min(xs) - 1e-6))
    return matrix, size, {"degrees": math.degrees(angle), "tilt_x": tilt_x, "tilt_y": tilt_y}


def apply(image: np.ndarray, matrix: Matrix, size: tuple[int, int], legible: Legibility) -> np.ndarray:
    """Return the picture under a homography, ``[*size]`` and its channels, on paper of its border's colour."""
    legible.take_blur(_OWN_BLUR)
    paper = border_colour(image)
    transform, (height, width) = np.array(matrix), size
    if image.ndim == 2:
        return cv2.warpPerspective(image, transform, (width, height), borderValue=paper)
    # OpenCV takes half the time for four channels that it takes for three.
    four = cv2.warpPerspective(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), transform, (width, height), borderValue=paper)
    return cv2.cvtColor(four, cv2.COLOR_RGBA2RGB)


def border_colour(image: np.ndarray) -> tuple[float, ...]:
    """Return the median colour of the picture's outermost pixels, one value for each channel."""
    edges = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]).reshape(-1, *image.shape[2:])
    middle = len(edges) // 2
    return tuple(float(value) for value in np.atleast_1d(np.partition(edges, middle, axis=0)[middle]))


def map_points(record: dict[str, Any], points: npt.ArrayLike) -> np.ndarray:
    """Return where points of the original picture are in the degraded one.

    Args:
        record: what `datagen.degrade.degrade` returned.
        points: ``[n, 2]`` x and y in pixels of the original, 0 at the centre of the first pixel.

    Returns:
        float64 ``[n, 2]``, in pixels of the result; none lies outside of it if the original point was inside.
    """
    at = np.asarray(points, np.float64).reshape(-1, 2)
    h = record["homography"]
    mapped = [at[:, 0] * row[0] + at[:, 1] * row[1] + row[2] for row in h]
    return np.stack([mapped[0] / mapped[2], mapped[1] / mapped[2]], axis=1)


def _times(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]]) -> Matrix:
    # By hand: a matrix product of NumPy goes through BLAS, whose last bits depend on the processor.
    return [[sum(a[i][k] * b[k][j] for k in range(3)) for j in range(3)] for i in range(3)]


def _apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in matrix)
    return u / w, v / w
