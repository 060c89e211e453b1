"""What a drawing of a molecule says: atoms with places and labels, bonds with their marks. And its mol block.

The renderers draw a `Depiction` and nothing else, and the check reads the same `Depiction` back: if the coordinates,
wedges and labels as drawn mean another molecule than the label of the sample, the drawing is rejected.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datagen.family import Rejected
from datagen.molecules.abbreviations import GROUP, fragment

if TYPE_CHECKING:
    from rdkit.Chem import Mol

Mark = Literal["", "solid", "hashed", "wavy", "crossed"]

#: Numbers of marks in a V2000 bond line.
_MARK_NUMBERS: dict[Mark, int] = {"": 0, "solid": 1, "hashed": 6, "wavy": 4, "crossed": 3}
#: Marks of single bonds by RDKit's numbers of bond directions; its numbers for double bonds of unknown geometry.
_DIRECTIONS: dict[int, Mark] = {1: "solid", 2: "hashed", 6: "wavy"}
_EITHER, _ANY = 5, 1
#: Numbers of unpaired electrons that can be drawn as dots and written in a mol block, and their numbers there.
_RADICALS = {0: 0, 1: 2, 2: 3}
#: The mol block's word for a valence of nothing.
_NO_VALENCE = 15
#: Most atoms and bonds that V2000 can number.
_MAX_V2000 = 999
#: The property of a wavy bond that says at which of its ends the unknown centre is.
CENTRE = "centre"
#: How far the unseen atoms of a group are put from its label; their places mean nothing.
_UNSEEN = 0.2


@dataclass(frozen=True, slots=True)
class Atom:
    """An atom as drawn.

    Attributes:
        element: its symbol, or the name of the group that it stands for.
        hydrogens: how many its label shows, besides those drawn as atoms.
        charge, isotope, radicals: as the label shows them.
        labelled: whether it is written; a carbon that is not has as many hydrogens as it needs.
        group: whether it stands for a group of `datagen.molecules.abbreviations`.
    """

    element: str
    hydrogens: int
    charge: int
    isotope: int
    radicals: int
    labelled: bool
    group: bool


@dataclass(frozen=True, slots=True)
class Bond:
    """A bond as drawn: the narrow end of a wedge is at ``begin``. ``ring`` is the ring whose inside it faces, or -1."""

    begin: int
    end: int
    order: int
    mark: Mark
    ring: int


@dataclass(frozen=True)
class Depiction:
    """Atoms, their places ``[atoms, 2]`` in bond lengths with y up, bonds, and rings as tuples of atom numbers.

    ``aromatic`` lists the rings that may be drawn as benzene.
    """

    atoms: tuple[Atom, ...]
    places: np.ndarray
    bonds: tuple[Bond, ...]
    rings: tuple[tuple[int, ...], ...]
    aromatic: frozenset[int]

    def molblock(self) -> str:
        """Return the drawing as an MDL V2000 mol block, the groups written out."""
        atoms = [_atom_line(x, y, atom, self._valence(i)) for i, (atom, (x, y)) in enumerate(self._placed())]
        bonds = [f"{b.begin + 1:3d}{b.end + 1:3d}{b.order:3d}{_MARK_NUMBERS[b.mark]:3d}" for b in self.bonds]
        charges = [(i, a.charge) for i, a in enumerate(self.atoms) if a.charge]
        isotopes = [(i, a.isotope) for i, a in enumerate(self.atoms) if a.isotope]
        radicals = [(i, _RADICALS[a.radicals]) for i, a in enumerate(self.atoms) if a.radicals]
        for index, atom in enumerate(self.atoms):
            if atom.group:
                self._write_out(index, atoms, bonds, charges)
        if max(len(atoms), len(bonds)) > _MAX_V2000:
            raise Rejected("too large for a mol block")
        head = ["", "", "", f"{len(atoms):3d}{len(bonds):3d}  0  0  1  0  0  0  0  0999 V2000"]
        tail = [
            *_properties("CHG", charges),
            *_properties("ISO", isotopes),
            *_properties("RAD", radicals),
            "M  END",
            "",
        ]
        return "\n".join([*head, *atoms, *bonds, *tail])

    def _placed(self) -> list[tuple[Atom, tuple[float, float]]]:
        return list(zip(self.atoms, self.places.tolist(), strict=True))

    def _valence(self, index: int) -> int:
        """Return the valence to write for an atom: none if it is a plain corner, whose hydrogens are understood."""
        atom = self.atoms[index]
        if not atom.labelled or atom.group:
            return 0
        valence = atom.hydrogens + sum(bond.order for bond in self.bonds if index in (bond.begin, bond.end))
        return valence or _NO_VALENCE

    def _write_out(self, index: int, atoms: list[str], bonds: list[str], charges: list[tuple[int, int]]) -> None:
        """Put a group's atoms and bonds in the place of its label."""
        group = fragment(self.atoms[index].element)
        x, y = self.places[index].tolist()
        numbers = [index, *range(len(atoms), len(atoms) + group.GetNumAtoms() - 1)]
        for number, atom in zip(numbers, group.GetAtoms(), strict=True):
            turn = 2.4 * atom.GetIdx()
            shift = _UNSEEN if atom.GetIdx() else 0.0
            place = x + shift * float(np.cos(turn)), y + shift * float(np.sin(turn))
            line = _atom_line(*place, Atom(atom.GetSymbol(), 0, 0, 0, 0, False, False), 0)
            if number < len(atoms):
                atoms[number] = line
            else:
                atoms.append(line)
            if atom.GetFormalCharge():
                charges.append((number, atom.GetFormalCharge()))
        for bond in group.GetBonds():
            ends = numbers[bond.GetBeginAtomIdx()], numbers[bond.GetEndAtomIdx()]
            bonds.append(f"{ends[0] + 1:3d}{ends[1] + 1:3d}{int(bond.GetBondTypeAsDouble()):3d}  0")


