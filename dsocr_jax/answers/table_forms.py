"""Tables for other programs: CSV and rows of dictionaries. `tables.write_table` gives HTML."""

import csv
import io
import re

from dsocr_jax.answers.tables import Table
from dsocr_jax.answers.text import remove_invisible

#: How a spreadsheet recognises a formula; the full-width forms count too.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
#: What begins like a formula but is a number, or the dash that stands for one.
_NUMBER = re.compile(r"\s*[+\-\uff0b\uff0d](?:\d[\d.,\u00a0 ]*(?:[eE][+-]?\d{1,3})? ?[%‰°]?)?\s*", re.ASCII)


def to_csv(table: Table, safe: bool = True) -> str:
    """Return the table as CSV (RFC 4180: commas, CRLF, quotes where needed).

    Args:
        table: any table.
        safe: put an apostrophe before a cell that a spreadsheet would run as a formula, numbers aside. A table read
            from a stranger's picture may hold such cells on purpose. Without it every cell is as it was read.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerows([[_disarm(cell) if safe else cell for cell in row] for row in table.rows])
    return file.getvalue()


def to_records(table: Table) -> list[dict[str, str]]:
    """Return the rows below the header as dictionaries, ready for ``pandas.DataFrame``.

    The keys are the header's texts; one that occurs again gets a number: ``Total``, ``Total (2)``.
    """
    keys: dict[str, None] = {}
    seen: dict[str, int] = {}
    for name in table.rows[0]:
        key = name
        while key in keys:
            seen[name] = seen.get(name, 1) + 1
            key = f"{name} ({seen[name]})".strip()
        keys[key] = None
    return [dict(zip(keys, row, strict=True)) for row in table.rows[1:]]


def _disarm(cell: str) -> str:
    visible = remove_invisible(cell)
    return f"'{cell}" if _FORMULA.match(visible) and not _NUMBER.fullmatch(visible) else cell
