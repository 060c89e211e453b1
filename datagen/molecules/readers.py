"""SMILES in files as people have them: ``.smi``, PubChem's ``CID-SMILES``, CSV and TSV, each also compressed by gzip.

Files are streamed: nothing grows with their size, and a line without end is cut off and counted.
"""

import csv
import gzip
import importlib.util
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dsocr_jax.errors import UserError

#: Longest line that is looked at, in bytes; what is longer is skipped and counted.
MAX_LINE = 1 << 16
#: Names of columns that hold SMILES, in the order in which they are looked for, in lower case.
COLUMNS = ("isomeric_smiles", "isomericsmiles", "canonical_smiles", "canonicalsmiles", "smiles", "smile", "structure")
#: Sources that are installed packages: module, file in it, and the column (from 0) of a table without a header.
PACKAGES = {"chemicals": ("chemicals", "Identifiers/chemical identifiers pubchem large.tsv", 4)}

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Entry:
    """One line of a file: its number (from 1), and its SMILES, or None with the ``reason`` why there is none."""

    line: int
    smiles: str | None
    reason: str = ""


def read(name: str, column: str | None = None) -> Iterator[Entry]:
    """Yield the entries of a file, or of one of `PACKAGES` by its name; blank lines and comments (``#``) are left out.

    Args:
        name: path of a file. ``.csv`` and ``.tsv`` (also ``.csv.gz``, ``.tsv.gz``) have a header; in other files SMILES
            come first in a line, or second after a number and a tab.
        column: the header of the column with SMILES; None finds one of `COLUMNS`.

    Raises:
        UserError: the file cannot be opened, is a broken gzip file, or has no such column.
    """
    file, fixed = locate(name)
    try:
        with _open(file) as stream:
            lines = _lines(stream)
            if fixed is not None:
                yield from _table(lines, "\t", fixed, quoted=False)
                return
            suffix = Path(file.name.removesuffix(".gz")).suffix.lower()
            if suffix in (".csv", ".tsv"):
                separator = "," if suffix == ".csv" else "\t"
                yield from _table(lines, separator, _find_column(file, lines, separator, column))
            else:
                yield from _plain(lines)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{file}: not a whole gzip file ({error}); get it again.") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror or error}).") from None


def locate(name: str) -> tuple[Path, int | None]:
    """Return the file that ``name`` means, and the column of a table without header if it is one of `PACKAGES`.

    The package is found without importing it.
    """
    if name not in PACKAGES:
        return Path(name), None
    module, inside, column = PACKAGES[name]
    spec = importlib.util.find_spec(module)
    for place in (spec.submodule_search_locations or []) if spec else []:
        file = Path(place, inside)
        if file.is_file():
            return file, column
    raise UserError(f"the source {name!r} is the package {module}; run `pip install 'dsocr-jax[molecules]'`.")


def _open(file: Path) -> IO[bytes]:
    stream = file.open("rb")
    packed = stream.read(2) == _GZIP
    stream.seek(0)
    return io.BufferedReader(gzip.GzipFile(fileobj=stream)) if packed else stream


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, str | None]]:
    """Yield numbered lines without their ends; None for a line that is too long or not text."""
    number = 0
    while True:
        line = stream.readline(MAX_LINE)
        if not line:
            return
        number += 1
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, None
            continue
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            yield number, None


def _plain(lines: Iterator[tuple[int, str | None]]) -> Iterator[Entry]:
    for number, line in lines:
        if line is None:
            yield Entry(number, None, "line too long or not text")
            continue
        fields = line.split(None, 2)
        if not fields or fields[0].startswith("#"):
            continue
        # PubChem's dump: the number of the compound, then its SMILES. No molecule's SMILES is a bare number.
        if fields[0].isdigit():
            fields = fields[1:]
        yield Entry(number, fields[0]) if fields else Entry(number, None, "no SMILES in the line")


def _table(
    lines: Iterator[tuple[int, str | None]], separator: str, column: int, *, quoted: bool = True
) -> Iterator[Entry]:
    for number, line in lines:
        if line is None:
            yield Entry(number, None, "line too long or not text")
        elif line:
            fields = _fields(line, separator) if quoted else line.split(separator)
            text = fields[column].strip() if len(fields) > column else ""
            yield Entry(number, text) if text else Entry(number, None, "no SMILES in the line")


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _find_column(file: Path, lines: Iterator[tuple[int, str | None]], separator: str, column: str | None) -> int:
    header = [name.strip().lower() for name in _fields(next(lines, (0, ""))[1] or "", separator)]
    for name in (column.strip().lower(),) if column else COLUMNS:
        if name in header:
            return header.index(name)
    wanted = repr(column) if column else f"one of {', '.join(COLUMNS)}"
    raise UserError(f"{file}: its first line has no column {wanted}; it has: {', '.join(header)[:200] or 'nothing'}.")
