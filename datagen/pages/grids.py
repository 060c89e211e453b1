"""Tables with merged cells, as typst sets them and as HTML."""

import functools
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datagen.pages.prose import Writer
from datagen.pages.rich import Rich, quote
from datagen.pages.words import Dice

#: Rules that tables of prints have: all, between rows, below the head and at both ends, none.
_RULES = ("all", "all", "rows", "booktabs", "booktabs", "none")


#: Characters of the longest words of all columns: more would run into one another in a narrow table.
_ROOM = 48


@dataclass(frozen=True)
class Cell:
    """A cell that takes ``rows`` times ``columns`` places."""

    text: str
    rows: int = 1
    columns: int = 1
    bold: bool = False


@dataclass(frozen=True)
class Grid:
    """A table: rows of cells, those that a merged cell covers left out; ``head`` rows stand above the others.

    Attributes:
        rows: the cells.
        columns: how many there are.
        head: rows of headings.
        rules: one of `_RULES`.
        numeric: columns that are aligned at their end.
        shaded: whether the head stands on a gray ground.
    """

    rows: tuple[tuple[Cell, ...], ...]
    columns: int
    head: int
    rules: str
    numeric: tuple[int, ...]
    shaded: bool = False

    def rich(self) -> Rich:
        """Return the table in its three forms: HTML in Markdown, rows of cells in plain text."""
        text = "\n".join(" ".join(cell.text for cell in row if cell.text) for row in self.rows)
        return Rich(self._typst(), text, self._html())

    def _html(self) -> str:
        rows = []
        for row in self.rows:
            cells = []
            for cell in row:
                spans = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
                spans += f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
                cells.append(f"<td{spans}>{html.escape(cell.text, quote=False)}</td>")
            rows.append(f"<tr>{''.join(cells)}</tr>")
        return f"<table>{''.join(rows)}</table>"

    def _typst(self) -> str:
        align = ", ".join("end" if column in self.numeric else "start" for column in range(self.columns))
        stroke = {
            "all": "0.6pt + ink",
            "rows": "(x: none, y: 0.5pt + ink)",
            "booktabs": f"(x, y) => (top: if y == 0 {{1pt + ink}} else if y == {self.head} {{0.6pt + ink}})",
            "none": "none",
        }[self.rules]
        fill = f"(x, y) => if y < {self.head} {{ shade }}" if self.shaded else "none"
        cells = []
        for row in self.rows:
            for cell in row:
                text = f"strong({quote(cell.text)})" if cell.bold else f"[#{quote(cell.text)}]"
                if cell.rows > 1 or cell.columns > 1:
                    spans = f"rowspan: {cell.rows}, colspan: {cell.columns}, align: horizon"
                    spans += " + center" if cell.columns > 1 else ""
                    text = f"table.cell({spans}, {text})"
                cells.append(text)
        if self.rules == "booktabs":
            cells.append("table.hline(stroke: 1pt + ink)")
        return (
            f"#table(columns: {self.columns}, align: ({align},), stroke: {stroke}, fill: {fill}, "
            f"inset: cell-inset, {', '.join(cells)})"
        )


def compose_grid(dice: Dice, writer: Writer, most_columns: int, most_rows: int) -> Grid:
    """Make up a table: names and amounts, often with merged cells in its head or at its side."""
    columns = 2 + dice.below(max(1, most_columns - 1))
    body = 2 + dice.below(max(1, most_rows - 1))
    numbers: list[Callable[[], str]] = [
        (writer.number if dice.chance(0.85) else functools.partial(_short, writer, _ROOM // columns, 1))
        for _ in range(columns - 1)
    ]
    rows: list[tuple[Cell, ...]] = []
    merged_head = columns >= 4 and dice.chance(0.45)
    bold = dice.chance(0.7)
    room = _ROOM // columns
    names = [_short(writer, room) for _ in range(columns)]
    if merged_head:
        rows += _two_row_head(dice, writer, names, bold)
    else:
        corner = "" if dice.chance(0.25) else names[0]
        rows.append(tuple(Cell(name, bold=bold) for name in (corner, *names[1:])))
    head = len(rows)
    group = 0
    side = columns >= 3 and body >= 4 and dice.chance(0.3)
    for place in range(body):
        if side and group == 0:
            group = min(2 + dice.below(2), body - place)
            first: tuple[Cell, ...] = (Cell(_short(writer, room), rows=group),)
            group -= 1
        elif side:
            first, group = (), group - 1
        else:
            first = (Cell(_short(writer, room, words=3)),)
        values = [number() if not dice.chance(0.05) else "" for number in numbers]
        if dice.chance(0.04) and columns >= 3:
            rows.append((*first, Cell(writer.phrase(1, 2), columns=columns - 1)))
        else:
            rows.append((*first, *(Cell(value) for value in values)))
    numeric = tuple(place + 1 for place, number in enumerate(numbers) if number == writer.number)
    rules = dice.pick(_RULES)
    return Grid(tuple(rows), columns, head, rules, numeric, shaded=dice.chance(0.3))


def _short(writer: Writer, room: int, words: int = 2) -> str:
    """Return a few words none of which is longer than ``room`` characters, if some are found soon."""
    text = ""
    for _ in range(6):
        text = writer.phrase(1, words) if writer.language.spaced else writer.word()
        if max(map(len, text.split())) <= room:
            break
    return text


def _two_row_head(dice: Dice, writer: Writer, names: Sequence[str], bold: bool) -> list[tuple[Cell, ...]]:
    """Return two rows of a head: its first cell goes down over both, others over two or more columns."""
    upper = [Cell(names[0], rows=2, bold=bold)]
    lower: list[Cell] = []
    place = 1
    while place < len(names):
        span = min(2 + dice.below(2), len(names) - place)
        if span == 1:
            upper.append(Cell(names[place], rows=2, bold=bold))
        else:
            upper.append(Cell(_short(writer, 12), columns=span, bold=bold))
            lower += [Cell(name, bold=bold) for name in names[place : place + span]]
        place += span
    return [tuple(upper), tuple(lower)]
