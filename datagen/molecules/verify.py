"""The family's own checks, repeated on a picture and its remarks: what `dsocr-data check` asks.

The remarks hold the drawing as data: atoms with labels and places in pixels, bonds with marks. It is read back as a
molecule, which must be the label's, and held against the ink of the picture.
"""

from typing import Any

import numpy as np

from datagen.molecules.depiction import Atom, Bond, Depiction, Mark

#: How much a pixel differs from the paper to count as ink.
INK = 40
#: How far from its place the ink of a bond or a label may be, in bond lengths, besides one pixel.
REACH = 0.16
#: How wide the edge is that must be free, in pixels.
EDGE = 1

_MARKS: tuple[Mark, ...] = ("", "solid", "hashed", "wavy", "crossed")


def as_data(depiction: Depiction, places: np.ndarray) -> dict[str, Any]:
    """Return a drawing as plain lists, for the remarks.

    Args:
        depiction: what is drawn.
        places: of the atoms in the picture, ``[atoms, 2]``, in pixels from the top left corner.

    Returns:
        ``atoms``: for each its element (or the name of the group that it stands for), hydrogens in its label, charge,
        isotope, unpaired electrons, 0 for a corner without label, 1 for a labelled atom or 2 for a group, and x and y.
        ``bonds``: for each its two atoms (of a wedge, first the narrow end), order and mark ("", "solid", "hashed",
        "wavy", "crossed").
    """
    return {
        "atoms": [
            [a.element, a.hydrogens, a.charge, a.isotope, a.radicals, a.labelled + a.group, round(x, 1), round(y, 1)]
            for a, (x, y) in zip(depiction.atoms, places.tolist(), strict=True)
        ],
        "bonds": [[bond.begin, bond.end, bond.order, bond.mark] for bond in depiction.bonds],
    }


def from_data(data: dict[str, Any], bond: float) -> tuple[Depiction, np.ndarray]:
    """Return the drawing and the places that `as_data` was given; rings are not known.

    Args:
        data: what `as_data` returned.
        bond: the bond length in pixels.
    """
    atoms = tuple(
        Atom(element, hydrogens, charge, isotope, radicals, written > 0, written > 1)
        for element, hydrogens, charge, isotope, radicals, written, _, _ in data["atoms"]
    )
    bonds = tuple(Bond(begin, end, order, _MARKS[_MARKS.index(mark)], -1) for begin, end, order, mark in data["bonds"])
    places = np.array([row[6:8] for row in data["atoms"]], float)
    return Depiction(atoms, places / (bond, -bond), bonds, (), frozenset()), places


def verify(image: np.ndarray, label: str, meta: dict[str, Any]) -> list[str]:
    """Return what is wrong with a picture, a line each.

    Args:
        image: uint8 ``[height, width]`` or ``[height, width, 3]``, as drawn.
        label: the SMILES.
        meta: the remarks of `datagen.molecules.drawing.render`.
    """
    depiction, places = from_data(meta["drawing"], float(meta["bond"]))
    problems = meaning_problems(depiction, label)
    ink = np.abs(image.astype(np.int16) - image[0, 0]).reshape(*image.shape[:2], -1).max(-1) > INK
    frame = np.ones_like(ink)
    frame[EDGE:-EDGE, EDGE:-EDGE] = False
    if ink[frame].any():
        problems.append("there is ink on the edge of the picture")
    reach = REACH * float(meta["bond"]) + 1
    for number, bond in enumerate(depiction.bonds):
        # Between labels only a bit of a bond may be seen, not always its middle.
        spots = [places[bond.begin] * (1 - share) + places[bond.end] * share for share in (0.35, 0.5, 0.65)]
        if not any(_near(ink, spot, reach) for spot in spots):
            problems.append(f"bond {number} is not in the picture")
    for number, atom in enumerate(depiction.atoms):
        if atom.labelled and not _near(ink, places[number], reach):
            problems.append(f"the label of atom {number} is not in the picture")
    return problems


def meaning_problems(depiction: Depiction, label: str) -> list[str]:
    """Return what is wrong with a drawing's mol block: it must have the label's InChIKey and canonical SMILES."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        block = depiction.molblock()
        seen, wanted = Chem.MolFromMolBlock(block), Chem.MolFromSmiles(label)
        if seen is None:
            return ["the drawing is no molecule"]
        problems = []
        if Chem.CanonSmiles(Chem.MolToSmiles(seen)) != label:
            problems.append("the drawing says another molecule than the label")
        if Chem.InchiToInchiKey(Chem.MolBlockToInchi(block)) != Chem.MolToInchiKey(wanted):
            problems.append("the drawing's mol block has another InChIKey than the label")
        return problems


def _near(ink: np.ndarray, place: np.ndarray, reach: float) -> bool:
    x, y = place
    rows = slice(max(0, round(y - reach)), max(0, round(y + reach) + 1))
    return bool(ink[rows, max(0, round(x - reach)) : max(0, round(x + reach) + 1)].any())
