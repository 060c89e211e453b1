"""Bars: side by side, on each other, or on each other to 100 %, standing or lying, with their values and error bars."""

from typing import NamedTuple

import cv2
import numpy as np

from datagen.charts import reasons
from datagen.charts.axis import Axis
from datagen.charts.data import ChartData, Series
from datagen.charts.look import Look
from datagen.charts.own.page import VALUE, Page
from datagen.charts.own.plot import Plot
from datagen.charts.own.shapes import disc, hatch, outline, rectangle
from datagen.charts.own.text import cap, measure
from datagen.charts.palettes import Colour, contrast, mix
from datagen.charts.plan import DoesNotFitError, Plan

#: The thinnest bar that is drawn, in pixels.
MIN_BAR = 3
#: Free pixels between a bar's end and its value.
LABEL_GAP = 4


class Bar(NamedTuple):
    """A bar's rectangle, which series and category it is, its value, whether it points down (or left)."""

    left: int
    top: int
    right: int
    bottom: int
    series: int
    category: int
    value: float
    down: bool


def lay_bars(plot: Plot, data: ChartData, look: Look, axis: Axis) -> list[Bar]:
    """Return the bars of all series of bars, in drawing order.

    Raises:
        DoesNotFitError: bars would be too thin.
    """
    numbers = [number for number, series in enumerate(data.series) if series.mark == "bar"]
    side_by_side = data.stacking == "none"
    count = len(numbers) if side_by_side else 1
    room = plot.slot * look.bar_share
    pitch = room / (count + (count - 1) * look.bar_gap)
    step = pitch * (1 + look.bar_gap)
    if pitch < MIN_BAR:
        raise DoesNotFitError(reasons.BARS)
    totals: list[float] = []
    if data.stacking == "percent":
        totals = [sum(v or 0.0 for v in column) for column in zip(*(s.values for s in data.series), strict=True)]
    bars = []
    rise, fall = [0.0] * plot.count, [0.0] * plot.count
    base = axis.base if not axis.log else axis.low
    for place, number in enumerate(numbers):
        offset = -room / 2 + (place * step if side_by_side else 0.0)
        for category, value in enumerate(data.series[number].values):
            if value is None:
                continue
            low, high = base, value
            if not side_by_side:
                part = 100 * value / totals[category] if totals else value
                stack = fall if part < 0 else rise
                low, high = stack[category], stack[category] + part
                stack[category] = high
            start = round(plot.centre(category) + offset)
            end = max(start + 2, round(plot.centre(category) + offset + pitch))
            one, two = round(plot.at(low, axis)), round(plot.at(high, axis))
            near, far = (one, two) if one < two else (two, one)
            if plot.horizontal:
                bars.append(Bar(near, start, far, end, number, category, value, value < 0))
            else:
                bars.append(Bar(start, near, end, far, number, category, value, value < 0))
    return bars


def bar_colour(bar: Bar, look: Look) -> Colour:
    """Return the fill of a bar."""
    return look.point_colours[bar.category] if look.point_colours else look.palette[bar.series]


def paint_bars(canvas: np.ndarray, bars: list[Bar], plot: Plot, look: Look, stacked: bool) -> None:
    """Draw bars."""
    for bar in bars:
        left, top, right, bottom, series, *_ = bar
        colour = look.point_colours[bar.category] if look.point_colours else look.palette[series]
        if look.rounded and not stacked:
            _rounded(canvas, bar, plot, colour, look.rounded)
        else:
            rectangle(canvas, left, top, right, bottom, colour)
        if look.gradient:
            _shade(canvas[top:bottom, left:right], look.gradient, plot.horizontal)
        if look.hatches and look.hatches[series]:
            hatch(canvas, (left, top, right, bottom), look.hatches[series], look.size, contrast(colour))
        if look.outline is not None and not (look.rounded and not stacked):
            outline(canvas, left, top, right, bottom, look.outline)


