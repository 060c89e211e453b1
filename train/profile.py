"""Where the time of a step goes: a trace of some steps, summed up by the parts of the model.

The model and the step name their parts by ``jax.named_scope``; every operation of a compiled program carries the path
of scopes that it comes from, forward (``jvp(attention)``), backward (``transpose(jvp(attention))``) and where it is
computed a second time for the backward pass.
"""

import dataclasses
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from train.config import TrainConfig
from train.xplane import Operation, find_trace, operations

if TYPE_CHECKING:
    from rich.table import Table

FOLDER, TABLE = "profile", "table.txt"

#: Name of a scope → part of the table; the outermost scope of a path that stands here counts.
SCOPES = {
    "sam": "encoder (SAM)",
    "clip": "encoder (CLIP)",
    "projector": "encoder (projector)",
    "attention": "attention",
    "dense": "dense MLP",
    "router": "router",
    "experts": "experts",
    "shared": "shared experts",
    "moe": "experts",
    "head": "head and loss",
    "loss": "head and loss",
    "head_loss": "head and loss",
    "optimizer": "optimizer",
}

#: What no scope names, what moves data between devices, between host and device, and when nothing runs.
OTHER, COLLECTIVES, COPIES, IDLE = "other", "collectives", "copies", "idle or waiting for input"

#: Turns of all modes before a trace begins.
QUIET = 3

#: Above this share of time that no scope names, and by this setting, a GPU's table can be made better.
UNNAMED, APART = 0.25, "XLA_FLAGS=--xla_gpu_enable_command_buffer="

#: Operations have their own names, those of the JAX functions they come from, or those of kernels.
_COLLECTIVE = re.compile(
    r"all[-_](reduce|gather|to[-_]all)|reduce[-_]scatter|collective-(permute|broadcast)|^(ppermute|psum|pmax|pmin)\b"
    r"|^(send|recv)\b|nccl",
    re.IGNORECASE,
)
_COPY = re.compile(r"^Mem(cpy|set)")


def part_of(name: str, source: str) -> str:
    """Return the part of the table for an operation, from its name and its path."""
    if _COLLECTIVE.search(name):
        return COLLECTIVES
    for component in _components(source):
        if component in SCOPES:
            return SCOPES[component]
    return COPIES if not source and _COPY.search(name) else OTHER


def _components(source: str) -> Iterable[str]:
    """The names on a path, each without what JAX wraps around it: ``transpose(jvp(sam))`` is ``sam``."""
    for component in source.split("/"):
        yield component.rpartition("(")[2].rstrip(")")


def direction(source: str) -> str:
    """Return ``forward``, ``backward``, or ``again`` for what is computed a second time to save memory."""
    if "rematted_computation" in source:
        return "again"
    return "backward" if "transpose(" in source else "forward"


@dataclasses.dataclass(frozen=True)
class PartTime:
    """Seconds of one part on one device (the mean of all), over all traced steps."""

    part: str
    forward: float
    backward: float
    again: float

    @property
    def seconds(self) -> float:
        """All together."""
        return self.forward + self.backward + self.again


def sum_up(found: Sequence[Operation]) -> list[PartTime]:
    """Return the parts, the longest first, and the time in which nothing ran, from the first operation to the last.

    Streams run beside each other: the parts together may take longer than the time that passed.
    """
    devices = sorted({one.device for one in found})
    spent: dict[str, dict[str, float]] = {}
    for one in found:
        part = part_of(one.name, one.source)
        times = spent.setdefault(part, {"forward": 0.0, "backward": 0.0, "again": 0.0})
        times[direction(one.source)] += one.seconds / len(devices)
    idle = sum(_gaps([one for one in found if one.device == device]) for device in devices) / max(len(devices), 1)
    parts = [PartTime(part, **times) for part, times in spent.items()]
    return [*sorted(parts, key=lambda row: -row.seconds), PartTime(IDLE, idle, 0.0, 0.0)]


def _gaps(found: Sequence[Operation]) -> float:
    """Seconds between the first start and the last end in which none of these operations ran."""
    gaps, until = 0.0, None
    for one in sorted(found, key=lambda one: one.start):
        if until is not None:
            gaps += max(one.start - until, 0.0)
        until = max(until or 0.0, one.start + one.span)
    return gaps


