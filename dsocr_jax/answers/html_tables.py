"""Every HTML table in an answer, read into rectangles of texts: a chart's one table, or those of a Markdown page.

The parser takes the tags of tables with any attributes, spans included, and nothing beyond them: what is malformed is
reported and left out, never guessed. Only a table that the end of the answer cuts off keeps its whole rows.
"""

import html
import math
import re
from dataclasses import dataclass

from dsocr_jax.answers.errors import AnswerError, bounded, excerpt
from dsocr_jax.answers.tables import MAX_CELL_CHARS, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Table
from dsocr_jax.answers.tables import MAX_CHARS as MAX_TABLE_CHARS
from dsocr_jax.answers.text import remove_invisible

MAX_CHARS = 1_000_000
#: Tables of one answer, and messages about others.
MAX_TABLES = 200
#: Cells of all tables of one answer, spans repeated.
MAX_ALL_CELLS = 100_000
#: Characters inside one tag; a longer one is text.
MAX_TAG_CHARS = 200

_TAG = re.compile(
    rf"<(/?)(table|thead|tbody|tfoot|caption|colgroup|col|tr|td|th)\b([^<>]{{0,{MAX_TAG_CHARS}}})>", re.IGNORECASE
)
_SPAN = re.compile(r"\b(colspan|rowspan)\s*=\s*[\"']?\s*(\d+)", re.IGNORECASE | re.ASCII)
_BREAK = re.compile(rf"</?(?:br|p|div|li|ul|ol)\b[^<>]{{0,{MAX_TAG_CHARS}}}>", re.IGNORECASE)
_STYLE = re.compile(
    rf"</?(?:b|strong|i|em|u|s|sub|sup|span|font|center|a|small|big|code)\b[^<>]{{0,{MAX_TAG_CHARS}}}>", re.IGNORECASE
)
#: HTML lets a span be at most this; one that says more is no table.
_MAX_SPAN = 1_000


@dataclass(frozen=True)
class FoundTable:
    """A table and where it stands in the answer.

    Attributes:
        table: its texts; a cell that spans several places is repeated in each, missing cells are empty.
        span: start and end in the answer, in characters.
        caption: its caption, or nothing.
        whole: whether it is closed and all its rows are equally long.
    """

    table: Table
    span: tuple[int, int]
    caption: str = ""
    whole: bool = True


def find_tables(text: str) -> tuple[tuple[FoundTable, ...], tuple[str, ...]]:
    """Return the tables of an answer in order, and messages about what is no table; the time is linear.

    Of a table inside a table the inner one is taken.

    Raises:
        AnswerError: the text is longer than `MAX_CHARS`.
    """
    bounded(text, MAX_CHARS, "answer with tables")
    found: list[FoundTable] = []
    problems: list[str] = []
    builder: _Builder | None = None
    cells = 0
    for tag in _TAG.finditer(text):
        opens, name = not tag[1], tag[2].lower()
        if max(len(found), len(problems)) >= MAX_TABLES or cells > MAX_ALL_CELLS:
            problems.append(f"tables: more than {MAX_TABLES}, or {MAX_ALL_CELLS} cells; the rest is not read")
            return tuple(found), tuple(problems)
        try:
            if name == "table" and opens:
                if builder:
                    problems.append(f"table: the one at character {builder.start} holds another; only that is read")
                builder = _Builder(text, tag)
            elif builder and name == "table":
                found.append(builder.finish(tag.start(), tag.end()))
                cells += math.prod(found[-1].table.shape)
                builder = None
            elif builder:
                builder.take(tag, opens, name)
        except AnswerError as error:
            problems.append(str(error))
            builder = None
    if builder:
        problems.append(f"table: the one at character {builder.start} is not closed; its whole rows are kept")
        try:
            found += [builder.cut_off()] if builder.rows else []
        except AnswerError as error:
            problems.append(str(error))
    return tuple(found), tuple(problems)


