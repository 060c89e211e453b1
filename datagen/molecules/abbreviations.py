"""Groups that chemists write in short (OMe, Boc, NO2), found in a molecule and put in its place as one label."""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rdkit.Chem import Mol, RWMol

#: How likely each group that could be written in short is.
EACH_GROUP = 0.75
#: Atoms that are always left written out.
MIN_REST = 4
#: The property of a condensed atom that names its group.
GROUP = "group"


@dataclass(frozen=True)
class Group:
    """A group: its name with the bond on the left, with the bond on the right, its SMILES from the bonded atom on."""

    right: str
    left: str
    smiles: str


#: Larger groups stand before those that they contain.
GROUPS = {
    group.right: group
    for group in (
        Group("NHBoc", "BocHN", "NC(=O)OC(C)(C)C"),
        Group("NHCbz", "CbzHN", "NC(=O)OCc1ccccc1"),
        Group("OTBS", "TBSO", "O[Si](C)(C)C(C)(C)C"),
        Group("OTs", "TsO", "OS(=O)(=O)c1ccc(C)cc1"),
        Group("OTf", "TfO", "OS(=O)(=O)C(F)(F)F"),
        Group("Bpin", "pinB", "B1OC(C)(C)C(C)(C)O1"),
        Group("Boc", "Boc", "C(=O)OC(C)(C)C"),
        Group("Cbz", "Cbz", "C(=O)OCc1ccccc1"),
        Group("TBS", "TBS", "[Si](C)(C)C(C)(C)C"),
        Group("Ts", "Ts", "S(=O)(=O)c1ccc(C)cc1"),
        Group("OBn", "BnO", "OCc1ccccc1"),
        Group("OBz", "BzO", "OC(=O)c1ccccc1"),
        Group("OMs", "MsO", "OS(C)(=O)=O"),
        Group("NHAc", "AcHN", "NC(C)=O"),
        Group("OAc", "AcO", "OC(C)=O"),
        Group("CO2Me", "MeO2C", "C(=O)OC"),
        Group("CO2Et", "EtO2C", "C(=O)OCC"),
        Group("CO2H", "HO2C", "C(=O)O"),
        Group("SO3H", "HO3S", "S(=O)(=O)O"),
        Group("SO2Me", "MeO2S", "S(C)(=O)=O"),
        Group("SO2NH2", "H2NO2S", "S(N)(=O)=O"),
        Group("CONH2", "H2NOC", "C(N)=O"),
        Group("OCF3", "F3CO", "OC(F)(F)F"),
        Group("CF3", "F3C", "C(F)(F)F"),
        Group("CHF2", "F2HC", "C(F)F"),
        Group("NEt2", "Et2N", "N(CC)CC"),
        Group("NMe2", "Me2N", "N(C)C"),
        Group("NHMe", "MeHN", "NC"),
        Group("TMS", "TMS", "[Si](C)(C)C"),
        Group("Bz", "Bz", "C(=O)c1ccccc1"),
        Group("Bn", "Bn", "Cc1ccccc1"),
        Group("Ph", "Ph", "c1ccccc1"),
        Group("t-Bu", "t-Bu", "C(C)(C)C"),
        Group("i-Pr", "i-Pr", "C(C)C"),
        Group("Ac", "Ac", "C(C)=O"),
        Group("CHO", "OHC", "C=O"),
        Group("OEt", "EtO", "OCC"),
        Group("OMe", "MeO", "OC"),
        Group("SMe", "MeS", "SC"),
        Group("NO2", "O2N", "[N+](=O)[O-]"),
        Group("N3", "N3", "N=[N+]=[N-]"),
        Group("CN", "NC", "C#N"),
        Group("NCO", "OCN", "N=C=O"),
        Group("NCS", "SCN", "N=C=S"),
    )
}


def condense(mol: "Mol", rng: np.random.Generator) -> "Mol":
    """Return a copy of ``mol`` in which some groups are single atoms of number 0 with the property `GROUP`.

    Bonds to the rest of the molecule keep their order around each atom, so stereo marks keep their meaning.
    """
    from rdkit import Chem

    taken: set[int] = set()
    outside: set[int] = set()
    removed: list[int] = []
    edited: RWMol = Chem.RWMol(mol)
    left = mol.GetNumAtoms()
    for name in GROUPS:
        for match in mol.GetSubstructMatches(_query(name)):
            atoms = set(match[1:])
            if atoms & (taken | outside) or match[0] in taken or not _same(mol, name, match):
                continue
            if left - len(atoms) < MIN_REST or rng.random() >= EACH_GROUP:
                continue
            left -= len(atoms)
            taken |= atoms
            outside.add(match[0])
            _make_dummy(edited.GetAtomWithIdx(match[1]), name)
            removed += match[2:]
    if not taken:
        return Chem.Mol(mol)
    edited.BeginBatchEdit()
    for index in removed:
        edited.RemoveAtom(index)
    edited.CommitBatchEdit()
    condensed = edited.GetMol()
    Chem.SanitizeMol(condensed)
    return condensed


@functools.cache
def fragment(name: str) -> "Mol":
    """Return the molecule of a group with double bonds in place of aromatic ones; its first atom is the bonded one."""
    from rdkit import Chem

    mol = Chem.MolFromSmiles(GROUPS[name].smiles)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    return mol


@functools.cache
def _query(name: str) -> "Mol":
    from rdkit import Chem

    mol = Chem.MolFromSmiles("*" + GROUPS[name].smiles)
    parameters: Any = Chem.AdjustQueryParameters.NoAdjustments()
    parameters.makeDummiesQueries = True
    parameters.adjustDegree = True
    parameters.adjustDegreeFlags = Chem.AdjustQueryWhichFlags.ADJUST_IGNOREDUMMIES
    return Chem.AdjustQueryProperties(mol, parameters)


def _same(mol: "Mol", name: str, match: tuple[int, ...]) -> bool:
    """Whether the atoms found have the charges and hydrogens of the group, and the rest is bonded to it only once."""
    if mol.GetAtomWithIdx(match[0]).GetAtomicNum() == 1:
        return False
    wanted = _query(name)
    for position, index in enumerate(match[1:], 1):
        atom, model = mol.GetAtomWithIdx(index), wanted.GetAtomWithIdx(position)
        if (
            atom.GetFormalCharge() != model.GetFormalCharge()
            or atom.GetTotalNumHs() != _hydrogens(name)[position]
            or atom.GetIsotope()
            or atom.GetNumRadicalElectrons()
        ):
            return False
    return True


@functools.cache
def _hydrogens(name: str) -> tuple[int, ...]:
    from rdkit import Chem

    return tuple(atom.GetTotalNumHs() for atom in Chem.MolFromSmiles("*" + GROUPS[name].smiles).GetAtoms())


def _make_dummy(atom: Any, name: str) -> None:
    atom.SetAtomicNum(0)
    atom.SetFormalCharge(0)
    atom.SetNoImplicit(True)
    atom.SetNumExplicitHs(0)
    atom.SetIsAromatic(False)
    atom.SetProp(GROUP, name)
