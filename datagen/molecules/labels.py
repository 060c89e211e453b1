"""How an atom's label is written: hydrogens on the free side, numbers below, charges and isotopes above the line."""

import functools
import math
import re
from dataclasses import dataclass

import numpy as np

from datagen.molecules.abbreviations import GROUPS
from datagen.molecules.depiction import Atom, Depiction
from datagen.molecules.styles import Style
from datagen.molecules.typefaces import glyph

#: Size of raised and lowered characters, and how far they are moved, in em of the label.
SMALL, LOWERED, RAISED = 0.7, 0.2, 0.36
#: Size of the sign in a circle.
CIRCLED = 0.8
MINUS, DOT, CIRCLED_PLUS, CIRCLED_MINUS = "\u2212", "\u2022", "\u2295", "\u2296"

#: A run of characters of a label, and whether it stands on the line (0), below it (-1) or above it (1).
Run = tuple[str, int]

_PART = re.compile(r"[A-Z][a-z]?|[a-z]-|[a-z]+|\d+")
#: Directions in which hydrogens can be written, y up, the usual one first.
_SIDES = {"E": (1.0, 0.0), "W": (-1.0, 0.0), "S": (0.0, -1.0), "N": (0.0, 1.0)}


#: How near to a sign's direction a bond is in its way.
_SIGN_ROOM = math.radians(38)


@dataclass(frozen=True)
class Label:
    """A label's glyphs (character, x, y, size) and their boxes ``[glyphs, 4]`` (left, top, right, bottom).

    All in em of the label, relative to the atom's place, y down; x and y are where the pen is on the baseline.
    """

    glyphs: tuple[tuple[str, float, float, float], ...]
    boxes: np.ndarray

    @functools.cached_property
    def low(self) -> tuple[float, float]:
        """Left and top of all glyphs."""
        return float(self.boxes[:, 0].min()), float(self.boxes[:, 1].min())

    @functools.cached_property
    def high(self) -> tuple[float, float]:
        """Right and bottom of all glyphs."""
        return float(self.boxes[:, 2].max()), float(self.boxes[:, 3].max())


def write_labels(depiction: Depiction, style: Style) -> dict[int, Label]:
    """Return the labels of the atoms that have one, by atom number."""
    bonded: list[list[int]] = [[] for _ in depiction.atoms]
    for bond in depiction.bonds:
        bonded[bond.begin].append(bond.end)
        bonded[bond.end].append(bond.begin)
    places = depiction.places.tolist()
    found = {}
    for number, atom in enumerate(depiction.atoms):
        if atom.labelled:
            x, y = places[number]
            bonds = [(places[other][0] - x, places[other][1] - y) for other in bonded[number]]
            side = free_side(bonds, atom)
            sign_first = side == "E" and not atom.hydrogens and sign_is_in_the_way(bonds)
            found[number] = label(atom, side, style.font, style.circled, style.deuterium, sign_first)
    return found


def free_side(bonds: list[tuple[float, float]], atom: Atom) -> str:
    """Return the side ("E", "W", "N", "S") where an atom with bonds in these directions has room for hydrogens."""
    if not bonds:
        # Acids and water are written from the left (HCl, H2O), the others from the right (NH3).
        return "W" if atom.element in ("F", "Cl", "Br", "I", "O", "S") and not atom.group else "E"
    if atom.group or len(bonds) == 1:
        return "W" if sum(x / math.hypot(x, y) for x, y in bonds) > 0.1 else "E"
    angles = [math.atan2(y, x) for x, y in bonds]

    def room(side: str) -> float:
        x, y = _SIDES[side]
        turn = math.atan2(y, x)
        return min(abs(math.remainder(angle - turn, 2 * math.pi)) for angle in angles)

    # Beside the atom whenever no bond is near there: rows above and below are for where nothing else is free.
    best = max(_SIDES, key=room)
    beside = max(("E", "W"), key=room)
    return beside if room(beside) > math.radians(50) else best


def sign_is_in_the_way(bonds: list[tuple[float, float]]) -> bool:
    """Whether a charge at the upper right of an atom would hide part of a bond, and one at the upper left would not."""
    right, left = (
        any(abs(math.remainder(math.atan2(y, x) - turn, 2 * math.pi)) < _SIGN_ROOM for x, y in bonds)
        for turn in (math.radians(25), math.radians(155))
    )
    return right and not left


