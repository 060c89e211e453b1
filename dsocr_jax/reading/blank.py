"""Pages with nothing on them."""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

#: A mark differs from the paper around it by more than so many levels of grey, and by more still where the paper is
#: grainy: `GRAIN` times the upper quartile of all differences, up to `MOST`.
LEAST, GRAIN, MOST = 6, 6, 24
#: Pixels around a pixel that are its surroundings.
AROUND = 8
#: Specks are no taller than this share of the picture's longer side (half the height of small print); at the picture's
#: edge, where scans often have more, twice that.
SPECK = 1 / 200
#: Beyond this share of marked pixels there is surely something.
MARKED = 1 / 500


def is_blank(image: Image.Image) -> bool:
    """Whether a picture shows one colour, or paper, and nothing on it.

    Slow changes of brightness, the grain of paper and specks of dust count as paper. In doubt the answer is no: a page
    that is read for nothing costs time, a page that is not read is lost.

    Args:
        image: RGB.
    """
    for channel in image.split():  # a mark may differ from the paper in colour alone
        difference = ImageChops.difference(channel, channel.filter(ImageFilter.BoxBlur(AROUND)))
        counts = np.array(difference.histogram())
        quartile = int(np.searchsorted(counts.cumsum(), 0.75 * counts.sum()))
        threshold = min(MOST, LEAST + GRAIN * quartile)
        marked = counts[threshold + 1 :].sum()
        if marked == 0:
            continue
        if marked > MARKED * counts.sum():
            return False
        import cv2  # slow to import, and seldom needed

        marks = (np.asarray(difference) > threshold).astype(np.uint8)
        boxes = cv2.connectedComponentsWithStats(marks, connectivity=8)[2][1:]
        left, top, width, height = boxes[:, :4].T
        at_edge = (left == 0) | (top == 0) | (left + width == image.width) | (top + height == image.height)
        if (height > SPECK * max(image.size) * np.where(at_edge, 2, 1)).any():
            return False
    return True
