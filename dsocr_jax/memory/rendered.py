"""What a memory shows under a budget."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
        turns: numbers of the turns of which something stands on it.
        text: what stands on it, as it was drawn, with line breaks.
        unknown: characters that could not be drawn; a replacement character stands for each.
        image: the whole page, RGB, as large as the sharpest mode; the model's own preprocessing makes it smaller.
    """

    number: int
    age: int
    mode: Mode
    tokens: int
    turns: tuple[int, ...]
    text: str
    unknown: int
    image: "Image.Image" = field(repr=False)

    def seen(self) -> "Image.Image":
        """Return what the model sees of it: the view that `dsocr_jax.preprocess` makes, RGB."""
        from PIL import Image

        from dsocr_jax.preprocess import preprocess

        return Image.fromarray(preprocess(self.image, self.mode).global_view)


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
