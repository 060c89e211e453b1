import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from datagen.molecules import fragments
from datagen.molecules.assembly import Piece, assemble, heavy_atoms, may_join, places, write
from dsocr_jax.answers.smiles import parse_smiles

PIECES = {
    name: getattr(fragments, name)
    for name in dir(fragments)
    if name.isupper() and isinstance(getattr(fragments, name), tuple) and name != "CHARGED"
}


@pytest.mark.parametrize("name", PIECES)
def test_every_piece_is_valid_with_carbon_at_its_places(name: str):
    starts = "START" in name or "CHAINS" in name
    for template in PIECES[name]:
        piece = Piece(template)
        for place in places(piece):
            piece.joined[place.number] = Piece("C")
        parse_smiles(write(piece) if starts else f"C{write(piece)}")


def test_every_charged_group_and_its_ions_make_a_neutral_salt():
    for group, ions in fragments.CHARGED:
        for ion in ions:
            mol = parse_smiles(f"C({group}).{ion}")
            assert Chem.GetFormalCharge(mol) == 0, (group, ion)


def test_there_are_macrocycles_and_radicals():
    mols = [parse_smiles(f"C{write(Piece(template))}") for template in fragments.RINGS]
    assert max(len(ring) for mol in mols for ring in mol.GetRingInfo().AtomRings()) >= 14
    for template in fragments.RADICALS:
        assert sum(atom.GetNumRadicalElectrons() for atom in parse_smiles(f"C{template}").GetAtoms()) == 1


@given(st.integers(0, 10_000), st.integers(3, 40), st.booleans(), st.booleans())
def test_whatever_is_assembled_can_be_read(seed: int, atoms: int, small: bool, charged: bool):
    text = assemble(np.random.default_rng(seed), small, atoms, charged)
    try:
        mol = parse_smiles(text)
    except ValueError as error:
        raise AssertionError(text) from error
    assert Chem.GetFormalCharge(mol) == 0


def test_ring_numbers_become_unique_and_empty_places_vanish():
    ring = Piece("C1*CC1")
    ring.joined[0] = Piece("c1c*ccc[nH]1")
    assert write(ring) == "C%10(c%11cccc[nH]%11)CC%10"


def test_places_know_the_atom_before_them():
    assert [(place.atom, place.required) for place in places(Piece("N(C)CCl*C(=O!)*"))] == [
        ("Cl", False),
        ("O", True),
        ("C", False),
    ]


@pytest.mark.parametrize(
    ("atom", "template", "answer"),
    [("C", "O", True), ("c", "Cl", True), ("N", "CC", True), ("N", "O", False), ("O", "S(=O)(=O)N!", True)],
)
def test_heteroatoms_are_not_joined(atom: str, template: str, answer: bool):
    assert may_join(atom, template) is answer


def test_heavy_atoms_are_counted():
    assert heavy_atoms("c1c*[nH]cc1C([2H])([2H])ClBr[Si]") == 9
