"""One picture that shows the presets: ``python -m datagen.degrade.picture docs/pictures/degradation.png``.

Pieces of one chart and of one page at their own size, each as the presets leave it.
"""

import sys
from pathlib import Path

import numpy as np

from datagen.degrade.settings import PRESETS

_COLUMNS = 3

#: Lengths in pixels.
_HEIGHT, _WIDTH, _CAPTION, _GAP = 180, 318, 20, 4

#: Family, index and text height of the samples, where the piece begins (x, y), a seed of the degradation, and the
#: presets to show: what needs its colours is not faxed.
_SAMPLES = (
    ("charts", 1, 10.0, (60, 10), 60, ("none", "light", "scan", "scan", "photo", "screen")),
    ("geometry", 3, 12.0, (0, 0), 8, ("none", "light", "scan", "photo", "screen", "fax")),
    ("pages", 0, 15.0, (80, 40), 12, ("none", "light", "scan", "photo", "screen", "fax")),
)

#: Few enough colours for a small file, without dots to imitate others.
_COLOURS = 256


def draw() -> np.ndarray:
    """Return the picture, uint8 ``[height, width, 3]``: a block of presets for each sample, below each other."""
    from datagen.degrade.apply import degrade
    from datagen.sample import make_sample

    cells = []
    for family, index, detail, (left, top), seed, names in _SAMPLES:
        image = make_sample(3, family, index, "train", "standard").image
        for number, name in enumerate(names):
            rng = np.random.default_rng(seed + number)
            degraded, _ = degrade(image, rng, PRESETS[name], detail=detail)
            cells.append(_cell(degraded[top:, left:], f"{family}, {name}"))
    rows = [np.hstack(cells[first : first + _COLUMNS]) for first in range(0, len(cells), _COLUMNS)]
    return np.vstack(rows)


def _cell(image: np.ndarray, caption: str) -> np.ndarray:
    import cv2
    from PIL import Image, ImageDraw

    from datagen import fonts

    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    shown = image[:_HEIGHT, :_WIDTH]
    cell = np.full((_CAPTION + _HEIGHT + _GAP, _WIDTH + _GAP, 3), 233, np.uint8)
    cell[_CAPTION : _CAPTION + shown.shape[0], : shown.shape[1]] = shown
    page = Image.fromarray(cell)
    ImageDraw.Draw(page).text((4, 2), caption, fill=(25, 28, 33), font=fonts.load("DejaVuSans", 13))
    return np.asarray(page)


def main() -> None:
    """Write the picture to the path that is given."""
    from PIL import Image

    path = Path(sys.argv[1])
    picture = Image.fromarray(draw()).quantize(_COLOURS, kmeans=2, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
