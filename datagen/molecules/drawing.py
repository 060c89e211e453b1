"""Drawing of a molecule: a style, a checked layout, a scale that fits the page, and the picture."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.family import Drawn, Rejected
from datagen.molecules.chemistry import Molecule
from datagen.molecules.depiction import Depiction
from datagen.molecules.labels import Label, write_labels
from datagen.molecules.layout import lay_out
from datagen.molecules.marks import ROUND, Scale, draw_marks
from datagen.molecules.raster import Area, Disc, Line, Marks, blank, paint
from datagen.molecules.rdkit_renderer import rdkit_picture
from datagen.molecules.settings import MoleculeSettings
from datagen.molecules.styles import Style, draw_style
from datagen.molecules.verify import as_data

#: Longest bond of a picture whose size is given, in pixels.
MAX_BOND = 110.0
#: How far wedges, wavy bonds and second lines reach from the line between their atoms at most, in bonds.
REACH = 0.2
#: Least room between the labels of two atoms, in letter sizes.
LABEL_ROOM = 0.12
#: How many times the scale is corrected until the drawing fits; letters do not shrink with it below a size.
FITS = 8


@dataclass(frozen=True)
class Page:
    """Size of a picture in pixels, by how much the drawing is moved to its place on it, and its box before that."""

    width: int
    height: int
    move: tuple[float, float]
    box: tuple[float, float, float, float]


def render(content: Molecule, rng: np.random.Generator, settings: MoleculeSettings) -> Drawn:
    """Draw the molecule.

    Raises:
        Rejected: atoms or labels overlap, the molecule does not fit, or the coordinates and wedges do not say what
            the label says.
    """
    style = draw_style(rng, settings)
    by_rdkit = bool(rng.random() < settings.rdkit) and style.name in ("rdkit", "rdkit-black", "pubchem", "acs")
    drawn, depiction = lay_out(content, style, rng, settings)
    labels = write_labels(depiction, style)
    scale, page = fit(depiction, labels, style, rng, settings)
    marks = draw_marks(depiction, labels, style, scale, rng)
    check_labels(depiction, labels, marks, scale)
    check_inside(marks, page, scale)
    if by_rdkit and not any(atom.group for atom in depiction.atoms):
        image, places = rdkit_picture(drawn, style, scale, (page.width, page.height))
    else:
        by_rdkit = False
        image = picture(marks, style, page)
        places = depiction.places * (scale.bond, -scale.bond) + page.move
    meta = describe(content, depiction, labels, style, scale, by_rdkit)
    return Drawn(image, content.smiles, {**meta, "drawing": as_data(depiction, places)})


def picture(marks: Marks, style: Style, page: Page) -> np.ndarray:
    """Return the picture of marks on a page; only the part with ink is drawn, the rest is paper."""
    left, top, right, bottom = (n + page.move[i % 2] for i, n in enumerate(page.box))
    x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
    x1, y1 = min(page.width, math.ceil(right)), min(page.height, math.ceil(bottom))
    move = page.move[0] - x0, page.move[1] - y0
    part = paint(marks, style.font, (x1 - x0, y1 - y0), move, style.paper)
    image = blank(page.width, page.height, style.paper, gray=part.ndim == 2)
    image[y0:y1, x0:x1] = part
    return image


def describe(
    content: Molecule, depiction: Depiction, labels: dict[int, Label], style: Style, scale: Scale, by_rdkit: bool
) -> dict[str, Any]:
    """Return the remarks on a drawing."""
    atoms = [content.mol.GetAtomWithIdx(number) for number in range(content.mol.GetNumAtoms())]
    rings = content.mol.GetRingInfo().AtomRings()
    marks = {bond.mark for bond in depiction.bonds} - {""}
    sizes = [size for text in labels.values() for _, _, _, size in text.glyphs]
    meta: dict[str, Any] = {
        "source": content.source,
        "renderer": "rdkit" if by_rdkit else "own",
        "style": style.name,
        "font": style.font,
        "bond": round(scale.bond, 2),
        "atoms": content.mol.GetNumHeavyAtoms(),
        "rings": len(rings),
        "largest_ring": max(map(len, rings), default=0),
        "fragments": content.smiles.count(".") + 1,
        "centres": "@" in content.smiles,
        "double_bonds": "/" in content.smiles or "\\" in content.smiles,
        "marks": sorted(marks),
        "charged": any(atom.GetFormalCharge() for atom in atoms),
        "isotopes": any(atom.GetIsotope() for atom in atoms),
        "radicals": any(atom.GetNumRadicalElectrons() for atom in atoms),
        "groups": sorted({atom.element for atom in depiction.atoms if atom.group}),
    }
    if sizes:
        meta["smallest_text"] = round(scale.letter * min(sizes), 2)
    if content.accessibility is not None:
        meta["accessibility"] = content.accessibility
    return meta


def fit(
    depiction: Depiction,
    labels: dict[int, Label],
    style: Style,
    rng: np.random.Generator,
    settings: MoleculeSettings,
) -> tuple[Scale, Page]:
    """Choose the scale and the page: the bond length decides the page's size, or the other way round.

    Raises:
        Rejected: the molecule would need shorter bonds than ``settings.min_bond``.
    """
    padding, square = float(rng.uniform(*settings.padding)), bool(rng.random() < settings.square)
    place = float(rng.random()), float(rng.random())
    low, high = settings.sides
    if rng.random() < settings.fitted:
        width = int(rng.integers(low + (high - low) // 8, high + 1))
        height = width if square else int(min(high, max(low, width * float(rng.uniform(0.6, 1.1)))))
        bond = MAX_BOND
        place = (0.5, 0.5)
    else:
        width = height = high
        bond = float(rng.uniform(*settings.bond))
        # Large letters of publications are found in small pictures and the other way round: no correlation wanted.
    for _ in range(FITS):
        scale = Scale(bond, *style.sizes(bond))
        box = bounding_box(depiction, labels, scale)
        room = (1 - 2 * padding) * width, (1 - 2 * padding) * height
        excess = max((box[2] - box[0]) / room[0], (box[3] - box[1]) / room[1])
        if excess <= 1:
            break
        bond *= 0.99 / excess
    if excess > 1 or bond < settings.min_bond:
        raise Rejected("molecule too large for the picture")
    if width == height == high and place != (0.5, 0.5):
        sizes = box[2] - box[0], box[3] - box[1]
        width, height = (min(high, max(low, math.ceil(size / (1 - 2 * padding)))) for size in sizes)
        if square:
            width = height = max(width, height)
    return scale, _page(box, (width, height), padding, place)


def _page(
    box: tuple[float, float, float, float], size: tuple[int, int], padding: float, place: tuple[float, float]
) -> Page:
    """Return the page with the drawing's box at ``place`` of what is free besides the margins."""
    moves = []
    for start, end, side, share in zip(box[:2], box[2:], size, place, strict=True):
        free = side - (end - start)
        margin = min(padding * side, free / 2)
        moves.append(margin + share * (free - 2 * margin) - start)
    return Page(*size, (moves[0], moves[1]), box)


