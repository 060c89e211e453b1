"""Metrics of molecules: does the answer parse, is it the molecule, how like it is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.smiles import parse_smiles, write_smiles
from dsocr_jax.evaluate.text import edit_dist

if TYPE_CHECKING:
    from rdkit.Chem import Mol

#: Morgan fingerprints for the Tanimoto similarity.
FINGERPRINT_RADIUS, FINGERPRINT_BITS = 2, 2048


@dataclass(frozen=True)
class MoleculeScore:
    """One answer against its truth.

    Attributes:
        valid: the answer is SMILES of a possible molecule.
        exact: same canonical isomeric SMILES.
        exact_without_stereo: same canonical SMILES after the stereo marks of both are removed.
        tanimoto: similarity of Morgan fingerprints, 0 to 1; 0 for an invalid answer.
        edit_dist: normalised edit distance of the texts as they are, 0 to 1.
    """

    valid: bool
    exact: bool
    exact_without_stereo: bool
    tanimoto: float
    edit_dist: float


def score_molecule(prediction: str, truth: str) -> MoleculeScore:
    """Compare an answer, valid or not, with the true SMILES.

    Raises:
        AnswerError: the truth is no molecule.
    """
    true = parse_smiles(truth)
    distance = edit_dist(prediction, truth)
    try:
        predicted = parse_smiles(prediction)
    except AnswerError:
        return MoleculeScore(False, False, False, 0.0, distance)
    return MoleculeScore(
        valid=True,
        exact=write_smiles(predicted) == write_smiles(true),
        exact_without_stereo=without_stereo(predicted) == without_stereo(true),
        tanimoto=tanimoto(predicted, true),
        edit_dist=distance,
    )


def without_stereo(molecule: "Mol") -> str:
    """Return the canonical SMILES without stereo marks; isotopes and charges stay."""
    from rdkit import Chem

    flat = Chem.Mol(molecule)
    Chem.RemoveStereochemistry(flat)
    return write_smiles(flat)


def tanimoto(first: "Mol", second: "Mol") -> float:
    """Return the Tanimoto similarity of the Morgan fingerprints (radius 2, 2048 bits)."""
    from rdkit import DataStructs
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=FINGERPRINT_RADIUS, fpSize=FINGERPRINT_BITS)
    return float(DataStructs.TanimotoSimilarity(generator.GetFingerprint(first), generator.GetFingerprint(second)))
