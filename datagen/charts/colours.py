"""Palettes and themes of charts, and the choice of colours that can be told apart."""

from dataclasses import dataclass

import numpy as np

from datagen.charts.canvas import Colour


def _palette(text: str) -> tuple[Colour, ...]:
    return tuple((code >> 16, code >> 8 & 255, code & 255) for code in (int(part, 16) for part in text.split()))


#: The first ones look like those of common programs.
PALETTES = (
    _palette("1f77b4 ff7f0e 2ca02c d62728 9467bd 8c564b e377c2 646464"),
    _palette("4472c4 ed7d31 a5a5a5 ffc000 5b9bd5 70ad47 264478 9e480e"),
    _palette("5470c6 91cc75 fac858 ee6666 73c0de 3ba272 fc8452 9a60b4"),
    _palette("0072b2 e69f00 009e73 cc79a7 56b4e9 d55e00 787878 3c3c3c"),
    _palette("1b4965 62b6cb ca6702 9b2226 0a9396 ee9b00 94d2bd 3c3c5a"),
    _palette("464646 a0a0a0 6e6e6e c8c8c8 282828 8c8c8c 5a5a5a b4b4b4"),
    _palette("084594 2171b5 4292c6 6baed6 9ecae1 285a78 788ca0 c6dbef"),
    _palette("bc5090 003f5c ffa600 58508d ff6361 2f8f7c 7a5195 c9c96a"),
)
PLAIN_PALETTES = 4
#: How far (in RGB) colours must be from each other, and from what they are drawn on.
MIN_DIFFERENCE = 70
#: Luminance above which black text is easier to read than white.
BRIGHT = 140


@dataclass(frozen=True)
class Theme:
    """Colours of the page, the plot area, text, faint text and the grid."""

    paper: Colour
    plot: Colour
    ink: Colour
    faint: Colour
    grid: Colour


#: The first one is the plain one.
THEMES = tuple(
    Theme(*_palette(text))
    for text in (
        "ffffff ffffff 141414 5a5a5a d7d7d7",
        "ffffff eaeaf2 1e1e1e 505050 ffffff",
        "faf7f0 faf7f0 32281e 6e645a e1dacd",
        "f5f7fa ffffff 1e283c 5a6478 dce1e8",
        "ffffff ffffff 3c3c3c 787878 e6e6e6",
        "21252b 21252b ebebeb b4b9c3 464c56",
    )
)


def choose_palette(count: int, ground: Colour, rng: np.random.Generator, themed: bool) -> tuple[Colour, ...]:
    """Return at least ``count`` colours that can be told apart, and from the ground they are drawn on."""
    order = rng.permutation(len(PALETTES) if themed else PLAIN_PALETTES)
    turn = int(rng.integers(len(PALETTES[0])))
    best: list[Colour] = []
    for index in order:
        chosen: list[Colour] = []
        for colour in PALETTES[index][turn:] + PALETTES[index][:turn]:
            if all(_difference(colour, other) >= MIN_DIFFERENCE for other in (*chosen, ground)):
                chosen.append(colour)
        if len(chosen) >= count:
            return tuple(chosen)
        best = max(best, chosen, key=len)
    return tuple(best)


def contrast(colour: Colour) -> Colour:
    """Return black or white, whichever is easier to read on ``colour``."""
    red, green, blue = colour
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > BRIGHT else (255, 255, 255)


def _difference(first: Colour, second: Colour) -> float:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5
