"""How values follow each other in time: trends, seasons, shocks, walks, outbreaks, saturation, decay.

Everything is in the topics' own units.
"""

import math
from dataclasses import dataclass

from datagen.charts.content.dice import Dice
from datagen.charts.content.rows import Rows
from datagen.charts.content.topics import Topic

#: How much wilder a walk is from one value to the next than from day to day.
_WALK = {"years": 4.0, "fiscal": 4.0, "half_years": 3.0, "quarters": 2.4, "months": 1.8, "weeks": 1.3, "days": 1.0}
_TURN = 2 * math.pi
#: What scatters less than this from one value to the next (populations) is not shaken by shocks either.
_SHAKEN = 0.01


@dataclass(frozen=True, slots=True)
class Course:
    """What all series of a chart share in time: growth per year, a season, a shock."""

    growth: float
    swing: float
    peak: float
    shock: int
    depth: float
    lasting: bool


def course(dice: Dice, topic: Topic, rows: Rows) -> Course:
    """Draw what the series of a chart share in time."""
    count, swing = len(rows.names), topic.season[0] * dice.between(0.6, 1.3)
    if rows.pool in ("years", "fiscal", "days", "elapsed") or not rows.dates:
        swing = 0.0
    if rows.pool in ("hours", "weekdays"):
        swing = max(swing, dice.between(0.15, 0.35))
    peak = topic.season[1] + dice.normal(0.04)
    if rows.pool == "hours":
        peak = dice.between(0.5, 0.8)
    if rows.pool == "weekdays":
        peak = dice.pick((0.4, 0.85))
    shock = dice.below(count) if dice.chance(0.14) and rows.dates and topic.noise >= _SHAKEN else -1
    growth = topic.trend * dice.between(0.3, 1.8) + dice.normal(min(0.02, 2 * topic.noise))
    return Course(growth, swing, peak, shock, dice.between(0.55, 0.88), dice.chance(0.3))


def follow(dice: Dice, topic: Topic, rows: Rows, level: float, shared: Course, *, wide: bool) -> list[float]:
    """Return the values of one series along time."""
    model = topic.model
    if model == "level":
        return _level(dice, topic, rows, level, shared)
    if model == "warm":
        return _warm(dice, rows, level)
    return _MODELS[model](dice, topic, rows, level, wide)


def _level(dice: Dice, topic: Topic, rows: Rows, level: float, shared: Course) -> list[float]:
    growth, drift, values = shared.growth + dice.normal(min(0.012, topic.noise)), 0.0, []
    span = rows.times[-1] or 1.0
    if rows.pool in ("weekdays", "hours"):
        growth = 0.0
    growth = min(1.4, max(-1.1, growth * span)) / span
    for number, (time, phase) in enumerate(zip(rows.times, rows.phases, strict=True)):
        drift = 0.5 * drift + dice.normal(topic.noise)
        value = math.exp(growth * (time - span / 2) + drift)
        value *= 1 + shared.swing * math.cos(_TURN * (phase - shared.peak))
        if number == shared.shock or (shared.lasting and 0 <= shared.shock <= number):
            value *= shared.depth
        elif number == shared.shock + 1 and shared.shock >= 0:
            value *= 1 - (1 - shared.depth) / 2
        values.append(_capped(topic, level * value))
    return values


def _capped(topic: Topic, value: float) -> float:
    return value if value < topic.cap else topic.cap * 0.995


def _walk(dice: Dice, topic: Topic, rows: Rows, level: float, wide: bool) -> list[float]:
    step = topic.noise * _WALK.get(rows.pool, 1.0)
    span = rows.times[-1] or 1.0
    drift = min(0.7, max(-0.5, (topic.trend * 1.2 + dice.normal(0.04)) * span)) / len(rows.times)
    values, logarithm = [], 0.0
    for _ in rows.times:
        values.append(level * math.exp(logarithm))
        logarithm += drift + dice.normal(step)
    return values


def _rate(dice: Dice, topic: Topic, rows: Rows, level: float, wide: bool) -> list[float]:
    noise = min(topic.noise, topic.spread / 2) if topic.spread < 0.2 else topic.noise
    swing, peak = (0.0, 0.0) if rows.pool in ("years", "fiscal") else topic.season
    tilt = dice.normal(min(0.12, topic.spread / 2))
    away, values, last = dice.normal(noise), [], rows.times[-1] or 1.0
    for time, phase in zip(rows.times, rows.phases, strict=True):
        away = 0.7 * away + dice.normal(noise)
        value = level * (1 + away + tilt * (time / last - 0.5) + swing * math.cos(_TURN * (phase - peak)))
        values.append(_capped(topic, max(value, 0.25 * topic.low)))
    return values


