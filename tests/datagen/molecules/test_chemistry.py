import dataclasses
from typing import Any

import numpy as np
import pytest
from rdkit import Chem

from datagen.family import Rejected
from datagen.molecules import chemistry
from datagen.molecules.chemistry import compose, drop_centres, molecule, specify_centres, specify_double_bonds
from datagen.molecules.settings import STANDARD
from dsocr_jax.answers.smiles import parse_smiles


@pytest.mark.parametrize("smiles", ["CC=CC", "CC=NO", "CN=NC", "CC(C)=NN", "NC(C)=CF", "CC=CC[O-].[Na+]"])
@pytest.mark.parametrize("seed", range(4))
def test_a_double_bond_with_two_forms_is_always_one_of_them(smiles: str, seed: int):
    mol = specify_double_bonds(parse_smiles(smiles), np.random.default_rng(seed))
    possible = bool(Chem.FindPotentialStereo(parse_smiles(smiles)))
    assert ("/" in molecule(mol).smiles) == possible


def test_both_forms_of_a_double_bond_are_made():
    made = {molecule(specify_double_bonds(parse_smiles("CC=CC"), np.random.default_rng(n))).smiles for n in range(20)}
    assert made == {"C/C=C/C", "C/C=C\\C"}


def test_a_specified_double_bond_is_kept():
    for seed in range(5):
        mol = specify_double_bonds(parse_smiles("C/C=C\\C"), np.random.default_rng(seed), crossed=1.0)
        assert molecule(mol).smiles == "C/C=C\\C"


def test_unknown_double_bonds_stay_unknown():
    made = molecule(specify_double_bonds(parse_smiles("CC=CC"), np.random.default_rng(0), crossed=1.0))
    assert made.smiles == "CC=CC"
    assert made.mol.GetBondWithIdx(1).GetStereo() == Chem.BondStereo.STEREOANY


def test_centres_are_marked_mostly():
    made = {molecule(specify_centres(parse_smiles("CC(F)O"), np.random.default_rng(n))).smiles for n in range(30)}
    assert made == {"CC(O)F", "C[C@H](O)F", "C[C@@H](O)F"}


def test_centres_can_be_dropped_and_double_bonds_stay():
    mol = parse_smiles("C/C=C/[C@H](O)F")
    drop_centres(mol)
    assert molecule(mol).smiles == "C/C=C/C(O)F"


def test_the_key_knows_no_stereo():
    forms = ["C/C=C/[C@H](O)F", "C/C=C\\[C@H](O)F", "C/C=C/[C@@H](O)F", "C/C=C/C(O)F", "CC=CC(O)F"]
    assert {molecule(parse_smiles(form)).key for form in forms} == {"CC=CC(O)F"}
    assert molecule(parse_smiles("CC=CC(O)Cl")).key != "CC=CC(O)F"


def test_hard_molecules_are_rejected(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chemistry, "_score", lambda: lambda mol: 5.6)
    reasons = set()
    for seed in range(10):
        try:
            compose(np.random.default_rng(seed), STANDARD)
        except Rejected as error:
            reasons.add(error.reason)
    assert "hard to make" in reasons
    content = compose(np.random.default_rng(0), dataclasses.replace(STANDARD, accessible=6.0))
    assert content.accessibility == 5.6


def test_what_the_generator_makes_is_varied():
    made: list[Any] = []
    seed = 0
    while len(made) < 250:
        seed += 1
        try:
            made.append(compose(np.random.default_rng(seed), STANDARD))
        except Rejected:
            continue
    texts = [content.smiles for content in made]
    assert len(set(texts)) > 240
    shares = {
        "salts": sum("." in text for text in texts),
        "charges": sum("+]" in text or "-]" in text for text in texts),
        "centres": sum("@" in text for text in texts),
        "double bonds": sum("/" in text for text in texts),
        "macrocycles": sum(any(len(r) > 9 for r in content.mol.GetRingInfo().AtomRings()) for content in made),
    }
    assert all(count >= 2 for count in shares.values()), shares
    assert 10 < np.mean([content.mol.GetNumHeavyAtoms() for content in made]) < 40