@functools.lru_cache(maxsize=8192)
def label(
    atom: Atom, side: str, font: str, circled: bool = False, deuterium: bool = False, sign_first: bool = False
) -> Label:
    """Return the label of an atom.

    Args:
        atom: what it says.
        side: where its hydrogens are, as `free_side` says.
        font: the face.
        circled: signs of charges stand in circles.
        deuterium: the isotopes of hydrogen are written D and T.
        sign_first: the charge stands at the upper left instead of the upper right.
    """
    if atom.group:
        text = GROUPS[atom.element]
        runs = [_run(part) for part in _PART.findall(text.left if side == "W" else text.right)]
        letters = [n for n, (part, level) in enumerate(runs) if level == 0 and part[0].isupper()]
        return _line(runs, letters[-1 if side == "W" else 0], font, last=side == "W")
    hydrogen = [("H", 0), *([(str(atom.hydrogens), -1)] if atom.hydrogens > 1 else [])] if atom.hydrogens else []
    symbol, isotope = atom.element, str(atom.isotope) if atom.isotope else ""
    if deuterium and symbol == "H" and atom.isotope in (2, 3):
        symbol, isotope = "?DT"[atom.isotope - 1], ""
    before: list[Run] = [(isotope, 1)] if isotope else []
    after = [(sign, 1) for sign in charge_sign(atom.charge, circled)] + [(DOT, 1)] * atom.radicals
    middle = [(symbol, 0)]
    if sign_first:
        before, after = [*before, *after], []
    if side == "E":
        runs = [*before, *middle, *hydrogen, *after]
        return _line(runs, len(before), font)
    if side == "W":
        runs = [*hydrogen, *before, *middle, *after]
        return _line(runs, len(hydrogen) + len(before), font)
    return _rows([*before, *middle, *after], len(before), hydrogen, side, font)


def charge_sign(charge: int, circled: bool) -> tuple[str, ...]:
    """Return the sign of a charge: nothing, ``+``, ``2+``, a minus, or a sign in a circle."""
    if not charge:
        return ()
    plain, ringed = ("+", CIRCLED_PLUS) if charge > 0 else (MINUS, CIRCLED_MINUS)
    number = (str(abs(charge)),) if abs(charge) > 1 else ()
    return (*number, ringed if circled else plain)


def _run(part: str) -> Run:
    return (part, -1 if part.isdigit() else 0)


def _line(runs: list[Run], anchor: int, font: str, last: bool = False) -> Label:
    """Return runs in one line, the first letter of run ``anchor`` (its whole, if ``last``) centred on the atom."""
    glyphs: list[tuple[str, float, float, float]] = []
    boxes: list[tuple[float, float, float, float]] = []
    pen, level_before = 0.0, 0
    centre = (0.0, 0.0)
    cap = _cap(font)
    # A number under the line and a sign above it stand over each other, as in NH4+ of most programs side by side.
    for number, (text, level) in enumerate(runs):
        size = 1.0 if level == 0 else SMALL
        if text in (CIRCLED_PLUS, CIRCLED_MINUS):
            size = CIRCLED
        shift = {0: 0.0, -1: LOWERED, 1: -RAISED}[level]
        pen += 0.03 if level != level_before else 0.0
        level_before = level
        start = pen
        for character in text:
            sizes = glyph(font, character)
            y = cap / 2 + shift
            glyphs.append((character, pen, y, size))
            boxes.append(
                (pen + sizes.left * size, y + sizes.top * size, pen + sizes.right * size, y + sizes.bottom * size)
            )
            pen += sizes.advance * size
            if number == anchor and (last or character == text[0]):
                centre = start + glyph(font, text[0]).left * size, boxes[-1][2]
    middle = (centre[0] + centre[1]) / 2
    moved = tuple((character, x - middle, y, size) for character, x, y, size in glyphs)
    return Label(moved, np.array(boxes) - (middle, 0.0, middle, 0.0))


def _rows(runs: list[Run], anchor: int, hydrogen: list[Run], side: str, font: str) -> Label:
    """Return a label with its hydrogens in a row of their own, above ("N") or below ("S")."""
    upper = _line(runs, anchor, font)
    if not hydrogen:
        return upper
    lower = _line(hydrogen, 0, font)
    # A number below the upper row, and a sign above the lower one, need room between the rows.
    crowded = 0.3 * (side == "N" and any(level != 0 for _, level in [*runs, *hydrogen]))
    step = (_cap(font) + 0.16 + crowded) * (1 if side == "S" else -1)
    glyphs = tuple((character, x, y + step, size) for character, x, y, size in lower.glyphs)
    return Label(upper.glyphs + glyphs, np.concatenate([upper.boxes, lower.boxes + np.array([0.0, step, 0.0, step])]))


def _cap(font: str) -> float:
    """Return the height of capital letters in em."""
    return -glyph(font, "H").top
