"""From ink to a picture: colours of ink and paper, shading, ruled paper."""

import cv2
import numpy as np

from datagen.geometry.sketch import Composed
from datagen.geometry.strokes import fill
from datagen.geometry.style import Colour, Style

#: How bright the lines of ruled paper are, of 255.
RULED = 225


def coloured(ink: np.ndarray, second: np.ndarray | None, content: Composed, style: Style) -> np.ndarray:
    """Return the picture: uint8 ``[height, width]``, or ``[height, width, 3]`` where there is colour.

    Args:
        ink: 255 where the first ink is, 0 where there is none.
        second: the same of the second ink, if there is one.
        content: has the polygon that may be shaded.
        style: the colours.
    """
    layers = [(ink, style.ink)]
    if second is not None and style.second is not None:
        layers.append((second, style.second))
    paper = _paper(ink.shape, content, style)
    planes = [_plane(channel, paper, layers, style) for channel in range(1 if style.gray else 3)]
    return planes[0] if style.gray else cv2.merge(planes)


def _plane(channel: int, paper: np.ndarray | None, layers: list[tuple[np.ndarray, Colour]], style: Style) -> np.ndarray:
    """Return one channel of the picture."""
    level = style.paper[channel]
    if paper is None and len(layers) == 1:
        ink, colour = layers[0]
        if (colour[channel], level) == (0, 255):
            return cv2.bitwise_not(ink)
        return cv2.convertScaleAbs(ink, alpha=(colour[channel] - level) / 255, beta=level)
    plane = np.full_like(layers[0][0], level) if paper is None else cv2.convertScaleAbs(paper, alpha=level / 255)
    for ink, colour in layers:
        plane = cv2.multiply(plane, cv2.bitwise_not(ink), scale=1 / 255)
        if colour[channel]:
            plane = cv2.add(plane, cv2.convertScaleAbs(ink, alpha=colour[channel] / 255))
    return plane


def _paper(shape: tuple[int, ...], content: Composed, style: Style) -> np.ndarray | None:
    """Return how bright the paper is by shading and ruled lines, 255 where it is plain; nothing if it is all plain."""
    if not style.ruled and not (style.shade and content.corners):
        return None
    paper = np.full(shape, 255, np.uint8)
    if style.ruled:
        paper[style.ruled // 2 :: style.ruled] = RULED
        paper[:, style.ruled // 2 :: style.ruled] = RULED
    if style.shade and content.corners:
        cover = np.zeros(shape, np.uint8)
        fill(cover, [style.frame.pixel(corner) for corner in content.corners], round(255 * style.shade))
        np.subtract(paper, cover, out=paper)
    return paper