def bounding_box(depiction: Depiction, labels: dict[int, Label], scale: Scale) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of the drawing in pixels, y down; wedges and offset lines included."""
    places = depiction.places * (scale.bond, -scale.bond)
    # Wedges, and second lines of bonds that lie outside, reach this far from the atoms.
    reach = REACH * scale.bond + scale.stroke
    low, high = places.min(0) - reach, places.max(0) + reach
    if labels:
        own = places[list(labels)]
        low = np.minimum(low, (own + [text.low for text in labels.values()] * np.array(scale.letter)).min(0))
        high = np.maximum(high, (own + [text.high for text in labels.values()] * np.array(scale.letter)).max(0))
    return float(low[0]) - 1, float(low[1]) - 1, float(high[0]) + 1, float(high[1]) + 1


def check_labels(depiction: Depiction, labels: dict[int, Label], marks: Marks, scale: Scale) -> None:
    """Raise `Rejected` if the label of an atom overlaps another label, or a line that is not its own bond's."""
    if not labels:
        return
    places = depiction.places * (scale.bond, -scale.bond)
    boxes = np.concatenate([text.boxes for text in labels.values()]) * scale.letter
    owners = np.array([n for n, text in labels.items() for _ in text.glyphs])
    boxes += places[owners][:, [0, 1, 0, 1]]
    # Bonds may touch the empty corners of round letters.
    round_letters = np.array([glyph[0] in ROUND for text in labels.values() for glyph in text.glyphs])
    inset = np.where(round_letters, 0.15, 0.0)[:, None] * (boxes[:, 2:] - boxes[:, :2])
    low, high = boxes[:, :2] + inset, boxes[:, 2:] - inset
    room = LABEL_ROOM * scale.letter
    overlap = (low[:, None] < high[None] + room).all(-1) & (low[None] < high[:, None] + room).all(-1)
    if (overlap & (owners[:, None] != owners[None])).any():
        raise Rejected("labels overlap")
    lines = [(shape.x0, shape.y0, shape.x1, shape.y1) for shape in marks.shapes if isinstance(shape, Line)]
    lines += [(*shape.points[0], *shape.points[-1]) for shape in marks.shapes if isinstance(shape, Area)]
    if not lines:
        return
    ends = np.array(lines).reshape(-1, 1, 2, 2)
    starts, steps = ends[:, :, 0], ends[:, :, 1] - ends[:, :, 0]
    steps = np.where(np.abs(steps) < 1e-9, 1e-9, steps)
    # Where a line enters and leaves each box, in shares of the line. Bonds end before their own atoms' labels, so
    # whatever lies in a label belongs to another atom.
    one, two = (low - scale.stroke / 2 - starts) / steps, (high + scale.stroke / 2 - starts) / steps
    entry, leave = np.minimum(one, two).max(-1), np.maximum(one, two).min(-1)
    if (np.maximum(entry, 0) < np.minimum(leave, 1)).any():
        raise Rejected("label over a bond")


def check_inside(marks: Marks, page: Page, scale: Scale) -> None:
    """Raise `Rejected` if a shape lies outside the box that the page has room for; labels are part of that box."""
    points = [corner for shape in marks.shapes for corner in _corners(shape)]
    if not points:
        return
    places, box, reach = np.array(points), np.array(page.box), scale.stroke / 2
    if (places.min(0) < box[:2] + reach).any() or (places.max(0) > box[2:] - reach).any():
        raise Rejected("cut off")


def _corners(shape: Line | Area | Disc) -> list[tuple[float, float]]:
    if isinstance(shape, Line):
        return [(shape.x0, shape.y0), (shape.x1, shape.y1)]
    if isinstance(shape, Area):
        return list(shape.points)
    return [(shape.x, shape.y)]
