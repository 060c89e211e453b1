"""A page whose texts are kept as words: other renderers take the places of our own and draw the words their way."""

from typing import NamedTuple

from datagen.charts.own.page import Page
from datagen.charts.own.text import cap
from datagen.charts.palettes import Colour

Box = tuple[int, int, int, int]


class Words(NamedTuple):
    """A text with its place; pixels from the page's top left.

    Attributes:
        text, font, colour: what is written, face and size, colour.
        x: its left end, middle or right end, as ``across`` (0, 0.5, 1) says; of a turned text, its box' middle.
        y: its baseline; of a turned text, its box' middle.
        across: see ``x``.
        angle: 0 or 90 degrees counter-clockwise.
        group: what it belongs to (`datagen.charts.own.page`).
        halo: a colour to draw around the letters, or None.
        on_paper: whether nothing but the page's colour is below it.
    """

    text: str
    font: tuple[str, int]
    colour: Colour
    x: float
    y: float
    across: float
    angle: int
    group: int
    halo: Colour | None
    on_paper: bool


class Sketch(Page):
    """Takes texts as `Page` does, checks them as it does, and keeps them as words."""

    __slots__ = ("words",)

    def __init__(self, width: int, height: int, paper: Colour) -> None:
        super().__init__(width, height, paper)
        self.words: list[Words] = []

    def level(
        self, x: float, y: float, text: str, font: tuple[str, int], colour: Colour, across: float, down: str,
        group: int, *, on_paper: bool = True, halo: Colour | None = None,
    ) -> Box:  # fmt: skip
        """Place a level text and return its box; see `Page.level`."""
        box = super().level(x, y, text, font, colour, across, down, group, on_paper=on_paper, halo=halo)
        tall = cap(*font) * {"t": 1.0, "m": 0.5, "b": 0.0}[down]
        self.words.append(Words(text, font, colour, x, y + tall, across, 0, group, halo, on_paper))
        return box

    def turned(
        self, x: float, y: float, text: str, font: tuple[str, int], colour: Colour, angle: int, group: int,
        across: float = 0.5, down: float = 0.5, *, on_paper: bool = True,
    ) -> Box:  # fmt: skip
        """Place a turned text; see `Page.turned`."""
        box = super().turned(x, y, text, font, colour, angle, group, across, down, on_paper=on_paper)
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        self.words.append(Words(text, font, colour, *middle, 0.5, angle, group, None, on_paper))
        return box

    def place(self, box: tuple[float, float, float, float], group: int) -> None:
        """Keep texts off a box; `check` then looks at it too."""
        self.boxes.append((round(box[0]), round(box[1]), round(box[2]), round(box[3])))
        self.groups.append(group)
