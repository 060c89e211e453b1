"""A run's findings as a table on the terminal, as JSON and as Markdown."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

from rich.table import Table

from dsocr_jax.errors import UserError
from dsocr_jax.parity.check import Report
from dsocr_jax.parity.results import Stage, Verdict, stages

JSON_FILE, MARKDOWN_FILE = "parity.json", "parity.md"
COLUMNS = ("fixtures", "stage", "arrays", "worst relative error", "differing values", "limit", "verdict")
STYLES = {Verdict.MISS: "bold red", Verdict.UNKNOWN: "red", Verdict.MET: "green"}
#: Most lines of a list of misses on the terminal.
LISTED = 20


def table(report: Report) -> Table:
    """Return the stages as a table for the terminal."""
    out = Table(*COLUMNS, title=_title(report))
    for stage in stages(report.checks):
        out.add_row(*_row(stage), style=STYLES.get(stage.verdict, ""))
    return out


def misses(report: Report, allow_unknown: bool) -> list[str]:
    """Return a line for everything that keeps the run from passing, the first of many."""
    found = report.missed(allow_unknown)
    lines = [f"{check.fixture}: {check.name}: {_why(check)}" for check in found[:LISTED]]
    return lines + ([f"and {len(found) - LISTED} more, see {JSON_FILE}"] if len(found) > LISTED else [])


def cost(report: Report) -> str:
    """Return the time that a run took and the host memory that it held."""
    return f"{report.facts['seconds']:.0f} s, at most {report.facts['peak_memory_bytes'] / 2**30:.1f} GiB of memory"


def markdown(report: Report) -> str:
    """Return the stages, and what was not met or not compared, as Markdown."""
    facts = report.facts
    lines = [
        f"Compared: `{facts['fixtures']}` ({facts['only']}), weights: {facts['weights']}, type: {facts['dtype']}.",
        f"Run on {facts['device']} with {', '.join(f'{k} {v}' for k, v in facts['versions'].items())}; {cost(report)}.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + " --- |" * len(COLUMNS),
    ]
    lines += ["| " + " | ".join(_row(stage)) + " |" for stage in stages(report.checks)]
    for verdict, title in ((Verdict.MISS, "Not met"), (Verdict.UNKNOWN, "Not compared"), (Verdict.NOT_RUN, "Not run")):
        # One line for each reason: the same one often holds for many arrays.
        reasons: dict[tuple[str, str], list[str]] = {}
        for check in report.checks:
            if check.verdict == verdict:
                reasons.setdefault((check.stage, _why(check)), []).append(f"{check.fixture}: {check.name}")
        if reasons:
            lines += ["", f"{title}:", ""]
            lines += [
                f"* {stage}, {len(names)} ({names[0]}{' …' if len(names) > 1 else ''}): {why}"
                for (stage, why), names in reasons.items()
            ]
    return "\n".join(lines) + "\n"


def write_report(report: Report, folder: Path) -> None:
    """Write ``parity.json`` and ``parity.md`` into ``folder``."""
    listed = [{**vars(check), "verdict": str(check.verdict), "error": _plain(check.error)} for check in report.checks]
    summary = [dict(zip(COLUMNS, _row(stage), strict=True)) for stage in stages(report.checks)]
    content = {"format": "dsocr-jax parity", "version": 1, **report.facts, "stages": summary, "checks": listed}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / JSON_FILE).write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
        (folder / MARKDOWN_FILE).write_text(markdown(report))
    except OSError as error:
        raise UserError(f"{folder}: the report could not be written ({error}); name another folder") from error


def check_writable(folder: Path) -> None:
    """Raise `UserError` before the work if the report could not be written after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{JSON_FILE}.probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"{folder}: cannot be written to ({error}); name another folder") from error


def update_document(report: Report, file: Path) -> None:
    """Replace the table between a document's markers, ``<!-- parity: NAME -->`` and ``<!-- /parity: NAME -->``.

    NAME is that of the fixture folder, with the type behind it when it is not float32.
    """
    name = section_name(report.facts)
    first, last = f"<!-- parity: {name} -->", f"<!-- /parity: {name} -->"
    before, begin, rest = _read(file).partition(f"{first}\n")
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise UserError(
            f"{file}: has no part between '<!-- parity: {name} -->' and '<!-- /parity: {name} -->'; add them"
        )
    try:
        file.write_text(f"{before}{begin}\n{markdown(report)}\n{end}{after}")
    except OSError as error:
        raise UserError(f"{file}: could not be written ({error})") from error


def section_name(facts: dict[str, Any]) -> str:
    """Return the name of a run's part of a document."""
    return facts["fixtures"] + ("" if facts["dtype"] == "float32" else f" {facts['dtype']}")


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: not readable ({error})") from error


def _title(report: Report) -> str:
    return f"{report.facts['fixtures']}, {report.facts['dtype']}, {report.facts['device']}"


def _row(stage: Stage) -> tuple[str, ...]:
    verdicts = Counter(check.verdict for check in stage.checks)
    not_run = verdicts[Verdict.NOT_RUN]
    said = f"{verdicts[stage.verdict]} {stage.verdict}" if stage.verdict in STYLES else str(stage.verdict)
    return (
        stage.group,
        stage.name,
        str(len(stage.checks)),
        "" if stage.error is None else f"{stage.error:.1e}",
        "" if stage.differing is None else str(stage.differing),
        ", ".join(f"{limit:.1g}" for limit in stage.limits) or ("equal" if stage.differing is not None else ""),
        said + (f", {not_run} not run" if not_run and stage.verdict != Verdict.NOT_RUN else ""),
    )


def _why(check: Any) -> str:
    if check.note:
        return str(check.note)
    if check.differing is not None:
        return f"{check.differing} values differ"
    return f"error {check.error:.1e}, limit {check.limit:.1e}" if check.error is not None else str(check.verdict)


def _plain(error: float | None) -> float | str | None:
    return error if error is None or math.isfinite(error) else "infinite"
