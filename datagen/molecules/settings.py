"""What can be set about molecules, and the named levels."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MoleculeSettings:
    """Settings of the molecules family; lengths are in pixels unless they say otherwise.

    Attributes:
        source: folder that `datagen.molecules.sources.prepare_source` wrote, or None for the generator.
        pieces: which lists of `datagen.molecules.fragments` the generator builds from, "small" or "all".
        atoms: fewest and most heavy atoms.
        typical: fewest and most heavy atoms that building aims at; the rest of the range is reached by chance.
        charged: how likely the generator adds charged groups, with a counterion where one is needed.
        stereo: how likely the generator specifies the stereocentres of a molecule, which draws wedges.
        accessible: built molecules whose synthetic accessibility score (1 easy to 10 hard; Ertl and Schuffenhauer
            2009) is above this are rejected; None for no limit.
        flat: how likely a molecule's stereocentres are neither drawn nor in the label.
        crossed: how likely double bonds of unknown geometry are drawn crossed, instead of cis or trans by chance.
        wavy: how likely unknown stereocentres have a wavy bond, instead of a plain one.
        styles: names of the manners of drawing (`datagen.molecules.styles.STYLES`) to choose from, each as likely as
            its weight there.
        coordgen: how likely CoordGen lays a molecule out instead of RDKit; macrocycles mostly are.
        templates: how likely ring systems that RDKit knows a drawing of (adamantane, say) get it.
        abbreviated: how likely groups such as OMe and Boc are written in short where the style allows it.
        bond: shortest and longest bond as drawn, where the molecule decides the size of the picture.
        fitted: how likely the size of the picture decides the length of bonds instead.
        sides: the smallest and the largest side of the picture; molecules that need more are drawn with shorter
            bonds, down to ``min_bond``.
        min_bond: bonds shorter than this are rejected.
        square: how likely the picture is a square.
        padding: smallest and largest margin, as a share of the picture.
        rotated: how likely the depiction is turned by any angle.
        mirrored: how likely it is laid out the other way round.
        rdkit: how likely RDKit's own raster drawer is used instead of ours.
    """

    source: str | None
    pieces: str
    atoms: tuple[int, int]
    typical: tuple[int, int]
    charged: float
    stereo: float
    accessible: float | None
    flat: float
    crossed: float
    wavy: float
    styles: tuple[str, ...]
    coordgen: float
    templates: float
    abbreviated: float
    bond: tuple[float, float]
    fitted: float
    sides: tuple[int, int]
    min_bond: float
    square: float
    padding: tuple[float, float]
    rotated: float
    mirrored: float
    rdkit: float


EASY = MoleculeSettings(
    source=None,
    pieces="small",
    atoms=(3, 8),
    typical=(4, 7),
    charged=0.0,
    stereo=0.0,
    accessible=None,
    flat=0.0,
    crossed=0.0,
    wavy=0.0,
    styles=("plain",),
    coordgen=0.0,
    templates=0.0,
    abbreviated=0.0,
    bond=(44.0, 58.0),
    fitted=0.0,
    sides=(192, 192),
    min_bond=26.0,
    square=1.0,
    padding=(0.03, 0.05),
    rotated=0.0,
    mirrored=0.0,
    rdkit=0.0,
)

#: Molecules of up to twenty atoms without stereocentres, in black on white.
MIDDLE = MoleculeSettings(
    source=None,
    pieces="all",
    atoms=(3, 20),
    typical=(4, 16),
    charged=0.0,
    stereo=0.0,
    accessible=None,
    flat=1.0,
    crossed=0.0,
    wavy=0.0,
    styles=("plain", "rdkit-black", "acs"),
    coordgen=0.0,
    templates=0.0,
    abbreviated=0.0,
    bond=(50.0, 100.0),
    fitted=1.0,
    sides=(640, 640),
    min_bond=30.0,
    square=1.0,
    padding=(0.03, 0.1),
    rotated=0.3,
    mirrored=0.5,
    rdkit=0.0,
)

STANDARD = MoleculeSettings(
    source=None,
    pieces="all",
    atoms=(6, 60),
    typical=(8, 42),
    charged=0.1,
    stereo=0.5,
    accessible=5.5,
    flat=0.1,
    crossed=0.05,
    wavy=0.1,
    styles=(
        "rdkit",
        "rdkit-black",
        "acs",
        "chemdraw",
        "pubchem",
        "textbook",
        "marvin",
        "patent",
        "slides",
        "hand",
        "dark",
    ),
    coordgen=0.15,
    templates=0.3,
    abbreviated=0.25,
    bond=(20.0, 48.0),
    fitted=0.5,
    sides=(200, 896),
    min_bond=15.0,
    square=0.5,
    padding=(0.03, 0.1),
    rotated=0.35,
    mirrored=0.5,
    rdkit=0.1,
)