def _saturate(dice: Dice, topic: Topic, rows: Rows, level: float, wide: bool) -> list[float]:
    top = min(topic.cap, level * dice.between(1.1, 1.6))
    begin = -math.log(dice.between(2.5, 15))
    speed, last = dice.between(2.5, 6.5), rows.times[-1] or 1.0
    noise = dice.between(0.003, 0.02)
    values = [top / (1 + math.exp(-(begin + speed * t / last))) * (1 + dice.normal(noise)) for t in rows.times]
    return [_capped(topic, value) for value in values]


def _wave(dice: Dice, topic: Topic, rows: Rows, level: float, wide: bool) -> list[float]:
    count = len(rows.times)
    width, floor = dice.between(0.1, 0.2), dice.between(0.01, 0.05) if wide else dice.between(0.05, 0.2)
    bumps = [(dice.between(0.15, 0.9), 1.0)]
    if dice.chance(0.4):
        bumps.append((dice.between(0.0, 1.0), dice.between(0.2, 0.8)))
    values = []
    for number in range(count):
        place = number / max(1, count - 1)
        height = floor + sum(size * math.exp(-(((place - centre) / width) ** 2) / 2) for centre, size in bumps)
        values.append(max(1.0, level * height * math.exp(dice.normal(topic.noise))))
    return values


def _explode(dice: Dice, topic: Topic, rows: Rows, level: float, wide: bool) -> list[float]:
    span, last = dice.between(2.2, 4.6) if wide else dice.between(0.5, 1.1), rows.times[-1] or 1.0
    return [level * 10 ** (span * time / last) * math.exp(dice.normal(topic.noise)) for time in rows.times]


def _decay(dice: Dice, topic: Topic, rows: Rows, level: float, wide: bool) -> list[float]:
    last = rows.times[-1]
    leave = dice.between(3.5, 6.5) / last if wide else dice.between(2, 3.5) / last
    enter = leave * dice.between(6, 20)
    return [
        level * 1.3 * (math.exp(-leave * time) - math.exp(-enter * time)) * math.exp(dice.normal(topic.noise))
        for time in rows.times
    ]


def _set_rate(dice: Dice, topic: Topic, rows: Rows, level: float, wide: bool) -> list[float]:
    value, towards, values = round(level * 4) / 4, dice.pick((-1, 1)), []
    for _ in rows.times:
        values.append(value)
        if dice.chance(0.12):
            towards = -towards
        if dice.chance(0.45):
            value = min(topic.cap, max(0.25, value + towards * dice.pick((0.25, 0.25, 0.5, 0.75))))
    return values


def balance(dice: Dice, topic: Topic, rows: Rows, level: float, wide: bool) -> list[float]:
    """Return values around zero, no further than the cap; also for names; once in a while one of them slumps."""
    mean = dice.pick_by(((1.0, 0.45), (0.3, 0.35), (-0.5, 0.2)))
    noise, away, values = dice.between(0.2, 0.5), 0.0, []
    shock = dice.below(len(rows.names)) if dice.chance(0.4) else -1
    for number in range(len(rows.names)):
        away = (0.5 * away if rows.dates else 0.0) + dice.normal(noise)
        value = mean + away - (dice.between(1.2, 2.2) if number == shock else 0.0)
        values.append(math.copysign(_capped(topic, abs(level * value)), value))
    return values


def _warm(dice: Dice, rows: Rows, level: float) -> list[float]:
    if rows.pool in ("years", "fiscal"):
        return [level + 0.03 * time + dice.normal(0.5) for time in rows.times]
    if rows.pool == "days":
        start, swing = level + dice.normal(4), dice.between(0.8, 2.5)
        values = [start]
        for _ in rows.times[1:]:
            values.append(0.8 * values[-1] + 0.2 * start + dice.normal(swing))
        return values
    swing, peak = (dice.between(2.5, 6), 0.62) if rows.pool == "hours" else (dice.between(3, 13), 0.55)
    swing = min(swing, 30 - level) if level < 27 else 3.0
    return [level + swing * math.cos(_TURN * (phase - peak)) + dice.normal(0.6) for phase in rows.phases]


_MODELS = {
    "walk": _walk,
    "rate": _rate,
    "saturate": _saturate,
    "wave": _wave,
    "explode": _explode,
    "decay": _decay,
    "steps": _set_rate,
    "balance": balance,
}
