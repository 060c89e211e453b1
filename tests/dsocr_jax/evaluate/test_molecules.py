"""Molecule metrics on molecules small enough to judge by eye."""

import pytest

from dsocr_jax.answers import AnswerError
from dsocr_jax.evaluate.molecules import MoleculeScore, score_molecule

L_ALANINE, D_ALANINE, ALANINE = "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CC(N)C(=O)O"


def test_another_way_to_write_it_is_exact() -> None:
    score = score_molecule("OC(=O)[C@@H](N)C", L_ALANINE)
    assert (score.valid, score.exact, score.exact_without_stereo, score.tanimoto) == (True, True, True, 1.0)
    assert score.edit_dist > 0


@pytest.mark.parametrize("prediction", [D_ALANINE, ALANINE])
def test_wrong_stereo_is_exact_without_stereo(prediction: str) -> None:
    score = score_molecule(prediction, L_ALANINE)
    assert (score.exact, score.exact_without_stereo) == (False, True)


def test_double_bond_stereo_counts_as_stereo() -> None:
    score = score_molecule("C/C=C\\C", "C/C=C/C")
    assert (score.exact, score.exact_without_stereo) == (False, True)


def test_an_isotope_is_not_stereo() -> None:
    assert not score_molecule("CCO", "[13CH3]CO").exact_without_stereo


@pytest.mark.parametrize("prediction", ["", "CC(", "not smiles", "C(C)(C)(C)(C)C", "c1ccccc"])
def test_an_invalid_answer_scores_nothing(prediction: str) -> None:
    score = score_molecule(prediction, "CCO")
    assert score == MoleculeScore(False, False, False, 0.0, score.edit_dist)


def test_edit_distance_is_on_the_text() -> None:
    assert score_molecule("CCN", "CCO").edit_dist == 1 / 3


def test_tanimoto_counts_shared_environments() -> None:
    assert score_molecule("C", "CC").tanimoto == 0
    # Both have the atoms CH3 and CH2 and the neighbourhood of CH3; propane has one neighbourhood more, butane two.
    assert score_molecule("CCC", "CCCC").tanimoto == 3 / 6


def test_a_false_truth_is_an_error() -> None:
    with pytest.raises(AnswerError):
        score_molecule("C", "not smiles")
