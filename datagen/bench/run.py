"""Run a bench from end to end."""

import tempfile
from pathlib import Path

from datagen.bench.cases import BASELINES, all_cases
from datagen.bench.report import as_json, print_bars, print_cases
from datagen.bench.scaling import measure_memory, measure_pool
from datagen.bench.timing import measure, pinned
from dsocr_jax.console import console, progress
from dsocr_jax.errors import UserError

#: How often memory is looked at over a long run.
_POINTS = 12


def run(
    only: tuple[str, ...], rounds: int, seconds: float, workers: int, pool_samples: int, memory: int, out: Path | None
) -> None:
    """Measure, print tables, and write ``out`` as JSON.

    Args:
        only: parts of names of cases; empty for all.
        rounds: how often each case is run.
        seconds: processor time of a case in a round, roughly.
        workers: processes of the pool.
        pool_samples: samples that the pool makes; 0 for no pool.
        memory: samples that are made to see whether memory grows; 0 for none.
        out: a file, or nothing.

    Raises:
        UserError: no case has such a name, or the file cannot be written.
    """
    with tempfile.TemporaryDirectory() as name:
        with console.status("preparing"):
            every = all_cases(Path(name))
        chosen = [case for case in every if not only or any(part in case.name for part in only)]
        if only and not chosen:
            raise UserError(f"no case is called {' or '.join(only)}; there are: {'; '.join(c.name for c in every)}.")
        needed = {base for case in chosen for start, base in BASELINES.items() if case.name.startswith(start)}
        cases = [case for case in every if case in chosen or case.name in needed]
        with pinned() as processor, progress("bench", rounds * len(cases), "runs") as advance:
            times = measure(cases, rounds, seconds, advance)
        console.print(f"on processor {processor}" if processor is not None else "not pinned to a processor")
        print_cases(times)
        pool = None
        if pool_samples:
            with progress("pool", None, "samples") as advance:
                pool = measure_pool("geometry", pool_samples, workers, Path(name), advance)
        held = []
        if memory:
            with progress("memory", memory, "samples") as advance:
                held = measure_memory(memory, _POINTS, advance)
    print_bars(times, pool, held)
    if out is not None:
        try:
            out.write_text(as_json(times, pool, held), encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot write {out}: {error.strerror}") from None
