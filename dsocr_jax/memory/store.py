"""A memory as a file of JSON lines: the options first, then one turn on each line."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError
from dsocr_jax.memory.history import Memory, Turn
from dsocr_jax.memory.options import MemoryOptions
from dsocr_jax.modes import Mode
from dsocr_jax.weights.strict_json import parse_json

#: Largest file that is read, in bytes.
MAX_BYTES = 400_000_000
#: Name of the first line's only field; its version changes with what the lines mean.
HEAD, VERSION = "memory", 1


def save(memory: Memory, file: str | Path) -> None:
    """Write a memory; an existing file is replaced only when the new one is whole.

    Raises:
        UserError: the file cannot be written.
    """
    file = Path(file)
    head = {HEAD: {"version": VERSION, **dataclasses.asdict(memory.options)}}
    part = file.with_name(file.name + ".part")
    try:
        with part.open("w", encoding="ascii") as out:
            for value in (head, *map(dataclasses.asdict, memory.turns)):
                out.write(json.dumps(value) + "\n")
        part.replace(file)
    except OSError as error:
        raise UserError(f"{file}: cannot be written ({error.strerror or error}); check the path") from None


def load(file: str | Path) -> Memory:
    """Read what `save` wrote.

    Raises:
        UserError: the file cannot be read, or is no memory; the message names the line.
    """
    lines = _lines(Path(file))
    number, head = next(lines, (1, None))
    if not (isinstance(head, dict) and list(head) == [HEAD] and isinstance(head[HEAD], dict)):
        raise UserError(f"{file}, line 1: not the options of a memory; read turns alone with read_turns")
    memory = Memory(_options(dict(head[HEAD]), f"{file}, line {number}"))
    for number, value in lines:
        turn = _turn(value, f"{file}, line {number}")
        memory.add(turn.text, turn.role)
    return memory


def read_turns(file: str | Path) -> list[Turn]:
    """Read the turns of a JSON lines file, {"text": ..., "role": ...} on each line; a memory's options are skipped.

    Raises:
        UserError: as for `load`.
    """
    return [
        _turn(value, f"{file}, line {number}")
        for number, value in _lines(Path(file))
        if not (number == 1 and isinstance(value, dict) and list(value) == [HEAD])
    ]


def read_bytes(file: Path) -> bytes:
    """Return a file's bytes; UserError if it cannot be read or is larger than `MAX_BYTES`."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror or error}); check the path") from None
    if len(data) > MAX_BYTES:
        raise UserError(f"{file}: larger than {MAX_BYTES} bytes; give a part of it")
    return data


def _lines(file: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(read_bytes(file).split(b"\n"), 1):
        if line.strip():
            try:
                yield number, parse_json(line)
            except ValueError as error:
                raise UserError(f"{file}, line {number}: {str(error)[:200]}; mend the line or leave it out") from None


def _turn(value: Any, where: str) -> Turn:
    if isinstance(value, dict) and set(value) <= {"text", "role"} and "text" in value:
        text, role = value["text"], value.get("role", "")
        if isinstance(text, str) and isinstance(role, str):
            return Turn(text, role)
    raise UserError(f'{where}: not a turn; expected {{"text": "...", "role": "..."}}')


def _options(values: dict[str, Any], where: str) -> MemoryOptions:
    if values.pop("version", None) != VERSION:
        raise UserError(f"{where}: a memory of another version than {VERSION}")
    try:
        modes = tuple(Mode(**mode) for mode in values.pop("modes"))
        ages = values.pop("ages")
        return MemoryOptions(modes=modes, ages=None if ages is None else tuple(ages), **values)
    except (KeyError, TypeError, AttributeError) as error:  # a field is missing, unknown or of another type
        raise UserError(f"{where}: the options are not those of a memory ({str(error)[:200]})") from None
