"""Where the atoms of a molecule go: coordinates and wedges by RDKit, turned, mirrored, and checked to be readable."""

import math
from typing import TYPE_CHECKING

import numpy as np

from datagen.family import Rejected
from datagen.molecules.abbreviations import condense
from datagen.molecules.chemistry import Molecule
from datagen.molecules.depiction import CENTRE, Depiction, depict
from datagen.molecules.settings import MoleculeSettings
from datagen.molecules.styles import Style

if TYPE_CHECKING:
    from rdkit.Chem import Mol

#: Atoms that are not bonded to each other are at least this far apart, and from bonds that are not theirs, in bonds.
MIN_DISTANCE, MIN_CLEARANCE = 0.48, 0.25
#: The shortest and the longest bond of a picture, of its median bond. Bridged rings need some freedom.
MIN_LENGTH, MAX_LENGTH = 0.52, 2.2
#: Rows and columns of fragments that are longer than wide by more than this are put the other way.
STRIP = 2.5
#: RDKit's bonds have this length.
UNIT = 1.5
#: Length of the bond to a hydrogen that is drawn at a centre of three ring bonds, in bonds.
HYDROGEN = 0.75
#: Gaps between fragments, in bonds, and how likely they stand beside each other instead of below.
FRAGMENT_GAP, BESIDE = (1.7, 2.6), 0.7
#: Rings from this size on are laid out by CoordGen in most cases, which draws them as chemists do.
MACROCYCLE = 9
COORDGEN_MACROCYCLES = 0.8


def lay_out(
    content: Molecule, style: Style, rng: np.random.Generator, settings: MoleculeSettings
) -> tuple["Mol", Depiction]:
    """Return a molecule with coordinates and wedges, ready to draw, and what the drawing says.

    Raises:
        Rejected: atoms overlap, bonds cross or are cramped, something cannot be drawn, or the drawing would say
            another molecule than the label.
    """
    from rdkit import rdBase

    with rdBase.BlockLogs():
        short = style.abbreviates and rng.random() < settings.abbreviated
        mol = condense(content.mol, rng) if short else content.mol
        failed: Rejected | None = None
        for way in _ways(mol, rng, settings):
            try:
                drawn = place(mol, way, style, rng, settings)
                depiction = depict(drawn, style.methyls)
                check_distances(depiction)
                check_meaning(depiction, content)
            except Rejected as error:
                failed = failed or error
            else:
                return drawn, depiction
    raise failed or Rejected("no layout")


def _ways(mol: "Mol", rng: np.random.Generator, settings: MoleculeSettings) -> list[str]:
    """Return the layouts to try, in order, until one is readable: otherwise bridged and crowded molecules get rare."""
    if settings.pieces == "small":
        return ["plain"]
    large = max(map(len, mol.GetRingInfo().AtomRings()), default=0) >= MACROCYCLE
    coordgen = bool(rng.random() < (COORDGEN_MACROCYCLES if large else settings.coordgen))
    first = "coordgen" if coordgen else "templates" if rng.random() < settings.templates else "plain"
    return [first, *(way for way in ("plain", "coordgen", "templates") if way != first)]


def place(mol: "Mol", way: str, style: Style, rng: np.random.Generator, settings: MoleculeSettings) -> "Mol":
    """Return a copy of ``mol`` with coordinates, wedges, and double bonds in place of aromatic ones.

    Args:
        mol: the molecule, perhaps with condensed groups.
        way: "plain" and "templates" are RDKit's layouts (the second knows drawings of some bridged rings), "coordgen"
            is CoordGen's.
        style: says whether bonds keep to multiples of 30 degrees, and hydrogens at ring fusions are drawn.
        rng: for the turn, the mirror image, the places of fragments, wavy bonds.
        settings: how likely those are.
    """
    from rdkit.Chem import Mol, rdCoordGen, rdDepictor
    from rdkit.Chem.Draw import rdMolDraw2D

    mol = Mol(mol)
    if way == "coordgen":
        rdCoordGen.AddCoords(mol)
    else:
        rdDepictor.Compute2DCoords(mol, useRingTemplates=way == "templates")
    if style.straight:
        rdDepictor.StraightenDepiction(mol)
    before = mol.GetNumAtoms()
    mol = rdMolDraw2D.PrepareMolForDrawing(mol, addChiralHs=style.chiral_hydrogens, wedgeBonds=False)
    conformer = mol.GetConformer()
    places = np.array(conformer.GetPositions())
    _spread_hydrogens(mol, places, before)
    if rng.random() < settings.mirrored:
        places[:, 0] *= -1
    angle = float(rng.uniform(0, 2 * math.pi)) if rng.random() < settings.rotated else 0.0
    sine, cosine = math.sin(angle), math.cos(angle)
    places[:, :2] = places[:, :2] @ np.array([[cosine, sine], [-sine, cosine]])
    _arrange(mol, places, rng)
    conformer.SetPositions(places)
    _mark(mol, rng, settings)
    return mol


