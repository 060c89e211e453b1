"""One line of the table: what was measured, in words and as numbers."""

import dataclasses
from collections.abc import Mapping, Sequence

from train.scale.collectives import Traffic

#: Largest relative difference from one device, by the type of the computation: of the loss, and of the gradient's
#: norm. Float32 is as exact as the tests of equality ask (tests/train/test_layouts.py). A bfloat16 has 8 bits, so every
#: number is rounded by up to 0.4 %, in another order on every mesh; the mean over thousands of tokens evens that out.
TOLERANCES = {"float32": (3e-5, 3e-5), "bfloat16": (1e-3, 1e-2)}


@dataclasses.dataclass(frozen=True)
class Check:
    """A number against what it should be: that of one device, or of the devices before a restart."""

    what: str
    found: float
    right: float
    most: float

    @property
    def difference(self) -> float:
        """Relative to the right one."""
        return abs(self.found - self.right) / max(abs(self.right), 1e-30)

    @property
    def agrees(self) -> bool:
        """Whether the difference is at most what is allowed; no number agrees with nothing."""
        return self.difference <= self.most


@dataclasses.dataclass(frozen=True)
class Line:
    """One line; None and empty are what does not apply, or was not measured.

    Attributes:
        name: of the line.
        work: name of what is done.
        axes: of the mesh, those larger than 1.
        devices: so many.
        unit: what the rate counts: tokens (without padding), pages or bytes.
        rate: of all devices, a second.
        milliseconds: of a step.
        flops: useful operations of a step on one device.
        share: of the peak that was measured by a large product.
        efficiency: the rate of a device as a share of that of one device alone, in the same run.
        traffic: collective operations of a step on one device.
        communication: share of the traced time in which collective operations ran.
        exposed: share in which they ran and nothing was computed.
        gigabytes: that the program needs on one device: its state, its batch, and all that lies between.
        loss: of the first step.
        checks: against one device, or the devices before a restart.
        compile_s: seconds.
        note: what else decides.
        error: why there are no figures.
    """

    name: str
    work: str = ""
    axes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    devices: int = 1
    unit: str = "tokens"
    rate: float | None = None
    milliseconds: float | None = None
    flops: float | None = None
    share: float | None = None
    efficiency: float | None = None
    traffic: tuple[Traffic, ...] = ()
    communication: float | None = None
    exposed: float | None = None
    gigabytes: float | None = None
    loss: float | None = None
    checks: tuple[Check, ...] = ()
    compile_s: float | None = None
    note: str = ""
    error: str = ""

    @property
    def each(self) -> float | None:
        """The rate of one device."""
        return None if self.rate is None else self.rate / self.devices


def in_words(line: Line) -> str:
    """Return a line of the table."""
    if line.error:
        return f"{line.name}: not measured: {line.error}"
    parts = []
    if line.rate is not None:
        scale, digits = (1e9, 2) if line.unit == "bytes" else (1, 1 if line.unit == "pages" else 0)
        unit = "GB" if line.unit == "bytes" else line.unit
        each = f" ({line.rate / scale / line.devices:,.{digits}f} a device)" if line.devices > 1 else ""
        parts.append(f"{line.rate / scale:,.{digits}f} {unit}/s{each}")
    if line.milliseconds is not None:
        parts.append(f"{line.milliseconds:,.1f} ms")
    if line.share is not None:
        parts.append(f"{line.share:.1%} of the measured peak")
    if line.efficiency is not None:
        parts.append(f"efficiency {line.efficiency:.1%}")
    if line.traffic:
        operands, sent = (sum(getattr(one, name) for one in line.traffic) for name in ("operands", "sent"))
        parts.append(f"collectives of {operands / 1e9:,.4g} GB a device and step ({sent / 1e9:,.4g} GB sent in rings)")
    if line.communication is not None and line.devices > 1:
        parts.append(f"communicating {line.communication:.1%}, not hidden {line.exposed:.1%}")
    if line.gigabytes is not None:
        parts.append(f"{line.gigabytes:,.3g} GB a device")
    if line.loss is not None:
        parts.append(f"loss {line.loss:.5f}")
    if line.checks:
        parts.append(checks_in_words(line.checks))
    if line.compile_s is not None:
        parts.append(f"compiled in {line.compile_s:.0f} s")
    return f"{line.name}: {'  '.join(parts)}" + (f"  [{line.note}]" if line.note else "")


def checks_in_words(checks: Sequence[Check]) -> str:
    """Say whether all agree, and the largest difference of each kind of number."""
    wrong = [one for one in checks if not one.agrees]
    if wrong:
        words = ", ".join(f"{one.what} {one.found:.6g} instead of {one.right:.6g}" for one in wrong)
        return f"NOT EQUAL: {words}"
    worst: dict[str, float] = {}
    for one in checks:
        kind = one.what.split()[0]
        worst[kind] = max(worst.get(kind, 0.0), one.difference)
    return f"equal ({', '.join(f'{kind} within {most:.0e}' for kind, most in worst.items())})"
