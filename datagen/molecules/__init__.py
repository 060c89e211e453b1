"""Chemical formulas: molecules built from pieces or taken from files, drawn in many manners, as canonical SMILES."""

from datagen.family import Family
from datagen.molecules.chemistry import compose
from datagen.molecules.drawing import render
from datagen.molecules.settings import EASY, MIDDLE, STANDARD
from datagen.molecules.verify import verify

FAMILY = Family(
    "molecules",
    "figure",
    compose,
    render,
    {"easy": EASY, "middle": MIDDLE, "standard": STANDARD},
    verify,
    {
        "molecules": "built here from pieces of our own, or the user's files",
        "PubChem by way of the package chemicals, where prepared as a source": "public domain data; the package is MIT",
        "RDKit's fonts: Telex, Comic Neue": "SIL Open Font License 1.1",
        "RDKit's font FreeSans": "GNU GPL with the font exception (pictures are not covered by it)",
    },
)
