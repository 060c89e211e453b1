"""Drawing of a molecule: checked 2-D coordinates, a style, and a picture."""

import io
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from datagen import fonts
from datagen.family import Drawn, Rejected
from datagen.molecules.chemistry import Molecule
from datagen.molecules.settings import MoleculeSettings
from datagen.molecules.strokes import UNIT, Layout, Letter, Stroke, lay_out, set_options

if TYPE_CHECKING:
    from rdkit.Chem import Mol

SUPERSAMPLE = 3
#: Atoms that are not bonded to each other are at least this far apart, in bond lengths.
MIN_DISTANCE = 0.6
#: Room for atom labels around the outermost atoms, both sides together, in letter sizes.
LABEL_ROOM = 6.0
#: Layouts that are tried until a molecule fits the largest picture.
MAX_LAYOUTS = 4
#: Advance widths (em) that RDKit reckons with for the characters of atom labels; others are as wide as digits.
_WIDTHS = dict.fromkeys("CDHNRU", 0.722) | dict.fromkeys("ABEKPSVXY", 0.667) | dict.fromkeys("FTZ", 0.611)
_WIDTHS |= dict.fromkeys("GOQ", 0.778) | dict.fromkeys("ijl", 0.222) | {"I": 0.278, "M": 0.833, "m": 0.833, "W": 0.944}
_WIDTHS |= dict.fromkeys("ckstvxyzJ", 0.5) | {"r": 0.333, "-": 0.333, "f": 0.278, "w": 0.722, "+": 0.584}
_DIGIT_WIDTH = 0.556
PAPERS = ((255, 255, 255), (250, 246, 235), (240, 244, 250), (236, 236, 236), (253, 250, 215))

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Style:
    """How one picture looks, apart from RDKit's layout; shares are of what is left over."""

    font: str
    paper: Colour
    rdkit: bool
    padding: float
    square: bool
    place: tuple[float, float]


@dataclass(frozen=True)
class Page:
    """Size of a picture, and by how much everything in RDKit's panel is moved to get there."""

    width: int
    height: int
    move: tuple[float, float]


def render(content: Molecule, rng: np.random.Generator, settings: MoleculeSettings) -> Drawn:
    """Draw the molecule.

    Raises:
        Rejected: atoms or labels overlap, the molecule does not fit, or the coordinates and wedges do not say what
            the label says.
    """
    prepared = prepare(content)
    style = draw_style(rng, settings)
    layout = draw_layout(prepared, rng, settings)
    for _ in range(MAX_LAYOUTS):
        strokes, letters = lay_out(prepared, layout)
        box = bounding_box(strokes, letters)
        room = settings.sides[1] * (1 - 2 * style.padding)
        excess = max(box[2] - box[0], box[3] - box[1]) / room
        if excess <= 1:
            break
        layout = scaled(prepared, layout, 0.98 / excess)
    if excess > 1 or layout.bond < settings.min_bond:
        raise Rejected("molecule too large for the picture")
    check_labels(strokes, letters)
    page = draw_page(box, style, settings)
    image = _rdkit_picture(prepared, layout, page) if style.rdkit else picture(strokes, letters, layout, page, style)
    meta = {
        "atoms": content.mol.GetNumHeavyAtoms(),
        "bond": round(layout.bond, 2),
        "renderer": "rdkit" if style.rdkit else "own",
    }
    return Drawn(image, content.smiles, meta)


def prepare(content: Molecule) -> "Mol":
    """Return a copy of the molecule with 2-D coordinates and wedges, once they are known to say what the label says."""
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDepictor
    from rdkit.Chem.Draw import rdMolDraw2D

    with rdBase.BlockLogs():
        mol = Chem.Mol(content.mol)
        rdDepictor.Compute2DCoords(mol)
        _check_distances(mol)
        prepared = rdMolDraw2D.PrepareMolForDrawing(mol)
        seen = Chem.MolFromMolBlock(Chem.MolToMolBlock(prepared))
        if seen is None or Chem.MolToSmiles(seen) != content.smiles:
            raise Rejected("depiction says another molecule")
    return prepared


