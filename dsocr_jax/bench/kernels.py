"""Which kernels the time goes to: a trace by JAX's profiler, summed by name."""

import dataclasses
import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
from rich.table import Table

#: Names are cut to so many characters, and so many are listed.
NAME, LISTED = 60, 25


@dataclasses.dataclass(frozen=True)
class Kernels:
    """What ran on the device in one go.

    Attributes:
        work: what was done.
        milliseconds: that kernels ran, all together.
        launches: of kernels.
        times: (name, milliseconds, launches), longest first.
    """

    work: str
    milliseconds: float
    launches: int
    times: tuple[tuple[str, float, int], ...]

    def table(self) -> Table:
        """Return the longest ones for people."""
        title = f"{self.work}: {self.milliseconds:,.2f} ms in {self.launches:,} kernels"
        table = Table(title=title, title_justify="left", title_style="")
        table.add_column("ms", justify="right")
        table.add_column("times", justify="right")
        table.add_column("kernel")
        for name, milliseconds, launches in self.times[:LISTED]:
            table.add_row(f"{milliseconds:,.3f}", f"{launches:,}", name)
        return table


def profile(work: str, run: Callable[[], Any]) -> Kernels:
    """Trace one call of ``run``, which must have been compiled before."""
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, create_perfetto_trace=True):
            jax.block_until_ready(run())
        (file,) = Path(folder).glob("**/perfetto_trace.json.gz")
        with gzip.open(file) as stream:
            trace = json.load(stream)
    return sum_up(work, trace["traceEvents"] if isinstance(trace, dict) else trace)


def sum_up(work: str, events: list[dict[str, Any]]) -> Kernels:
    """Sum a trace: kernels of a GPU's streams, or on a CPU the operations of the compiled program."""
    threads = {
        (event["pid"], event.get("tid")): event["args"]["name"]
        for event in events
        if event.get("ph") == "M" and event.get("name") == "thread_name"
    }
    on_gpu = any("Stream" in name for name in threads.values())
    time: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for event in events:
        if event.get("ph") != "X":
            continue
        stream = "Stream" in threads.get((event.get("pid"), event.get("tid")), "")
        if stream if on_gpu else "hlo_op" in event.get("args", {}):
            time[event["name"][:NAME]] += event.get("dur", 0)
            count[event["name"][:NAME]] += 1
    times = tuple((name, spent / 1e3, count[name]) for name, spent in time.most_common())
    return Kernels(work, sum(time.values()) / 1e3, sum(count.values()), times)
