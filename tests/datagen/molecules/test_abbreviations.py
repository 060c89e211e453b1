import dataclasses
from typing import Any

import numpy as np
import pytest
from rdkit import Chem

from datagen.molecules.abbreviations import GROUP, GROUPS, condense, fragment


def groups(smiles: str, seed: int = 0) -> set[str]:
    """Return the groups that are ever put in short over several draws."""
    found: set[str] = set()
    for number in range(20):
        mol = condense(Chem.MolFromSmiles(smiles), np.random.default_rng([seed, number]))
        found |= {atom.GetProp(GROUP) for atom in mol.GetAtoms() if atom.HasProp(GROUP)}
    return found


@pytest.mark.parametrize("name", GROUPS)
def test_every_group_is_found_and_read_back(drawer: Any, name: str):
    smiles = Chem.CanonSmiles("C1(CCCCC1)" + GROUPS[name].smiles)
    assert name in groups(smiles)
    always = dataclasses.replace(drawer.calm, abbreviated=1.0)
    seen = set()
    for seed in range(12):
        depiction = drawer.depict(smiles, settings=always, seed=seed)
        seen |= {atom.element for atom in depiction.atoms if atom.group}
        assert Chem.MolToSmiles(Chem.MolFromMolBlock(depiction.molblock())) == smiles
    assert name in seen


@pytest.mark.parametrize(
    ("smiles", "name"),
    [
        ("C1CCCCC1C(=O)[O-]", "CO2H"),  # charged
        ("C1CCCCC1[13CH](C)C", "i-Pr"),  # with an isotope
        ("C1CCCCC1OCC1CCCCC1", "OMe"),  # goes on behind
        ("C1CCCCC1c1ccc(O)cc1", "Ph"),
        ("CCOCC", "OEt"),  # nothing much would be left
    ],
)
def test_what_is_not_quite_the_group_is_written_out(smiles: str, name: str):
    assert name not in groups(smiles)


def test_stereo_next_to_a_group_is_kept(drawer: Any):
    always = dataclasses.replace(drawer.calm, abbreviated=1.0)
    smiles = "CC[C@](F)(OC)c1ccccc1"
    elements = set()
    for seed in range(8):
        depiction = drawer.depict(smiles, settings=always, seed=seed)
        elements |= {atom.element for atom in depiction.atoms}
        assert Chem.MolToSmiles(Chem.MolFromMolBlock(depiction.molblock())) == Chem.CanonSmiles(smiles)
    assert {"OMe", "Ph"} <= elements


def test_both_spellings_have_the_same_letters():
    for group in GROUPS.values():
        assert sorted(group.left) == sorted(group.right)
        assert fragment(group.right).GetNumAtoms() > 1
