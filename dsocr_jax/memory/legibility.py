"""How legible a page is in its mode, without asking a model.

All three numbers are proxies: they say what the resize leaves of the letters, not what a trained model reads.
"""

import functools
import string
from typing import TYPE_CHECKING

from dsocr_jax.memory.draw import draw_page
from dsocr_jax.memory.fonts import load_font
from dsocr_jax.memory.options import MemoryOptions
from dsocr_jax.memory.rendered import MemoryPage, see
from dsocr_jax.memory.typeset import Line, Run
from dsocr_jax.modes import Mode

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


#: What `letters` tells apart.
ALPHABET = string.ascii_letters + string.digits
#: Rows of random letters that are drawn, half of them as examples; most letters of a row, and of a word.
_ROWS, _COLUMNS, _WORD = 40, 120, 6


def x_height(options: MemoryOptions, mode: Mode) -> float:
    """Return the height of a small x in a mode, in pixels of the view (float).

    It is measured on the font at 100 times the size, since at the size itself it is rounded to whole pixels.
    """
    _, top, _, bottom = load_font(options.font, 100 * options.font_size).getbbox("x", anchor="ls")
    return (bottom - top) / 100 * mode.base_size / options.side


def correlation(page: MemoryPage) -> float:
    """Return the normalised correlation (Pearson) of a page with what the model sees of it, resized back.

    Of grey values, all pixels of the page; bicubic both ways. 1 where nothing is lost, and on a page without ink.
    """
    import numpy as np

    image = page.image
    drawn, left = _grey(image), _grey(_back(image, page.mode))
    drawn -= drawn.mean()
    left -= left.mean()
    scale = float(np.sqrt((drawn**2).sum() * (left**2).sum()))
    return float((drawn * left).sum()) / scale if scale else 1.0


def _grey(picture: "Image.Image") -> "np.ndarray":
    import numpy as np

    return np.asarray(picture.convert("L"), np.float64)


@functools.lru_cache(maxsize=64)
def letters(options: MemoryOptions, mode: Mode, seed: int = 0) -> float:
    """Return the share of random letters and digits that their nearest examples name (float, 0 to 1).

    Words of random characters (no language to guess from) are drawn, seen in the mode and resized back; every
    character, a window as wide as half its font size and as high as a row, is named after the one most correlated with
    it among those of the other rows. Chance is about 1 in 62.

    Args:
        options: page and font.
        mode: in which the page is seen.
        seed: of the characters.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    font = load_font(options.font, options.font_size)
    count = min(_COLUMNS, int(options.text_width / font.getlength("W")))
    rows = min(_ROWS, options.rows)
    texts = ["".join(rng.choice(list(ALPHABET), count)) for _ in range(rows)]
    texts = [" ".join(text[at : at + _WORD] for at in range(0, count, _WORD))[:count] for text in texts]
    windows, names = _windows(texts, options, mode)
    half = sum(character != " " for text in texts[: rows // 2] for character in text)
    nearest = (windows[half:] @ windows[:half].T).argmax(axis=1)
    return float(np.mean(names[:half][nearest] == names[half:]))


def _windows(texts: "list[str]", options: MemoryOptions, mode: Mode) -> "tuple[np.ndarray, np.ndarray]":
    """Return each character's pixels as it is seen, float32 [n, pixels] of mean 0 and length 1, and the characters."""
    import numpy as np

    drawn = draw_page([Line(0, (Run(options.font, text),), 0) for text in texts], options)
    grey = _grey(_back(drawn, mode))
    font, half = load_font(options.font, options.font_size), options.font_size // 4
    windows, names = [], []
    for row, text in enumerate(texts):
        top = options.page_margin + row * options.row_height
        for place, character in enumerate(text):
            if character != " ":
                middle = options.page_margin + font.getlength(text[:place]) + font.getlength(character) / 2
                left = min(max(round(middle) - half, 0), options.side - 2 * half)
                windows.append(grey[top : top + options.row_height, left : left + 2 * half].ravel())
                names.append(character)
    values = np.stack(windows).astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6), np.array(names)


def _back(page: "Image.Image", mode: Mode) -> "Image.Image":
    """Return what is seen of a page, as large as the page itself."""
    from PIL import Image

    return see(page, mode).resize(page.size, Image.Resampling.BICUBIC)
