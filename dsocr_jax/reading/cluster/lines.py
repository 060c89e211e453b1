"""The line of JSON that each page gets, and the sums over them."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dsocr_jax.reading.asking import Answer
from dsocr_jax.reading.cluster.plan import Shard
from dsocr_jax.reading.documents import Failure
from dsocr_jax.weights.strict_json import parse_json

#: Longest line of a shard, in bytes: far above what a model's context can hold.
MAX_LINE = 1 << 24


def line_of(source: str, page: int | None, result: Answer | Failure) -> dict[str, Any]:
    """Return what is written about a page; every line has the same names, ``error`` is None where there is an answer.

    Args:
        source: path of the file.
        page: number within it, from 1; None for a single picture, and for a file that could not be opened.
        result: what became of it.
    """
    line: dict[str, Any] = {
        "source": source,
        "page": page,
        "text": None,
        "finish_reason": None,
        "confidence": None,
        "answer_tokens": 0,
        "prompt_tokens": 0,
        "vision_tokens": 0,
        "mode": None,
        "tries": 0,
        "note": "",
        "error": None,
    }
    if isinstance(result, Failure):
        return {**line, "error": result.message}
    return {
        **line,
        "text": result.text,
        "finish_reason": result.finish_reason,
        "confidence": round(result.confidence, 6),
        "answer_tokens": len(result.token_ids),
        "prompt_tokens": result.prompt_tokens,
        "vision_tokens": result.vision_tokens,
        "mode": result.mode,
        "tries": result.tries,
        "note": result.page.note,
    }


def encode_line(said: dict[str, Any]) -> bytes:
    """Return a line of JSON in UTF-8, its newline included."""
    try:
        return json.dumps(said, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # a file name that is not valid Unicode
        return json.dumps(said).encode() + b"\n"


@dataclass(frozen=True)
class Tally:
    """Sums over pages.

    Attributes:
        pages: lines, failures among them.
        failed: pages that could not be read.
        blank: pages without a mark, which the model did not see.
        looped: answers that went in circles at last.
        cut: answers that the limit of tokens ended.
        answer_tokens, vision_tokens: of all answers.
    """

    pages: int = 0
    failed: int = 0
    blank: int = 0
    looped: int = 0
    cut: int = 0
    answer_tokens: int = 0
    vision_tokens: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def tally_of(said: dict[str, Any]) -> Tally:
    """Return the sums over one line."""
    failed = said["error"] is not None
    return Tally(
        pages=1,
        failed=int(failed),
        blank=int(not failed and said["tries"] == 0),
        looped=int(said["finish_reason"] == "repetition"),
        cut=int(said["finish_reason"] == "length"),
        answer_tokens=said["answer_tokens"],
        vision_tokens=said["vision_tokens"],
    )


def tally_file(file: Path, shard: Shard) -> Tally | None:
    """Return the sums over a written shard; None when it is missing or not what the plan says."""
    total, places = Tally(), shard.places()
    try:
        with file.open("rb") as stream:
            for source, page in places:
                line = stream.readline(MAX_LINE)
                said = parse_json(line)
                if not line.endswith(b"\n") or (said["source"], said["page"]) != (source, page):
                    return None
                total += tally_of(said)
            return total if not stream.read(1) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
