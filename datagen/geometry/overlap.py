"""Draws a label again and holds it against its picture: every stroke is where the label says, and there is no other."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from datagen.geometry.strokes import draw_figure
from datagen.geometry.style import Frame
from dsocr_jax.answers.geometry import parse_figure

#: Ink counts as found if the other drawing has ink within this many pixels: less than half a gap between dashes.
TOLERANCE = 1
#: `redraw_iou` of a picture as `render` returned it is at least this.
BAR = 0.95
#: Darker than this share of the way from paper to ink is ink; shading and ruled lines are lighter.
DARK = 0.45


def redraw_iou(image: np.ndarray, label: str, meta: dict[str, Any]) -> float:
    """Return how well the strokes that a label describes cover those of its picture, 0 to 1.

    The label's segments and circles are drawn where ``meta["frame"]`` puts them. Ink that has no counterpart in the
    other drawing within `TOLERANCE` pixels counts against both: the result is the intersection over the union of the
    two inks, dilated so. Letters, dots and marks are left out: what lies in ``meta["boxes"]`` is in neither ink.

    Args:
        image: as drawn, not degraded: uint8 ``[height, width]`` or ``[height, width, 3]``.
        label: the dictionary text.
        meta: of the picture.
    """
    drawn, again = _ink(image), _redrawn(image.shape[:2], label, Frame.from_numbers(meta["frame"]))
    for box in meta["boxes"]:
        left, top, right, bottom = (max(0, value) for value in box)
        drawn[top:bottom, left:right] = 0
        again[top:bottom, left:right] = 0
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * TOLERANCE + 1, 2 * TOLERANCE + 1))
    found = cv2.countNonZero(cv2.bitwise_and(drawn, cv2.dilate(again, near)))
    covered = cv2.countNonZero(cv2.bitwise_and(again, cv2.dilate(drawn, near)))
    total, expected = cv2.countNonZero(drawn), cv2.countNonZero(again)
    both = (found + covered) / 2
    return both / max(1.0, total + expected - both)


def verify(image: np.ndarray, label: str, meta: dict[str, Any]) -> list[str]:
    """Return what is wrong with a picture as ``render`` returned it: one line, or none."""
    overlap = redraw_iou(image, label, meta)
    return [] if overlap >= BAR else [f"the label drawn again covers the strokes by {overlap:.2f}, less than {BAR}"]


def _ink(image: np.ndarray) -> np.ndarray:
    """Return where ink is as 255; a coloured ink is dark in one of the channels at least."""
    darkness = 255 - (image if image.ndim == 2 else image.min(-1)).astype(np.int16)
    paper = int(np.bincount(darkness.ravel()).argmax())
    return ((darkness - paper) > DARK * (darkness.max() - paper)).astype(np.uint8) * 255


def _redrawn(shape: Sequence[int], label: str, frame: Frame) -> np.ndarray:
    figure = parse_figure(label)
    strokes = [(complex(*s.start), complex(*s.end), s.dashed) for s in figure.segments]
    ink = np.zeros(shape, np.uint8)
    draw_figure(ink, strokes, [(complex(*c.center), c.radius) for c in figure.circles], frame)
    return (ink > 127).astype(np.uint8) * 255
