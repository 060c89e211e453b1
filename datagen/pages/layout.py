"""Setting text in columns: which words fit on a page, and where each of them stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from datagen.pages.text import Block, Text

#: Justified lines whose gaps would grow by more than this many spaces stay as they are.
_WIDEST = 2.5


class Type(Protocol):
    """What the layout must know of a typeface at a size; all in pixels."""

    space: int
    ascent: int

    def measure(self, words: Sequence[str]) -> np.ndarray:
        """Return the widths of ``words``."""
        ...


@dataclass(frozen=True)
class Sheet:
    """The form of a page; lengths in pixels.

    Attributes:
        columns: (left, right) of each column, in reading order.
        top: where the first line's ascenders may begin.
        bottom: the lowest baseline.
        leading: from baseline to baseline of body text.
        heading_leading: the same in headings.
        gap: between paragraphs, on top of the leading.
        heading_gap: above and below headings, on top of the leading.
        indent: of a paragraph's first line.
        justified: lines reach both edges, but for the last of a paragraph.
        centred: headings stand in the middle of their column.
    """

    columns: tuple[tuple[int, int], ...]
    top: int
    bottom: int
    leading: int
    heading_leading: int
    gap: int
    heading_gap: int
    indent: int
    justified: bool
    centred: bool


@dataclass
class Placed:
    """Words in their places: ``words[i]`` starts at ``xs[i]`` on the baseline ``ys[i]``."""

    words: list[str] = field(default_factory=list)
    xs: list[int] = field(default_factory=list)
    ys: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """A line as it is set: which block it is of, its column, its baseline, and where its words begin and end."""

    block: int
    column: int
    baseline: int
    left: int
    right: int


@dataclass
class Laid:
    """A page as it is set: body and headings, and the paragraphs of the label (exactly the words that are placed)."""

    body: Placed
    headings: Placed
    paragraphs: list[str]
    lines: list[Line] = field(default_factory=list)


def lay_out(text: Text, sheet: Sheet, body: Type, heading: Type) -> Laid:
    """Set as much of ``text`` as the sheet holds, in reading order; the rest is left out.

    A block that does not fit to its end is cut after the last line that does. A heading is set whole and with at least
    one line of text below it in its column, or not there. A word wider than its column ends the page, too.
    """
    laid = Laid(Placed(), Placed(), [])
    pen = _Pen(sheet, laid)
    for place, block in enumerate(text.blocks):
        kind = heading if block.heading else body
        leading = sheet.heading_leading if block.heading else sheet.leading
        if place:
            between_paragraphs = not block.heading and not text.blocks[place - 1].heading
            pen.leave(sheet.gap if between_paragraphs else sheet.heading_gap)
        lines = list(_lines(block, kind, sheet))
        if block.heading:
            follows = place + 1 < len(text.blocks)
            if not pen.seek(
                kind.ascent, leading, len(lines), extra=(sheet.heading_gap + sheet.leading) if follows else 0
            ):
                break
        words: list[str] = []
        for number, (line, widths) in enumerate(lines):
            indent = 0 if number or block.heading else sheet.indent
            if not pen.seek(kind.ascent, leading) or indent + sum(widths) > pen.width:
                break
            pen.set_line(place, block, line, widths, kind.space, indent=indent, last=number == len(lines) - 1)
            words += line
        if words:
            laid.paragraphs.append(" ".join(words))
        if len(words) < len(block.words):
            break
    return laid


def _lines(block: Block, kind: Type, sheet: Sheet) -> Iterator[tuple[list[str], list[int]]]:
    """Break a block into lines, each as long as it can be; yields words and their widths. All columns are as wide."""
    left, right = sheet.columns[0]
    room = right - left - (0 if block.heading else sheet.indent)
    line: list[str] = []
    widths: list[int] = []
    used = -kind.space
    for word, width in zip(block.words, kind.measure(block.words).tolist(), strict=True):
        if line and used + kind.space + width > room:
            yield line, widths
            line, widths, used, room = [], [], -kind.space, right - left
        line.append(word)
        widths.append(width)
        used += kind.space + width
    if line:
        yield line, widths


class _Pen:
    """Where the next line goes: its column and baseline."""

    def __init__(self, sheet: Sheet, laid: Laid) -> None:
        self._sheet = sheet
        self._laid = laid
        self._column = 0
        self._baseline: int | None = None  # of the line above; None at the top of a column
        self._gap = 0

    @property
    def width(self) -> int:
        left, right = self._sheet.columns[self._column]
        return right - left

    def seek(self, ascent: int, leading: int, lines: int = 1, extra: int = 0) -> bool:
        """Go to where ``lines`` lines and ``extra`` pixels fit, here or in a later column; False if nowhere."""
        while self._next(ascent, leading) + (lines - 1) * leading + extra > self._sheet.bottom:
            if self._column + 1 == len(self._sheet.columns):
                return False
            self._column, self._baseline, self._gap = self._column + 1, None, 0
        self._wanted = self._next(ascent, leading)
        return True

    def _next(self, ascent: int, leading: int) -> int:
        return self._sheet.top + ascent if self._baseline is None else self._baseline + leading + self._gap

    def set_line(
        self, place: int, block: Block, line: list[str], widths: list[int], space: int, *, indent: int, last: bool
    ) -> None:
        """Set a line where `seek` has gone."""
        left, right = self._sheet.columns[self._column]
        left += indent
        slack = right - left - sum(widths) - space * (len(line) - 1)
        gaps = len(line) - 1
        wider, rest = 0, 0
        if block.heading and self._sheet.centred:
            left += slack // 2
        elif self._sheet.justified and not block.heading and not last and gaps:
            wider, rest = divmod(slack, gaps) if slack <= _WIDEST * space * gaps else (0, 0)
        placed = self._laid.headings if block.heading else self._laid.body
        start = left
        for number, (word, width) in enumerate(zip(line, widths, strict=True)):
            placed.words.append(word)
            placed.xs.append(left)
            placed.ys.append(self._wanted)
            left += width + space + wider + (number < rest)
        end = placed.xs[-1] + widths[-1]
        self._laid.lines.append(Line(place, self._column, self._wanted, start, end))
        self._baseline, self._gap = self._wanted, 0

    def leave(self, gap: int) -> None:
        """Leave ``gap`` pixels free before the next line, unless that starts a column."""
        self._gap = gap
