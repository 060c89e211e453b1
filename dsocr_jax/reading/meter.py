"""How far a reading is: a live bar on a terminal, a line now and then elsewhere.

Unlike `dsocr_jax.console.progress`, the total grows while documents are found, and pages that are skipped are neither.
"""

import sys
import threading
import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dsocr_jax.console import console

#: Seconds between two lines where there is no terminal.
EVERY = 10.0


class Meter:
    """Counts pages; `found` and `skip` may be called from any thread."""

    def __init__(self, title: str = "reading"):
        self.title = title
        self.total = self.done = self.skipped = 0
        self.start = self._said = time.monotonic()
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        if console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("pages  {task.fields[rate]:.1f} pages/s "),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
            )
            self._bar = Progress(*columns, console=console)
            self._task = self._bar.add_task(title, total=None, rate=0.0, note="")

    @property
    def seconds(self) -> float:
        """Since the first page could have been read."""
        return time.monotonic() - self.start

    def begin(self) -> None:
        """Start the clock."""
        self.start = self._said = time.monotonic()

    def found(self, pages: int) -> None:
        """Count pages that are there to be read."""
        with self._lock:
            self.total += pages
        self._show()

    def skip(self) -> None:
        """Count a page that has been read before."""
        with self._lock:
            self.total -= 1
            self.skipped += 1

    def advance(self, note: str = "") -> None:
        """Count a page that is done."""
        with self._lock:
            self.done += 1
        self._show(note)

    def _show(self, note: str = "") -> None:
        rate = self.done / max(self.seconds, 1e-9)
        if self._bar is not None:
            self._bar.update(self._task, total=self.total, completed=self.done, rate=rate, note=note)
        elif time.monotonic() - self._said >= EVERY and self.done:
            self._said = time.monotonic()
            left = (self.total - self.done) / max(rate, 1e-9)
            print(
                f"{self.title}: {self.done}/{self.total} pages, {rate:.1f} pages/s, {left:.0f} s left {note}".rstrip(),
                file=sys.stderr,
            )

    def __enter__(self) -> "Meter":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()
