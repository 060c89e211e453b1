"""The answer of a text page: its paragraphs in reading order, separated by one blank line, without layout tags.

A paragraph may hold line breaks of its own (a list, a poem); line breaks that only come from the width of the page
are not part of it. Whoever lays out the page knows which are which, so nothing here joins lines.
"""

import re
import unicodedata

from dsocr_jax.answers.errors import AnswerError, bounded

MAX_CHARS = 200_000
#: Combining marks in a row; more is no writing, and the cost of putting them in order grows with the square.
MAX_MARKS = 30

#: Characters that draw nothing and say nothing: controls, soft hyphen, zero-width space, direction marks, BOM.
#: The zero-width joiner and non-joiner stay, since they change how letters are drawn.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_BREAK = re.compile("\r\n?|[\x85\u2028]")
_BLANK = re.compile("[^\\S\n]+")
_GAP = re.compile("\n *(?:\n *)+")


def normalise_text(text: str) -> str:
    """Return page text in the form of a label; ``normalise_text`` of the result changes nothing.

    Unicode NFC; invisible characters removed; runs of blanks made one space; lines stripped; paragraphs separated by
    exactly one blank line; nothing before the first or after the last. The result may be empty.

    Raises:
        AnswerError: the text is longer than `MAX_CHARS`, or has more than `MAX_MARKS` combining marks in a row.
    """
    text = remove_invisible(bounded(text, MAX_CHARS, "page text"))
    if not text.isascii():
        _check_marks(text)
        text = unicodedata.normalize("NFC", text)
    text = _GAP.sub("\n\n", _BLANK.sub(" ", _BREAK.sub("\n", text.replace("\u2029", "\n\n"))))
    return "\n".join(line.strip(" ") for line in text.strip().split("\n"))


def remove_invisible(text: str) -> str:
    """Return ``text`` without characters that draw nothing; among them are those that no file can hold."""
    return _INVISIBLE.sub("", text)


def parse_page(text: str) -> tuple[str, ...]:
    """Return the paragraphs of a page's text, each without blank lines and not empty."""
    return tuple(paragraph for paragraph in normalise_text(text).split("\n\n") if paragraph)


def write_page(paragraphs: tuple[str, ...] | list[str]) -> str:
    """Return paragraphs as a label.

    Raises:
        AnswerError: there is no visible text, or it is beyond the limits.
    """
    text = normalise_text("\n\n".join(paragraphs))
    if not text:
        raise AnswerError("page text: nothing visible")
    return text


def _check_marks(text: str) -> None:
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > MAX_MARKS:
            raise AnswerError(f"page text: more than {MAX_MARKS} combining marks in a row")
