"""Chemical formulas: molecules built from our own pieces, drawn by RDKit's layout, as canonical isomeric SMILES."""

from datagen.family import Family
from datagen.molecules.chemistry import compose
from datagen.molecules.drawing import render
from datagen.molecules.settings import EASY, STANDARD

FAMILY = Family("molecules", "figure", compose, render, {"easy": EASY, "standard": STANDARD})
