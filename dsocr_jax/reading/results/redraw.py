"""What an answer says, drawn again from the answer alone, and put beside the picture it was read from.

When both halves look alike, the answer is right.
"""

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.answers.figure_rules import Point
from dsocr_jax.answers.geometry import Figure
from dsocr_jax.answers.smiles import parse_smiles
from dsocr_jax.answers.tables import Table
from dsocr_jax.answers.understand import Result
from dsocr_jax.reading.results.lettering import clean, fitted, font_for, write

#: Sides of drawings, in pixels; the picture beside one is scaled to at most this.
SIDE = 640
#: What a drawn table shows at most; the last row and column then say how much more there is.
MAX_ROWS, MAX_COLUMNS = 40, 10
#: Atoms of the largest molecule that is drawn; beyond, the layout takes long and shows nothing.
MAX_DRAWN_ATOMS = 150

_GAP, _CAPTION = 16, 30
_PAPER, _INK, _FAINT, _EDGE, _MARK = "#ffffff", "#1d2129", "#6b7280", "#c5cad3", "#b3261e"
_SUPERSAMPLE = 3


def redraw(result: Result) -> Image.Image | None:
    """Return a drawing of the result's molecule, figure or chart table; None where there is nothing to draw."""
    if result.molecule:
        return draw_molecule(result.molecule)
    if result.figure is not None:
        return draw_figure(result.figure)
    if result.kind == "charts" and result.tables:
        return draw_table(result.tables[0].table)
    return None


