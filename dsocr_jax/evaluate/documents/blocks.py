"""Blocks of a page: those of an answer in Markdown, and those that the benchmark annotates."""

import re
from dataclasses import dataclass
from typing import Literal

from dsocr_jax.evaluate.documents.normal import normal_formula, normal_text

#: Blocks of an answer, and formulas inside its lines, beyond which nothing is looked at; a page has a tenth of them.
MAX_BLOCKS = 2000

#: What a block of an answer is: text, a displayed formula, a formula inside a line (a candidate for a displayed one).
Form = Literal["text", "formula", "inline"]

# What is not closed must not be looked for to the end again and again, so nothing here runs over another beginning.
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,500}\]\([^()\n]{0,2000}\)")
_FENCES = (re.compile(r"^```(?:markdown|html|latex)\n?", re.MULTILINE), re.compile(r"```\n?$", re.MULTILINE))
_LONG = ((re.compile(r"_{4,}"), "____"), (re.compile(r" {4,}"), "    "))
_PAGE_TAGS = re.compile(r"</?(?:html|body)>")
_LATEX_TABLE = re.compile(r"\\begin\{(table|tabular)\}(?:(?!\\begin\{\1\}).)*?\\end\{\1\}", re.DOTALL)
_HTML_TABLE = re.compile(r"<table\b[^>]*>(?:(?!<table\b).)*?</table>", re.DOTALL)
_FORMULA = re.compile(r"\$\$(.*?)\$\$|\\\[((?:(?!\\\[).)*?)\\\]|\$(.*?)\$|\\\(((?:(?!\\\().)*?)\\\)", re.DOTALL)
_PIPE_TABLE = re.compile(r"(?:^[ \t]*\|.*\|[ \t]*(?:\n|\Z)){2,}", re.MULTILINE)
_RULE = re.compile(r"[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*")
_CODE = re.compile(r"```\w+\n(.*?)```", re.DOTALL)
_TITLES = re.compile(r"\\(?:title|text|section\*?)\s{0,9}\{([^{}]*)\}")
_PARAGRAPH = re.compile(r"[^\n](?:.|\n(?!\n))*")
_LINE = re.compile(r"[^\n]+")

_ARRAY = re.compile(
    r"\\begin\{array\}\{(?P<columns>(?:[^{}]|\{[^{}]*\})*)\}(?P<rows>(?:(?!\\begin\{array\}).)*?)\\end\{array\}",
    re.DOTALL,
)
_COLUMN_LOOKS = re.compile(r"[@!]\{[^}]*\}|[\s|]")


@dataclass(frozen=True)
class Block:
    """A block of an answer.

    Attributes:
        form: what it is.
        raw: as it was written.
        normal: as it is compared.
        place: where it begins in the answer, in characters.
    """

    form: Form
    raw: str
    normal: str
    place: int


@dataclass(frozen=True)
class Parsed:
    """An answer's blocks (text and displayed formulas in order, then formulas inside lines), and its HTML tables."""

    blocks: tuple[Block, ...]
    tables: tuple[tuple[int, str], ...]


def parse_markdown(text: str) -> Parsed:
    """Divide an answer into blocks; no text makes this raise.

    Pictures and fences are dropped; tables (HTML, or of pipes) are taken out, then displayed formulas; what is left is
    divided at blank lines, or, if there are none, at line ends. Formulas inside lines stay there and are candidates
    for displayed ones, too. Tables in LaTeX are dropped: the released model writes none.
    """
    text = _IMAGE.sub("", text)
    for pattern in _FENCES:
        text = pattern.sub("", text)
    for pattern, short in _LONG:
        text = pattern.sub(short, text)
    text = _blank(_LATEX_TABLE, _PAGE_TAGS.sub("", text))
    tables = [(found.start(), found[0]) for found in _HTML_TABLE.finditer(text)]
    text = _blank(_HTML_TABLE, text)
    formulas, inline = _formulas(text)
    for block in formulas:
        text = text[: block.place] + " " * len(block.raw) + text[block.place + len(block.raw) :]
    tables += [(found.start(), _from_pipes(found[0])) for found in _PIPE_TABLE.finditer(text)]
    text = _blank(_PIPE_TABLE, text)
    codes = [_text(found[1].strip(), found.start()) for found in _CODE.finditer(text)]
    text = _TITLES.sub(lambda found: found[1].strip(), _blank(_CODE, text))
    blocks = [*formulas, *codes, *_paragraphs(text)]
    blocks = sorted((block for block in blocks if block.normal), key=lambda block: block.place)[:MAX_BLOCKS]
    inline = [block for block in inline if block.normal][:MAX_BLOCKS]
    kept = [part for block in [*blocks, *inline] for part in split_arrays(block)]
    return Parsed(tuple(kept), tuple(sorted(tables)))


def split_rows(latex: str) -> list[str]:
    """Return the formulas of an array of one column, each delimited; of anything else the text itself."""
    found = _ARRAY.search(latex)
    if found is None or _COLUMN_LOOKS.sub("", found["columns"]) not in ("l", "c", "r"):
        return [latex]
    return [f"\\[{row.strip()}\\]" for row in found["rows"].split("\\\\") if row.strip()] or [latex]


def split_arrays(block: Block) -> list[Block]:
    """Divide a formula that is an array of one column into its rows."""
    if block.form == "text":
        return [block]
    rows = split_rows(block.raw)
    if len(rows) == 1:
        return [block]
    # Their order is what counts of the places.
    return [Block(block.form, row, normal, block.place) for row in rows if (normal := normal_formula(row))]


def _formulas(text: str) -> tuple[list[Block], list[Block]]:
    """Return the displayed formulas and those inside lines, in order."""
    displayed, inline = [], []
    for found in _FORMULA.finditer(text):
        line = " ".join(found[0].strip().split("\n"))
        dollars, brackets, one, parentheses = found.groups()
        if dollars or brackets:
            # The length of the text must stay for the places of what follows.
            normal = normal_formula(f"\\[{dollars}\\]".replace("\n", " ") if dollars else line)
            displayed.append(Block("formula", found[0], normal, found.start()))
        elif one or parentheses:
            inline.append(Block("inline", line, normal_formula(f"\\[{one or parentheses}\\]"), found.start()))
    return displayed, inline


def _paragraphs(text: str) -> list[Block]:
    pattern = _PARAGRAPH if "\n\n" in text else _LINE
    blocks = []
    for found in pattern.finditer(text):
        lines = [line.strip() for line in found[0].split("\n") if line.strip()]
        if not lines:
            continue
        paragraph = "\n".join(lines)
        if paragraph.startswith("$") and paragraph.endswith("$"):
            if paragraph.strip("$").strip():
                blocks.append(Block("formula", paragraph, normal_formula(paragraph), found.start()))
            continue
        blocks.append(_text(paragraph, found.start()))
    return blocks


def _text(paragraph: str, place: int) -> Block:
    return Block("text", paragraph, normal_text(paragraph), place)


def _from_pipes(text: str) -> str:
    """Return a Markdown table of pipes as HTML."""
    rows = [line.strip() for line in text.strip().split("\n")]
    cells = [[cell.strip() for cell in row[1:-1].split("|")] for row in rows if not _RULE.fullmatch(row)]
    inside = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in cells)
    return f"<table>{inside}</table>"


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Replace what matches by as many blanks, so that everything keeps its place."""
    return pattern.sub(lambda found: " " * len(found[0]), text)
