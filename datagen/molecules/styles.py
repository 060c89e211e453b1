"""The manners of drawing: how journals, databases, textbooks and drawing programs depict molecules."""

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeVar

import numpy as np

from datagen.molecules.settings import MoleculeSettings

T = TypeVar("T")
Colour = tuple[int, int, int]
Range = tuple[float, float]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)

#: Colours of elements. Carbon, and what is not named, has the ink's colour.
RDKIT = {
    "N": (0, 0, 255), "O": (255, 0, 0), "F": (51, 204, 204), "Cl": (0, 204, 0), "Br": (128, 76, 25),
    "I": (160, 30, 240), "S": (204, 204, 0), "P": (255, 128, 0), "B": (230, 150, 120),
}  # fmt: skip
PUBCHEM = {
    "N": (48, 80, 248), "O": (255, 13, 13), "F": (90, 170, 40), "Cl": (31, 190, 31), "Br": (166, 41, 41),
    "I": (148, 0, 148), "S": (178, 140, 20), "P": (255, 128, 0), "B": (220, 140, 140),
    "Na": (120, 70, 200), "Si": (150, 130, 100),
}  # fmt: skip
MARVIN = {
    "N": (51, 80, 230), "O": (230, 20, 20), "F": (30, 150, 30), "Cl": (20, 160, 20), "Br": (140, 60, 20),
    "I": (100, 20, 140), "S": (160, 130, 10), "P": (200, 100, 20),
}  # fmt: skip
PASTEL = {
    "N": (80, 140, 255), "O": (255, 90, 90), "F": (80, 220, 200), "Cl": (90, 220, 90), "Br": (220, 140, 80),
    "I": (200, 120, 255), "S": (235, 215, 70), "P": (255, 165, 60),
}  # fmt: skip

#: Random numbers that a style takes, or more.
DICE = 32
#: Smallest letters (em) and thinnest lines, in pixels.
MIN_LETTER, MIN_STROKE = 8.0, 0.8

SANS = ("FreeSans", "FreeSans", "DejaVuSans")


@dataclass(frozen=True)
class Manner:
    """A manner of drawing, from which `draw_style` makes the style of one picture. Shares are of the bond length.

    Attributes:
        weight: how often it is chosen, relative to the others.
        fonts: font faces to choose from.
        stroke: widths of bond lines.
        letter: sizes (em) of atom labels.
        gap: distances between the two lines of a double bond.
        wedge: widths of wedges at their wide end.
        hash_step: distances between the lines of a hashed wedge.
        margin: room between a label and the bonds that end at it, as a share of the letter.
        palette: colours of elements, or None for one ink.
        palettes: how likely the palette is used.
        halves: bonds take the colour of the nearer atom; otherwise only labels have colours.
        inks, papers: colours to choose from.
        methyls: how likely terminal carbons are written out.
        circles: how likely benzene rings have a circle.
        centred: how likely every double bond in a chain is drawn about the line of its atoms.
        round: how likely lines have round ends.
        circled: how likely signs of charges stand in circles.
        bold: how likely labels of atoms are in the bold face of their font.
        wobble: unsteadiness of lines, as a share of the bond length.
        fixed: stroke and letter in pixels, whatever the bond's length (as RDKit does); shares are then not used.
        chiral_hydrogens: how likely centres with three ring bonds show their hydrogen.
        straight: how likely bonds are turned to multiples of 30 degrees.
        abbreviates: whether groups may be written in short.
    """

    weight: float = 1.0
    fonts: tuple[str, ...] = SANS
    stroke: Range = (0.04, 0.05)
    letter: Range = (0.5, 0.6)
    gap: Range = (0.15, 0.19)
    wedge: Range = (0.16, 0.24)
    hash_step: Range = (0.1, 0.14)
    margin: Range = (0.08, 0.14)
    palette: Mapping[str, Colour] | None = None
    palettes: float = 1.0
    halves: bool = False
    inks: tuple[Colour, ...] = (BLACK,)
    papers: tuple[Colour, ...] = (WHITE,)
    methyls: float = 0.0
    circles: float = 0.0
    centred: float = 0.0
    round: float = 0.0
    circled: float = 0.0
    wobble: Range = (0.0, 0.0)
    fixed: tuple[Range, Range] | None = None
    chiral_hydrogens: float = 0.3
    straight: float = 0.7
    abbreviates: bool = True