def beside(picture: Image.Image, drawing: Image.Image) -> Image.Image:
    """Return the picture and, to its right, the drawing, each under a heading."""
    scale = min(SIDE / picture.width, max(SIDE, drawing.height) / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    left = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    width = max(left.width, 120)
    sheet = Image.new(
        "RGB",
        (width + drawing.width + 3 * _GAP, max(left.height, drawing.height) + _CAPTION + 2 * _GAP),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    for x, title, half in ((_GAP, "picture", left), (width + 2 * _GAP, "as read", drawing)):
        write(draw, (x, _GAP), title, 18, _FAINT)
        top = _GAP + _CAPTION
        sheet.paste(half, (x, top))
        draw.rectangle((x - 1, top - 1, x + half.width, top + half.height), outline=_EDGE)
    return sheet


def draw_molecule(smiles: str, side: int = SIDE) -> Image.Image | None:
    """Return the structural formula of a SMILES, ``side`` pixels square; None where RDKit cannot lay it out.

    Raises:
        AnswerError: the text is not SMILES within the limits of `dsocr_jax.answers.smiles`.
    """
    from rdkit import rdBase
    from rdkit.Chem.Draw import rdMolDraw2D

    molecule = parse_smiles(smiles)
    if molecule.GetNumAtoms() > MAX_DRAWN_ATOMS:
        return None
    with rdBase.BlockLogs():
        drawer = rdMolDraw2D.MolDraw2DCairo(side, side)
        try:
            rdMolDraw2D.PrepareAndDrawMolecule(drawer, molecule)
            drawer.FinishDrawing()
        except (ValueError, RuntimeError):
            return None
        return Image.open(io.BytesIO(drawer.GetDrawingText())).convert("RGB")


def draw_figure(figure: Figure, side: int = SIDE) -> Image.Image:
    """Return a figure drawn ``side`` pixels square, y upwards, scaled to fill it.

    Raises:
        AnswerError: the figure has no strokes.
    """
    left, bottom, right, top = _extent(figure)
    big = side * _SUPERSAMPLE
    scale = big * 0.84 / max(right - left, top - bottom, 1e-6)
    middle = (left + right) / 2, (bottom + top) / 2

    def place(point: Point) -> Point:
        return big / 2 + (point[0] - middle[0]) * scale, big / 2 - (point[1] - middle[1]) * scale

    canvas = Image.new("RGB", (big, big), _PAPER)
    draw = ImageDraw.Draw(canvas)
    pen = 2 * _SUPERSAMPLE
    for segment in figure.segments:
        for start, end in _dashes(place(segment.start), place(segment.end), segment.dashed):
            draw.line((*start, *end), fill=_INK, width=pen)
    named = list(figure.points)
    for circle in figure.circles:
        x, y = place(circle.center)
        radius = circle.radius * scale
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_INK, width=pen)
        if all(label != circle.label for label, _ in named):
            named.append((circle.label, circle.center))
    canvas = canvas.resize((side, side), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(canvas)
    for label, point in named:
        x, y = (value / _SUPERSAMPLE for value in place(point))
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=_MARK)
        strokes = [(place(segment.start), place(segment.end)) for segment in figure.segments]
        x, y = _beside(place(point), strokes, [(place(c.center), c.radius * scale) for c in figure.circles], big)
        write(draw, (x / _SUPERSAMPLE, y / _SUPERSAMPLE), clean(label, 8), 20, _MARK, "mm")
    return canvas


def draw_table(table: Table, most: int = 2 * SIDE) -> Image.Image:
    """Return a table as text in columns, at most ``most`` pixels wide; long cells are cut with an ellipsis."""
    rows, columns = min(len(table.rows), MAX_ROWS), min(len(table.rows[0]), MAX_COLUMNS)
    texts = [[clean(cell, 80) for cell in row[:columns]] for row in table.rows[:rows]]
    if len(table.rows[0]) > columns:
        texts = [[*row, "" if number else f"+{len(table.rows[0]) - columns}"] for number, row in enumerate(texts)]
    size = 16
    wide = [max(font_for(cell, size).getlength(cell) for cell in column) + 14 for column in zip(*texts, strict=True)]
    wide = _squeezed(wide, most - 8)
    width = min(most, max(SIDE // 2, math.ceil(sum(wide)) + 8))
    more = len(table.rows) - rows
    line = size + 10
    picture = Image.new("RGB", (width, line * (rows + bool(more)) + 12), _PAPER)
    draw = ImageDraw.Draw(picture)
    for number, row in enumerate(texts):
        y, x = 6 + number * line, 4.0
        if number == 0:
            draw.rectangle((0, 0, width, y + line - 1), fill="#eef1f6")
        for place, (cell, column) in enumerate(zip(row, wide, strict=True)):
            text = fitted(cell, size, column - 10)
            edge = (x + 5, "lm") if place == 0 else (x + column - 5, "rm")
            write(draw, (edge[0], y + line / 2), text, size, _INK, edge[1])
            x += column
        draw.line((0, y + line - 1, width, y + line - 1), fill="#e2e5ea")
    if more:
        write(draw, (9, 6 + rows * line + line / 2), f"… and {more} rows more", size, _FAINT, "lm")
    return picture


def _squeezed(wide: list[float], width: float) -> list[float]:
    """Make the widest columns narrower until all fit."""
    low, high = 0.0, max(wide)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(min(column, middle) for column in wide) <= width else (low, middle)
    return [min(column, high) for column in wide]


def _extent(figure: Figure) -> tuple[float, float, float, float]:
    xs = [p[0] for s in figure.segments for p in (s.start, s.end)] + [p[0] for _, p in figure.points]
    ys = [p[1] for s in figure.segments for p in (s.start, s.end)] + [p[1] for _, p in figure.points]
    for circle in figure.circles:
        xs += [circle.center[0] - circle.radius, circle.center[0] + circle.radius]
        ys += [circle.center[1] - circle.radius, circle.center[1] + circle.radius]
    if not xs:
        raise AnswerError("figure: nothing to draw")
    return min(xs), min(ys), max(xs), max(ys)


def _beside(
    point: Point, strokes: Sequence[tuple[Point, Point]], circles: Sequence[tuple[Point, float]], side: float
) -> Point:
    """Return where a point's letter stands: of eight places around it the one with most room, rather outwards."""
    best, most = point, -math.inf
    for turn in range(8):
        x = point[0] + 18 * _SUPERSAMPLE * math.cos(turn * math.pi / 4)
        y = point[1] + 18 * _SUPERSAMPLE * math.sin(turn * math.pi / 4)
        room = min(
            (
                *(_distance((x, y), *stroke) for stroke in strokes),
                *(abs(math.dist((x, y), centre) - radius) for centre, radius in circles),
                x,
                y,
                side - x,
                side - y,
            )
        )
        room = min(room, 14 * _SUPERSAMPLE) + 0.01 * math.dist((x, y), (side / 2, side / 2))
        if room > most:
            best, most = (x, y), room
    return best


def _distance(point: Point, start: Point, end: Point) -> float:
    """Return how far a point is from a segment."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    share = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length if length else 0.0
    share = min(max(share, 0.0), 1.0)
    return math.dist(point, (start[0] + share * dx, start[1] + share * dy))


def _dashes(start: Point, end: Point, dashed: bool) -> list[tuple[Point, Point]]:
    """Return the strokes of a segment, in pixels: itself, or dashes with an unbroken one at either end."""
    length = math.dist(start, end)
    pieces = 2 * max(1, round(length / (18 * _SUPERSAMPLE))) + 1
    if not dashed or length == 0:
        return [(start, end)]

    def at(share: float) -> Point:
        return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share

    return [(at(number / pieces), at((number + 1) / pieces)) for number in range(0, pieces, 2)]
