"""The answer of a chemical formula: the canonical isomeric SMILES of what is drawn, alone on one line."""

import re
from typing import TYPE_CHECKING

from dsocr_jax.answers.errors import AnswerError, bounded, excerpt

if TYPE_CHECKING:
    from rdkit.Chem import Mol

MAX_CHARS = 1_000
MAX_ATOMS = 400
#: Independent cycles; ring perception is the one step of RDKit that grows quickly with hostile text.
MAX_RINGS = 100

#: The characters of SMILES. A blank is not among them: RDKit would take what follows it for a name or an extension.
_ALPHABET = re.compile(r"[A-Za-z0-9@+\-\[\]()=#$:/\\%.<>]+")


def parse_smiles(text: str) -> "Mol":
    """Return the sanitised molecule that ``text`` stands for; any valid SMILES is taken, canonical or not.

    Raises:
        AnswerError: the text is not SMILES, is chemically impossible, holds a wildcard, or is beyond the limits.
    """
    bounded(text, MAX_CHARS, "SMILES")
    if not _ALPHABET.fullmatch(text):
        raise AnswerError(f"SMILES: empty, or with characters that SMILES does not have: {excerpt(text)}")
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        try:
            molecule = Chem.MolFromSmiles(text, sanitize=False)
            if molecule is None:
                raise AnswerError(f"SMILES: cannot be read: {excerpt(text)}")
            _check_size(molecule)
            Chem.SanitizeMol(molecule)
            # Removing written hydrogens also cleans the stereo marks, as RDKit's own reading of SMILES does.
            molecule = Chem.RemoveHs(molecule)
            Chem.AssignStereochemistry(molecule, cleanIt=True, force=True)
        except (ValueError, RuntimeError) as error:  # RDKit's exceptions derive from these two
            raise error if isinstance(error, AnswerError) else AnswerError(f"SMILES: {error}") from None
    return molecule


def write_smiles(molecule: "Mol") -> str:
    """Return the canonical isomeric SMILES of ``molecule``.

    Raises:
        AnswerError: RDKit cannot write the molecule, or the text is longer than `MAX_CHARS`.
    """
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        try:
            text = Chem.MolToSmiles(molecule)
        except (ValueError, RuntimeError) as error:
            raise AnswerError(f"SMILES: the molecule cannot be written: {error}") from None
    return bounded(text, MAX_CHARS, "SMILES")


def _check_size(molecule: "Mol") -> None:
    atoms, bonds = molecule.GetNumAtoms(), molecule.GetNumBonds()
    if atoms == 0:
        raise AnswerError("SMILES: no atoms")
    # A connected part has bonds - atoms + 1 independent cycles, so this never undercounts by more than the parts.
    if atoms > MAX_ATOMS or bonds - atoms >= MAX_RINGS:
        raise AnswerError(f"SMILES: more than {MAX_ATOMS} atoms or {MAX_RINGS} rings")
    if any(atom.GetAtomicNum() == 0 for atom in molecule.GetAtoms()):
        raise AnswerError("SMILES: a wildcard atom is no molecule")
