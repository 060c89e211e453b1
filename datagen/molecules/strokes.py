"""RDKit's depiction as strokes and letters: RDKit lays the molecule out, we draw it.

RDKit decides where bonds are trimmed, which way a wedge points, where charges and hydrogens stand; it says so as SVG
with one element for each stroke and each letter, which is read here. Drawing them ourselves is several times faster
than RDKit's raster drawer, whose picture can only be had as a compressed file.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datagen.family import Rejected

if TYPE_CHECKING:
    from rdkit.Chem import Mol

#: RDKit's coordinates have bonds of this length.
UNIT = 1.5

_ELEMENT = re.compile(r"<(path|text|rect|ellipse|[a-z]+)\b([^>]*)>([^<]*)")
_ATTRIBUTE = re.compile(r"([\w-]+)='([^']*)'")
_STYLE = re.compile(r"([\w-]+):([^;]+)")
_ATOM_CLASS = re.compile(r"atom-(\d+)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Stroke:
    """A line through ``points`` or, without a ``width``, a filled area; ``atoms`` are the ends of its bond."""

    points: tuple[tuple[float, float], ...]
    width: float
    colour: tuple[int, int, int]
    atoms: tuple[int, ...]


@dataclass(frozen=True)
class Letter:
    """One character of an atom's label: left end of its baseline, size (em) in pixels."""

    text: str
    x: float
    y: float
    size: float
    colour: tuple[int, int, int]
    atom: int


@dataclass(frozen=True)
class Layout:
    """How RDKit is to lay out a molecule; lengths in pixels, the angle in degrees."""

    width: int
    height: int
    bond: float
    stroke: float
    letter: float
    offset: float
    rotate: float
    coloured: bool
    methyls: bool


def set_options(options: object, layout: Layout) -> None:
    """Put the layout into the options of an RDKit drawer."""
    values = {
        "includeMetadata": False,
        "prepareMolsBeforeDrawing": False,
        "fixedBondLength": layout.bond / UNIT,  # RDKit means the scale, in pixels a unit
        "bondLineWidth": layout.stroke,
        "scaleBondWidth": False,
        "fixedFontSize": round(layout.letter),
        "multipleBondOffset": layout.offset,
        "rotate": layout.rotate,
        "padding": 0.0,
        "explicitMethyl": layout.methyls,
    }
    for name, value in values.items():
        setattr(options, name, value)
    if not layout.coloured:
        options.useBWAtomPalette()  # type: ignore[attr-defined]


def lay_out(prepared: "Mol", layout: Layout) -> tuple[list[Stroke], list[Letter]]:
    """Return the strokes and letters of a molecule that has coordinates and wedges.

    Raises:
        Rejected: the depiction holds something that is neither.
    """
    from rdkit.Chem.Draw import rdMolDraw2D

    drawer = rdMolDraw2D.MolDraw2DSVG(layout.width, layout.height, -1, -1, True)
    set_options(drawer.drawOptions(), layout)
    drawer.DrawMolecule(prepared)
    drawer.FinishDrawing()
    return parse(drawer.GetDrawingText())


def parse(svg: str) -> tuple[list[Stroke], list[Letter]]:
    """Return the strokes and letters of RDKit's SVG; see `lay_out`."""
    strokes: list[Stroke] = []
    letters: list[Letter] = []
    for tag, inside, text in _ELEMENT.findall(svg[svg.index("<!-- END OF HEADER -->") :]):
        if tag == "rect":
            continue
        attributes = dict(_ATTRIBUTE.findall(inside))
        style = dict(_STYLE.findall(attributes.get("style", "")))
        atoms = tuple(int(number) for number in _ATOM_CLASS.findall(attributes.get("class", "")))
        if tag == "path" and not set(attributes["d"]) & set("ACQSTHV"):
            numbers = [float(number) for number in _NUMBER.findall(attributes["d"])]
            points = tuple(zip(numbers[::2], numbers[1::2], strict=True))
            filled = style["fill"] != "none"
            width = 0.0 if filled else float(style["stroke-width"].removesuffix("px"))
            strokes.append(Stroke(points, width, _colour(style["fill" if filled else "stroke"]), atoms))
        elif tag == "text" and len(text) == 1 and atoms:
            size = float(style["font-size"].removesuffix("px"))
            place = float(attributes["x"]), float(attributes["y"])
            letters.append(Letter(text, *place, size, _colour(style["fill"]), atoms[0]))
        else:
            raise Rejected("unknown mark in the depiction")
    return strokes, letters


def _colour(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text.strip().removeprefix("#"))
    return red, green, blue
