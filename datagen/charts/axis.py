"""Value axes: round steps, decades, and what can be read off them."""

import functools
import math
from dataclasses import dataclass

#: A reader can tell apart values that differ by this share of the axis range.
RECOVERABLE = 50
#: On a logarithmic axis a value is read to this many significant digits.
LOG_DIGITS = 2
_STEPS = (1.0, 2.0, 5.0, 10.0)
_TICK_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Axis:
    """A value axis.

    Attributes:
        low, high: the values at its ends.
        ticks: the values with a tick (and a grid line), upwards, all within the ends.
        texts: their texts, one for each tick.
        log: whether it is logarithmic.
        title: its title as it is drawn; empty for none.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    texts: tuple[str, ...]
    log: bool = False
    title: str = ""

    def share(self, value: float) -> float:
        """Return where ``value`` lies: 0 at the low end, 1 at the high end."""
        if self.log:
            low = math.log10(self.low)
            return (math.log10(max(value, self.low)) - low) / (math.log10(self.high) - low)
        return (value - self.low) / (self.high - self.low)

    @property
    def base(self) -> float:
        """Where bars and areas stand: zero, or the end of the axis that is nearest to it."""
        return min(max(0.0, self.low), self.high)


def nice_range(lowest: float, highest: float, ticks: int, from_zero: bool) -> tuple[float, float, tuple[float, ...]]:
    """Return low end, high end and ticks of an axis with round steps that holds the values, with about ``ticks`` steps.

    Args:
        lowest: the smallest value, room for labels included.
        highest: the largest value, likewise.
        ticks: how many steps to aim at.
        from_zero: the axis must hold zero, as for bars.
    """
    if from_zero:
        lowest, highest = min(lowest, 0.0), max(highest, 0.0)
    if highest - lowest < 1e-9 * max(1.0, abs(highest)):
        lowest, highest = lowest - 1, highest + 1
    wanted = (highest - lowest) / ticks
    power = 10.0 ** math.floor(math.log10(wanted))
    step = next(step * power for step in _TICK_STEPS if step * power >= wanted * (1 - 1e-9))
    first, last = math.floor(lowest / step + 1e-9), math.ceil(highest / step - 1e-9)
    values = tuple([round(number * step, 12) + 0.0 for number in range(first, last + 1)])
    return values[0], values[-1], values


def log_range(lowest: float, highest: float) -> tuple[float, float, tuple[float, ...]]:
    """Return low end, high end and ticks of a logarithmic axis: whole decades, or 1, 2, 5 where there is only one."""
    first, last = math.floor(math.log10(lowest) + 1e-9), math.ceil(math.log10(highest) - 1e-9)
    last = max(last, first + 1)
    steps = (1.0, 2.0, 5.0) if last - first == 1 else (1.0,)
    ticks = [round(step * 10.0**power, 12) for power in range(first, last) for step in steps]
    return ticks[0], 10.0**last, (*ticks, 10.0**last)


@functools.lru_cache(maxsize=1024)
def decimals_of(step: float) -> int:
    """Return how many decimals it takes to write multiples of ``step``."""
    return next((count for count in range(9) if abs(step * 10**count - round(step * 10**count)) < 1e-6), 9)


@functools.lru_cache(maxsize=4096)
def recoverable(low: float, high: float) -> float:
    """Return the precision to which values can be read: 1/50 of the axis range, snapped to 1, 2 or 5 x 10^k."""
    wanted = (high - low) / RECOVERABLE
    power = 10.0 ** math.floor(math.log10(wanted))
    return min((step * power for step in _STEPS), key=lambda step: abs(math.log(step / wanted)))


def read_off(value: float, axis: Axis) -> str:
    """Return ``value`` as a careful reader of the axis writes it: a plain decimal number with a point.

    On a linear axis it is rounded to a multiple of `recoverable`, with as many decimals as that has. On a logarithmic
    axis the precision is relative: `LOG_DIGITS` significant digits.
    """
    if axis.log:
        digits = LOG_DIGITS - 1 - math.floor(math.log10(abs(value)))
        rounded = round(value, digits)
        # 9.96 rounds to 10, which has a digit more.
        digits = LOG_DIGITS - 1 - math.floor(math.log10(abs(rounded)))
        return f"{rounded:.{max(0, digits)}f}"
    step = recoverable(axis.low, axis.high)
    return f"{round(value / step) * step + 0.0:.{decimals_of(step)}f}"
