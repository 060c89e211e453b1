"""The plot area: value axes, category labels, and where values and categories lie in pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from datagen.charts.canvas import Box, Canvas, DoesNotFitError, Font, Point
from datagen.charts.compose import ChartData, Series
from datagen.charts.numbers import Axis, NumberFormat, decimals_of, nice_axis
from datagen.charts.style import Style

#: Room above the highest value for its label, as a share of the values' range.
LABEL_ROOM = 0.09
#: Length of tick marks, and the gap between ticks and their texts.
TICK, GAP = 4, 8
#: The angle of slanted category labels, in degrees.
SLANT = 40
#: Category labels may take this share of the page.
MAX_LABELS = 0.35


@dataclass(frozen=True)
class Plot:
    """A plot area whose values run upwards, or to the right if it is horizontal."""

    box: Box
    count: int
    horizontal: bool

    @property
    def slot(self) -> float:
        """The room of one category along the category axis."""
        left, top, right, bottom = self.box
        return ((bottom - top) if self.horizontal else (right - left)) / self.count

    def centre(self, category: int) -> float:
        """Return the middle of a category along the category axis; the first is on the left, or at the top."""
        return (self.box[1] if self.horizontal else self.box[0]) + (category + 0.5) * self.slot

    def value(self, value: float, axis: Axis) -> float:
        """Return where a value lies along the value axis."""
        left, top, right, bottom = self.box
        share = axis.share(value)
        return left + share * (right - left) if self.horizontal else bottom - share * (bottom - top)

    def point(self, along: float, value: float, axis: Axis) -> Point:
        """Return the pixel of a place along the category axis and a value."""
        at = self.value(value, axis)
        return (at, along) if self.horizontal else (along, at)

    def bar(self, start: float, end: float, low: float, high: float, axis: Axis) -> Box:
        """Return the rectangle between two places along the category axis and two values."""
        (x1, y1), (x2, y2) = self.point(start, low, axis), self.point(end, high, axis)
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def value_axis(data: ChartData, series: Sequence[Series], style: Style, from_zero: bool) -> Axis:
    """Return the axis that holds the values of ``series``, with room for labels if they are drawn."""
    if data.kind == "stacked":
        totals = [sum(values) for values in zip(*(s.known for s in series), strict=True)]
        return (
            Axis(0, 100, 20 if style.ticks < 6 else 10)
            if data.percent
            else nice_axis(0, max(totals), style.ticks, True)
        )
    values = [value for s in series for value in s.known]
    low, high = min(values), max(values)
    room = LABEL_ROOM * (high - (min(low, 0.0) if from_zero else low)) * style.value_labels
    below = room if low < 0 or not from_zero else 0.0
    return nice_axis(low - below, high + room, style.ticks, from_zero)


def tick_texts(axis: Axis, series: Series, style: Style) -> list[str]:
    """Return the texts of an axis' ticks."""
    prefix, suffix = (series.topic.prefix, series.topic.suffix) if style.axis_units else ("", "")
    form = NumberFormat(decimals_of(axis.step), style.thousands, prefix, suffix)
    return [form.text(tick) for tick in axis.ticks]


@dataclass(frozen=True)
class CategoryLabels:
    """How category labels stand below a plot: lines of text for each, and their angle."""

    lines: tuple[tuple[str, ...], ...]
    angle: int
    height: float


def fit_labels(names: Sequence[str], slot: float, font: Font, page: int) -> CategoryLabels:
    """Return the plainest way in which category labels fit: level, in two lines, slanted, upright.

    Raises:
        DoesNotFitError: no way fits.
    """
    line = round(font.size * 1.25)
    flat = tuple((name,) for name in names)
    if max(font.width(name) for name in names) <= slot - 4:
        return CategoryLabels(flat, 0, line)
    split = tuple(_split(name) for name in names)
    if max(font.width(part) for parts in split for part in parts) <= slot - 4:
        return CategoryLabels(split, 0, 2 * line)
    longest = max(font.width(name) for name in names)
    turn = math.radians(SLANT)
    for angle, height, least in (
        (SLANT, longest * math.sin(turn) + font.cap * math.cos(turn), font.cap * 1.5 / math.sin(turn)),
        (90, longest, font.cap * 1.5),
    ):
        if slot >= least and height <= MAX_LABELS * page:
            return CategoryLabels(flat, angle, height + GAP)
    raise DoesNotFitError("category labels too long")


