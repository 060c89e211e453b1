"""What `dsocr-data bench` times about molecules: one picture a call, the same molecules in turn in every case."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import suppress
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
from datagen.molecules.settings import STANDARD, MoleculeSettings
from datagen.molecules.styles import draw_style
from dsocr_jax.answers.smiles import parse_smiles

if TYPE_CHECKING:
    from rdkit.Chem import Mol

#: The side of the pictures that are compared with RDKit's, in pixels.
SIDE = 512
#: How many molecules are drawn in turn.
MOLECULES = 100

#: Pictures of `SIDE` pixels squared in all manners, filled as RDKit fills them, with the atoms that RDKit draws.
SQUARE = dataclasses.replace(
    STANDARD, fitted=1.0, square=1.0, sides=(SIDE, SIDE), padding=(0.05, 0.05), min_bond=5.0,
    rotated=0.0, mirrored=0.0, rdkit=0.0, coordgen=0.0, templates=0.0, abbreviated=0.0, wavy=0.0, flat=0.0, crossed=0.0,
)  # fmt: skip
#: The same in RDKit's own manner: bonds in two colours, so that hardly a picture is gray.
LIKE_RDKIT = dataclasses.replace(SQUARE, styles=("rdkit",))


def bench_cases() -> dict[str, Callable[[], object]]:
    """Return the cases by name; each call makes one picture, layout and encoding included.

    "MolDraw2DCairo 512 PNG" is the plain baseline: RDKit's default options, coordinates computed by the drawer.
    "own 512 PNG by isal" draws the same molecules in the same manner (bonds in two colours), coordinates and encoding
    included; "all manners" are those of the standard level; "checked" adds what every sample goes through: no overlaps,
    and the mol block of the drawing read back by RDKit and InChI. "family standard" is the whole family, from the
    generator to the PNG, rejected draws included.
    """
    molecules = drawable()
    baseline = cycle(molecules)

    def plain() -> bytes:
        return _cairo(next(baseline).mol)

    def own(settings: MoleculeSettings) -> Callable[[], bytes]:
        numbered = enumerate(cycle(molecules))

        def draw() -> bytes:
            for number, content in numbered:
                # Large letters may hide a bond: the time is spent, and the next molecule is drawn.
                with suppress(Rejected):
                    rng = np.random.default_rng(number)
                    style = draw_style(rng, settings)
                    depiction = depict(place(content.mol, "plain", style, rng, settings), style.methyls)
                    labels = write_labels(depiction, style)
                    scale, page = fit(depiction, labels, style, rng, settings)
                    return png.encode(picture(draw_marks(depiction, labels, style, scale, rng), style, page))
            raise AssertionError("the molecules never end")

        return draw

    again = enumerate(cycle(molecules))

    def checked() -> bytes:
        for number, content in again:
            with suppress(Rejected):
                return png.encode(render(content, np.random.default_rng(number), SQUARE).image)
        raise AssertionError("the molecules never end")

    seeds = count()

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
        "own 512 PNG by isal": own(LIKE_RDKIT),
        "own 512 PNG by isal, all manners": own(SQUARE),
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
