"""HTML tables as the benchmark compares them: one normal form of their text, and their trees for TEDS."""

import html
import re
import unicodedata
from html.parser import HTMLParser

from dsocr_jax.answers import AnswerError
from dsocr_jax.evaluate.teds import Cell, Tree

#: Characters of one table.
MAX_CHARS = 1_000_000

_TABLE = re.compile(r"<table\b[^>]*>(.*)</table>", re.DOTALL | re.IGNORECASE)
_HEAD_CELL = re.compile(r"<(/?)th(?=[\s>])", re.IGNORECASE)
_MATH = re.compile(r"<math\b[^<>]*?\balttext=\"([^\"<>]*)\"[^<>]*>(?:(?!<math\b).)*?</math>", re.DOTALL | re.IGNORECASE)
_PARTS = re.compile(r"</?(?:thead|tbody|span|sup|sub|div|p)\b[^<>]*>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_COLUMNS = re.compile(r"<colgroup>(?:(?!<colgroup>).)*?</colgroup>", re.DOTALL | re.IGNORECASE)
_LOOKS = re.compile(r" (?:style|height|width|align|class)=\"[^\"]*\"", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
#: Line ends between tags are layout of the source; a blank alone is not, and stays.
_BETWEEN = re.compile(r">\s*\n\s*<")
#: Stands around the rows in the normal form, and so counts in the length of a table.
FRAME = '<html><body><table border="1" >', "</table></body></html>"


def normal_table(text: str) -> str:
    """Return an HTML table in normal form: plain rows and cells, no looks, blanks joined; "" for what is no table.

    >>> normal_table("<table><thead><tr><th>a</th></tr></thead></table>")[31:-22]
    '<tr><td>a</td></tr>'
    """
    if "<table" not in text or len(text) > MAX_CHARS:
        return ""
    text = _BETWEEN.sub("><", _MATH.sub(lambda found: f"${found[1]}$", text))
    text = _BREAK.sub("<br/>", text)
    text = _HEAD_CELL.sub(r"<\1td", text)
    text = html.unescape(_COLUMNS.sub("", _PARTS.sub("", text))).replace("\n", "")
    text = "".join(_TABLE.findall(unicodedata.normalize("NFKC", text).strip()))
    return FRAME[0] + _BLANKS.sub(" ", _LOOKS.sub("", text)) + FRAME[1]


def table_tree(text: str) -> Tree:
    """Return the tree of a table in normal form.

    Raises:
        AnswerError: it has no cells.
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if not any(reader.rows):
        raise AnswerError("table: no cells")
    return Tree(tuple(tuple(row) for row in reader.rows), reader.inside)


class _Reader(HTMLParser):
    """Collects cells by row; tags inside a cell are characters of its text, and nodes of the tree for its size."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[Cell]] = []
        self.inside = 0
        self.spans: tuple[int, int] | None = None
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a row or a cell."""
        if tag in ("tr", "td"):
            self._finish_cell()
        if tag == "tr":
            self.rows.append([])
        elif tag == "td":
            if not self.rows:
                self.rows.append([])
            known = dict(attrs)
            self.spans = _span(known.get("colspan")), _span(known.get("rowspan"))
        elif self.spans is not None:
            self.inside += 1
            self.text.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        """Close a cell."""
        if tag in ("tr", "td", "table"):
            self._finish_cell()
        elif self.spans is not None:
            self.text.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Take a cell's text."""
        if self.spans is not None:
            self.text += data

    def _finish_cell(self) -> None:
        if self.spans is not None:
            self.rows[-1].append(Cell(tuple(self.text), *self.spans))
        self.spans, self.text = None, []


def _span(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdecimal() and len(value) < 5 else 1
