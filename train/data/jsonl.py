"""Files of users: a line of JSON for each sample, either pictures and turns or a text.

    {"images": ["a.png"], "turns": [{"role": "user", "text": "<image>\\nFree OCR."},
                                    {"role": "assistant", "text": "..."}], "kind": "invoices"}
    {"text": "..."}

``images`` counts from the file's folder and may be left out; users' turns hold one ``<image>`` for each picture, in
order. Users and assistants take turns, and an assistant has the last one. Every answer counts in the loss and nothing
else does; of a text, everything does, and it is cut at the length of a row. ``kind`` is what the mixture calls the
sample: the file's name without its ending, unless given. Other keys are not looked at; empty lines are skipped.
"""

import hashlib
import json
from array import array
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from dsocr_jax.console import progress
from dsocr_jax.errors import UserError
from dsocr_jax.prompts import IMAGE
from train.data.samples import Picture, Sample

#: Longest line, in bytes.
MAX_LINE = 2**24

#: Files of so many bytes show their progress while they are checked, every so many lines.
LARGE, ADVANCE = 2**26, 1000

#: Most pixels of a picture.
MAX_PIXELS = 64_000_000

ROLES = ("user", "assistant")


class LinesSource:
    """One file of lines; see `train.data.samples.Source`.

    Opening reads and checks every line once; what is kept is where each line begins. Pictures are not looked at before
    they are needed, so the fingerprint is that of the lines alone.

    Raises:
        UserError: the file cannot be read, or a line is not as it should be (named by its number).
    """

    def __init__(self, file: Path) -> None:
        self.file, self.name, self.most_pictures = file, str(file), 0
        self._starts: dict[str, array[int]] = {}
        self._lines: dict[str, array[int]] = {}
        sha256, end = hashlib.sha256(), 0
        try:
            with file.open("rb") as lines, _progress(file) as advance:
                number = 0
                while line := lines.readline(MAX_LINE + 1):
                    number, start, end = number + 1, end, end + len(line)
                    sha256.update(line)
                    if number % ADVANCE == 0:
                        advance(ADVANCE, "")
                    if line.strip():
                        kind, sample = self._parsed(line, number)
                        self._starts.setdefault(kind, array("q")).append(start)
                        self._lines.setdefault(kind, array("q")).append(number)
                        self.most_pictures = max(self.most_pictures, len(sample.pictures))
        except OSError as error:
            raise UserError(f"--data: {file} cannot be read ({error.strerror or error})") from None
        self.counts: dict[str, int | None] = {kind: len(starts) for kind, starts in sorted(self._starts.items())}
        self.fingerprint = sha256.hexdigest()

    def read(self, kind: str, index: int) -> Sample:
        """Return the sample of a line."""
        try:
            with self.file.open("rb") as lines:
                lines.seek(self._starts[kind][index])
                line = lines.readline(MAX_LINE + 1)
        except OSError as error:
            raise UserError(f"{self.file} cannot be read any more ({error.strerror or error})") from None
        return self._parsed(line, self._lines[kind][index])[1]

    def _parsed(self, line: bytes, number: int) -> tuple[str, Sample]:
        """Return the kind and the sample of a line."""
        where = f"{self.file}, line {number}"
        if len(line) > MAX_LINE:
            raise UserError(f"{where}: longer than {MAX_LINE:,} bytes; cut it into several samples")
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where}: not JSON ({error})") from None
        if not isinstance(found, dict) or ("text" in found) == ("turns" in found):
            raise UserError(f"{where}: must be an object that holds either 'turns' or 'text'")
        kind = found.get("kind", self.file.stem)
        if not isinstance(kind, str) or not kind:
            raise UserError(f"{where}: 'kind' must be a name")
        name = f"{self.file} line {number}"
        if "text" in found:
            return kind, Sample(name, text=_text(found["text"], f"{where}: 'text'"))
        images = found.get("images", [])
        if not isinstance(images, list) or not all(isinstance(image, str) and image.strip("\0") for image in images):
            raise UserError(f"{where}: 'images' must be a list of paths")
        turns = _turns(found["turns"], where)
        asked = sum(question.count(IMAGE) for question, _ in turns)
        if asked != len(images):
            raise UserError(f"{where}: {asked} {IMAGE} in the users' turns for {len(images)} images")
        return kind, Sample(name, turns, tuple(_picture(self.file.parent / image) for image in images))


def _progress(file: Path) -> AbstractContextManager[Callable[[int, str], None]]:
    if file.stat().st_size < LARGE:
        return nullcontext(lambda amount, note: None)
    return progress(f"checking {file.name}", None, "lines")


def _turns(found: Any, where: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of question and answer."""
    if not isinstance(found, list) or not found or len(found) % 2:
        raise UserError(f"{where}: 'turns' must be a list in which users and assistants take turns, the last answering")
    texts = []
    for i, turn in enumerate(found):
        here = f"{where}: turn {i + 1}"
        if not isinstance(turn, dict) or turn.get("role") != ROLES[i % 2]:
            raise UserError(f"{here} must be an object whose 'role' is {ROLES[i % 2]!r}")
        allowed = i % 2 == 0
        texts.append(_text(turn.get("text"), f"{here}: 'text'", pictures=allowed, empty=allowed and i > 0))
    return tuple(zip(texts[::2], texts[1::2], strict=True))


def _text(found: Any, where: str, *, pictures: bool = False, empty: bool = False) -> str:
    if not isinstance(found, str) or not (found or empty):
        raise UserError(f"{where} must be a text that is not empty")
    if any("\ud800" <= character <= "\udfff" for character in found):
        raise UserError(f"{where} holds half of a surrogate pair, which is no character")
    if not pictures and IMAGE in found:
        raise UserError(f"{where} holds {IMAGE}, which only users' turns may")
    return found


def _picture(file: Path) -> Picture:
    from dsocr_jax.reading.pictures import ORIENTATION_TAG, open_frames

    def measure() -> tuple[int, int]:
        from PIL import Image

        try:
            with Image.open(file) as image:
                size, turned = image.size, image.getexif().get(ORIENTATION_TAG, 1) >= 5
        except (OSError, SyntaxError, ValueError, TypeError, Image.DecompressionBombError) as error:  # Pillow's ways
            raise UserError(str(error)) from None
        return size[::-1] if turned else size

    return Picture(measure, lambda: next(open_frames(file, str(file), MAX_PIXELS)).image)
