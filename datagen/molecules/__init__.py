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
        "DejaVu, STIX and Computer Modern fonts as shipped with matplotlib": "Bitstream Vera, STIX and BaKoMa licences",
        "Telex and Comic Neue fonts as shipped with RDKit": "SIL Open Font License 1.1",
        "FreeSans font as shipped with RDKit": "GNU GPL with the font exception (pictures are not covered by it)",
    },
)
