"""Reading on all devices of a host: one process for each, first one of them alone, then all together."""

import multiprocessing
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError
from train.scale.line import Line
from train.scale.options import CPU_ROWS, READING, Options
from train.scale.reader import Read, ReadJob, Ready, serve

#: Pages of a process, and how many different files these are: the rest are read again, which costs the same.
PAGES, CPU_PAGES, DIFFERENT = 256, 8, 64
#: Most threads of a process that prepare pages, and its processes where there are no GPUs.
THREADS, CPU_READERS = 16, 2
_SIMULATED = re.compile(r"--xla_force_host_platform_device_count=\d+")


def readers_of(options: Options) -> list[dict[str, str]]:
    """Return the environment of each process that reads."""
    from dsocr_jax.reading.cluster.local_crew import environments, visible_gpus

    if visible_gpus():
        return environments(options.readers, 1.0)
    flags = _SIMULATED.sub("", os.environ.get("XLA_FLAGS", "")).strip()
    return [{"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}] * (options.readers or CPU_READERS)


def read_lines(options: Options, until: float | None) -> Iterator[Line]:
    """Yield the lines of one process and of all.

    Args:
        options: what is measured.
        until: ``time.monotonic()`` at which the processes are ended; None for no such time.

    Raises:
        UserError: a page was not read, or a process died.
    """
    from dsocr_jax.bench.command import find_bench
    from dsocr_jax.bench.pages import make_files

    places = readers_of(options)
    on_cpu = "JAX_PLATFORMS" in places[0]
    bench = find_bench(options.preset_on(on_cpu))
    pages = options.pages or (CPU_PAGES if on_cpu else PAGES)
    threads = max(1, min(THREADS, (os.cpu_count() or 1) // len(places)))
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(Path(folder), min(pages, DIFFERENT), bench.page_size)
        several = tuple(files[number % len(files)] for number in range(pages))
        rows = CPU_ROWS if on_cpu else bench.rows
        job = ReadJob(bench.preset, bench.mode, several, bench.tokens, rows, threads, options.compile_cache)
        yield from _measure(job, places, until)


def _measure(job: ReadJob, places: Sequence[dict[str, str]], until: float | None) -> Iterator[Line]:
    # Fresh interpreters: forked ones would share this one's threads' locks.
    context = multiprocessing.get_context("spawn")
    processes, ends = [], []
    for place in places:
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(place, job, theirs), daemon=True)
        process.start()
        theirs.close()  # so that its end is seen here
        processes.append(process)
        ends.append(ours)
    try:
        yield from compare(job, ends, until)
    finally:
        for end in ends:
            end.close()
        for process in processes:
            process.kill()
            process.join()


def compare(job: ReadJob, ends: Sequence[Connection], until: float | None) -> Iterator[Line]:
    """Yield the lines of the first process alone and of all together.

    Args:
        job: what each process reads.
        ends: connections to the processes (`train.scale.reader.serve`).
        until: see `read_lines`.
    """
    ready: list[Ready] = _answers(ends, until)
    slowest = max(one.seconds for one in ready)
    alone = None
    for count in (1, len(ends)) if len(ends) > 1 else (1,):
        for end in ends[:count]:
            end.send(True)
        found: list[Read] = _answers(ends[:count], until)
        line = line_of(job, found, slowest, alone)
        alone = alone or line.rate
        yield line


def line_of(job: ReadJob, found: Sequence[Read], compiled: float, alone: float | None) -> Line:
    """Return the line of processes that read at the same time; the last one's end counts."""
    pages, took = sum(one.pages for one in found), max(one.end for one in found) - min(one.start for one in found)
    count, rate = len(found), pages / took
    each = ", ".join(f"{one.pages / (one.end - one.start):.2f}" for one in found)
    return Line(
        name=f"{READING}, {job.mode} pages, {count} device{'s' * (count > 1)}",
        work=f"{READING}, {job.mode} pages",
        devices=count,
        unit="pages",
        rate=rate,
        efficiency=rate / count / (alone or rate),
        compile_s=compiled,
        note=f"{pages} PNG files of {job.tokens} answer tokens in {took:.1f} s; {job.rows} rows, {job.threads} threads "
        f"a process; pages/s of each: {each}",
    )


def _answers(ends: Sequence[Connection], until: float | None) -> list[Any]:
    """Return one answer of each process, in their order.

    Raises:
        UserError: one died, failed, or took too long.
    """
    import time

    found: dict[Connection, Any] = {}
    while len(found) < len(ends):
        left = None if until is None else max(0.0, until - time.monotonic())
        waiting = [end for end in ends if end not in found]
        some = wait(waiting, left)
        if not some:
            raise UserError(f"{len(waiting)} of {len(ends)} processes had not answered when the time was over")
        for end in some:
            assert isinstance(end, Connection)
            try:
                found[end] = end.recv()
            except (EOFError, OSError):
                raise UserError("a process that reads has died; its last words stand above") from None
            if isinstance(found[end], str):
                raise UserError(f"reading: {found[end]}")
    return [found[end] for end in ends]
