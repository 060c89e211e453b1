"""Files of one JSON object a line: read with limits, added to line by line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from dsocr_jax.errors import UserError

#: Longest line, and most lines, of a file that somebody else may have written.
MAX_LINE, MAX_LINES = 16 << 20, 5_000_000


def read_lines(file: Path, torn: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a file of JSON lines; blank lines are passed over.

    Args:
        file: the file.
        torn: a last line without its end is what a killed program left, and is passed over.

    Raises:
        UserError: the file cannot be read, or a line is no JSON object; the message names it.
    """
    try:
        with file.open("rb") as stream:
            for number in range(1, MAX_LINES + 1):
                line = stream.readline(MAX_LINE + 1)
                if not line or (torn and not line.endswith(b"\n")):
                    return
                if len(line) > MAX_LINE:
                    raise UserError(f"{file}, line {number}: longer than {MAX_LINE} bytes; is this a file of answers?")
                if line.strip():
                    yield number, _object(line, f"{file}, line {number}")
            raise UserError(f"{file}: more than {MAX_LINES} lines; divide it")
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); check the path") from None


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        data = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON ({error}); each line must be one object") from None
    if not isinstance(data, dict):
        raise UserError(f"{where}: expected an object, found {type(data).__name__}")
    return data


def text_of(data: Mapping[str, Any], names: tuple[str, ...], where: str) -> str:
    """Return the text under the first of ``names`` that is there.

    Raises:
        UserError: none is, or it is no text.
    """
    for name in names:
        if name in data:
            if isinstance(data[name], str):
                return str(data[name])
            raise UserError(f"{where}: {name!r} must be text, not {type(data[name]).__name__}")
    raise UserError(f"{where}: lacks {' or '.join(map(repr, names))}; it has {', '.join(map(repr, data)) or 'nothing'}")


def whole_of(data: Mapping[str, Any], name: str, where: str) -> int | None:
    """Return the whole number, zero or more, under ``name``; None where it is missing or null.

    Raises:
        UserError: it is something else.
    """
    value = data.get(name)
    if value is None:
        return None
    if type(value) is not int or value < 0:
        raise UserError(f"{where}: {name!r} must be a whole number, not {value!r}")
    return value


class Appender:
    """A file of JSON lines that grows; every line is whole and on its way to the disk before the next.

    Raises:
        UserError: the file cannot be written.
    """

    def __init__(self, file: Path):
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._stream: IO[bytes] = file.open("a+b")
            self._cut_torn_line()
        except OSError as error:
            raise UserError(f"{file}: cannot be written ({error.strerror}); choose another --out") from None

    def _cut_torn_line(self) -> None:
        size = self._stream.seek(0, 2)
        back = min(size, MAX_LINE)
        self._stream.seek(size - back)
        tail = self._stream.read(back)
        if tail and not tail.endswith(b"\n"):
            self._stream.truncate(size - back + tail.rfind(b"\n") + 1)

    def add(self, data: Mapping[str, Any]) -> None:
        """Write one line."""
        try:
            self._stream.write(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
            self._stream.flush()
        except OSError as error:
            raise UserError(f"{self.file}: cannot be written ({error.strerror}); what is there is kept") from None

    def __enter__(self) -> "Appender":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()
