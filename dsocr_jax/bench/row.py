"""Lines of a benchmark: printed as a table, kept as JSON."""

import dataclasses
import datetime
import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table

from dsocr_jax.bench.device import DeviceSpeed
from dsocr_jax.errors import UserError


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        work: what was done.
        rate: how much of it a second.
        unit: of the rate.
        share: of the limit that ``limit`` names; None where none was computed.
        limit: what bounds the work.
        note: sizes.
    """

    work: str
    rate: float
    unit: str
    share: float | None
    limit: str
    note: str


def as_table(rows: Sequence[Row], speed: DeviceSpeed) -> Table:
    """Return the lines for people."""
    flops, bandwidth = f"{speed.flops / 1e12:,.3g} TFLOP/s in {speed.dtype}", f"{speed.bandwidth / 1e9:,.4g} GB/s"
    title = f"{speed.name}: {flops}, {bandwidth}, both measured"
    table = Table(title=title, title_justify="left", title_style="")
    table.add_column("work")
    table.add_column("rate", justify="right")
    table.add_column("of the limit", justify="right")
    table.add_column("how", overflow="fold")
    for row in rows:
        rate = f"{row.rate:,.0f}" if row.rate >= 100 else f"{row.rate:,.2f}"
        share = "" if row.share is None else f"{row.share:.1%} of {row.limit}"
        table.add_row(row.work, f"{rate} {row.unit}", share, row.note)
    return table


def write_json(path: Path, rows: Sequence[Any], speed: DeviceSpeed, options: dict[str, Any]) -> None:
    """Write the lines, dataclasses, with date, device, versions and options.

    Raises:
        UserError: the file cannot be written.
    """
    said = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": dataclasses.asdict(speed),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("jax", "jaxlib", "flax")},
        },
        "options": options,
        "rows": [dataclasses.asdict(row) for row in rows],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(said, indent=1, default=str) + "\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error
