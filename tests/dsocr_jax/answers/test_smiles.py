import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers import AnswerError, check_label
from dsocr_jax.answers.smiles import MAX_ATOMS, MAX_CHARS, parse_smiles, write_smiles

CANONICAL = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)O",
    "C/C=C/C",
    "[Cl-].[Na+]",
    "[2H]C([2H])[2H]",
    "CC(=O)[O-]",
    "[CH2]C",
    "[H][H]",
    "c1cc[nH]c1",
]


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical_smiles_are_labels(text: str):
    check_label("molecules", text)


@pytest.mark.parametrize("text", ["OC(=O)c1ccccc1OC(C)=O", "C1=CC=CC=C1", "C(C)O", "[Na+].[Cl-]", "[H]O[H]"])
def test_other_spellings_are_read_but_are_no_labels(text: str):
    assert write_smiles(parse_smiles(text))
    with pytest.raises(AnswerError):
        check_label("molecules", text)


def test_the_order_of_atoms_does_not_matter():
    assert write_smiles(parse_smiles("OC(=O)c1ccccc1OC(C)=O")) == CANONICAL[0]


def test_both_enantiomers_stay_apart():
    assert write_smiles(parse_smiles("C[C@H](N)C(=O)O")) != write_smiles(parse_smiles("C[C@@H](N)C(=O)O"))


@pytest.mark.parametrize(
    "text",
    ["", " ", "C C", "CCO ethanol", "C1CC", "C(", "c1cccc1", "C(C)(C)(C)(C)C", "C*", "[#0]", "C\n", "[Xx]", "C>>C"],
)
def test_what_is_no_molecule_is_refused(text: str):
    with pytest.raises(AnswerError):
        parse_smiles(text)


@given(st.text(alphabet="CNOclnos[]()=#123%+-@H/\\.F>:$", max_size=40) | st.text(max_size=20))
def test_hostile_text_is_read_or_refused(text: str):
    try:
        molecule = parse_smiles(text)
    except AnswerError:
        return
    assert write_smiles(molecule)


def test_nothing_is_printed_for_a_bad_molecule(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(AnswerError):
        parse_smiles("C(C)(C)(C)(C)C")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "text",
    ["C" * (MAX_CHARS + 1), "C" * (MAX_ATOMS + 1), "C(" * 300 + "C", "C12C3C4C1C5C2C3C45" * 20, "c1ccccc1" * 49],
    ids=["characters", "atoms", "open branches", "rings", "biphenyls"],
)
def test_large_text_takes_bounded_time(text: str):
    start = time.perf_counter()
    with contextlib.suppress(AnswerError):
        write_smiles(parse_smiles(text))
    assert time.perf_counter() - start < 5


def test_too_many_atoms_are_refused():
    with pytest.raises(AnswerError, match="atoms"):
        parse_smiles("C" * (MAX_ATOMS + 1))