def _rounded(canvas: np.ndarray, bar: Bar, plot: Plot, colour: Colour, radius: int) -> None:
    """Draw a bar whose two outer corners are round."""
    left, top, right, bottom = bar[:4]
    across, along = (bottom - top, right - left) if plot.horizontal else (right - left, bottom - top)
    r = min(radius, across // 2, along)
    if r < 2:
        rectangle(canvas, left, top, right, bottom, colour)
        return
    if plot.horizontal:
        end, inner = (left, left + r) if bar.down else (right, right - r)
        rectangle(
            canvas,
            min(inner, right if bar.down else left),
            top,
            max(inner, right if bar.down else left),
            bottom,
            colour,
        )
        rectangle(canvas, min(end, inner), top + r, max(end, inner), bottom - r, colour)
        disc(canvas, inner, top + r, r, colour)
        disc(canvas, inner, bottom - r, r, colour)
        return
    end, inner = (bottom, bottom - r) if bar.down else (top, top + r)
    rectangle(
        canvas, left, min(inner, top if bar.down else bottom), right, max(inner, top if bar.down else bottom), colour
    )
    rectangle(canvas, left + r, min(end, inner), right - r, max(end, inner), colour)
    disc(canvas, left + r, inner, r, colour)
    disc(canvas, right - r, inner, r, colour)


def _shade(region: np.ndarray, strength: float, horizontal: bool) -> None:
    """Make a bar lighter along its middle and darker at its sides, as shaded bars of office programs are."""
    if not region.size:
        return
    across = np.linspace(-1, 1, region.shape[0 if horizontal else 1], dtype=np.float32)
    gain = (1 + strength * (0.35 - across * across))[:, None]
    gain = gain[:, None] if horizontal else gain[None]
    region[:] = np.clip(region * gain, 0, 255)


def label_bars(
    page: Page, plot: Plot, bars: list[Bar], data: ChartData, look: Look, plan: Plan, axis: Axis
) -> None:  # fmt: skip
    """Place the written values of bars.

    Raises:
        DoesNotFitError: a segment is too small for its value, or bars are too narrow for theirs.
    """
    face = look.bold if look.value_bold else look.font
    font, tall = (face, look.value_size), cap(face, look.value_size)
    stacked = data.stacking != "none"
    place = "centre" if stacked and look.value_place == "outside" else look.value_place
    texts = [plan.written[bar.series][bar.category] or "" for bar in bars]
    upright = False
    if not plot.horizontal and place == "outside" and bars:
        widest = max(measure(*font, text) for text in texts)
        free = plot.slot if len({bar.series for bar in bars}) == 1 else bars[0].right - bars[0].left
        upright = widest + 3 > free
        if upright and tall + 3 > free:
            raise DoesNotFitError(reasons.VALUES)
    for bar, text in zip(bars, texts, strict=True):
        if not text:
            continue
        wide = measure(*font, text)
        fits = wide + 6 <= bar.right - bar.left and tall + 4 <= bar.bottom - bar.top
        if stacked and not fits:
            raise DoesNotFitError(reasons.NO_ROOM)
        if place != "outside" and fits:
            x, y = (bar.left + bar.right) / 2, (bar.top + bar.bottom) / 2
            if place == "inside" and plot.horizontal:
                x = bar.left + 5 + wide / 2 if bar.down else bar.right - 5 - wide / 2
            elif place == "inside":
                y = bar.bottom - 4 - tall / 2 if bar.down else bar.top + 4 + tall / 2
            fill = bar_colour(bar, look)
            halo = fill if look.hatches or look.gradient else None
            page.level(x, y, text, font, contrast(fill), 0.5, "m", VALUE, on_paper=False, halo=halo)
            continue
        reach = _error(data.series[bar.series], bar.category)
        end = plot.at(bar.value + (-reach if bar.down else reach), axis)
        _label_outside(page, plot, bar, (text, font), look, end, upright)


def _label_outside(
    page: Page, plot: Plot, bar: Bar, text: tuple[str, tuple[str, int]], look: Look, end: float, upright: bool
) -> None:
    """Place a value beyond a bar's ``end`` (its error bar's, if it has one)."""
    words, font = text
    colour, gap = look.theme.ink, LABEL_GAP if bar.down != plot.horizontal else -LABEL_GAP
    if plot.horizontal:
        at = end - LABEL_GAP - 1 if bar.down else end + LABEL_GAP + 1
        y = (bar.top + bar.bottom) / 2
        page.level(at, y, words, font, colour, 1.0 if bar.down else 0.0, "m", VALUE, on_paper=False)
        return
    x = (bar.left + bar.right) / 2
    if upright:
        page.turned(x, end + gap, words, font, colour, 90, VALUE, 0.5, 0.0 if bar.down else 1.0, on_paper=False)
    else:
        page.level(x, end + gap, words, font, colour, 0.5, "t" if bar.down else "b", VALUE, on_paper=False)


def _error(series: Series, category: int) -> float:
    return series.errors[category] if series.errors else 0.0


def paint_errors(
    canvas: np.ndarray, plot: Plot, points: list[tuple[float, float, float]], axis: Axis, look: Look, colour: Colour
) -> None:
    """Draw error bars at (place along the category axis, value, half length)."""
    cap_half = round(look.error_cap)
    for along, value, error in points:
        at = round(along - 0.5)
        one, two = (
            round(plot.at(max(value - error, axis.low), axis)),
            round(plot.at(min(value + error, axis.high), axis)),
        )
        low, high = min(one, two), max(one, two)
        if plot.horizontal:
            cv2.line(canvas, (low, at), (high, at), colour, 1)
            for end in (low, high):
                cv2.line(canvas, (end, at - cap_half), (end, at + cap_half), colour, 1)
        else:
            cv2.line(canvas, (at, low), (at, high), colour, 1)
            for end in (low, high):
                cv2.line(canvas, (at - cap_half, end), (at + cap_half, end), colour, 1)


def error_colour(look: Look) -> Colour:
    """Return the colour of error bars: the text's, a little softened."""
    return mix(look.theme.ink, look.theme.plot, 0.15)
