"""What makes a built molecule usable: it is valid, its stereo marks are drawn, its canonical form is stable."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from datagen.family import Rejected
from datagen.molecules.assembly import assemble
from datagen.molecules.settings import MoleculeSettings
from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.smiles import parse_smiles, write_smiles

if TYPE_CHECKING:
    from rdkit.Chem import Mol

#: When stereocentres are specified, how likely each of them is.
EACH_CENTRE = 0.85


@dataclass(frozen=True)
class Molecule:
    """A molecule by its canonical isomeric SMILES."""

    smiles: str
    mol: "Mol" = field(compare=False, repr=False)

    @property
    def key(self) -> str:
        """The canonical isomeric SMILES."""
        return self.smiles


def compose(rng: np.random.Generator, settings: MoleculeSettings) -> Molecule:
    """Build a molecule.

    Raises:
        Rejected: the molecule is too small or too large, or it cannot be written in a stable canonical form.
    """
    target = int(rng.integers(settings.typical[0], settings.typical[1] + 1))
    text = assemble(rng, settings.pieces == "small", target, bool(rng.random() < settings.charged))
    try:
        mol = parse_smiles(text)
    except AnswerError:
        raise Rejected("not a valid molecule") from None
    if not settings.atoms[0] <= mol.GetNumHeavyAtoms() <= settings.atoms[1]:
        raise Rejected("number of atoms")
    return molecule(specify_stereo(mol, rng, bool(rng.random() < settings.stereo)))


def molecule(mol: "Mol") -> Molecule:
    """Return the molecule with its canonical SMILES, once reading and writing that gives the same text."""
    try:
        smiles = write_smiles(mol)
        again = parse_smiles(smiles)
        if write_smiles(again) == smiles:
            return Molecule(smiles, again)
    except AnswerError:
        pass
    raise Rejected("canonical form is not stable")


def specify_stereo(mol: "Mol", rng: np.random.Generator, centres: bool) -> "Mol":
    """Return ``mol`` with stereo marks.

    Double bonds that can be cis or trans always get one of the two, since any drawing shows one. Tetrahedral centres
    get marks only if ``centres``, most of them or all.
    """
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        potential = list(Chem.FindPotentialStereo(mol))
        for info in potential:
            tetrahedral = info.type == Chem.StereoType.Atom_Tetrahedral
            # A phosphate's centre is none in fact: its acid hydrogen moves from one oxygen to the other.
            if tetrahedral and mol.GetAtomWithIdx(info.centeredOn).GetAtomicNum() == 15:
                continue
            if tetrahedral and centres and rng.random() < EACH_CENTRE:
                tag = Chem.ChiralType.CHI_TETRAHEDRAL_CW if rng.random() < 0.5 else Chem.ChiralType.CHI_TETRAHEDRAL_CCW
                mol.GetAtomWithIdx(info.centeredOn).SetChiralTag(tag)
        Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
        for info in potential:
            if info.type == Chem.StereoType.Bond_Double:
                # Two neighbours of each end; a missing one is given as a number that no atom has. An end without any
                # (the nitrogen of an imine N-H) shows no geometry.
                atoms = list(info.controllingAtoms)
                near, far = ([atom for atom in pair if atom < mol.GetNumAtoms()] for pair in (atoms[:2], atoms[2:]))
                if near and far:
                    bond = mol.GetBondWithIdx(info.centeredOn)
                    bond.SetStereoAtoms(near[0], far[0])
                    bond.SetStereo(Chem.BondStereo.STEREOCIS if rng.random() < 0.5 else Chem.BondStereo.STEREOTRANS)
    return mol
