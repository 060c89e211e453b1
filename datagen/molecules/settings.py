"""What can be set about molecules, and the two named levels."""

from dataclasses import dataclass

FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "STIXGeneral", "STIXGeneralBol", "DejaVuSansMono", "cmss10")


@dataclass(frozen=True)
class MoleculeSettings:
    """Settings of the molecules family; lengths are in pixels unless they say otherwise.

    Attributes:
        pieces: which lists of `datagen.molecules.fragments` to build from, "small" or "all".
        atoms: fewest and most heavy atoms.
        typical: fewest and most heavy atoms that building aims at; the rest of the range is reached by chance.
        charged: how likely a molecule gets charged groups, with a counterion where one is needed.
        stereo: how likely the stereocentres of a molecule are specified, and so drawn with wedges.
        bond: shortest and longest bond as drawn.
        sides: the smallest and the largest side of the picture; molecules that need more are drawn with shorter
            bonds, down to ``min_bond``.
        min_bond: bonds shorter than this are rejected.
        square: how likely the picture is a square of the largest side needed.
        padding: smallest and largest margin, as a share of the picture.
        stroke: thinnest and thickest bond line, as a share of the bond length.
        letter: smallest and largest size of atom labels (em), as a share of the bond length.
        fonts: names of font faces.
        coloured: how likely heteroatoms have colours.
        tinted: how likely the paper is not white.
        rotated: how likely the depiction is turned by any angle.
        methyls: how likely terminal carbons are written out.
        rdkit: how likely RDKit's own raster drawer is used instead of ours.
    """

    pieces: str
    atoms: tuple[int, int]
    typical: tuple[int, int]
    charged: float
    stereo: float
    bond: tuple[float, float]
    sides: tuple[int, int]
    min_bond: float
    square: float
    padding: tuple[float, float]
    stroke: tuple[float, float]
    letter: tuple[float, float]
    fonts: tuple[str, ...]
    coloured: float
    tinted: float
    rotated: float
    methyls: float
    rdkit: float


EASY = MoleculeSettings(
    pieces="small",
    atoms=(3, 8),
    typical=(4, 7),
    charged=0.0,
    stereo=0.0,
    bond=(44.0, 58.0),
    sides=(192, 192),
    min_bond=26.0,
    square=1.0,
    padding=(0.03, 0.05),
    stroke=(0.085, 0.105),
    letter=(0.6, 0.66),
    fonts=("DejaVuSans-Bold",),
    coloured=0.0,
    tinted=0.0,
    rotated=0.0,
    methyls=0.0,
    rdkit=0.0,
)

STANDARD = MoleculeSettings(
    pieces="all",
    atoms=(6, 60),
    typical=(8, 42),
    charged=0.1,
    stereo=0.5,
    bond=(20.0, 40.0),
    sides=(200, 768),
    min_bond=14.0,
    square=0.5,
    padding=(0.03, 0.12),
    stroke=(0.04, 0.09),
    letter=(0.46, 0.62),
    fonts=FONTS,
    coloured=0.3,
    tinted=0.1,
    rotated=0.6,
    methyls=0.1,
    rdkit=0.1,
)