def draw_style(rng: np.random.Generator, settings: MoleculeSettings) -> Style:
    """Choose font, paper and margins."""
    return Style(
        font=str(rng.choice(settings.fonts)),
        paper=PAPERS[int(rng.integers(len(PAPERS)))] if rng.random() < settings.tinted else PAPERS[0],
        rdkit=bool(rng.random() < settings.rdkit),
        padding=float(rng.uniform(*settings.padding)),
        square=bool(rng.random() < settings.square),
        place=(float(rng.random()), float(rng.random())),
    )


def draw_layout(prepared: "Mol", rng: np.random.Generator, settings: MoleculeSettings) -> Layout:
    """Choose bond length, stroke, letter size and angle; the panel has room for any label at its sides."""
    letter, stroke = rng.uniform(*settings.letter), rng.uniform(*settings.stroke)
    bond = float(rng.uniform(*settings.bond))
    layout = Layout(
        width=0,
        height=0,
        bond=bond,
        stroke=bond * float(stroke),
        letter=bond * float(letter),
        offset=round(float(rng.uniform(0.13, 0.19)), 3),
        rotate=float(rng.uniform(0, 360)) if rng.random() < settings.rotated else 0.0,
        coloured=bool(rng.random() < settings.coloured),
        methyls=bool(rng.random() < settings.methyls),
    )
    return scaled(prepared, layout, 1.0)


def scaled(prepared: "Mol", layout: Layout, factor: float) -> Layout:
    """Return the layout with all lengths times ``factor``, and the panel that it then needs."""
    places = prepared.GetConformer().GetPositions()[:, :2] / UNIT
    turn = math.radians(layout.rotate)
    across, along = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
    # The angle's sense is RDKit's; the panel takes the larger of both.
    spans = [max(np.ptp(places @ axis), np.ptp(places @ (axis * (1, -1)))) for axis in (across, along)]
    bond, letter = layout.bond * factor, max(8.0, layout.letter * factor)
    width, height = (math.ceil(float(span) * bond + LABEL_ROOM * letter) for span in spans)
    stroke = max(1.0, layout.stroke * factor)
    return replace(layout, width=width, height=height, bond=bond, stroke=stroke, letter=letter)


