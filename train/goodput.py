"""Goodput: the share of a run's time that went into steps whose work was kept.

The total is the time of every start of the run, from the first line of `train.loop.train` to its end (or to the last
note of a start that was killed, at most `NOTE_EVERY` seconds before). The time between starts is not the run's.
"""

import contextlib
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from dsocr_jax.weights.strict_json import read_json

FILE = "goodput.json"
MAX_BYTES = 1 << 20

#: Seconds after which the file is written again.
NOTE_EVERY = 10.0

#: Checkpoints whose time is remembered: more than are ever kept.
MARKS = 1000

STEPS, LOST = "steps", "lost work"


class Goodput:
    """Where the time goes, over all starts of a run; a context manager.

    Attributes:
        starts: of the run, with this one.
        parts: seconds by what they went into; ``steps`` is what was useful.
    """

    def __init__(self, run: Path, write: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin the clock; the file is read when the context is entered, for then the folder is there.

        Args:
            run: the run's folder.
            write: whether this process keeps the file.
            clock: seconds.
        """
        self.file, self.write, self.clock = run / FILE, write, clock
        self.starts = 0
        self.parts: defaultdict[str, float] = defaultdict(float)
        self.marks: dict[int, float] = {0: 0.0}
        self._since = self._noted = clock()

    def __enter__(self) -> Self:
        self.starts += 1
        # Without the file, or with one that is torn, the count begins anew: nothing else depends on it.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            if not self.write:
                return self
            kept = read_json(self.file, MAX_BYTES)
            parts = {str(name): float(seconds) for name, seconds in kept["parts"].items()}
            marks = {int(step): float(seconds) for step, seconds in kept["marks"].items()}
            self.starts, self.marks = int(kept["starts"]) + 1, {0: 0.0, **marks}
            self.parts.update(parts)
        self._note()
        return self

    def __exit__(self, *_: object) -> None:
        self.lap("other")
        with contextlib.suppress(OSError):  # whatever ended the run is what the user must hear of
            self._note()

    def lap(self, part: str, most: float = math.inf) -> float:
        """Count the time since the last lap as ``part``, and return it (seconds).

        What is beyond ``most`` seconds is left to the next lap.
        """
        now = self.clock()
        seconds = min(now - self._since, most)
        self._since += seconds
        self.parts[part] += seconds
        if now - self._noted >= NOTE_EVERY:
            self._note()
        return seconds

    def mark(self, step: int) -> None:
        """Remember that the checkpoint of ``step`` holds all work so far."""
        self.marks[step] = self.parts[STEPS]
        self.marks = {0: 0.0} | dict(sorted(self.marks.items())[-MARKS:])
        self._note()

    def back_to(self, step: int) -> None:
        """Count what was done after the checkpoint of ``step`` as lost; a run that goes on begins with this."""
        kept = self.marks.get(step, self.parts[STEPS])
        self.parts[LOST] += self.parts[STEPS] - kept
        self.parts[STEPS] = kept
        self.marks = {at: seconds for at, seconds in self.marks.items() if at <= step}

    @property
    def total(self) -> float:
        """Seconds of all starts."""
        return sum(self.parts.values())

    @property
    def share(self) -> float:
        """Useful time over total time."""
        return self.parts[STEPS] / max(self.total, 1e-9)

    def report(self) -> str:
        """Return one line: the share and its parts."""
        rest = [(seconds, part) for part, seconds in self.parts.items() if part != STEPS and seconds >= 0.05]
        others = ", ".join(f"{part} {seconds:.1f} s" for seconds, part in sorted(rest, reverse=True))
        starts = "1 start" if self.starts == 1 else f"{self.starts} starts"
        return (
            f"goodput {self.share:.1%}: {self.parts[STEPS]:.1f} s of {self.total:.1f} s in {starts} went into "
            f"steps that were kept; {others or 'nothing else'}"
        )

    def _note(self) -> None:
        self._noted = self.clock()
        if not self.write:
            return
        content: dict[str, Any] = {"share": self.share, "starts": self.starts, "parts": self.parts, "marks": self.marks}
        temporary = self.file.with_name(f".{self.file.name}.partial")
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self.file)
