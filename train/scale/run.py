"""The whole table: starts the processes that measure, prints what they tell, and keeps the file."""

import dataclasses
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from dsocr_jax.bench.device import DeviceSpeed
from dsocr_jax.bench.row import write_json
from dsocr_jax.console import console
from dsocr_jax.errors import UserError
from train.scale.line import Line, in_words
from train.scale.options import READING, Begun, Finished, Options, Planned, Refused
from train.scale.reading import read_lines
from train.scale.trainer import serve

#: How often the process that trains may die, each time at another line.
STARTS = 4
#: Seconds that a process gets to end when it says no more.
PATIENCE = 30
#: Seconds after the end of the time in which the line at work may still come.
GRACE = 60
#: Share of the devices' memory for the programs; the rest is the driver's and NCCL's.
MEMORY = "0.92"

#: What JAX reads from the environment when it starts.
ENVIRONMENT = {"XLA_PYTHON_CLIENT_MEM_FRACTION": MEMORY, "TF_CPP_MIN_LOG_LEVEL": "2"}

UNKNOWN = DeviceSpeed("not measured", 0.0, 0.0)


class Table:
    """The lines so far, on the terminal and in the file."""

    def __init__(self, options: Options):
        self.options, self.out = options, options.out
        self.lines, self.speed = list[Line](), UNKNOWN

    def add(self, line: Line) -> None:
        """Print a line, and write the file anew."""
        self.lines.append(line)
        console.print(in_words(line), highlight=False, soft_wrap=True, markup=False)
        self.write()

    def write(self) -> None:
        """Write the file, if one is wanted; a machine that is cut off meanwhile leaves the old one."""
        if self.out is None:
            return
        said = {**dataclasses.asdict(self.options), "xla_flags": os.environ.get("XLA_FLAGS", "")}
        partial = self.out.with_name(self.out.name + ".partial")
        write_json(partial, self.lines, self.speed, said)
        partial.replace(self.out)


def run(options: Options) -> int:
    """Measure, or predict from what was measured; 1 if a line has no figures or differs from one device."""
    if options.measured is not None:
        from train.scale.forecast import forecast_file

        return forecast_file(options.measured, options.predict, options.links)
    table = Table(options)
    table.write()  # refuses a place that cannot be written before anything is measured
    until = None if options.seconds is None else time.monotonic() + options.seconds
    reads = [READING.startswith(word) or word.startswith(READING) for word in options.only]
    names = () if reads and all(reads) else train(options, table, until)
    if not reads or any(reads):
        read(options, table, until)
    if options.predict:
        from train.scale.forecast import forecast

        print(forecast(table.lines, table.options, options.predict, options.links, "this run"))
    missing = set(names) - {line.name for line in table.lines}
    if missing:
        console.print(f"not begun in the time: {'; '.join(name for name in names if name in missing)}", markup=False)
    wrong = [line for line in table.lines if line.error or not all(one.agrees for one in line.checks)]
    return int(bool(wrong or missing))


def train(options: Options, table: Table, until: float | None) -> tuple[str, ...]:
    """Measure the lines that train, in a process of their own; return their names.

    If the process dies, the line that was at work is given up, and another process goes on behind it.

    Raises:
        UserError: the options ask for what there is not.
    """
    seen = Seen()
    for _ in range(STARTS):
        with _process(options, tuple(seen.begun), until) as (process, connection):
            for message in _messages(connection, None if until is None else until + GRACE):
                seen.note(message, table)
            if seen.finished:
                break
            late = until is not None and time.monotonic() > until
            process.join(0 if late else PATIENCE)
            status = process.exitcode
        if late and not seen.at_work:
            break
        why = "the time was over" if late and status is None else f"its process ended with status {status}"
        if not seen.at_work:
            raise UserError(f"the process that measures ended with status {status} before its first line (see above)")
        table.add(Line(seen.at_work, error=why))
        if late:
            break
    return seen.names


@dataclasses.dataclass
class Seen:
    """What the processes that train have told.

    Attributes:
        names: of the lines, those of all processes.
        begun: names of lines, none of which is begun a second time.
        at_work: name of the line that is measured; empty between two.
        finished: whether all is measured, or the time is over.
    """

    names: tuple[str, ...] = ()
    begun: list[str] = dataclasses.field(default_factory=list)
    at_work: str = ""
    finished: bool = False

    def note(self, message: Any, table: Table) -> None:
        """Take a message.

        Raises:
            UserError: it says that the options ask for what there is not.
        """
        match message:
            case Refused():
                raise UserError(message.message)
            case Planned():
                if not self.names:
                    console.print(f"{message.devices} devices ({message.kind}), {len(message.names)} lines that train")
                self.names, table.options = message.names, message.options
            case DeviceSpeed():
                table.speed = message
                console.print(f"{message.flops / 1e12:,.3g} TFLOP/s in {message.dtype}, measured on one device")
            case Begun():
                self.at_work = message.name
                self.begun.append(message.name)
            case Line():
                self.at_work = ""
                table.add(message)
            case Finished():
                self.finished = True


@contextmanager
def _process(options: Options, skip: tuple[str, ...], until: float | None) -> Iterator[tuple[Any, Connection]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(options, skip, until, theirs), daemon=True)
    with _environment(ENVIRONMENT):
        process.start()
    theirs.close()  # so that its end is seen here
    try:
        yield process, ours
    finally:
        process.kill()
        process.join()
        ours.close()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables that are not set, for processes that are started within."""
    new = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]


def _messages(connection: Connection, until: float | None) -> Iterator[Any]:
    """Yield what a process tells, until it ends or the time is over."""
    while True:
        if until is not None and not connection.poll(max(0.0, until - time.monotonic())):
            return
        try:
            yield connection.recv()
        except (EOFError, OSError):
            return


def read(options: Options, table: Table, until: float | None) -> None:
    """Measure the lines that read."""
    if until is not None and time.monotonic() > until:
        table.add(Line(READING, error="not begun: the time was over"))
        return
    try:
        for line in read_lines(options, None if until is None else until + GRACE):
            table.add(line)
    except UserError as error:
        table.add(Line(READING, error=str(error)))
