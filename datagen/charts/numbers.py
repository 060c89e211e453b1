"""Numbers of charts: axes with round steps, how values are written, and what can be read from a drawing."""

import math
from dataclasses import dataclass

#: A reader can tell apart values that differ by this share of the axis range.
RECOVERABLE = 50
_STEPS = (1.0, 2.0, 5.0, 10.0)
_TICK_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written: decimals, whether thousands are separated, and what stands before and after."""

    decimals: int = 0
    thousands: bool = False
    prefix: str = ""
    suffix: str = ""

    def text(self, value: float) -> str:
        """Return ``value`` as text; a minus sign stands first, and a zero has none."""
        body = f"{abs(value):{',' if self.thousands else ''}.{self.decimals}f}"
        negative = value < 0 and any(digit in body for digit in "123456789")
        return f"{'-' if negative else ''}{self.prefix}{body}{self.suffix}"


@dataclass(frozen=True)
class Axis:
    """The range of a value axis and the step of its ticks."""

    low: float
    high: float
    step: float

    @property
    def ticks(self) -> list[float]:
        """The tick values, from low to high."""
        count = round((self.high - self.low) / self.step)
        return [round((round(self.low / self.step) + number) * self.step, 10) for number in range(count + 1)]

    def share(self, value: float) -> float:
        """Return where ``value`` lies: 0 at the low end, 1 at the high end."""
        return (value - self.low) / (self.high - self.low)


def _snap_up(value: float) -> float:
    """Return the smallest step of ticks that is not below ``value``."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _TICK_STEPS if step * power >= value * (1 - 1e-9))


def decimals_of(step: float) -> int:
    """Return how many decimals it takes to write multiples of ``step``."""
    return next(count for count in range(12) if abs(step * 10**count - round(step * 10**count)) < 1e-6)


def nice_axis(lowest: float, highest: float, ticks: int, from_zero: bool) -> Axis:
    """Return an axis with round steps that holds the values, with about ``ticks`` steps.

    Args:
        lowest: the smallest value.
        highest: the largest value, room for labels included.
        ticks: how many steps to aim at.
        from_zero: the axis must hold zero, as for bars.
    """
    if from_zero:
        lowest, highest = min(lowest, 0.0), max(highest, 0.0)
    if highest - lowest < 1e-9 * max(1.0, abs(highest)):
        lowest, highest = lowest - 1, highest + 1
    step = _snap_up((highest - lowest) / ticks)
    low, high = math.floor(lowest / step + 1e-9) * step, math.ceil(highest / step - 1e-9) * step
    return Axis(low, high, step)


def recoverable(axis: Axis) -> float:
    """Return the precision to which values can be read: 1/50 of the axis range, snapped to 1, 2 or 5 x 10^k."""
    wanted = (axis.high - axis.low) / RECOVERABLE
    power = 10.0 ** math.floor(math.log10(wanted))
    return min((step * power for step in _STEPS), key=lambda step: abs(math.log(step / wanted)))


def rounded_text(value: float, step: float) -> str:
    """Return ``value`` rounded to a multiple of ``step``, with as many decimals as the step has."""
    return NumberFormat(decimals_of(step)).text(round(value / step) * step)


def fill_up(shares: list[float], decimals: int) -> list[float]:
    """Return percentages with ``decimals`` that add up to exactly 100 (largest remainders)."""
    scale = 10**decimals
    exact = [share / sum(shares) * 100 * scale for share in shares]
    parts = [math.floor(value) for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for index in order[: 100 * scale - sum(parts)]:
        parts[index] += 1
    return [part / scale for part in parts]
