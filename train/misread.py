"""How pages are misread: here and there a word, or whole lines, by losing the place in the text."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from rapidfuzz.distance import Levenshtein

from dsocr_jax.errors import UserError

#: As large as a file of answers may be.
MAX_BYTES = 16 << 20

#: So many words of the truth or of the answer, one behind the other and none of them right, are a lost place.
RUN = 4


class Misread(NamedTuple):
    """Words of one page or of many.

    Attributes:
        words: of the truth.
        alone: words of the truth that were misread among right ones.
        lost: words of the truth that belong to a lost place.
        runs: lost places.
    """

    words: int
    alone: int
    lost: int
    runs: int


def misread(truth: str, answer: str) -> Misread:
    """Align the words of an answer with the truth's (least edits), and count what is wrong."""
    said, read = truth.split(), answer.split()
    alone = lost = runs = 0
    before = read_before = 0  # where the last right word ended
    for block in Levenshtein.opcodes(said, read).as_matching_blocks():
        missing, added = block.a - before, block.b - read_before
        if max(missing, added) >= RUN:
            lost, runs = lost + missing, runs + 1
        else:
            alone += missing
        before, read_before = block.a + block.size, block.b + block.size
    return Misread(len(said), alone, lost, runs)


def shares(pages: Iterable[Misread]) -> dict[str, Any]:
    """Return, over all ``pages``: words, share misread alone and lost, lost places in 100 words, words of each."""
    total = Misread(*map(sum, zip(*pages, strict=True)))
    return {
        "words": total.words,
        "alone": round(total.alone / max(total.words, 1), 4),
        "lost": round(total.lost / max(total.words, 1), 4),
        "places in 100 words": round(100 * total.runs / max(total.words, 1), 2),
        "words a place": round(total.lost / max(total.runs, 1), 1),
    }


def read_answers(folder: Path) -> list[dict[str, Any]]:
    """Return the answers of an evaluation: ``id``, ``prediction``, ``mode`` and, where there are several, ``set``.

    Raises:
        UserError: the file is too large.
    """
    answers = folder / "answers.jsonl"
    if answers.stat().st_size > MAX_BYTES:
        raise UserError(f"{answers} is larger than {MAX_BYTES >> 20} MiB; evaluate fewer samples")
    return [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
