"""How much of a step is communication, and how much of that nothing hides: from a trace."""

import dataclasses
import re
from collections.abc import Collection, Iterable, Sequence

from dsocr_jax.errors import UserError
from train.profile import COLLECTIVES, COPIES, part_of
from train.xplane import Operation

#: What holds other operations on the way to them, and computes nothing itself.
_CONTROL = re.compile(r"^(while|call|conditional)\b")
#: An operation that spends less of its time itself is one that holds others.
_OWN = 0.5

Spans = list[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Overlap:
    """Seconds of one device (the mean of all) over all traced steps.

    Attributes:
        span: from the first operation's start to the last one's end.
        communication: in which collective operations ran; waiting for a slower device is part of it.
        exposed: in which they ran and nothing was computed.
        computation: in which something was computed.
    """

    span: float
    communication: float
    exposed: float
    computation: float

    @property
    def hidden(self) -> float:
        """Share of the communication that runs beside computations; 1 where there is none."""
        return 1.0 - self.exposed / self.communication if self.communication else 1.0

    def share(self, seconds: float) -> float:
        """Return some of these seconds as a share of the span."""
        return seconds / self.span


def overlap(found: Sequence[Operation], names: Collection[str] = ()) -> Overlap:
    """Return what of the traced time is communication; copies are neither communication nor computation.

    Args:
        found: the operations.
        names: of operations that communicate, beside those whose names say so.

    Raises:
        UserError: nothing was traced.
    """
    devices = sorted({one.device for one in found})
    if not devices:
        raise UserError("the trace holds no operation of a device")
    sums = [0.0] * 4
    for device in devices:
        moving: Spans = []
        computing: Spans = []
        own = [one for one in found if one.device == device]
        for one in own:
            # The loops and calls that an operation runs in may stand before its name.
            name = one.name.rpartition("::")[2]
            if _CONTROL.match(name) or one.seconds < _OWN * one.span:
                continue
            part = COLLECTIVES if name in names else part_of(name, one.source)
            if part != COPIES:
                (moving if part == COLLECTIVES else computing).append((one.start, one.start + one.span))
        span = max(one.start + one.span for one in own) - min(one.start for one in own)
        moving, computing = merged(moving), merged(computing)
        times = (span, length(moving), length(moving) - common(moving, computing), length(computing))
        sums = [total + time / len(devices) for total, time in zip(sums, times, strict=True)]
    return Overlap(*sums)


def merged(spans: Iterable[tuple[float, float]]) -> Spans:
    """Return the union of spans (start, end), in order and disjoint."""
    found: Spans = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def length(spans: Spans) -> float:
    """Return the length of disjoint spans."""
    return sum(end - start for start, end in spans)


def common(first: Spans, second: Spans) -> float:
    """Return the length of what two lists of ordered, disjoint spans have in common."""
    total, i, j = 0.0, 0, 0
    while i < len(first) and j < len(second):
        total += max(0.0, min(first[i][1], second[j][1]) - max(first[i][0], second[j][0]))
        if first[i][1] <= second[j][1]:
            i += 1
        else:
            j += 1
    return total