def _split(name: str) -> tuple[str, ...]:
    """Split a name at the space nearest to its middle."""
    spaces = [index for index, character in enumerate(name) if character == " "]
    if not spaces:
        return (name,)
    at = min(spaces, key=lambda index: abs(index - len(name) / 2))
    return name[:at], name[at + 1 :]


def draw_category_labels(canvas: Canvas, plot: Plot, labels: CategoryLabels, style: Style) -> None:
    """Draw category labels: below a vertical plot, or on the left of a horizontal one."""
    if plot.horizontal:
        for number, parts in enumerate(labels.lines):
            place = plot.box[0] - GAP, plot.centre(number)
            canvas.text(place, parts[0], style.font, style.theme.faint, anchor="rm")
        return
    line = round(style.font.size * 1.25)
    top = plot.box[3] + GAP
    for number, parts in enumerate(labels.lines):
        x = plot.centre(number)
        if labels.angle == 0:
            for row, part in enumerate(parts):
                canvas.text((x, top + row * line), part, style.font, style.theme.faint, anchor="mt")
        elif labels.angle == 90:
            canvas.text((x, top), parts[0], style.font, style.theme.faint, anchor="mt", angle=90)
        else:
            place = x + style.font.cap, top
            canvas.text(place, parts[0], style.font, style.theme.faint, anchor="rt", angle=labels.angle)


def draw_lattice(canvas: Canvas, plot: Plot, axis: Axis, style: Style) -> None:
    """Draw the plot's ground and grid."""
    left, top, right, bottom = plot.box
    if style.theme.plot != style.theme.paper:
        canvas.rectangle(plot.box, style.theme.plot)
    if style.grid == "none":
        return
    for tick in axis.ticks:
        at = plot.value(tick, axis)
        if plot.horizontal:
            canvas.rule((at, top), (at, bottom - 1), style.theme.grid)
        else:
            canvas.rule((left, at), (right - 1, at), style.theme.grid)
    if style.grid == "both":
        for number in range(plot.count):
            at = plot.centre(number)
            if plot.horizontal:
                canvas.rule((left, at), (right - 1, at), style.theme.grid)
            else:
                canvas.rule((at, top), (at, bottom - 1), style.theme.grid)


def draw_spines(canvas: Canvas, plot: Plot, axis: Axis, style: Style) -> None:
    """Draw the axis lines, and the line of zero where it is not one of them."""
    left, top, right, bottom = plot.box
    base, side = ((left, top), (left, bottom)), ((left, bottom), (right, bottom))
    if not plot.horizontal:
        base, side = side, base
    lines = {"box": [base, side, ((left, top), (right, top)), ((right, top), (right, bottom))], "corner": [base, side]}
    for start, end in lines.get(style.spines, [base] if style.spines == "base" and axis.low >= 0 else []):
        canvas.rule(start, end, style.theme.faint)
    if axis.low < 0 < axis.high:
        at = plot.value(0.0, axis)
        canvas.rule(*(((at, top), (at, bottom)) if plot.horizontal else ((left, at), (right, at))), style.theme.ink)


def draw_ticks(
    canvas: Canvas, plot: Plot, axis: Axis, texts: Sequence[str], style: Style, *, right: bool = False
) -> None:
    """Draw tick marks and texts of a value axis: on the left (or right) of a vertical plot, below a horizontal one."""
    box = plot.box
    marks = style.spines in ("box", "corner")
    for tick, text in zip(axis.ticks, texts, strict=bool(texts)):
        at = plot.value(tick, axis)
        if plot.horizontal:
            if marks:
                canvas.rule((at, box[3]), (at, box[3] + TICK), style.theme.faint)
            canvas.text((at, box[3] + GAP), text, style.font, style.theme.faint, anchor="mt")
        else:
            edge, sign = (box[2], 1) if right else (box[0], -1)
            if marks:
                # Inwards on the right, where a mark before a number would look like a minus sign.
                canvas.rule((edge, at), (edge - TICK, at), style.theme.faint)
            canvas.text((edge + sign * GAP, at), text, style.font, style.theme.faint, anchor="lm" if right else "rm")
