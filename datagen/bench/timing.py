"""Time many cases against each other: on one processor, in rounds, by processor time.

Every round runs every case once, so that whatever else the machine does falls on all of them, and a ratio is of times
that were taken next to each other. Of the rounds the median counts.
"""

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

#: Calls that warm a case up and tell how long one takes.
_WARM_CALLS = 3

#: The most calls of a case in one round.
_MAX_CALLS = 20_000


@dataclass(frozen=True)
class Case:
    """Something to time.

    Attributes:
        name: as tables show it; "group: what".
        call: makes one sample, or one part of one; the argument counts up from 0 in every round alike.
        least: calls in a round at least: a mixture needs many, or its rare and slow members are missed.
    """

    name: str
    call: Callable[[int], object]
    least: int = 5


@dataclass
class Times:
    """Processor seconds a call, one number for every round."""

    seconds: list[float] = field(default_factory=list)
    calls: int = 0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return 1 / max(statistics.median(self.seconds), 1e-12)

    def ratio(self, baseline: "Times") -> float:
        """How many times faster than ``baseline``: the median over the rounds."""
        return statistics.median(
            base / max(own, 1e-12) for own, base in zip(self.seconds, baseline.seconds, strict=True)
        )


@contextlib.contextmanager
def pinned() -> Iterator[int | None]:
    """Keep this process on one processor; yields its number, None where the system cannot do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    before = os.sched_getaffinity(0)
    chosen = max(before)
    os.sched_setaffinity(0, {chosen})
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, before)


def measure(
    cases: Sequence[Case], rounds: int, seconds: float, advance: Callable[[int, str], None]
) -> dict[str, Times]:
    """Time ``cases``.

    Args:
        cases: what to time.
        rounds: how often each is run.
        seconds: processor time that a case takes in a round, roughly.
        advance: told of every case that has been run, and its name.
    """
    calls = {}
    for case in cases:
        start = time.process_time()
        for index in range(_WARM_CALLS):
            case.call(index)
        each = (time.process_time() - start) / _WARM_CALLS
        calls[case.name] = min(max(int(seconds / max(each, 1e-7)), case.least), _MAX_CALLS)
    times = {case.name: Times() for case in cases}
    for _ in range(rounds):
        for case in cases:
            number = calls[case.name]
            start = time.process_time()
            for index in range(number):
                case.call(index)
            times[case.name].seconds.append((time.process_time() - start) / number)
            times[case.name].calls += number
            advance(1, case.name)
    return times
