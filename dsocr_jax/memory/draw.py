"""Lines to a page: black on white."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsocr_jax.memory.fonts import load_font
from dsocr_jax.memory.options import MemoryOptions
from dsocr_jax.memory.typeset import Line

if TYPE_CHECKING:
    from PIL import Image

#: Height of the base line within its row, from the top, as a share of the row.
_BASE_LINE = 0.78


def draw_page(lines: Sequence[Line], options: MemoryOptions) -> "Image.Image":
    """Return a page, RGB, `MemoryOptions.side` pixels wide and high; a further line changes none above it.

    Args:
        lines: at most `MemoryOptions.rows`.
        options: page and font.
    """
    from PIL import Image, ImageDraw

    if len(lines) > options.rows:
        raise ValueError(f"a page has {options.rows} rows, not {len(lines)}")
    page = Image.new("L", (options.side, options.side), 255)
    draw = ImageDraw.Draw(page)
    for row, line in enumerate(lines):
        x: float = options.page_margin
        y = options.page_margin + row * options.row_height + round(_BASE_LINE * options.row_height)
        for run in line.runs:
            font = load_font(run.face, options.font_size)
            draw.text((round(x), y), run.text, 0, font, anchor="ls")
            x += font.getlength(run.text)
    return page.convert("RGB")