STYLES: dict[str, Manner] = {
    # What the easy level has always looked like: thick lines, large bold letters.
    "plain": Manner(
        fonts=("DejaVuSans-Bold",), stroke=(0.085, 0.105), letter=(0.6, 0.66), gap=(0.16, 0.2), straight=0.0,
        chiral_hydrogens=0.0, round=1.0, abbreviates=False,
    ),
    # RDKit's default: thin lines of two pixels, bonds in two colours, letters of 40 % of a bond and at most 40 pixels.
    "rdkit": Manner(
        weight=3.0, fonts=("DejaVuSans", "DejaVuSans", "Telex", "FreeSans"), letter=(0.4, 0.42), gap=(0.15, 0.17),
        palette=RDKIT, halves=True, fixed=((1.5, 3.0), (8.0, 42.0)), chiral_hydrogens=1.0, straight=0.0,
        wedge=(0.16, 0.2), margin=(0.08, 0.14), hash_step=(0.07, 0.1), abbreviates=False,
    ),
    "rdkit-black": Manner(
        fonts=("DejaVuSans", "DejaVuSans", "Telex"), letter=(0.4, 0.45), gap=(0.14, 0.17),
        fixed=((1.0, 3.0), (8.0, 42.0)), chiral_hydrogens=1.0, straight=0.0, hash_step=(0.07, 0.1),
    ),
    # American Chemical Society, 1996: bond 14.4 pt, line 0.6 pt, bold 2 pt, spacing 18 %, hash 2.5 pt, Arial 10 pt.
    "acs": Manner(
        weight=3.0, fonts=("FreeSans",), stroke=(0.038, 0.048), letter=(0.6, 0.7), gap=(0.17, 0.19), wedge=(0.19, 0.23),
        hash_step=(0.15, 0.18), margin=(0.07, 0.12), straight=0.95,
    ),
    # The program's older default: bond 30 pt, line 1 pt, spacing 12 %, letters 12 pt or 10 pt.
    "chemdraw": Manner(
        weight=1.5, fonts=("FreeSans", "STIXGeneral", "FreeSans"), stroke=(0.03, 0.04), letter=(0.34, 0.44),
        gap=(0.11, 0.13), wedge=(0.13, 0.16), hash_step=(0.085, 0.1), straight=0.95, inks=(BLACK, BLACK, (20, 20, 90)),
    ),
    "pubchem": Manner(
        weight=1.5, fonts=("DejaVuSans", "FreeSans"), stroke=(0.03, 0.05), letter=(0.42, 0.52), palette=PUBCHEM,
        halves=False, papers=(WHITE, (245, 245, 245), (250, 250, 250)), inks=(BLACK, (60, 60, 60)), gap=(0.16, 0.2),
        chiral_hydrogens=0.8, straight=0.5, abbreviates=False,
    ),
    "textbook": Manner(
        weight=1.5, fonts=("STIXGeneral", "STIXGeneral", "DejaVuSerif", "cmr10", "cmss10"), stroke=(0.045, 0.075),
        letter=(0.5, 0.63), gap=(0.16, 0.22), methyls=0.5, circles=0.35, centred=0.3, round=0.3, circled=0.3,
        papers=(WHITE, WHITE, WHITE, (250, 246, 235), (253, 250, 215), (240, 244, 250)),
        inks=(BLACK, BLACK, (30, 30, 80)), wedge=(0.2, 0.28),
    ),
    "marvin": Manner(
        fonts=("DejaVuSans", "FreeSans"), stroke=(0.035, 0.05), letter=(0.44, 0.54), palette=MARVIN, gap=(0.16, 0.2),
        methyls=0.6, straight=0.9, palettes=0.8,
    ),
    "patent": Manner(
        fonts=("FreeSans", "STIXGeneral", "DejaVuSansMono", "STIXGeneralBol", "FreeSans"), stroke=(0.05, 0.085),
        letter=(0.45, 0.6), gap=(0.17, 0.24), methyls=0.4, centred=0.2, wedge=(0.2, 0.3), hash_step=(0.13, 0.18),
        straight=0.85, inks=(BLACK, (25, 25, 25)),
    ),
    # Heavy lines and bold letters, as on posters and slides.
    "slides": Manner(
        fonts=("DejaVuSans-Bold", "STIXGeneralBol", "FreeSans"), stroke=(0.07, 0.11), letter=(0.54, 0.66),
        gap=(0.2, 0.26), palette=MARVIN, palettes=0.4, round=0.6, wedge=(0.26, 0.36), hash_step=(0.16, 0.2),
        inks=(BLACK, (0, 40, 100), (90, 20, 20), (0, 70, 50)), halves=True,
    ),
    "hand": Manner(
        weight=0.6, fonts=("ComicNeue-Regular",), stroke=(0.05, 0.08), letter=(0.62, 0.75), gap=(0.18, 0.26), round=1.0,
        wobble=(0.01, 0.024), methyls=0.3, circles=0.2, inks=(BLACK, (30, 40, 120), (50, 50, 55)), wedge=(0.22, 0.32),
        hash_step=(0.13, 0.18), papers=(WHITE, WHITE, (252, 251, 246)),
    ),
    "dark": Manner(
        weight=0.4, fonts=("DejaVuSans", "FreeSans"), stroke=(0.04, 0.06), letter=(0.45, 0.6), palette=PASTEL,
        halves=True, inks=(WHITE, (220, 220, 225)), papers=(BLACK, (24, 26, 33), (16, 33, 44)), palettes=0.8,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How one picture looks. Shares are of the bond length; see `Manner`."""

    name: str
    font: str
    stroke: float
    letter: float
    gap: float
    wedge: float
    hash_step: float
    margin: float
    ink: Colour
    paper: Colour
    colours: Mapping[str, Colour] = field(default_factory=dict)
    halves: bool = False
    methyls: bool = False
    circles: bool = False
    centred: bool = False
    round: bool = False
    circled: bool = False
    deuterium: bool = False
    wobble: float = 0.0
    limits: tuple[float, Range] | None = None
    chiral_hydrogens: bool = False
    straight: bool = False
    abbreviates: bool = False

    def sizes(self, bond: float) -> tuple[float, float]:
        """Return the width of lines and the size of letters, in pixels, for bonds of ``bond`` pixels."""
        if self.limits is None:
            return max(MIN_STROKE, self.stroke * bond), max(MIN_LETTER, self.letter * bond)
        stroke, (low, high) = self.limits
        return stroke, min(high, max(low, self.letter * bond))


def draw_style(rng: np.random.Generator, settings: MoleculeSettings) -> Style:
    """Choose a manner of the settings, and the style of one picture in it."""
    # All chances at once: single draws would take longer than some molecules' layout.
    dice = iter(rng.random(DICE).tolist())
    weights = list(accumulate(STYLES[name].weight for name in settings.styles))
    name = settings.styles[bisect(weights, next(dice) * weights[-1])]
    manner = STYLES[name]

    def between(span: Range) -> float:
        return span[0] + (span[1] - span[0]) * next(dice)

    def chance(share: float) -> bool:
        return next(dice) < share

    def one_of(choices: Sequence[T]) -> T:
        return choices[int(next(dice) * len(choices))]

    limits = (between(manner.fixed[0]), manner.fixed[1]) if manner.fixed else None
    return Style(
        name=name,
        font=one_of(manner.fonts),
        stroke=between(manner.stroke),
        letter=between(manner.letter),
        gap=between(manner.gap),
        wedge=between(manner.wedge),
        hash_step=between(manner.hash_step),
        margin=between(manner.margin),
        ink=one_of(manner.inks),
        paper=one_of(manner.papers),
        colours=manner.palette if manner.palette and chance(manner.palettes) else {},
        halves=manner.halves,
        methyls=chance(manner.methyls),
        circles=chance(manner.circles),
        centred=chance(manner.centred),
        round=chance(manner.round),
        circled=chance(manner.circled),
        deuterium=chance(0.5),
        wobble=between(manner.wobble),
        limits=limits,
        chiral_hydrogens=chance(manner.chiral_hydrogens),
        straight=chance(manner.straight),
        abbreviates=manner.abbreviates,
    )
