"""How one picture of a figure looks: size, place, strokes, letters, colours, marks."""

import itertools
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from datagen.geometry.dice import Dice
from datagen.geometry.settings import GeometrySettings
from datagen.geometry.sketch import Composed

Colour = tuple[int, int, int]

#: Letters and measures come in these sizes (pixels per em) only, so that drawn letters can be kept.
SIZES = (11, 12, 14, 16, 19, 22, 26, 31, 37, 44)
_BETWEEN = tuple((a + b) / 2 for a, b in itertools.pairwise(SIZES))
#: Inks and papers without colour, more likely ones more often; then with colour.
GRAY_INKS: tuple[Colour, ...] = ((0, 0, 0),) * 4 + ((25, 25, 25), (45, 45, 45), (70, 70, 70))
GRAY_PAPERS: tuple[Colour, ...] = ((255, 255, 255),) * 12 + ((250, 250, 250), (244, 244, 244), (235, 235, 235))
INKS: tuple[Colour, ...] = ((0, 0, 0), (15, 15, 15), (20, 40, 110), (28, 60, 150), (110, 20, 30), (20, 80, 50))
PAPERS: tuple[Colour, ...] = (
    *((255, 255, 255),) * 3,
    *((250, 246, 235), (253, 251, 243), (244, 247, 251), (253, 250, 224), (246, 240, 228), (240, 247, 240)),
)
#: Inks for some of the strokes, where a picture has two.
SECOND_INKS: tuple[Colour, ...] = ((190, 30, 40), (25, 80, 185), (20, 120, 70), (200, 90, 10), (120, 40, 140))
#: Shares of the ink that shading, or ruled paper, takes from the paper's brightness.
SHADES = (0.06, 0.1, 0.15, 0.2)


@dataclass(frozen=True)
class Frame:
    """Where and how the strokes of a figure are drawn: all that is needed to draw its label again.

    Attributes:
        middle: where the figure's origin lies, in pixels, y downwards.
        scale: pixels per label unit.
        stroke: width of strokes in pixels.
        dash: length of dashes and of the gaps between them, from middle to middle of their round ends, in pixels.
        wobble: how far hand-drawn strokes stray, in pixels, or 0.
    """

    middle: complex
    scale: float
    stroke: float
    dash: tuple[float, float]
    wobble: float = 0.0

    def pixel(self, point: complex) -> complex:
        """Return where a point of the label's frame lies in the picture."""
        return self.middle + point.conjugate() * self.scale

    def numbers(self) -> list[float]:
        """Return the frame as numbers; ``from_numbers`` reads them."""
        return [self.middle.real, self.middle.imag, self.scale, self.stroke, *self.dash, self.wobble]

    @staticmethod
    def from_numbers(numbers: Sequence[float]) -> "Frame":
        """Return the frame that gave these numbers."""
        x, y, scale, stroke, dash, gap, wobble = numbers
        return Frame(complex(x, y), scale, stroke, (dash, gap), wobble)


@dataclass(frozen=True)
class Style:
    """Lengths in pixels.

    Attributes:
        width, height: of the picture.
        frame: where and how strokes are drawn.
        letter: size of letters (em).
        font: name of their face.
        dots: which points are dots: "none", "all", "hollow", or "centres" of circles.
        ink, paper: colours.
        second: colour of the strokes that ``coloured`` names ("dashed", "circles" or "marks"), or nothing.
        ruled: distance of the lines of ruled paper, or 0.
        shade: how much darker than the paper the figure's polygon is filled, or 0.
        marks: the kinds of marks that are drawn.
    """

    width: int
    height: int
    frame: Frame
    letter: int
    font: str
    dots: str
    ink: Colour
    paper: Colour
    second: Colour | None = None
    coloured: str = ""
    ruled: int = 0
    shade: float = 0.0
    marks: frozenset[str] = frozenset()

    @property
    def gray(self) -> bool:
        """Whether the picture has no colour."""
        return all(len(set(colour)) == 1 for colour in (self.ink, self.paper, self.second) if colour is not None)


