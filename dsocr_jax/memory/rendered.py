"""What a memory shows under a budget."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsocr_jax.memory.draw import draw_page
from dsocr_jax.memory.options import MemoryOptions
from dsocr_jax.memory.typeset import Line
from dsocr_jax.modes import Mode

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class MemoryPage:
    """One page.

    Attributes:
        number: of the page in the whole history, from 0.
        age: pages that came after it; 0 is the newest.
        mode: in which it is to be seen.
        tokens: vision tokens that it takes there.
        lines: what stands on it.
        options: how it is drawn.
    """

    number: int
    age: int
    mode: Mode
    tokens: int
    lines: tuple[Line, ...] = field(repr=False)
    options: MemoryOptions = field(repr=False)

    @property
    def turns(self) -> tuple[int, ...]:
        """Numbers of the turns of which something stands on it."""
        return tuple(dict.fromkeys(line.turn for line in self.lines))

    @property
    def text(self) -> str:
        """What stands on it, as it is drawn, with line breaks."""
        return "\n".join(line.text for line in self.lines)

    @property
    def unknown(self) -> int:
        """Characters that cannot be drawn; a replacement character stands for each."""
        return sum(line.unknown for line in self.lines)

    @property
    def image(self) -> "Image.Image":
        """The whole page, RGB, as large as the sharpest mode, drawn anew each time (a long memory fills no memory)."""
        return draw_page(self.lines, self.options)

    def seen(self) -> "Image.Image":
        """Return what the model sees of it, RGB, as large as its mode."""
        return see(self.image, self.mode)


@dataclass(frozen=True)
class Rendered:
    """A memory under a budget.

    Attributes:
        pages: those that are left, the oldest first, as they belong into a prompt.
        gone: numbers of the pages that are left out.
        gone_turns: numbers of the turns of which nothing is left.
        cut_turns: numbers of the turns of which the beginning is gone and the rest is left.
    """

    pages: tuple[MemoryPage, ...]
    gone: tuple[int, ...]
    gone_turns: tuple[int, ...]
    cut_turns: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """Vision tokens of all pages, their newlines and separators included."""
        return sum(page.tokens for page in self.pages)

    @property
    def unknown(self) -> int:
        """Characters on the pages that could not be drawn."""
        return sum(page.unknown for page in self.pages)


def see(image: "Image.Image", mode: Mode) -> "Image.Image":
    """Return the view that `dsocr_jax.preprocess` makes of a page in a mode without tiles."""
    from PIL import Image

    from dsocr_jax.preprocess import preprocess

    return Image.fromarray(preprocess(image, mode).global_view)
