"""The user's own texts: files of any size, read at random places and never as a whole.

A text file holds paragraphs between blank lines, or one on each line. A JSONL file holds an object with a field "text"
on each line. A folder holds any number of both.
"""

import functools
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from datagen.pages.languages import IDEOGRAPHIC, Language
from datagen.pages.prose import Writer, sentences
from datagen.pages.words import Dice
from dsocr_jax.answers.text import normalise_text
from dsocr_jax.errors import UserError

#: Bytes read at a time, and the longest line that is looked through for its end.
_CHUNK = 1 << 16
MAX_LINE = 1 << 24

#: Paragraphs longer than this are cut before anything else is done with them.
_LONGEST = 20_000

_ENDINGS = (".txt", ".jsonl")
_BLANK = re.compile(rb"\n\s*\n")


@dataclass(frozen=True)
class Corpus:
    """Files with their sizes in bytes, in order."""

    files: tuple[tuple[Path, int], ...]

    def paragraphs(self, dice: Dice) -> Iterator[str]:
        """Yield paragraphs from a random place on, without end: after the last of a file comes its first.

        Raises:
            UserError: a file cannot be read, is no UTF-8, or a line is no object with a text.
        """
        at = dice.below(sum(size for _, size in self.files))
        place = 0
        while at >= self.files[place][1]:
            at -= self.files[place][1]
            place += 1
        file = self.files[place][0]
        while True:
            found = False
            for text in _from(file, at):
                plain = " ".join(normalise_text(text[:_LONGEST]).split())
                if plain:
                    found = True
                    yield plain
            if not found and at == 0:
                raise UserError(f"{file}: there is no text in it; leave the file out.")
            at = 0


def find(path: str) -> Corpus:
    """Return the corpus at ``path``, a file or a folder.

    Raises:
        UserError: it is not there, or holds no file with text.
    """
    root = Path(path).expanduser()
    if root.is_dir():
        files = sorted(file for ending in _ENDINGS for file in root.rglob(f"*{ending}"))
    elif root.is_file():
        files = [root]
        if root.suffix not in _ENDINGS:
            raise UserError(f"pages.corpus: {root} must be a .txt or a .jsonl file.")
    else:
        raise UserError(f"pages.corpus: {root} is not there.")
    sizes = tuple((file, file.stat().st_size) for file in files)
    sizes = tuple((file, size) for file, size in sizes if size)
    if not sizes:
        raise UserError(f"pages.corpus: {root} holds no text; it needs .txt or .jsonl files that are not empty.")
    return Corpus(sizes)


def fingerprint(path: str) -> str:
    """Return the SHA-256 of a corpus after looking through all of it.

    Raises:
        UserError: as `find` and `Corpus.paragraphs` do, for any place of the corpus.
    """
    corpus = find(path)
    return _digest(tuple((file, size, file.stat().st_mtime_ns) for file, size in corpus.files))


def checksum(path: str) -> str:
    """Return the SHA-256 of a file, or of the ``tokenizer.json`` in a folder."""
    file = Path(path) / "tokenizer.json" if Path(path).is_dir() else Path(path)
    return hashlib.sha256(file.read_bytes()).hexdigest()


@functools.lru_cache(maxsize=16)
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for file, size, _ in files:
        digest.update(f"{file.name}:{size}\n".encode())
        lines = texts = at = 0
        with file.open("rb") as stream:
            while line := stream.readline(MAX_LINE):
                lines += 1
                digest.update(line)
                texts += bool(_text(file, line, at).strip())
                at += len(line)
        if not texts:
            raise UserError(f"pages.corpus: there is no text in {file}.")
    return digest.hexdigest()


def _from(file: Path, at: int) -> Iterator[str]:
    """Yield the texts of ``file`` from the first that begins at or after byte ``at``."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(at - 1, 0))
            if at:
                stream.readline(MAX_LINE)
            at = stream.tell()
            if file.suffix == ".jsonl":
                while line := stream.readline(MAX_LINE):
                    yield from _text(file, line, at).split("\n\n")
                    at += len(line)
                return
            held: list[str] = []
            while line := stream.readline(MAX_LINE):
                text = _text(file, line, at).strip()
                at += len(line)
                if text:
                    held.append(text)
                if held and (not text or len(held) > 200):
                    yield from _paragraphs(held)
                    held = []
            yield from _paragraphs(held)
    except OSError as error:
        raise UserError(f"{file}: {error.strerror or error}.") from None


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Yield lines without a blank one between them: each as a paragraph where they are long, else joined."""
    if sum(map(len, lines)) > 120 * len(lines):
        yield from lines
    elif lines:
        yield " ".join(lines)


def _text(file: Path, line: bytes, at: int) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: byte {at + error.start} is no UTF-8; convert the file to UTF-8.") from None
    if file.suffix != ".jsonl" or not text.strip():
        return text
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError(f"{file}: the line at byte {at} is no JSON.") from None
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        raise UserError(f'{file}: the line at byte {at} has no field "text" with a text.')
    return str(entry["text"])


class CorpusWriter(Writer):
    """Writes what a corpus says: its paragraphs one after the other, cut at sentences."""

    def __init__(self, dice: Dice, language: Language, corpus: Corpus) -> None:
        super().__init__(dice, language, 0.0, 0.0)
        self._english = None
        self._paragraphs = corpus.paragraphs(dice)
        self._held: list[str] = []

    def paragraph(self, characters: int) -> str:
        """Return sentences of one paragraph or more, of ``characters`` or some more in all."""
        found: list[str] = []
        length = 0
        while length < characters:
            found.append(self.sentence())
            length += len(found[-1]) + 1
            if not self._held and length > 0.6 * characters:
                break  # a paragraph of the corpus ends here
        return self._joiner.join(found)

    def sentence(self) -> str:
        """Return the next sentence of the corpus."""
        while not self._held:
            self._held = sentences(next(self._paragraphs))
        return self._held.pop(0)

    def heading(self) -> str:
        """Return the first words of a sentence."""
        text = self.phrase(2, 6)
        return text[0].upper() + text[1:]

    def phrase(self, low: int, high: int) -> str:
        """Return words that follow one another in the corpus."""
        dice = self._dice
        count = low + dice.below(high - low + 1)
        text = self.sentence()
        if self.language.script in IDEOGRAPHIC:
            return text[: 3 * count].strip("。，、！？；：") or text[:1]
        pieces = text.split() if self.language.spaced else [text[:24]]
        first = dice.below(max(len(pieces) - count, 0) + 1)
        return " ".join(pieces[first : first + count]).strip(".,;:") or pieces[0]

    def word(self) -> str:
        """Return a word of the corpus."""
        return self.phrase(1, 1)
