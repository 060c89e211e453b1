"""A process that draws PDF pages for another: PDFium is not thread-safe, and a bad file may take its process along.

Requests come on standard input, answers go to standard output: a JSON line, then as many bytes as it says.
"""

import errno
import json
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dsocr_jax.errors import UserError
from dsocr_jax.reading.pdf import draw_page, load_pdf

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

#: Longest JSON line.
MAX_LINE = 1 << 20


def send(stream: IO[bytes], said: dict[str, Any], data: bytes = b"") -> None:
    """Write one message."""
    stream.write(json.dumps({**said, "bytes": len(data)}).encode() + b"\n")
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes], most: int) -> tuple[dict[str, Any], bytes]:
    """Read one message, with at most ``most`` bytes behind it.

    Raises:
        EOFError: the other side has gone, or says what this one does not understand.
    """
    line = stream.readline(MAX_LINE)
    try:
        said = json.loads(line)
        size = int(said["bytes"])
    except (ValueError, KeyError, TypeError) as error:
        raise EOFError from error
    if not 0 <= size <= most:
        raise EOFError
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return said, data


class _Opened:
    """The document that was asked for last, kept open for its next page."""

    def __init__(self) -> None:
        self.key: str | None = None
        self.document: PdfDocument | None = None

    def get(self, asked: dict[str, Any], data: bytes) -> "PdfDocument":
        if self.key == asked["key"] and self.document is not None:
            return self.document
        if self.document is not None:
            self.document.close()
            self.key = self.document = None
        file = Path(asked["path"]) if asked["path"] is not None else data
        self.document, self.key = load_pdf(file, asked["where"], asked["password"]), asked["key"]
        return self.document


def main() -> None:
    """Answer until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get among the answers
    opened = _Opened()
    while True:
        try:
            asked, data = receive(sys.stdin.buffer, sys.maxsize)
        except EOFError:
            return
        try:
            document = opened.get(asked, data)
            if asked["index"] is None:
                send(answers, {"pages": len(document)})
                continue
            where = f"{asked['where']}, page {asked['index'] + 1}"
            image = draw_page(document, asked["index"], where, asked["dpi"], asked["max_pixels"])
            send(answers, {"size": image.size}, image.tobytes())
        except UserError as error:
            send(answers, {"error": str(error)})
        except OSError as error:
            number = error.errno or (errno.ENOENT if isinstance(error, FileNotFoundError) else errno.EIO)
            send(answers, {"os_error": [number, os.strerror(number)]})