def profile_table(trace_folder: Path, hlo_text: str = "") -> list[tuple[str, float]]:
    """Return (part, seconds) of the newest trace in a folder, on one device, the longest first; idle time at the end.

    Args:
        trace_folder: what `jax.profiler.start_trace` was given.
        hlo_text: compiled programs as text, for traces that do not hold them.

    Raises:
        UserError: there is no trace.
    """
    return [(row.part, row.seconds) for row in sum_up(operations(find_trace(trace_folder), hlo_text))]


def profile_run(run: Callable[[], Any]) -> list[PartTime]:
    """Trace one call of ``run``, which must have been compiled before; what it returns is awaited."""
    import jax

    with tempfile.TemporaryDirectory() as folder:
        _start_trace(Path(folder))
        try:
            jax.block_until_ready(run())
        finally:
            jax.profiler.stop_trace()
        return sum_up(operations(find_trace(Path(folder))))


def _start_trace(folder: Path) -> None:
    import jax

    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0  # it would slow the steps down
    jax.profiler.start_trace(str(folder), profiler_options=options)


def as_table(rows: Sequence[PartTime], steps: int) -> "Table":
    """Return the parts for people, in milliseconds a step."""
    from rich.table import Table

    whole = sum(row.seconds for row in rows) or 1.0
    table = Table("part", title=f"where the time of a step goes (mean of {steps})", title_justify="left")
    for column in ("ms a step", "share", "forward", "backward", "computed again"):
        table.add_column(column, justify="right")
    for row in rows:
        times = [f"{1e3 * seconds / steps:,.2f}" for seconds in (row.forward, row.backward, row.again)]
        if row.part == IDLE:
            times = ["", "", ""]
        table.add_row(row.part, f"{1e3 * row.seconds / steps:,.2f}", f"{row.seconds / whole:.1%}", *times)
    table.add_section()
    table.add_row("together", f"{1e3 * whole / steps:,.2f}", "", "", "", "")
    return table


def _share(rows: Sequence[PartTime], part: str) -> float:
    """Share of a part of all the time."""
    return sum(row.seconds for row in rows if row.part == part) / (sum(row.seconds for row in rows) or 1.0)


class Profiler:
    """Writes ``RUN/profile``, a trace of ``config.profile`` steps, and the table; does nothing when that is 0.

    It begins when ``QUIET`` turns of all modes have passed, so that no step of the trace compiles. A context manager.
    """

    def __init__(self, config: TrainConfig, out: Path | None = None) -> None:
        import jax

        self.folder = (out or config.out) / FOLDER
        self.steps = config.profile if jax.process_index() == 0 else 0
        self._wait = QUIET * len(config.modes)
        self._turn = 0
        self._tracing = False

    def turn(self, state: Any = None) -> bool:
        """Call this between any two steps; tells whether a trace began or ended, which takes its time.

        Args:
            state: the newest one, which is awaited then.
        """
        if not self.steps:
            return False
        self._turn += 1
        if self._turn == self._wait + 1:
            self._start(state)
            return True
        if self._tracing and self._turn == self._wait + 1 + self.steps:
            self.close(state)
            return True
        return False

    def _start(self, state: Any) -> None:
        import jax

        jax.block_until_ready(state)
        _start_trace(self.folder)
        self._tracing = True

    def close(self, state: Any = None) -> None:
        """End the trace, if one is on, and print where its time went; a run that ends early ends it too."""
        import jax
        from rich.console import Console

        from dsocr_jax.console import console

        if not self._tracing:
            return
        self._tracing = False
        jax.block_until_ready(state)
        jax.profiler.stop_trace()
        steps = min(self.steps, self._turn - self._wait - 1)  # a run may end before all are made
        if steps < 1:
            return
        rows = sum_up(operations(find_trace(self.folder)))
        table = as_table(rows, steps)
        with (self.folder / TABLE).open("w", encoding="utf-8") as stream:
            Console(file=stream, width=120).print(table)
        console.print(table)
        console.print(f"the trace is in {self.folder} (TensorBoard, xprof and Perfetto show it)")
        if jax.default_backend() == "gpu" and _share(rows, OTHER) > UNNAMED:
            console.print(f"kernels that are launched together have no names of their own: {APART} keeps them apart")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._tracing:  # what ended the run is what the user must hear of
            import jax

            self._tracing = False
            jax.profiler.stop_trace()
        self.close()
