"""What a label says, made visible again from the label alone: a table, a molecule, a figure, paragraphs.

When the redrawn sample looks like its picture, the label is right.
"""

import base64
from dataclasses import dataclass

from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.answers.geometry import Figure, parse_figure
from dsocr_jax.answers.smiles import parse_smiles
from dsocr_jax.answers.tables import parse_table
from dsocr_jax.answers.text import parse_page

#: Side of redrawn figures, in units of the label's frame; figures span 16.
_FRAME = 20

_SVG = "image/svg+xml"


@dataclass(frozen=True)
class Redrawn:
    """One of these is filled; ``problem`` when the label cannot be read.

    Attributes:
        rows: a table's cells, the header first.
        paragraphs: of a page.
        svg: a drawing, as an address for an image tag.
        problem: why the label cannot be read.
    """

    rows: tuple[tuple[str, ...], ...] = ()
    paragraphs: tuple[str, ...] = ()
    svg: str = ""
    problem: str = ""


def redraw(kind: str, label: str) -> Redrawn:
    """Read a label and draw what it says."""
    try:
        if kind == "charts":
            return Redrawn(rows=parse_table(label).rows)
        if kind == "molecules":
            return Redrawn(svg=data_uri(_molecule(label).encode(), _SVG))
        if kind == "geometry":
            return Redrawn(svg=data_uri(_figure(parse_figure(label)).encode(), _SVG))
        return Redrawn(paragraphs=parse_page(label))
    except AnswerError as error:
        return Redrawn(problem=str(error))


def data_uri(data: bytes, kind: str) -> str:
    """Return ``data`` as an address that holds it. Pictures so shown run no scripts, not even SVG."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _molecule(label: str) -> str:
    from rdkit.Chem.Draw import rdMolDraw2D

    drawer = rdMolDraw2D.MolDraw2DSVG(320, 260)
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, parse_smiles(label))
    drawer.FinishDrawing()
    return drawer.GetDrawingText()


def _figure(figure: Figure) -> str:
    """Return the figure as SVG; y points up, as in the label."""
    half = _FRAME / 2
    parts = [
        f'<line x1="{s.start[0]}" y1="{-s.start[1]}" x2="{s.end[0]}" y2="{-s.end[1]}"'
        + (' stroke-dasharray="0.45 0.3"' if s.dashed else "")
        + "/>"
        for s in figure.segments
    ]
    named = list(figure.points)
    for circle in figure.circles:
        x, y = circle.center
        parts.append(f'<circle cx="{x}" cy="{-y}" r="{circle.radius}"/>')
        if all(label != circle.label for label, _ in named):
            named.append((circle.label, circle.center))
    for label, (x, y) in named:
        parts.append(f'<circle cx="{x}" cy="{-y}" r="0.12" fill="#c33" stroke="none"/>')
        # Labels are checked to be letters and digits when the figure is parsed.
        parts.append(f'<text x="{x + 0.25}" y="{-y - 0.25}" fill="#c33" stroke="none">{label}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="320" height="320" viewBox="{-half} {-half} {_FRAME} {_FRAME}" '
        'fill="none" stroke="#222" stroke-width="0.09" font-family="sans-serif" font-size="1">'
        f"{''.join(parts)}</svg>"
    )
