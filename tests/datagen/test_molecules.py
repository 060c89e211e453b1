import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from datagen.family import Drawn, Rejected
from datagen.molecules import FAMILY, fragments
from datagen.molecules.assembly import Piece, assemble, heavy_atoms, may_join, places, write
from datagen.molecules.chemistry import Molecule, molecule, specify_stereo
from datagen.molecules.drawing import Layout, bounding_box, check_labels, prepare, scaled
from datagen.molecules.settings import EASY, STANDARD, MoleculeSettings
from datagen.molecules.strokes import Letter, Stroke, lay_out, parse
from dsocr_jax.answers import check_label
from dsocr_jax.answers.smiles import parse_smiles

LEVELS = {"easy": EASY, "standard": STANDARD}
PIECES = {
    name: getattr(fragments, name)
    for name in dir(fragments)
    if name.isupper() and isinstance(getattr(fragments, name), tuple) and name != "CHARGED"
}
LAYOUT = Layout(0, 0, 40.0, 3.0, 20.0, 0.15, 0.0, False, False)


def draw(settings: MoleculeSettings, seed: int) -> tuple[Molecule, Drawn]:
    """Return the first usable draw from ``seed`` on."""
    for attempt in range(100):
        rng = np.random.default_rng([seed, attempt])
        try:
            content = FAMILY.compose(rng, settings)
            return content, FAMILY.render(content, rng, settings)
        except Rejected:
            continue
    raise AssertionError("100 draws rejected")


def marks(smiles: str) -> tuple[list[Stroke], list[Letter]]:
    prepared = prepare(molecule(parse_smiles(smiles)))
    return lay_out(prepared, scaled(prepared, LAYOUT, 1.0))


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


@pytest.mark.parametrize("level", LEVELS)
def test_draws_are_labels_within_the_limits(level: str):
    settings = LEVELS[level]
    for seed in range(15):
        content, drawn = draw(settings, seed)
        check_label("molecules", drawn.label)
        assert drawn.label == content.key
        assert settings.atoms[0] <= drawn.meta["atoms"] <= settings.atoms[1]
        assert drawn.meta["bond"] >= settings.min_bond


@pytest.mark.parametrize("level", LEVELS)
def test_the_same_state_gives_the_same_bytes(level: str):
    first, second = draw(LEVELS[level], 4)[1], draw(LEVELS[level], 4)[1]
    assert first.image.tobytes() == second.image.tobytes()
    assert (first.label, first.meta) == (second.label, second.meta)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("rdkit", [0.0, 1.0])
def test_nothing_is_cut_off(level: str, rdkit: float):
    settings = dataclasses.replace(LEVELS[level], rdkit=rdkit, tinted=0.0)
    for seed in range(12):
        image = draw(settings, seed)[1].image
        border = np.concatenate([image[:2].ravel(), image[-2:].ravel(), image[:, :2].ravel(), image[:, -2:].ravel()])
        assert border.min() > 200, seed
        assert image.min() < 140


def test_easy_molecules_need_no_marks():
    for seed in range(25):
        content, drawn = draw(EASY, seed)
        assert not set("@/\\+-.") & set(content.smiles)
        assert drawn.image.shape == (192, 192)


@pytest.mark.parametrize("smiles", ["CC=CC", "CC=NO", "CN=NC", "CC(C)=NN", "NC(C)=CF"])
@pytest.mark.parametrize("seed", range(4))
def test_a_double_bond_with_two_forms_is_always_one_of_them(smiles: str, seed: int):
    mol = specify_stereo(parse_smiles(smiles), np.random.default_rng(seed), centres=False)
    possible = bool(Chem.FindPotentialStereo(parse_smiles(smiles)))
    assert ("/" in molecule(mol).smiles) == possible


def test_centres_are_only_marked_when_asked():
    texts = {
        molecule(specify_stereo(parse_smiles("CC(F)O"), np.random.default_rng(seed), centres=True)).smiles
        for seed in range(30)
    }
    assert texts == {"CC(O)F", "C[C@H](O)F", "C[C@@H](O)F"}
    assert "@" not in molecule(specify_stereo(parse_smiles("CC(F)O"), np.random.default_rng(0), centres=False)).smiles


def test_a_specified_centre_is_drawn_with_a_wedge():
    plain, marked = marks("CC(N)C(=O)O")[0], marks("C[C@H](N)C(=O)O")[0]
    assert all(len(stroke.points) < 3 or stroke.width for stroke in plain)
    assert len(marked) > len(plain) or any(not stroke.width for stroke in marked)


def test_a_wedge_that_says_otherwise_is_rejected():
    right = molecule(parse_smiles("C[C@H](N)C(=O)O"))
    wrong = Molecule("C[C@@H](N)C(=O)O", right.mol)
    with pytest.raises(Rejected, match="another molecule"):
        prepare(wrong)


def test_benzene_is_nine_strokes_and_no_letters():
    strokes, letters = marks("c1ccccc1")
    assert len([stroke for stroke in strokes if stroke.atoms]) == 9
    assert letters == []


def test_a_charge_is_a_letter():
    assert {letter.text for letter in marks("[NH3+]CC(=O)[O-]")[1]} == set("NH3+O-")


def test_bonds_are_as_long_as_asked():
    strokes, _ = marks("CCC")
    first = strokes[0]
    assert np.hypot(*np.subtract(*first.points)) == pytest.approx(40, abs=0.3)


def test_unknown_marks_are_rejected():
    with pytest.raises(Rejected, match="unknown mark"):
        parse("<!-- END OF HEADER --><ellipse cx='1' cy='2' class='atom-1' style='fill:#000000'/>")


BLACK = (0, 0, 0)
BOND = Stroke(((0.0, 0.0), (100.0, 0.0)), 2.0, BLACK, (0, 1))


@pytest.mark.parametrize(
    ("letters", "reason"),
    [
        ([Letter("N", 50, 5, 20, BLACK, 2)], "label over a bond"),
        ([Letter("N", 50, 50, 20, BLACK, 2), Letter("O", 55, 52, 20, BLACK, 3)], "labels overlap"),
    ],
)
def test_overlapping_labels_are_rejected(letters: list[Letter], reason: str):
    with pytest.raises(Rejected, match=reason):
        check_labels([BOND], letters)


def test_a_label_may_touch_its_own_bond():
    check_labels([BOND], [Letter("N", 95, 5, 20, BLACK, 1), Letter("H", 109, 5, 20, BLACK, 1)])


@pytest.mark.parametrize("places", [[(0, 0), (1.5, 0), (1.5, 0.5)], [(0, 0), (1.5, 1.5), (1.5, 0), (0, 1.5)]])
def test_atoms_and_bonds_on_each_other_are_rejected(places: list[tuple[float, float]]):
    from datagen.molecules.drawing import _check_distances

    mol = Chem.MolFromSmiles("C.C.C" if len(places) == 3 else "CC.CC")
    conformer = Chem.Conformer(len(places))
    for number, (x, y) in enumerate(places):
        conformer.SetAtomPosition(number, (x, y, 0.0))
    mol.AddConformer(conformer)
    with pytest.raises(Rejected, match=r"overlap|cross"):
        _check_distances(mol)


def test_the_bounding_box_holds_strokes_and_letters():
    left, top, right, bottom = bounding_box([BOND], [Letter("N", 120, 40, 20, BLACK, 1)])
    assert left <= 0 and top <= -2 and right >= 134 and bottom >= 40