class _Builder:
    """One table while its tags come."""

    def __init__(self, text: str, tag: re.Match[str]):
        self.text, self.start, self.at = text, tag.start(), tag.end()
        self.rows: list[list[str]] = []
        self.row: list[str] | None = None
        self.caption = ""
        #: Cells and their characters as they will be written, spans repeated.
        self.cells = self.size = 0
        #: The open tag (td, th, caption) and, of a cell, its columns and rows.
        self.open = ""
        self.columns = self.lines = 1
        #: Column → how many more rows a cell from above takes there, and its text.
        self.above: dict[int, tuple[int, str]] = {}

    def take(self, tag: re.Match[str], opens: bool, name: str) -> None:
        between = self.text[self.at : tag.start()]
        if self.open and not (name == self.open and not opens):
            raise AnswerError(f"table: {excerpt(tag[0])} at character {tag.start()} inside a <{self.open}>")
        if not self.open and not (between.isspace() or not between):
            raise AnswerError(f"table: text outside a cell at character {self.at}: {excerpt(between)}")
        if name in ("td", "th", "caption"):
            self._cell(tag, opens, name, between)
        elif name == "tr":
            self._row(tag, opens)
        elif self.row is not None:
            raise AnswerError(f"table: {excerpt(tag[0])} at character {tag.start()} inside a row")
        elif name in ("thead", "tbody", "tfoot"):
            self.above = {}
        self.at = tag.end()

    def _cell(self, tag: re.Match[str], opens: bool, name: str, between: str) -> None:
        if opens == bool(self.open) or (name == "caption") != (self.row is None):
            raise AnswerError(f"table: {excerpt(tag[0])} at character {tag.start()} is out of place")
        if opens:
            spans = {key.lower(): digits for key, digits in _SPAN.findall(tag[3])}
            self.columns, self.lines = (_span(spans.get(key, "1"), tag) for key in ("colspan", "rowspan"))
            self.open = name
            return
        self.open = ""
        if name == "caption":
            self.caption = _cell_text(between, self.at)
        else:
            self._place(_cell_text(between, self.at), tag.start())

    def _place(self, cell: str, where: int) -> None:
        row = self.row
        assert row is not None
        self._fill_from_above()
        for column in range(len(row), len(row) + self.columns):
            if column in self.above:
                raise AnswerError(f"table: cells overlap at character {where}")
            self._append(cell)
            if self.lines > 1:
                # One more than what is left, since the end of this row counts it down.
                self.above[column] = (self.lines, cell)

    def _fill_from_above(self, to_the_end: bool = False) -> None:
        """Repeat the cells from above that come next in this row."""
        assert self.row is not None
        last = max(self.above, default=-1) if to_the_end else MAX_COLUMNS
        while len(self.row) in self.above or (to_the_end and len(self.row) < last):
            self._append(self.above.get(len(self.row), (0, ""))[1])

    def _append(self, cell: str) -> None:
        assert self.row is not None
        self.row.append(cell)
        self.cells += 1
        self.size += len(html.escape(cell, quote=False))
        if len(self.row) > MAX_COLUMNS or self.cells > MAX_CELLS or self.size > MAX_TABLE_CHARS:
            raise AnswerError(
                f"table: the one at character {self.start} has more than {MAX_COLUMNS} columns, {MAX_CELLS} cells or "
                f"{MAX_TABLE_CHARS} characters"
            )

    def _row(self, tag: re.Match[str], opens: bool) -> None:
        if opens == (self.row is not None):
            raise AnswerError(f"table: {excerpt(tag[0])} at character {tag.start()} is out of place")
        if opens:
            self.row = []
            return
        self._fill_from_above(to_the_end=True)
        assert self.row is not None
        if self.row:
            self.rows.append(self.row)
        if len(self.rows) > MAX_ROWS:
            raise AnswerError(f"table: the one at character {self.start} has more than {MAX_ROWS} rows")
        self.row = None
        self.above = {column: (left - 1, cell) for column, (left, cell) in self.above.items() if left > 1}

    def finish(self, start: int, end: int) -> FoundTable:
        between = self.text[self.at : start]
        if self.open or self.row is not None or between.strip():
            raise AnswerError(f"table: </table> at character {start} is out of place")
        if not self.rows:
            raise AnswerError(f"table: the one at character {self.start} has no cells")
        return self._found(end, whole=True)

    def cut_off(self) -> FoundTable:
        return self._found(len(self.text), whole=False)

    def _found(self, end: int, whole: bool) -> FoundTable:
        width = max(map(len, self.rows))
        tags = width * len(self.rows) * len("<td></td>") + len(self.rows) * len("<tr></tr>") + len("<table></table>")
        if width * len(self.rows) > MAX_CELLS or self.size + tags > MAX_TABLE_CHARS:
            raise AnswerError(
                f"table: the one at character {self.start} has more than {MAX_CELLS} cells when filled up"
            )
        rows = tuple((*row, *[""] * (width - len(row))) for row in self.rows)
        even = all(len(row) == width for row in self.rows)
        return FoundTable(Table(rows), (self.start, end), self.caption, whole and even)


def _span(digits: str, tag: re.Match[str]) -> int:
    if len(digits) > len(str(_MAX_SPAN)) or int(digits) > _MAX_SPAN:
        raise AnswerError(f"table: {excerpt(tag[0])} at character {tag.start()} spans more than {_MAX_SPAN} cells")
    return max(1, int(digits))


def _cell_text(raw: str, at: int) -> str:
    """Return what a cell says, on one line: without tags of style, entities resolved, blanks joined."""
    bounded(raw, MAX_CELL_CHARS, f"table cell at character {at}")
    # html.unescape takes numbers of any length from its text, whose length is limited here.
    plain = html.unescape(_STYLE.sub("", _BREAK.sub(" ", raw)))
    return " ".join(remove_invisible(plain).split())
