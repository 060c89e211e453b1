"""The answer of a chart: an HTML table of plain ``<table>``, ``<tr>`` and ``<td>`` in one line.

The first row is the header (empty top-left cell, then the names of the series), every later row is a category and
its values. The tags carry no attributes and nothing stands between them; ``&``, ``<`` and ``>`` in a cell are written
as ``&amp;``, ``&lt;`` and ``&gt;``.

The parser is strict about the form and tolerant about what a cell says: an ``&`` that starts no known entity and an
angle bracket that belongs to no table tag are read as themselves, since a model's answer may hold them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dsocr_jax.answers.errors import AnswerError, bounded, excerpt

MAX_CHARS = 262_144
MAX_ROWS = 1_000
MAX_COLUMNS = 200
MAX_CELLS = 20_000
MAX_CELL_CHARS = 2_000

_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ENTITY = re.compile("&(?:amp|lt|gt);")
_SPECIAL = re.compile("[&<>]")
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
#: What may not stand inside a cell: other tags of a table, and characters that would break the line.
_TABLE_TAG = re.compile(r"</?(?:table|thead|tbody|tfoot|caption|tr|td|th)\b", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True)
class Table:
    """A rectangle of cell texts, row by row; the first row is the header."""

    rows: tuple[tuple[str, ...], ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, the header counted."""
        return len(self.rows), len(self.rows[0])


def write_table(rows: Sequence[Sequence[str]] | Table) -> str:
    """Return the table as text.

    Raises:
        AnswerError: the rows are not a rectangle, or a cell or the table is beyond the limits of this module.
    """
    if isinstance(rows, Table):
        rows = rows.rows
    _check_shape(rows)
    text = "".join(f"<tr>{''.join(f'<td>{_escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return bounded(f"<table>{text}</table>", MAX_CHARS, "table")


def parse_table(text: str) -> Table:
    """Read a table back; the time taken is linear in the length of ``text``.

    Raises:
        AnswerError: the text is not one table of the form above, or it is beyond the limits of this module.
    """
    bounded(text, MAX_CHARS, "table")
    at = _expect(text, 0, "<table>")
    rows: list[tuple[str, ...]] = []
    cells = 0
    while not text.startswith("</table>", at):
        at = _expect(text, at, "<tr>")
        row: list[str] = []
        while not text.startswith("</tr>", at):
            at = _expect(text, at, "<td>")
            end = text.find("</td>", at)
            if end < 0:
                raise AnswerError(f"table: the cell at character {at} is not closed")
            row.append(_unescape(text[at:end], at))
            at = end + len("</td>")
            cells += 1
            if len(row) > MAX_COLUMNS or cells > MAX_CELLS:
                raise AnswerError(f"table: more than {MAX_COLUMNS} columns or {MAX_CELLS} cells")
        rows.append(tuple(row))
        if len(rows) > MAX_ROWS:
            raise AnswerError(f"table: more than {MAX_ROWS} rows")
        at += len("</tr>")
    if at + len("</table>") != len(text):
        raise AnswerError(f"table: text after the end: {excerpt(text, at + len('</table>'))}")
    _check_shape(rows)
    return Table(tuple(rows))


def _expect(text: str, at: int, tag: str) -> int:
    if not text.startswith(tag, at):
        raise AnswerError(f"table: expected {tag} at character {at}, found {excerpt(text, at)}")
    return at + len(tag)


def _check_shape(rows: Sequence[Sequence[str]]) -> None:
    if not rows or not rows[0]:
        raise AnswerError("table: needs at least one row and one column")
    columns = len(rows[0])
    if len(rows) > MAX_ROWS or columns > MAX_COLUMNS or len(rows) * columns > MAX_CELLS:
        raise AnswerError(f"table: more than {MAX_ROWS} rows, {MAX_COLUMNS} columns or {MAX_CELLS} cells")
    for number, row in enumerate(rows):
        if len(row) != columns:
            raise AnswerError(f"table: row {number} has {len(row)} cells, the header has {columns}")


def _check_cell(cell: str) -> str:
    bounded(cell, MAX_CELL_CHARS, "table cell")
    if control := _CONTROL.search(cell):
        raise AnswerError(f"table: a cell holds the character U+{ord(control[0]):04X}")
    return cell


def _escape(cell: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], _check_cell(cell))


def _unescape(raw: str, at: int) -> str:
    if tag := _TABLE_TAG.search(raw):
        raise AnswerError(f"table: {excerpt(tag[0])} inside the cell at character {at}")
    return _check_cell(_ENTITY.sub(lambda found: _ENTITIES[found[0]], raw))
