"""What the three command-line doors share: progress bars, and errors as one clear line."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dsocr_jax.errors import UserError

#: Reports go to standard error, so that standard output holds results alone.
console = Console(stderr=True, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def progress(title: str, total: int | None, unit: str = "it") -> Iterator[Callable[[int, str], None]]:
    """Show a progress bar with rate and time left; yields ``advance(amount, note)``.

    On a terminal this is a live bar; elsewhere (a log file, CI) a plain line every ten seconds and at the end.

    Args:
        title: what is being done.
        total: amount to do; None when it is not known beforehand (then there is no time left to show).
        unit: plural name of what is counted.
    """
    start, done, said = time.monotonic(), 0, time.monotonic()

    def rate() -> float:
        return done / max(time.monotonic() - start, 1e-9)

    if not console.is_terminal:

        def advance_plain(amount: int = 1, note: str = "") -> None:
            nonlocal done, said
            done += amount
            if time.monotonic() - said >= 10 or done == total:
                said = time.monotonic()
                share, left = f"{done}", ""
                if total is not None:
                    share, left = f"{done}/{total}", f", {(total - done) / max(rate(), 1e-9):.0f} s left"
                print(f"{title}: {share} {unit}, {rate():.1f} {unit}/s{left} {note}".rstrip(), file=sys.stderr)

        yield advance_plain
        return

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=total, speed="", note="")

        def advance(amount: int = 1, note: str = "") -> None:
            nonlocal done
            done += amount
            bar.update(task, advance=amount, speed=f"{rate():.1f} {unit}/s", note=note)

        yield advance


def run_door(main: Callable[[], Any]) -> None:
    """Run a command line: a `UserError` becomes one line and status 1, Ctrl-C status 130."""
    try:
        status = main()
    except UserError as error:
        console.print("[bold red]error:[/]", escape(str(error)))
        status = 1
    except KeyboardInterrupt:
        console.print("interrupted", style="yellow")
        status = 130
    except BrokenPipeError:  # the reader of our output (`| head`) has gone; not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status if isinstance(status, int) else 0)
