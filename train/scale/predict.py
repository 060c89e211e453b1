"""What more devices would bring, predicted from what a host was measured to do: arithmetic, not measurement.

A step on n devices takes the time that a measured step computes, and the time of its communication that nothing hides.
The bytes are counted from the measured program and scaled (`sent_in_a_ring`); gradients and state are counted from the
shapes of the run, as the dry run does; the speed of the links is stated, less what the measured step lost of it.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from train.scale.line import Line
from train.scale.options import Links

#: Kinds of collective operations that add gradients up.
_SUMS = ("all-reduce", "reduce-scatter")


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Bytes of one device on a mesh: of the gradients as they travel, and of parameters and moments."""

    gradients: float
    state: float


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One line of the predicted table.

    Attributes:
        devices: so many.
        name: of the line.
        unit: what rates count.
        least: rate of all devices, if nothing of the additional communication is hidden.
        most: the same, if as much of it is hidden as was measured.
        alone: rate of one device by itself.
        sent: bytes of a device in a step.
        communication: seconds of a step in which devices communicate.
        gigabytes: of one device.
    """

    devices: int
    name: str
    unit: str
    least: float
    most: float
    alone: float
    sent: float = 0.0
    communication: float = 0.0
    gigabytes: float | None = None

    def efficiency(self, rate: float) -> float:
        """Return a rate of all devices as a share of what as many single ones would do."""
        return rate / self.devices / self.alone


@dataclasses.dataclass(frozen=True)
class Step:
    """Where the time of a measured step goes.

    Attributes:
        line: that was measured.
        seconds: of a step.
        communication: seconds of it in which devices communicate.
        exposed: seconds of it in which they do and nothing is computed.
        sent: bytes of a device.
        used: share of the stated speed of the links that was reached, at most 1.
    """

    line: Line
    seconds: float
    communication: float
    exposed: float
    sent: float
    used: float

    @property
    def hidden(self) -> float:
        """Share of the communication beside which something is computed."""
        return 1.0 - self.exposed / self.communication if self.communication else 0.0

    @property
    def done(self) -> float:
        """Tokens or pages of one device in a step."""
        assert self.line.rate is not None
        return self.line.rate * self.seconds / self.line.devices


def step_of(line: Line, links: Links) -> Step | None:
    """Return what a line says of its step; None if it was not traced, or nothing travelled."""
    if line.rate is None or line.milliseconds is None or line.communication is None or line.exposed is None:
        return None
    seconds, sent = line.milliseconds / 1e3, sum(one.sent for one in line.traffic)
    communication = line.communication * seconds
    if not sent or not communication:
        return None
    used = min(1.0, sent / communication / (links.inside * 1e9))
    return Step(line, seconds, communication, line.exposed * seconds, sent, used)


def split_further(step: Step, devices: int, links: Links) -> tuple[float, float]:
    """Return (bytes sent, seconds of communication) of a step whose parameters are split over ``devices``.

    Each parameter still comes together once for every time that it did: a device sends ``(n - 1) / n`` of all. One ring
    goes through all devices; its bytes leave a host by all of the host's links at once.
    """
    measured = step.line.devices
    sent = step.sent * (devices - 1) / devices * measured / (measured - 1)
    speed, waits = links.inside * 1e9, 0.0
    if devices > links.host:
        speed = min(speed, links.host * links.between * 1e9 / 8)
        waits = sum(one.count for one in step.line.traffic) * (devices - measured) * links.latency * 1e-6
    return sent, sent / speed / step.used + waits


def repeat(step: Step, copies: int, gradients: float, links: Links) -> tuple[float, float]:
    """Return (bytes sent, seconds) that adding up the gradients of so many copies of the measured mesh takes besides.

    Every part of the gradients goes round a ring of its own through all copies; those of one host share its links.
    """
    sent = 2 * gradients * (copies - 1) / copies
    measured = step.line.devices
    if copies == 1:
        return 0.0, 0.0
    if copies * measured <= links.host:
        return sent, sent / (links.inside * 1e9) / step.used
    speed = min(links.inside * 1e9, links.between * 1e9 / 8 * max(1.0, links.host / measured))
    sums = sum(one.count for one in step.line.traffic if one.kind in _SUMS)
    return sent, sent / speed / step.used + sums * 2 * (copies - 1) * links.latency * 1e-6


def predictions(
    lines: Sequence[Line], sizes: Mapping[tuple[str, str], Sizes], devices: int, links: Links
) -> list[Prediction]:
    """Return the predicted table for a number of devices.

    Args:
        lines: that were measured; those of the largest mesh of each kind count.
        sizes: by work and axes in words (`axes_in_words`), of measured meshes and of ``fsdp N`` with N devices.
        devices: of the prediction.
        links: see there.
    """
    alone = {line.work: line.rate for line in lines if line.devices == 1 and line.rate is not None}
    found: list[Prediction] = []
    for line in largest(lines):
        rate, axes = alone.get(line.work), axes_in_words(line.axes)
        if rate is None or line.rate is None:
            continue
        if line.milliseconds is None:  # reading: hosts know nothing of each other
            every = line.rate / line.devices * devices
            found.append(Prediction(devices, line.work, line.unit, every, every, rate))
            continue
        step = step_of(line, links)
        if step is None:
            continue
        if set(line.axes) == {"fsdp"}:
            sent, communication = split_further(step, devices, links)
            own, new = sizes[line.work, axes], sizes[line.work, axes_in_words({"fsdp": devices})]
            held = None if line.gigabytes is None else line.gigabytes + (new.state - own.state) / 1e9
            name = f"{line.work}, fsdp {devices}"
            found.append(_prediction(step, devices, name, sent, communication, rate, held))
        if devices % line.devices == 0 and devices > line.devices:
            copies = devices // line.devices
            sent, more = repeat(step, copies, sizes[line.work, axes].gradients, links)
            name = f"{line.work}, {axes} x data {copies}"
            every = step.communication + more
            found.append(_prediction(step, devices, name, step.sent + sent, every, rate, line.gigabytes))
    return found


def _prediction(
    step: Step, devices: int, name: str, sent: float, communication: float, alone: float, held: float | None
) -> Prediction:
    computing = step.seconds - step.exposed
    more = max(0.0, communication - step.communication)
    slow = computing + step.exposed + more
    quick = computing + step.exposed + more * (1.0 - step.hidden)
    done, unit = step.done * devices, step.line.unit
    return Prediction(devices, name, unit, done / slow, done / quick, alone, sent, communication, held)


def largest(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of several devices, of each work and kind of mesh the one with most."""
    found: dict[tuple[str, tuple[str, ...]], Line] = {}
    for line in lines:
        key = line.work, tuple(line.axes)
        if line.devices > 1 and line.rate is not None and line.unit != "bytes":
            found[key] = max(line, found.get(key, line), key=lambda one: one.devices)
    return list(found.values())


def axes_in_words(axes: Mapping[str, int]) -> str:
    """Return axes as lines name them."""
    return " x ".join(f"{axis} {size}" for axis, size in axes.items())