def draw_style(content: Composed, dice: Dice, settings: GeometrySettings) -> Style:
    """Choose the style: sizes so that the figure and its letters fit, then a place for them."""
    half_x, half_y = half_extent(content)
    longer: float = dice.whole(*settings.sides)
    # Mostly the picture's sides are about in the figure's proportion, as a book would crop it.
    proportion = half_x / half_y * dice.uniform(0.8, 1.25)
    if dice.chance(0.2):
        proportion = dice.uniform(1, settings.aspect) ** dice.sign()
    proportion = min(max(proportion, 1 / settings.aspect), settings.aspect)
    longer = max(longer, MIN_SHORTER * max(proportion, 1 / proportion))
    width, height = round(longer * min(1.0, proportion)), round(longer * min(1.0, 1 / proportion))
    shorter = min(width, height)
    aim = (shorter * longer) ** 0.5 * dice.uniform(*settings.letter)
    letter = size_near(aim)
    stroke = max(1.35, (shorter * longer) ** 0.5 * dice.uniform(*settings.stroke))
    margin = (1.25 * letter if content.letters else 0.0) + stroke + 2
    fill = dice.uniform(*settings.fill)
    scale = fill * min((width / 2 - margin) / half_x, (height / 2 - margin) / half_y)
    room_x, room_y = width / 2 - half_x * scale - margin, height / 2 - half_y * scale - margin
    middle = complex(width / 2 + dice.uniform(-1, 1) * room_x, height / 2 + dice.uniform(-1, 1) * room_y)
    dash = max(MIN_DASH, dice.uniform(0.011, 0.02) * shorter + 1.5 * stroke)
    gap = max(MIN_GAP, dash * dice.uniform(0.6, 0.9))
    wobble = dice.uniform(0.5, 1.2) if dice.chance(settings.wobbly) else 0.0
    coloured = dice.chance(settings.coloured)
    second = dice.pick(SECOND_INKS) if coloured and dice.chance(0.5) else None
    return Style(
        width,
        height,
        Frame(middle, scale, stroke, (dash - stroke, gap + stroke), wobble),
        letter,
        dice.pick(settings.fonts),
        dice.pick(("all", "all", "all", "hollow")) if dice.chance(settings.dots) else dice.pick(settings.no_dots),
        dice.pick(INKS[:2] if second else INKS) if coloured else dice.pick(GRAY_INKS if settings.marks else INKS[:1]),
        dice.pick(PAPERS) if coloured else dice.pick(GRAY_PAPERS if settings.marks else PAPERS[:1]),
        second,
        dice.pick(("dashed", "circles", "marks")) if second else "",
        dice.whole(9, 22) if dice.chance(settings.ruled) else 0,
        dice.pick(SHADES) if dice.chance(settings.shaded) else 0.0,
        frozenset(kind for kind, share in MARKS.items() if dice.chance(share))
        if dice.chance(settings.marks)
        else _NONE,
    )


def size_near(aim: float) -> int:
    """Return the one of `SIZES` that is nearest."""
    return SIZES[bisect(_BETWEEN, aim)]


#: Pictures are made larger until their shorter side has this many pixels, so that letters have room.
MIN_SHORTER = 170
#: The shortest dashes and gaps (pixels) that are still seen as such.
MIN_DASH, MIN_GAP = 5.0, 3.6
#: How often each kind of marks is drawn in a picture that has marks at all.
MARKS = {"right": 0.85, "angles": 0.4, "equal": 0.35, "parallel": 0.3, "corner": 0.3, "lengths": 0.25, "numbers": 0.12}
_NONE: frozenset[str] = frozenset()


def half_extent(content: Composed) -> tuple[float, float]:
    """Return how far a normalised figure reaches from the origin along x and y, in label units, at least 1."""
    points = [p for stroke in content.strokes for p in stroke[:2]] + [p for _, p in content.letters]
    xs, ys = [abs(p.real) for p in points], [abs(p.imag) for p in points]
    xs += [abs(centre.real) + radius for centre, radius in content.circles]
    ys += [abs(centre.imag) + radius for centre, radius in content.circles]
    return max(1.0, *xs), max(1.0, *ys)
