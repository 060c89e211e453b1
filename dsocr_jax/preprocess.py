"""From an upright RGB picture to the square views that the model sees, byte for byte as the original makes them.

All resizing is Pillow's bicubic filter. Views stay uint8: the model looks the float values up in `NORMALISED`, which
costs a quarter of the transfer and is bit-exact.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from dsocr_jax.modes import Grid, Mode, choose_grid, has_tiles

#: Grey of the padding, the same in all three channels; after normalisation it is close to 0 but not 0.
PAD_VALUE = 127

#: float32 [256]: the model's input value of each byte, ((v / 255) - 0.5) / 0.5 in single float32 steps.
NORMALISED: np.ndarray = ((np.arange(256, dtype=np.float32) / np.float32(255)) - np.float32(0.5)) / np.float32(0.5)
NORMALISED.setflags(write=False)


@dataclass(frozen=True)
class Views:
    """What the model sees of one picture.

    Attributes:
        global_view: uint8 [base_size, base_size, 3], or [base_size, base_size, 1] of a picture in grey.
        tiles: uint8 [n, tile_size, tile_size, 3], likewise, row by row; n is 0 without tiles.
        grid: (columns, rows) of the tiles; (1, 1) without tiles.
    """

    global_view: np.ndarray
    tiles: np.ndarray
    grid: Grid


def preprocess(image: Image.Image, mode: Mode, grey: bool = False) -> Views:
    """Make the views of one picture.

    Args:
        image: mode RGB and upright (any EXIF rotation already applied).
        mode: sizes and rules.
        grey: make views of one channel, the luma; the picture may then be in grey (mode L) already.
    """
    if grey:
        image = image.convert("L")
    elif image.mode != "RGB":
        raise ValueError(f"preprocess takes an RGB picture, not {image.mode}")
    grid = choose_grid(image.width, image.height, mode)
    if mode.fit == "stretch":
        view = _pixels(_resize(image, mode.base_size, mode.base_size))
    else:
        view = _pad(image, mode.base_size)
    return Views(view, _cut(image, grid, mode.tile_size), grid)


def normalise(view: np.ndarray) -> np.ndarray:
    """Return the model's input values of uint8 pixels, float32 of the same shape."""
    if view.dtype != np.uint8:
        raise ValueError(f"normalise takes uint8 pixels, not {view.dtype}")
    return NORMALISED[view]


def _pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).reshape(image.height, image.width, -1)


def _resize(image: Image.Image, width: int, height: int) -> Image.Image:
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _pad(image: Image.Image, size: int) -> np.ndarray:
    """Fit the picture inside a square, keeping its aspect ratio, centred on grey."""
    width = height = size
    if image.width > image.height:
        height = max(1, round(image.height / image.width * size))
    elif image.height > image.width:
        width = max(1, round(image.width / image.height * size))
    left, top = round((size - width) / 2), round((size - height) / 2)
    view = np.full((size, size, len(image.getbands())), PAD_VALUE, np.uint8)
    view[top : top + height, left : left + width] = _pixels(_resize(image, width, height))
    return view


def _cut(image: Image.Image, grid: Grid, size: int) -> np.ndarray:
    """Stretch the whole picture over the grid and cut it, row by row."""
    bands = len(image.getbands())
    if not has_tiles(grid):
        return np.zeros((0, size, size, bands), np.uint8)
    w, h = grid
    pixels = np.asarray(_resize(image, w * size, h * size)).reshape(h, size, w, size, bands)
    return np.ascontiguousarray(pixels.transpose(0, 2, 1, 3, 4)).reshape(w * h, size, size, bands)