def depict(drawn: "Mol", methyls: bool) -> Depiction:
    """Return what a drawing of ``drawn`` says, a kekulised molecule with 2-D coordinates and wedges.

    Raises:
        Rejected: it has a bond or an atom that cannot be drawn.
    """
    places = np.array(drawn.GetConformer().GetPositions()[:, :2])
    info, count = drawn.GetRingInfo(), drawn.GetNumBonds()
    rings, sides = info.AtomRings(), info.BondRings()
    found = [drawn.GetBondWithIdx(number) for number in range(count)]
    orders = [int(bond.GetBondType()) for bond in found]
    doubles = [sum(orders[bond] == 2 for bond in ring) for ring in sides]
    # The second line of a double bond lies in the ring that looks most aromatic.
    facing = [-1] * count
    for number in sorted(range(len(rings)), key=lambda n: (doubles[n] >= 2, doubles[n], -len(rings[n]))):
        for side in sides[number]:
            facing[side] = number
    bonds = tuple(map(_bond, found, orders, facing))
    degrees, double = [0] * drawn.GetNumAtoms(), [0] * drawn.GetNumAtoms()
    for bond in bonds:
        for end in (bond.begin, bond.end):
            degrees[end] += 1
            double[end] += bond.order == 2
    # The middle of an allene would not be seen on its straight line.
    written = [d == 0 or (d == 2 and two == 2) or (methyls and d == 1) for d, two in zip(degrees, double, strict=True)]
    atoms = tuple(_atom(drawn.GetAtomWithIdx(number), written[number]) for number in range(len(written)))
    carbon = [atom.element == "C" for atom in atoms]
    aromatic = frozenset(
        n
        for n, ring in enumerate(rings)
        if len(ring) == 6 and doubles[n] == 3 and all(carbon[atom] for atom in ring) and _alone(n, rings)
    )
    unit = 1.5  # RDKit's bond length, for lone atoms
    if bonds:
        steps = places[[bond.begin for bond in bonds]] - places[[bond.end for bond in bonds]]
        unit = sorted(np.hypot(steps[:, 0], steps[:, 1]).tolist())[count // 2]
    return Depiction(atoms, places / unit, bonds, rings, aromatic)


def _alone(number: int, rings: tuple[tuple[int, ...], ...]) -> bool:
    atoms = set(rings[number])
    return all(len(atoms & set(ring)) < 2 for n, ring in enumerate(rings) if n != number)


def _atom(atom: Any, written: bool) -> Atom:
    """Return an atom; a carbon has a label if it is to be ``written``, or there is something to say about it."""
    symbol, charge, isotope = atom.GetSymbol(), atom.GetFormalCharge(), atom.GetIsotope()
    radicals = atom.GetNumRadicalElectrons()
    if symbol == "*":
        return Atom(atom.GetProp(GROUP), 0, 0, 0, 0, True, True)
    if radicals not in _RADICALS:
        raise Rejected("radical that cannot be drawn")
    labelled = written or symbol != "C" or bool(charge or isotope or radicals)
    return Atom(symbol, atom.GetTotalNumHs() if labelled else 0, charge, isotope, radicals, labelled, False)


def _bond(bond: Any, order: int, ring: int) -> Bond:
    if order not in (1, 2, 3):
        raise Rejected("bond that cannot be drawn")
    mark: Mark = ""
    if order == 1:
        mark = _DIRECTIONS.get(int(bond.GetBondDir()), "")
    elif order == 2 and (int(bond.GetStereo()) == _ANY or int(bond.GetBondDir()) == _EITHER):
        mark = "crossed"
    begin, end = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    if mark == "wavy" and bond.HasProp(CENTRE) and bond.GetIntProp(CENTRE) == end:
        begin, end = end, begin
    return Bond(begin, end, order, mark, ring)


def _atom_line(x: float, y: float, atom: Atom, valence: int) -> str:
    symbol = "C" if atom.group else atom.element
    return f"{x:10.4f}{y:10.4f}    0.0000 {symbol:<3} 0  0  0  0  0{valence:3d}  0  0  0  0  0  0"


def _properties(name: str, values: list[tuple[int, int]]) -> list[str]:
    """Return the property lines of a mol block, eight atoms a line."""
    return [
        f"M  {name}{len(part):3d}" + "".join(f" {index + 1:3d} {value:3d}" for index, value in part)
        for part in (values[start : start + 8] for start in range(0, len(values), 8))
    ]
