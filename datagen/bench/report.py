"""The tables of a bench, for people and for programs."""

import json
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from datagen.bench.cases import BARS, BASELINES, Bar
from datagen.bench.scaling import Pool, growth
from datagen.bench.timing import Times
from dsocr_jax.console import console

#: Bars of what is not a case: a pool's efficiency, and by what share memory may grow over a long run.
POOL_BAR, MEMORY_BAR = 0.85, 0.05


def print_cases(times: Mapping[str, Times]) -> None:
    """Print a row a case: rate, and how many times its baseline that is."""
    table = Table(title="one processor, samples a second by processor time", title_justify="left")
    for column in ("case", "per second", "µs", "ratio", "to"):
        table.add_column(column, justify="left" if column in ("case", "to") else "right")
    group = ""
    for name, taken in times.items():
        if group and name.partition(":")[0] != group:
            table.add_section()
        group = name.partition(":")[0]
        baseline = _baseline(name, times)
        ratio = "" if baseline is None else f"{taken.ratio(times[baseline]):,.2f}"
        title = (baseline or "").partition(":")[0]
        table.add_row(name, f"{taken.rate:,.0f}", f"{1e6 / taken.rate:,.0f}", ratio, title)
    console.print(table)


def _baseline(name: str, times: Mapping[str, Times]) -> str | None:
    found = [baseline for start, baseline in BASELINES.items() if name.startswith(start)]
    return found[0] if found and found[0] in times and found[0] != name else None


def print_bars(times: Mapping[str, Times], pool: Pool | None, held: list[tuple[int, float]]) -> None:
    """Print what was to be reached, and whether it was."""
    table = Table(title="bars", title_justify="left")
    for column in ("bar", "wanted", "measured", ""):
        table.add_column(column, justify="right" if column in ("wanted", "measured") else "left")
    for bar in judged(times, pool, held):
        table.add_row(bar["name"], bar["wanted"], bar["measured"], "[green]met" if bar["met"] else "[red]not met")
    if table.row_count:
        console.print(table)
    if held:
        points = ", ".join(f"{number:,}: {memory:,.0f}" for number, memory in held)
        console.print(f"memory in MB after so many samples: {points}")


def judged(times: Mapping[str, Times], pool: Pool | None, held: list[tuple[int, float]]) -> list[dict[str, Any]]:
    """Return every bar of which there is a measurement: its name, what was wanted and measured, whether it is met."""
    found = [_judge(bar, times) for bar in BARS if bar.case in times and (bar.baseline or bar.case) in times]
    if pool is not None:
        by_clock, by_processor = pool.efficiency, pool.processor_efficiency
        name = f"pool of {pool.workers} against a plain loop, per worker (by processor time {by_processor:.0%})"
        found.append(_row(name, f"≥ {POOL_BAR:.0%}", f"{by_clock:.0%}", met=by_clock >= POOL_BAR))
    if held:
        grown = growth(held)
        name = f"growth of memory over {held[-1][0]:,} samples"
        found.append(_row(name, f"≤ {MEMORY_BAR:.0%}", f"{grown:+.1%}", met=grown <= MEMORY_BAR))
    return found


def _judge(bar: Bar, times: Mapping[str, Times]) -> dict[str, Any]:
    if bar.baseline is None:
        rate = times[bar.case].rate
        return _row(bar.case, f"≥ {bar.least:,.0f}/s", f"{rate:,.0f}/s", met=rate >= bar.least)
    ratio = times[bar.case].ratio(times[bar.baseline])
    return _row(f"{bar.case} / {bar.baseline}", f"≥ {bar.least:g}x", f"{ratio:,.1f}x", met=ratio >= bar.least)


def _row(name: str, wanted: str, measured: str, *, met: bool) -> dict[str, Any]:
    return {"name": name, "wanted": wanted, "measured": measured, "met": met}


def as_json(times: Mapping[str, Times], pool: Pool | None, held: list[tuple[int, float]]) -> str:
    """Return everything that was measured as JSON."""
    cases = {}
    for name, taken in times.items():
        cases[name] = {"per_second": taken.rate, "calls": taken.calls, "seconds_by_round": taken.seconds}
        if baseline := _baseline(name, times):
            cases[name] |= {"baseline": baseline, "ratio": taken.ratio(times[baseline])}
    data = {
        "cases": cases,
        "pool": None if pool is None else {**vars(pool), "efficiency": pool.efficiency},
        "memory_mb": held,
        "bars": judged(times, pool, held),
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
