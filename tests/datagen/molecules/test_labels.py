from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.molecules.depiction import Atom
from datagen.molecules.labels import MINUS, Label, charge_sign, free_side, label, sign_is_in_the_way

FONT = "DejaVuSans"


def atom(element: str = "N", hydrogens: int = 0, charge: int = 0, isotope: int = 0, radicals: int = 0) -> Atom:
    return Atom(element, hydrogens, charge, isotope, radicals, True, False)


def text(written: Label) -> str:
    """Return the characters from left to right, rows one after another from the top."""
    lowest = sorted(written.glyphs, key=lambda glyph: (round(glyph[2] / 0.6), glyph[1]))
    return "".join(character for character, *_ in lowest)


def in_order(written: Label) -> str:
    return "".join(character for character, *_ in written.glyphs)


@pytest.mark.parametrize(
    ("made", "side", "expected"),
    [
        (atom("N", 2), "E", "NH2"),
        (atom("N", 2), "W", "H2N"),
        (atom("O", 1), "W", "HO"),
        (atom("N", 3, 1), "E", "NH3+"),
        (atom("N", 3, 1), "W", "H3N+"),
        (atom("O", 0, -1), "E", "O" + MINUS),
        (atom("Ca", 0, 2), "E", "Ca2+"),
        (atom("N", 2, isotope=15), "E", "15NH2"),
        (atom("N", 2, isotope=15), "W", "H215N"),
        (Atom("CO2Me", 0, 0, 0, 0, True, True), "E", "CO2Me"),
        (Atom("CO2Me", 0, 0, 0, 0, True, True), "W", "MeO2C"),
        (Atom("t-Bu", 0, 0, 0, 0, True, True), "W", "t-Bu"),
    ],
)
def test_hydrogens_stand_on_the_side(made: Atom, side: str, expected: str):
    assert in_order(label(made, side, FONT)) == expected


def test_numbers_are_low_and_signs_are_high():
    made = label(atom("N", 3, 1), "E", FONT)
    heights = {character: (y, size) for character, _, y, size in made.glyphs}
    assert heights["3"][0] > heights["N"][0] > heights["+"][0]  # y points down
    assert heights["3"][1] < 1 and heights["+"][1] < 1


def test_rows_above_and_below():
    for side, sign in (("S", 1), ("N", -1)):
        made = {character: y for character, _, y, _ in label(atom("N", 1), side, FONT).glyphs}
        assert (made["H"] - made["N"]) * sign > 0.5


def test_deuterium_and_dots():
    assert in_order(label(atom("H", isotope=2), "E", FONT, deuterium=True)) == "D"
    assert in_order(label(atom("H", isotope=2), "E", FONT)) == "2H"
    assert in_order(label(atom("O", radicals=1), "E", FONT)) == "O\u2022"


def test_signs():
    assert charge_sign(0, False) == ()
    assert charge_sign(-3, False) == ("3", MINUS)
    assert charge_sign(1, True) == ("\u2295",)


def test_the_letter_of_the_atom_is_on_the_atom():
    for side in "EWNS":
        made = label(atom("N", 2, 1), side, FONT)
        (number,) = [n for n, glyph in enumerate(made.glyphs) if glyph[0] == "N"]
        left, top, right, bottom = made.boxes[number]
        assert abs(left + right) < 1e-9 and abs(top + bottom) < 0.02


@given(st.sampled_from(["N", "O", "Cl", "Si"]), st.integers(0, 4), st.integers(-2, 2), st.sampled_from("EWNS"))
def test_glyphs_of_a_label_do_not_overlap(element: str, hydrogens: int, charge: int, side: str):
    boxes = label(atom(element, hydrogens, charge), side, FONT).boxes
    for first in range(len(boxes)):
        for second in range(first):
            a, b = boxes[first], boxes[second]
            shared = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
            assert shared.min() < 0.05


@pytest.mark.parametrize(
    ("bonds", "side"),
    [
        ([(1.0, 0.0)], "W"),
        ([(-1.0, 0.0)], "E"),
        ([(0.0, 1.0)], "E"),
        ([(1.0, 0.5), (-1.0, 0.5)], "S"),
        ([(1.0, -0.5), (-1.0, -0.5)], "N"),
        ([(1.0, 0.9), (1.0, -0.9)], "W"),
    ],
)
def test_hydrogens_go_where_no_bond_is(bonds: list[tuple[float, float]], side: str):
    assert free_side(bonds, atom()) == side


def test_lone_atoms():
    assert in_order(label(atom("Cl", 1), free_side([], atom("Cl", 1)), FONT)) == "HCl"
    assert in_order(label(atom("N", 3), free_side([], atom("N", 3)), FONT)) == "NH3"


def test_a_sign_goes_where_it_hides_nothing():
    assert sign_is_in_the_way([(1.0, 0.2)])
    assert not sign_is_in_the_way([(-1.0, 0.2)])
    assert not sign_is_in_the_way([(1.0, 0.2), (-1.0, 0.3)])


def test_only_atoms_that_need_one_have_a_label(drawer: Any):
    depiction = drawer.depict("CCC(C)CO")
    assert [a.element for a in depiction.atoms if a.labelled] == ["O"]
    written = drawer.depict("CCC(C)CO", methyls=True)
    assert sorted(f"{a.element}{a.hydrogens}" for a in written.atoms if a.labelled) == ["C3", "C3", "O1"]
