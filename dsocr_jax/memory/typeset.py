"""Turns to lines: what is drawn of a text, and where it is broken."""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from dsocr_jax.memory.fonts import FONTS, UNKNOWN, face_for, load_font
from dsocr_jax.memory.options import MemoryOptions

#: A tab stands for this many spaces.
TAB = 4
#: Scripts whose lines may end after any character: ideographs, kana, hangul, their punctuation, full-width forms.
_ANYWHERE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_PIECES = re.compile(rf"\s+|[{_ANYWHERE}]|[^\s{_ANYWHERE}]+")
_BREAKS = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")


@dataclass(frozen=True)
class Run:
    """Text of one face."""

    face: str
    text: str


@dataclass(frozen=True)
class Line:
    """One line of a page.

    Attributes:
        turn: number of the turn that it belongs to.
        runs: what is drawn, from left to right.
        unknown: how many of its characters are drawn as `UNKNOWN`.
    """

    turn: int
    runs: tuple[Run, ...]
    unknown: int

    @property
    def text(self) -> str:
        """What stands on it."""
        return "".join(run.text for run in self.runs)


def typeset(text: str, role: str, turn: int, options: MemoryOptions) -> Iterator[Line]:
    """Yield the lines of one turn: the role in bold with a colon, if there is one, then the text.

    Lines break at white space, after an ideograph, and within words that are longer than a line. Composed characters
    are used where there are any (NFC); a tab is four spaces; what has no width (joiners, marks of direction, variation
    selectors) is left out; what cannot be drawn becomes `UNKNOWN`.

    Args:
        text: any text; its line breaks are kept.
        role: who speaks, or empty.
        turn: number of the turn.
        options: page and font.
    """
    plain, bold = options.font, FONTS[options.font]
    for number, paragraph in enumerate(_BREAKS.split(text)):
        label = _letters(f"{role}: ", bold) if role and not number else []
        yield from _wrap([*label, *_letters(paragraph, plain)], turn, options)


#: A character as it is drawn: its face, itself, and whether it stands for another one.
_Letter = tuple[str, str, bool]


def _letters(text: str, face: str) -> list[_Letter]:
    letters: list[_Letter] = []
    for character in unicodedata.normalize("NFC", text):
        if character == "\t":
            letters += [(face, " ", False)] * TAB
        elif unicodedata.category(character) == "Zs":
            letters.append((face, " ", False))
        elif unicodedata.category(character) != "Cf" and not "\ufe00" <= character <= "\ufe0f":
            found = face_for(character, face)
            letters.append((face, UNKNOWN, True) if found is None else (found, character, False))
    return letters


def _wrap(letters: list[_Letter], turn: int, options: MemoryOptions) -> Iterator[Line]:
    """Fill lines greedily; white space at a break is dropped, at the start of a paragraph it is kept."""
    line: list[_Letter] = []
    width = 0.0
    for match in _PIECES.finditer("".join(character for _, character, _ in letters)):
        piece = letters[match.start() : match.end()]
        length = _length(piece, options.font_size)
        if width + length > options.text_width and line:
            yield _line(line, turn)
            line, width = [], 0.0
            if match.group().isspace():
                continue
        while length > options.text_width:
            fits = _fitting(piece, options)
            yield _line(piece[:fits], turn)
            piece = piece[fits:]
            length = _length(piece, options.font_size)
        line += piece
        width += length
    yield _line(line, turn)


def _fitting(piece: list[_Letter], options: MemoryOptions) -> int:
    """Return how many characters of a long word fit on a line; at least one."""
    width = 0.0
    for count, (face, character, _) in enumerate(piece):
        width += _advance(face, character, options.font_size)
        if width > options.text_width:
            return max(1, count)
    return len(piece)


def _length(piece: list[_Letter], size: int) -> float:
    return sum(_advance(face, character, size) for face, character, _ in piece)


@functools.lru_cache(maxsize=1 << 16)
def _advance(face: str, character: str, size: int) -> float:
    return load_font(face, size).getlength(character)


def _line(letters: list[_Letter], turn: int) -> Line:
    while letters and letters[-1][1] == " ":
        letters = letters[:-1]
    runs = tuple(
        Run(face, "".join(character for _, character, _ in group))
        for face, group in groupby(letters, key=lambda letter: letter[0])
    )
    return Line(turn, runs, sum(unknown for _, _, unknown in letters))
