"""What a drawing says is read back from its mol block, by RDKit and by InChI's own reader."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from datagen.family import Rejected
from datagen.molecules.chemistry import Molecule, molecule
from datagen.molecules.depiction import Atom, Bond, Depiction
from datagen.molecules.layout import check_distances, check_meaning, crossings, lay_out
from datagen.molecules.settings import STANDARD
from datagen.molecules.styles import draw_style
from dsocr_jax.answers.smiles import parse_smiles

#: One molecule for everything that a drawing can say.
SAMPLES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)O",
    "C[C@@H](N)C(=O)O",
    "C/C=C/c1ccccc1",
    "C/C=C\\c1ccccc1",
    "C[N+](C)(C)CCO.[Cl-]",
    "O=C([O-])c1ccccc1.[Na+]",
    "[13CH3]c1ccccc1[15NH2]",
    "[2H]C([2H])([2H])c1ccccc1",
    "CC1(C)CCCC(C)(C)N1[O]",
    "C[CH]c1ccccc1",
    "CCCCC[CH2]",
    "O=S(=O)(O)c1ccc(P(=O)(O)O)cc1",
    "F[P-](F)(F)(F)(F)F.CCn1cc[n+](C)c1",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "C[C@]12CC[C@H]3[C@@H](CCC4=CC(=O)CC[C@@]43C)[C@@H]1CC[C@@H]2O",
    "O=C1CCCCCCCCCCCCCCO1",
    "CC=C=CC(C)C",
    "N#Cc1ccc(N=[N+]=[N-])cc1",
    "CC(C)[Mg]Br.CCOCC",
    "C1CC2CCC1C2",
    "[O-][N+](=O)c1cc(I)c(Br)c(Cl)c1F",
    "c1ccc2[nH]ccc2c1",
    "C[S@](=O)c1ccccc1",
    "B(O)(O)c1cccs1",
]


def inchi_key(block: str) -> str:
    return str(Chem.InchiToInchiKey(Chem.MolBlockToInchi(block)))


@pytest.mark.parametrize("smiles", SAMPLES)
@pytest.mark.parametrize("turned", [False, True])
def test_the_mol_block_has_the_inchi_key_of_the_label(drawer: Any, smiles: str, turned: bool):
    changed = dataclasses.replace(drawer.calm, rotated=float(turned), mirrored=float(turned))
    depiction = drawer.depict(smiles, settings=changed, chiral_hydrogens=turned, seed=3)
    block = depiction.molblock()
    assert inchi_key(block) == Chem.MolToInchiKey(Chem.MolFromSmiles(smiles))
    assert Chem.CanonSmiles(Chem.MolToSmiles(Chem.MolFromMolBlock(block))) == Chem.CanonSmiles(smiles)


@given(st.integers(0, 100_000))
@settings(max_examples=25, deadline=None)
def test_whatever_is_drawn_says_its_label(seed: int):
    from datagen.molecules import FAMILY

    rng = np.random.default_rng(seed)
    try:
        content = FAMILY.compose(rng, STANDARD)
        depiction = lay_out(content, draw_style(rng, STANDARD), rng, STANDARD)[1]
    except Rejected:
        return
    assert inchi_key(depiction.molblock()) == Chem.MolToInchiKey(Chem.MolFromSmiles(content.smiles))


@pytest.mark.parametrize(("tag", "other"), [("@", "@@"), ("@@", "@")])
def test_a_mirrored_wedge_says_another_molecule(drawer: Any, tag: str, other: str):
    depiction = drawer.depict(f"C[C{tag}H](N)C(=O)O")
    check_meaning(depiction, molecule(parse_smiles(f"C[C{tag}H](N)C(=O)O")))
    with pytest.raises(Rejected, match="another molecule"):
        check_meaning(depiction, molecule(parse_smiles(f"C[C{other}H](N)C(=O)O")))
    turned = {"solid": "hashed", "hashed": "solid", "": ""}
    bonds = tuple(dataclasses.replace(bond, mark=turned[bond.mark]) for bond in depiction.bonds)
    check_meaning(dataclasses.replace(depiction, bonds=bonds), molecule(parse_smiles(f"C[C{other}H](N)C(=O)O")))


@pytest.mark.parametrize(
    "change", [{"charge": 1}, {"hydrogens": 0}, {"isotope": 18}, {"element": "S"}, {"radicals": 1, "hydrogens": 0}]
)
def test_a_wrong_label_says_another_molecule(drawer: Any, change: dict[str, Any]):
    depiction = drawer.depict("CCCCCO")
    number = next(n for n, atom in enumerate(depiction.atoms) if atom.element == "O")
    atoms = list(depiction.atoms)
    atoms[number] = dataclasses.replace(atoms[number], **change)
    with pytest.raises(Rejected, match="another molecule"):
        check_meaning(dataclasses.replace(depiction, atoms=tuple(atoms)), molecule(parse_smiles("CCCCCO")))


def test_wedges_only_where_the_label_says_so(drawer: Any):
    def marks(smiles: str) -> set[str]:
        return {bond.mark for bond in drawer.depict(smiles).bonds} - {""}

    assert marks("CC(N)C(=O)O") == set()
    assert marks("C[C@H](N)C(=O)O") in ({"solid"}, {"hashed"})
    assert {*marks("C[C@H](N)C(=O)O"), *marks("C[C@@H](N)C(=O)O")} == {"solid", "hashed"}


def test_unknown_centres_may_be_wavy_and_stay_unknown(drawer: Any):
    depiction = drawer.depict("CCC(C)(N)C(=O)O", settings=dataclasses.replace(drawer.calm, wavy=1.0))
    (wavy,) = [bond for bond in depiction.bonds if bond.mark == "wavy"]
    assert sum(wavy.begin in (bond.begin, bond.end) for bond in depiction.bonds) == 4  # it starts at the centre
    assert "@" not in Chem.MolToSmiles(Chem.MolFromMolBlock(depiction.molblock()))


def test_double_bonds_of_unknown_geometry_are_crossed(drawer: Any):
    mol = parse_smiles("CC=CCCO")
    mol.GetBondWithIdx(1).SetStereo(Chem.BondStereo.STEREOANY)
    content = molecule(mol)
    depiction = lay_out(content, drawer.style(), np.random.default_rng(0), drawer.calm)[1]
    assert [bond.mark for bond in depiction.bonds if bond.order == 2] == ["crossed"]


def test_hydrogens_at_ring_fusions_are_drawn_when_asked(drawer: Any):
    smiles = "C1CC[C@H]2CCCC[C@@H]2C1"
    assert [a.element for a in drawer.depict(smiles, chiral_hydrogens=True).atoms].count("H") == 2
    assert [a.element for a in drawer.depict(smiles, chiral_hydrogens=False).atoms].count("H") == 0


def chain(places: list[tuple[float, float]], bonds: list[tuple[int, int]]) -> Depiction:
    atoms = tuple(Atom("C", 0, 0, 0, 0, False, False) for _ in places)
    return Depiction(atoms, np.array(places, float), tuple(Bond(a, b, 1, "", -1) for a, b in bonds), (), frozenset())


@pytest.mark.parametrize(
    ("places", "bonds", "reason"),
    [
        ([(0, 0), (1, 0), (1, 0.3)], [(0, 1)], "atoms overlap"),
        ([(0, 0), (1, 0), (0.5, 0.5), (0.5, -0.5)], [(0, 1), (2, 3)], "bonds cross"),
        ([(0, 0), (1.7, 0), (0.8, 0.1), (0.8, 1.1)], [(0, 1), (2, 3)], "atom on a bond"),
        ([(0, 0), (0.4, 0)], [(0, 1)], "cramped"),
        ([(0, 0), (2.5, 0)], [(0, 1)], "cramped"),
    ],
)
def test_unreadable_layouts_are_rejected(places: list, bonds: list, reason: str):
    with pytest.raises(Rejected, match=reason):
        check_distances(chain(places, bonds))


def test_a_plain_layout_is_not_rejected():
    depiction = chain([(0, 0), (1, 0), (1.5, 0.87)], [(0, 1), (1, 2)])
    check_distances(depiction)
    assert crossings(depiction) == []


def test_fragments_keep_their_distance(drawer: Any):
    for seed in range(6):
        depiction = drawer.depict("CCCCC[NH3+].[Br-]", seed=seed)
        number = next(n for n, atom in enumerate(depiction.atoms) if atom.element == "Br")
        others = np.delete(depiction.places, number, 0)
        assert np.hypot(*(others - depiction.places[number]).T).min() >= 1.6


def test_bonds_that_cannot_be_drawn_are_rejected(drawer: Any):
    mol = Chem.MolFromSmiles("CCN->[Zn]CC")
    with pytest.raises(Rejected, match="cannot be drawn"):
        lay_out(Molecule("CCN->[Zn]CC", mol), drawer.style(), np.random.default_rng(0), drawer.calm)