def _spread_hydrogens(mol: "Mol", places: np.ndarray, first: int) -> None:
    """Put the hydrogens from number ``first`` on, each on a ring's centre of three bonds, where most room is."""
    for number in range(first, mol.GetNumAtoms()):
        (centre,) = (atom.GetIdx() for atom in mol.GetAtomWithIdx(number).GetNeighbors())
        others = [a.GetIdx() for a in mol.GetAtomWithIdx(centre).GetNeighbors() if a.GetIdx() != number]
        steps = places[others, :2] - places[centre, :2]
        angles = np.sort(np.arctan2(steps[:, 1], steps[:, 0]))
        middles = angles + np.diff(angles, append=angles[0] + 2 * math.pi) / 2
        spots = places[centre, :2] + HYDROGEN * UNIT * np.stack([np.cos(middles), np.sin(middles)], 1)
        rest = np.delete(places[:number, :2], centre, 0)
        room = np.hypot(*(spots[:, None] - rest).transpose(2, 0, 1)).min(1)
        places[number, :2] = spots[int(np.argmax(room.round(3)))]


def _arrange(mol: "Mol", places: np.ndarray, rng: np.random.Generator) -> None:
    """Put the fragments of ``mol`` beside or below each other: RDKit leaves too little between them to tell apart."""
    from rdkit import Chem

    fragments = [list(atoms) for atoms in Chem.GetMolFrags(mol)]
    if len(fragments) < 2:
        return
    gap, beside = UNIT * float(rng.uniform(*FRAGMENT_GAP)), bool(rng.random() < BESIDE)
    sizes = np.array([np.ptp(places[atoms, :2], axis=0) for atoms in fragments])
    total = sizes.sum(0) + gap * (len(fragments) - 1)
    row, column = total[0] / max(gap, sizes[:, 1].max()), total[1] / max(gap, sizes[:, 0].max())
    if max(row, column) > STRIP:  # long strips leave little room for what is on them
        beside = bool(row < column)
    axis, pen = (0, 1) if beside else (1, 0), 0.0
    fragments.sort(key=len, reverse=True)
    if beside and rng.random() < 0.25:
        fragments.reverse()
    for atoms in fragments:
        part = places[atoms]
        part[:, axis[0]] += pen - part[:, axis[0]].min()
        part[:, axis[1]] -= (part[:, axis[1]].min() + part[:, axis[1]].max()) / 2
        places[atoms] = part
        pen = float(part[:, axis[0]].max()) + gap
    if not beside:
        places[:, 1] *= -1  # the largest fragment on top


def _mark(mol: "Mol", rng: np.random.Generator, settings: MoleculeSettings) -> None:
    """Give ``mol`` the wedges that its stereocentres need, and perhaps wavy bonds where nothing is known."""
    from rdkit import Chem

    Chem.WedgeMolBonds(mol, mol.GetConformer())
    if rng.random() >= settings.wavy:
        return
    for info in Chem.FindPotentialStereo(mol):
        known = info.specified != Chem.StereoSpecified.Unspecified
        if known or info.type != Chem.StereoType.Atom_Tetrahedral:
            continue
        atom = mol.GetAtomWithIdx(info.centeredOn)
        # A wavy bond to an end of a double bond would say that the double bond's geometry is unknown.
        free = [
            bond
            for bond in atom.GetBonds()
            if bond.GetBondType() == Chem.BondType.SINGLE
            and bond.GetBondDir() == Chem.BondDir.NONE
            and not bond.IsInRing()
            and all(other.GetBondType() == Chem.BondType.SINGLE for other in bond.GetOtherAtom(atom).GetBonds())
        ]
        marked = any(bond.GetBondDir() != Chem.BondDir.NONE for bond in atom.GetBonds())
        if free and not marked and atom.GetAtomicNum() == 6:
            bond = free[int(rng.integers(len(free)))]
            bond.SetBondDir(Chem.BondDir.UNKNOWN)
            bond.SetIntProp(CENTRE, atom.GetIdx())