def bounding_box(strokes: list[Stroke], letters: list[Letter]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of all that is drawn."""
    corners = [
        (x + s * stroke.width, y + s * stroke.width) for stroke in strokes for x, y in stroke.points for s in (-1, 1)
    ]
    for letter in letters:
        left, top, right, bottom = _box(letter)
        corners += [
            (left - 0.15 * letter.size, top - 0.2 * letter.size),
            (right + 0.15 * letter.size, bottom + 0.2 * letter.size),
        ]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def draw_page(box: tuple[float, float, float, float], style: Style, settings: MoleculeSettings) -> Page:
    """Return the page for a drawing with this bounding box, the drawing at the style's place on it."""
    sizes = box[2] - box[0], box[3] - box[1]
    sides = [max(settings.sides[0], math.floor(size / (1 - 2 * style.padding))) for size in sizes]
    if style.square:
        sides = [max(sides)] * 2
    slack = [side - size for side, size in zip(sides, sizes, strict=True)]
    margins = [min(style.padding * side, free / 2) for side, free in zip(sides, slack, strict=True)]
    starts = [m + place * (free - 2 * m) for m, place, free in zip(margins, style.place, slack, strict=True)]
    return Page(sides[0], sides[1], (starts[0] - box[0], starts[1] - box[1]))


def check_labels(strokes: list[Stroke], letters: list[Letter]) -> None:
    """Raise `Rejected` if the label of an atom overlaps another label, or a bond that is not the atom's own."""
    if not letters:
        return
    boxes = np.array([_box(letter) for letter in letters])
    owners = np.array([letter.atom for letter in letters])
    low, high = boxes[:, :2], boxes[:, 2:]
    overlap = (low[:, None] < high[None]).all(-1) & (low[None] < high[:, None]).all(-1)
    if (overlap & (owners[:, None] != owners[None])).any():
        raise Rejected("labels overlap")
    lines = [stroke for stroke in strokes if len(stroke.points) == 2 and len(stroke.atoms) == 2]
    if not lines:
        return
    ends = np.array([stroke.points for stroke in lines])
    share = np.linspace(0, 1, 12)[None, :, None]
    probes = ends[:, :1] * (1 - share) + ends[:, 1:] * share
    inside = np.any(((probes[:, :, None] > low) & (probes[:, :, None] < high)).all(-1), axis=1)
    foreign = np.all(np.array([stroke.atoms for stroke in lines])[:, :, None] != owners, axis=1)
    if (inside & foreign).any():
        raise Rejected("label over a bond")


def picture(strokes: list[Stroke], letters: list[Letter], layout: Layout, page: Page, style: Style) -> np.ndarray:
    """Return the picture of strokes and letters, gray when nothing in it has a colour."""
    coloured = layout.coloured or len(set(style.paper)) > 1
    mode = "RGB" if coloured else "L"
    paper = style.paper if coloured else style.paper[0]
    large = Image.new(mode, (page.width * SUPERSAMPLE, page.height * SUPERSAMPLE), paper)
    draw = ImageDraw.Draw(large)
    for stroke in strokes:
        points = [((x + page.move[0]) * SUPERSAMPLE, (y + page.move[1]) * SUPERSAMPLE) for x, y in stroke.points]
        fill = stroke.colour if coloured else stroke.colour[0]
        if stroke.width:
            thick = max(2, round(stroke.width * SUPERSAMPLE))
            draw.line(points, fill, thick, joint="curve")
            if len(points) == 3:  # RDKit's joint of two bonds; its middle is the atom
                draw.circle(points[1], thick / 2, fill)
        else:
            draw.polygon(points, fill, fill)
    small = large.reduce(SUPERSAMPLE)
    draw = ImageDraw.Draw(small)
    for letter in letters:
        text = letter.text.replace("-", "\u2212" if fonts.covers(style.font, "\u2212") else "-")
        font = fonts.load(style.font, max(6, round(letter.size * _size_factor(style.font))))
        shift = (_WIDTHS.get(letter.text, _DIGIT_WIDTH) * letter.size - font.getlength(text)) / 2
        fill = letter.colour if coloured else letter.colour[0]
        draw.text((letter.x + shift + page.move[0], letter.y + page.move[1]), text, fill, font, anchor="ls")
    return np.asarray(small)


def _rdkit_picture(prepared: "Mol", layout: Layout, page: Page) -> np.ndarray:
    from rdkit.Chem.Draw import rdMolDraw2D

    drawer = rdMolDraw2D.MolDraw2DCairo(layout.width, layout.height)
    set_options(drawer.drawOptions(), layout)
    drawer.DrawMolecule(prepared)
    drawer.FinishDrawing()
    mode = "RGB" if layout.coloured else "L"
    paper = Image.new(mode, (page.width, page.height), (255, 255, 255) if layout.coloured else 255)
    panel = Image.open(io.BytesIO(drawer.GetDrawingText())).convert(mode)
    paper.paste(panel, (round(page.move[0]), round(page.move[1])))
    return np.asarray(paper)


def _check_distances(mol: "Mol") -> None:
    """Reject depictions in which atoms or bonds lie on top of each other."""
    places = mol.GetConformer().GetPositions()[:, :2] / UNIT
    count = len(places)
    gaps = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    bonds = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in mol.GetBonds()], dtype=int).reshape(-1, 2)
    gaps[bonds[:, 0], bonds[:, 1]] = gaps[bonds[:, 1], bonds[:, 0]] = math.inf
    gaps[range(count), range(count)] = math.inf
    if count > 1 and gaps.min() < MIN_DISTANCE:
        raise Rejected("atoms overlap")
    # Bonds of bridged rings cross in any drawing; others must not.
    starts, ends = places[bonds[:, 0]], places[bonds[:, 1]]
    side = _cross(ends[:, None] - starts[:, None], np.stack([starts, ends])[:, None] - starts[:, None])
    splits = side[0] * side[1] < -1e-9
    in_ring = np.array([bond.IsInRing() for bond in mol.GetBonds()], dtype=bool)
    if (splits & splits.T & ~(in_ring[:, None] & in_ring)).any():
        raise Rejected("bonds cross")


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _box(letter: Letter) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a character, a little inside its outline."""
    width = _WIDTHS.get(letter.text, _DIGIT_WIDTH) * letter.size
    inset = 0.02 * letter.size
    return letter.x + inset, letter.y - 0.7 * letter.size + inset, letter.x + width - inset, letter.y - inset


def _size_factor(font: str) -> float:
    """Return what to scale a font by so that its letters are about as wide as RDKit reckons."""
    return min(1.15, max(0.8, 0.722 * 100 / fonts.load(font, 100).getlength("N")))
