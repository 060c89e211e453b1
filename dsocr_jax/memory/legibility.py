"""How legible a page is in its mode, without asking a model.

Both numbers are proxies: they say what the resize leaves of the letters, not what a trained model reads.
"""

from typing import TYPE_CHECKING

from dsocr_jax.memory.fonts import load_font
from dsocr_jax.memory.options import MemoryOptions
from dsocr_jax.modes import Mode

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from dsocr_jax.memory.rendered import MemoryPage


def x_height(options: MemoryOptions, mode: Mode) -> float:
    """Return the height of a small x in a mode, in pixels of the view (float).

    It is measured on the font at 100 times the size, since at the size itself it is rounded to whole pixels.
    """
    _, top, _, bottom = load_font(options.font, 100 * options.font_size).getbbox("x", anchor="ls")
    return (bottom - top) / 100 * mode.base_size / options.side


def correlation(page: "MemoryPage") -> float:
    """Return the normalised correlation (Pearson) of a page with what the model sees of it, resized back.

    Of grey values, all pixels of the page; bicubic both ways. 1 where nothing is lost, and on a page without ink.
    """
    import numpy as np
    from PIL import Image

    seen = page.seen().resize(page.image.size, Image.Resampling.BICUBIC)
    drawn, left = _grey(page.image), _grey(seen)
    drawn -= drawn.mean()
    left -= left.mean()
    scale = float(np.sqrt((drawn**2).sum() * (left**2).sum()))
    return float((drawn * left).sum()) / scale if scale else 1.0


def _grey(picture: "Image.Image") -> "np.ndarray":
    import numpy as np

    return np.asarray(picture.convert("L"), np.float64)
