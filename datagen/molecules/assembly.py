"""Joins pieces at random into the SMILES of a molecule, until it has about as many atoms as wanted."""

import re
from dataclasses import dataclass, field

import numpy as np

from datagen.molecules import fragments

#: A bracket atom is one token, so that digits inside it are not taken for ring numbers.
_TOKEN = re.compile(r"\[[^\]]*\]|Cl|Br|[A-Za-z]|[*!]|\d|.")
_ATOM = re.compile(r"\[[^\]]*\]|Cl|Br|[BCNOFPSIbcnops]")
#: Chances of joining a ring or a linker at a place; otherwise a group.
RING_SHARE, LINKER_SHARE = 0.3, 0.35
#: How likely a molecule starts with a ring.
RING_START = 0.75
#: How likely something stands before that ring.
SUBSTITUTED_START = 0.6
#: How likely a group has isotopes or an unpaired electron.
RARE_SHARE = 0.005
#: Highest number of ring closures that SMILES can write (``%99``).
MAX_CLOSURES = 85


Templates = tuple[str, ...]


@dataclass
class Piece:
    """A template in a molecule, and what is joined at its places (by their number)."""

    template: str
    joined: dict[int, "Piece"] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A place of a piece where another can be joined: its number, whether it must be, and the atom before it."""

    piece: Piece
    number: int
    required: bool
    atom: str


def heavy_atoms(template: str) -> int:
    """Return the number of atoms in a template, hydrogen isotopes not counted."""
    return sum(not atom.startswith("[2H") for atom in _ATOM.findall(template))


def places(piece: Piece) -> list[Place]:
    """Return the places of a piece in order."""
    found: list[Place] = []
    atoms: list[str] = [""]
    for token in _TOKEN.findall(piece.template):
        if token in "*!":
            found.append(Place(piece, len(found), token == "!", atoms[-1]))
        elif token == "(":
            atoms.append(atoms[-1])
        elif token == ")":
            atoms.pop()
        elif _ATOM.fullmatch(token):
            atoms[-1] = token
    return found


def may_join(atom: str, template: str) -> bool:
    """Whether ``template`` may be joined to ``atom``: not two heteroatoms, except a sulfonyl group."""
    carbon = atom in ("C", "c") or atom.startswith(("[C", "[c"))
    first = _ATOM.match(template)
    return carbon or (first is not None and first[0] in ("C", "c")) or template.startswith("S(=O)(=O)")


def write(root: Piece) -> str:
    """Return the SMILES of a tree of pieces; ring numbers become unique, places without a piece vanish."""
    closures = 9

    def expand(piece: Piece) -> str:
        nonlocal closures
        local: dict[str, str] = {}
        text: list[str] = []
        number = 0
        for token in _TOKEN.findall(piece.template):
            if token in "*!":
                if number in piece.joined:
                    text.append(f"({expand(piece.joined[number])})")
                number += 1
            elif token.isdigit():
                if token not in local:
                    closures += 1
                    local[token] = f"%{closures:02d}"
                text.append(local[token])
            else:
                text.append(token)
        return "".join(text)

    return expand(root)


def assemble(rng: np.random.Generator, small: bool, atoms: int, charged: bool) -> str:
    """Return the SMILES of a random molecule of about ``atoms`` heavy atoms.

    Args:
        rng: source of randomness.
        small: build from the pieces of the easy level.
        atoms: heavy atoms to aim at; the last pieces may go over it by a few.
        charged: join one charged group, and add its counterion as a second fragment.
    """
    rings = fragments.SMALL_RINGS if small else fragments.RINGS
    linkers = fragments.SMALL_LINKERS if small else fragments.LINKERS
    groups = fragments.SMALL_GROUPS if small else fragments.GROUPS
    chains = fragments.SMALL_CHAINS if small else fragments.CHAINS
    root = _start(rng, rings, fragments.SMALL_STARTS if small else fragments.STARTS, chains)
    pieces = [root, *root.joined.values()]
    count = sum(heavy_atoms(piece.template) for piece in pieces)
    open_places = [p for piece in pieces for p in places(piece) if p.number not in piece.joined]
    ion, bare = "", count
    if charged:
        template, ions = fragments.CHARGED[int(rng.integers(len(fragments.CHARGED)))]
        fits = [place for place in open_places if may_join(place.atom, template)]
        if fits:
            place = fits[int(rng.integers(len(fits)))]
            open_places.remove(place)
            place.piece.joined[place.number] = Piece(template)
            count += heavy_atoms(template)
            ion = "." + _pick(rng, ions)
    while open_places and (count < atoms or count == bare or any(place.required for place in open_places)):
        required = [place for place in open_places if place.required]
        choice = (required if count >= atoms else []) or open_places
        place = choice[int(rng.integers(len(choice)))]
        open_places.remove(place)
        left = atoms - count
        share = rng.random()
        if share < RING_SHARE and left >= 4:
            piece = Piece(_pick(rng, rings))
        elif share < RING_SHARE + LINKER_SHARE and left >= 3:
            piece = Piece(_pick(rng, linkers))
        else:
            rare = not small and rng.random() < RARE_SHARE
            piece = Piece(_pick(rng, fragments.ISOTOPES + fragments.RADICALS if rare else groups))
        if not may_join(place.atom, piece.template):
            if not place.required:
                continue
            piece = Piece("C")
        place.piece.joined[place.number] = piece
        count += heavy_atoms(piece.template)
        open_places += places(piece)
    return write(root) + ion


def _start(rng: np.random.Generator, rings: Templates, starts: Templates, chains: Templates) -> Piece:
    """Return a ring, a ring with something in front of it, or a chain; it has a place that is free."""
    if rng.random() >= RING_START:
        return Piece(_pick(rng, chains))
    ring = Piece(_pick(rng, rings))
    # A nitrogen of an aromatic ring that is to be joined cannot stay free.
    if rng.random() < SUBSTITUTED_START or not places(ring) or ring.template.startswith("n"):
        start = Piece(_pick(rng, starts))
        if not may_join(places(start)[0].atom, ring.template):
            start = Piece("C!")
        start.joined[0] = ring
        return start
    return ring


def _pick(rng: np.random.Generator, templates: Templates) -> str:
    return templates[int(rng.integers(len(templates)))]
