"""What `dsocr-data bench` times about molecules: one picture a call, the same molecules in turn in every case."""

import dataclasses
from collections.abc import Callable, Iterator
from itertools import count, cycle
from typing import TYPE_CHECKING

import numpy as np

from datagen import png
from datagen.family import Rejected
from datagen.molecules.chemistry import Molecule, compose, molecule
from datagen.molecules.depiction import depict
from datagen.molecules.drawing import fit, picture, render
from datagen.molecules.labels import write_labels
from datagen.molecules.layout import place
from datagen.molecules.marks import draw_marks
from datagen.molecules.settings import STANDARD
from datagen.molecules.styles import draw_style
from dsocr_jax.answers.smiles import parse_smiles

if TYPE_CHECKING:
    from rdkit.Chem import Mol

#: The side of the pictures that are compared with RDKit's, in pixels.
SIDE = 512
#: How many molecules are drawn in turn.
MOLECULES = 100

#: A picture of `SIDE` pixels squared in RDKit's own manner, filled as RDKit fills it; nothing else is left to chance.
LIKE_RDKIT = dataclasses.replace(
    STANDARD, styles=("rdkit",), fitted=1.0, square=1.0, sides=(SIDE, SIDE), padding=(0.05, 0.05), min_bond=5.0,
    rotated=0.0, mirrored=0.0, rdkit=0.0, coordgen=0.0, templates=0.0, abbreviated=0.0, wavy=0.0, flat=0.0, crossed=0.0,
)  # fmt: skip


def bench_cases() -> dict[str, Callable[[], object]]:
    """Return the cases by name; each call makes one picture, layout and encoding included.

    "MolDraw2DCairo 512 PNG" is the plain baseline: RDKit's default options, coordinates computed by the drawer.
    "own 512 PNG by isal" draws the same molecules, coordinates and encoding included; "checked" adds what every sample
    goes through: no overlaps, and the mol block of the drawing read back by RDKit and InChI. "family standard" is the
    whole family, from the generator to the PNG, rejected draws included.
    """
    molecules = drawable()
    style = draw_style(np.random.default_rng(0), LIKE_RDKIT)
    baseline, own, again, seeds = cycle(molecules), cycle(molecules), cycle(molecules), count()

    def plain() -> bytes:
        return _cairo(next(baseline).mol)

    def ours() -> bytes:
        rng = np.random.default_rng(0)
        depiction = depict(place(next(own).mol, "plain", style, rng, LIKE_RDKIT), style.methyls)
        labels = write_labels(depiction, style)
        scale, page = fit(depiction, labels, style, rng, LIKE_RDKIT)
        return png.encode(picture(draw_marks(depiction, labels, style, scale, rng), style, page))

    def checked() -> bytes:
        return png.encode(render(next(again), np.random.default_rng(0), LIKE_RDKIT).image)

    def standard() -> bytes:
        for seed in seeds:
            rng = np.random.default_rng(seed)
            try:
                return png.encode(render(compose(rng, STANDARD), rng, STANDARD).image)
            except Rejected:
                continue
        raise AssertionError("seeds never end")

    return {
        "MolDraw2DCairo 512 PNG": plain,
        "own 512 PNG by isal": ours,
        "own 512 PNG by isal, checked": checked,
        "family standard": standard,
    }


def drawable() -> list[Molecule]:
    """Return the molecules of the comparison: the generator's first that can be drawn."""
    found: list[Molecule] = []
    for content in _molecules():
        try:
            render(content, np.random.default_rng(0), LIKE_RDKIT)
        except Rejected:
            continue
        found.append(content)
        if len(found) == MOLECULES:
            break
    return found


def _molecules() -> Iterator[Molecule]:
    for seed in count():
        try:
            yield molecule(parse_smiles(compose(np.random.default_rng([seed, 1]), STANDARD).smiles))
        except Rejected:
            continue


def _cairo(mol: "Mol") -> bytes:
    from rdkit.Chem import Mol
    from rdkit.Chem.Draw import rdMolDraw2D

    drawer = rdMolDraw2D.MolDraw2DCairo(SIDE, SIDE)
    drawer.DrawMolecule(Mol(mol))  # a copy: the drawer must not find coordinates of an earlier call
    drawer.FinishDrawing()
    return bytes(drawer.GetDrawingText())
