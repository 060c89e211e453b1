"""Boxes of a grounded label follow their picture when it is turned, tilted, made larger or cut.

No part of `datagen.degrade` bends a picture: what happens to its geometry is one homography, which its record holds.
"""

import math
from typing import Any

import numpy as np

from datagen.family import Rejected
from dsocr_jax.answers.grounding import SPAN, Box, Grounded, parse_grounding, write_grounding

#: A box of which less than this share is still on the picture has lost what it is around.
_LEFT = 0.5


def follow(label: str, size: tuple[int, int], record: dict[str, Any]) -> str:
    """Return a label with its boxes where they are on the degraded picture; the same if it has none.

    Args:
        label: of the picture as it was drawn.
        size: height and width of that picture.
        record: what `datagen.degradation.apply` returned; empty when nothing was done.

    Raises:
        Rejected: more than half of a box is no longer on the picture.
        AnswerError: the label is malformed.
    """
    parts = parse_grounding(label) if record else []
    pieces, at = [], 0
    for part in parts:
        boxes = tuple(map_box(box, size, record) for box in part.boxes)
        pieces += [label[at : part.span[0]], write_grounding(Grounded(part.label, boxes))]
        at = part.span[1]
    return "".join([*pieces, label[at:]])


def map_box(box: Box, size: tuple[int, int], record: dict[str, Any]) -> Box:
    """Return the smallest upright box, in 0..999, that holds ``box`` on the degraded picture; arguments as above."""
    from datagen.degrade.warp import map_points

    left, top, right, bottom = box
    corners = np.array([(x, y) for x in (left, right) for y in (top, bottom)], np.float64)
    # Boxes count from the edge of the first pixel, homographies from its centre.
    points = map_points(record, corners * (size[1] / SPAN, size[0] / SPAN) - 0.5) + 0.5
    spans = points * (SPAN / record["size"][1], SPAN / record["size"][0])
    low, high = spans.min(axis=0), spans.max(axis=0)
    kept_low, kept_high = np.clip(low, 0, SPAN), np.clip(high, 0, SPAN)
    sides, kept = np.maximum(high - low, 1e-6), kept_high - kept_low
    if float(np.prod(kept / sides)) < _LEFT and float(np.prod(sides)) > 1:
        raise Rejected("a box leaves the picture")
    # Rounded first, so that what only arithmetic adds moves no side.
    x1, y1 = (math.floor(value) for value in np.round(kept_low, 6).tolist())
    x2, y2 = (math.ceil(value) for value in np.round(kept_high, 6).tolist())
    return x1, y1, x2, y2
