"""What molecule is drawn: built or taken from a source, valid, its stereo marks decided, its canonical form stable."""

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from datagen.family import Rejected
from datagen.molecules import sources
from datagen.molecules.assembly import assemble
from datagen.molecules.settings import MoleculeSettings
from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.smiles import parse_smiles, write_smiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdkit.Chem import Mol

#: When stereocentres are specified, how likely each of them is.
EACH_CENTRE = 0.85


@dataclass(frozen=True)
class Molecule:
    """A molecule by its canonical isomeric SMILES, and where it is from."""

    smiles: str
    mol: "Mol" = field(compare=False, repr=False)
    source: str = "generator"
    accessibility: float | None = None

    @property
    def key(self) -> str:
        """The canonical SMILES without stereo marks.

        Stereoisomers, and the same molecule drawn with and without its stereo, are one content: none of them is in
        the training set if another is in the test set.
        """
        if not set("@/\\") & set(self.smiles):
            return self.smiles
        from rdkit import Chem

        flat = Chem.Mol(self.mol)
        Chem.RemoveStereochemistry(flat)
        return write_smiles(parse_smiles(write_smiles(flat)))


def compose(rng: np.random.Generator, settings: MoleculeSettings) -> Molecule:
    """Build a molecule, or take one from the source.

    Raises:
        Rejected: the molecule is too small or too large or hard to make, or has no stable canonical form.
    """
    name = "generator" if settings.source is None else sources.load(settings.source).name
    try:
        mol = _built(rng, settings) if settings.source is None else _taken(rng, settings.source)
    except AnswerError:
        raise Rejected("not a valid molecule") from None
    if not settings.atoms[0] <= mol.GetNumHeavyAtoms() <= settings.atoms[1]:
        raise Rejected("number of atoms")
    score = None
    if settings.accessible is not None and settings.source is None:
        score = round(float(_score()(mol)), 2)
        if score > settings.accessible:
            raise Rejected("hard to make")
    if rng.random() < settings.flat:
        drop_centres(mol)
    return molecule(specify_double_bonds(mol, rng, settings.crossed), name, score)


def molecule(mol: "Mol", source: str = "generator", accessibility: float | None = None) -> Molecule:
    """Return the molecule with its canonical SMILES, once reading and writing that gives the same text."""
    try:
        smiles = write_smiles(mol)
        again = parse_smiles(smiles)
        if write_smiles(again) == smiles:
            _keep_unknown(mol, again)
            return Molecule(smiles, again, source, accessibility)
    except AnswerError:
        pass
    raise Rejected("canonical form is not stable")


def specify_centres(mol: "Mol", rng: np.random.Generator) -> "Mol":
    """Return ``mol`` with marks at most of its tetrahedral stereocentres, or all."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        for info in Chem.FindPotentialStereo(mol):
            # A phosphate's centre is none in fact: its acid hydrogen moves from one oxygen to the other.
            tetrahedral = info.type == Chem.StereoType.Atom_Tetrahedral
            if tetrahedral and mol.GetAtomWithIdx(info.centeredOn).GetAtomicNum() != 15 and rng.random() < EACH_CENTRE:
                tag = Chem.ChiralType.CHI_TETRAHEDRAL_CW if rng.random() < 0.5 else Chem.ChiralType.CHI_TETRAHEDRAL_CCW
                mol.GetAtomWithIdx(info.centeredOn).SetChiralTag(tag)
        Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    return mol


def drop_centres(mol: "Mol") -> None:
    """Remove the marks of stereocentres; double bonds keep theirs, since any drawing shows them."""
    from rdkit import Chem

    for atom in mol.GetAtoms():
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)


def specify_double_bonds(mol: "Mol", rng: np.random.Generator, crossed: float = 0.0) -> "Mol":
    """Return ``mol`` with every double bond that can be cis or trans marked as one of them.

    Any plain drawing shows one of the two, so the label says it too. With the chance ``crossed`` such bonds are marked
    as unknown instead, which is drawn as a cross.
    """
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        unknown = rng.random() < crossed
        for info in Chem.FindPotentialStereo(mol):
            if info.type != Chem.StereoType.Bond_Double or info.specified == Chem.StereoSpecified.Specified:
                continue
            # Two neighbours of each end; a missing one is given as a number that no atom has. An end without any
            # (the nitrogen of an imine N-H) shows no geometry.
            atoms = list(info.controllingAtoms)
            near, far = ([atom for atom in pair if atom < mol.GetNumAtoms()] for pair in (atoms[:2], atoms[2:]))
            if near and far:
                bond = mol.GetBondWithIdx(info.centeredOn)
                bond.SetStereoAtoms(near[0], far[0])
                cis = Chem.BondStereo.STEREOCIS if rng.random() < 0.5 else Chem.BondStereo.STEREOTRANS
                bond.SetStereo(Chem.BondStereo.STEREOANY if unknown and not bond.IsInRing() else cis)
        # Molecules of several fragments are else written without the new marks.
        Chem.SetDoubleBondNeighborDirections(mol)
        Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    return mol


def _built(rng: np.random.Generator, settings: MoleculeSettings) -> "Mol":
    target = int(rng.integers(settings.typical[0], settings.typical[1] + 1))
    mol = parse_smiles(assemble(rng, settings.pieces == "small", target, bool(rng.random() < settings.charged)))
    return specify_centres(mol, rng) if rng.random() < settings.stereo else mol


def _taken(rng: np.random.Generator, source: str) -> "Mol":
    lines = sources.load(source)
    return parse_smiles(lines[int(rng.integers(len(lines)))])


def _keep_unknown(mol: "Mol", again: "Mol") -> None:
    """Mark the double bonds of unknown geometry again: SMILES has no word for them."""
    from rdkit import Chem

    unknown = Chem.BondStereo.STEREOANY
    if any(bond.GetStereo() == unknown for bond in mol.GetBonds()):
        for info in Chem.FindPotentialStereo(again):
            if info.type == Chem.StereoType.Bond_Double and info.specified != Chem.StereoSpecified.Specified:
                bond = again.GetBondWithIdx(info.centeredOn)
                if bond.GetStereo() == Chem.BondStereo.STEREONONE and not bond.IsInRing():
                    bond.SetStereo(unknown)


@functools.cache
def _score() -> "Callable[[Mol], float]":
    """Return RDKit's synthetic accessibility score; its table takes a third of a second and 90 MB."""
    from rdkit.Contrib.SA_Score import sascorer

    return sascorer.calculateScore