def check_meaning(depiction: Depiction, content: Molecule) -> None:
    """Raise `Rejected` unless the drawing's mol block reads back as the molecule.

    By RDKit to the same canonical SMILES; where stereo is drawn also by InChI's own reader, whose view of wedges is
    independent of RDKit's, to the same InChI. Wedges that the two understand differently are not drawn.
    """
    from rdkit import Chem

    block = depiction.molblock()
    seen = Chem.MolFromMolBlock(block)
    if seen is None:
        raise Rejected("depiction says another molecule")
    smiles = Chem.MolToSmiles(seen)
    # The first writing after reading a mol block is not always the stable form.
    if smiles != content.smiles and Chem.CanonSmiles(smiles) != content.smiles:
        raise Rejected("depiction says another molecule")
    if set("@/\\") & set(content.smiles) and Chem.MolBlockToInchi(block) != Chem.MolToInchi(content.mol):
        raise Rejected("depiction says another InChI")


def check_distances(depiction: Depiction) -> None:
    """Raise `Rejected` if atoms or bonds lie on top of each other, or bonds are much too short or too long."""
    places, bonds = depiction.places, depiction.bonds
    count = len(places)
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    pairs = np.array([(bond.begin, bond.end) for bond in bonds], dtype=int).reshape(-1, 2)
    lengths = gaps[pairs[:, 0], pairs[:, 1]]
    if len(pairs) and (lengths.min() < MIN_LENGTH or lengths.max() > MAX_LENGTH):
        raise Rejected("bonds are cramped")
    gaps[pairs[:, 0], pairs[:, 1]] = gaps[pairs[:, 1], pairs[:, 0]] = math.inf
    gaps[range(count), range(count)] = math.inf
    if count > 1 and gaps.min() < MIN_DISTANCE:
        raise Rejected("atoms overlap")
    if not len(pairs):
        return
    starts, steps = places[pairs[:, 0]], places[pairs[:, 1]] - places[pairs[:, 0]]
    apart = places[:, None] - starts[None]
    share = np.clip((apart * steps).sum(-1) / (lengths**2), 0, 1)
    distance = np.hypot(*(apart - share[..., None] * steps).transpose(2, 0, 1))
    foreign = (np.arange(count)[:, None] != pairs[:, 0]) & (np.arange(count)[:, None] != pairs[:, 1])
    if (foreign & (distance < MIN_CLEARANCE)).any():
        raise Rejected("atom on a bond")
    # Bonds of bridged rings cross in any drawing; others must not.
    for pair in crossings(depiction):
        rings = [{n for n, ring in enumerate(depiction.rings) if bonds[bond].begin in ring} for bond in pair]
        atoms = [{atom for n in near for atom in depiction.rings[n]} for near in rings]
        if any(bonds[bond].ring < 0 for bond in pair) or len(atoms[0] & atoms[1]) < 3:
            raise Rejected("bonds cross")


def crossings(depiction: Depiction) -> list[tuple[int, int]]:
    """Return the pairs of bonds that cross, by their numbers."""
    pairs = np.array([(bond.begin, bond.end) for bond in depiction.bonds], dtype=int).reshape(-1, 2)
    starts, ends = depiction.places[pairs[:, 0]], depiction.places[pairs[:, 1]]
    side = _cross(ends[:, None] - starts[:, None], np.stack([starts, ends])[:, None] - starts[:, None])
    splits = side[0] * side[1] < -1e-9
    first, second = np.nonzero(np.triu(splits & splits.T, 1))
    return list(zip(first.tolist(), second.tolist(), strict=True))


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
