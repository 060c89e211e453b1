"""Our own renderer of pies and doughnuts."""

import itertools
import math

from datagen.charts.answer import written_on_slices
from datagen.charts.canvas import Canvas, DoesNotFitError
from datagen.charts.colours import contrast
from datagen.charts.compose import ChartData
from datagen.charts.frame import Entry, draw_frame
from datagen.charts.style import Style

#: The smallest radius that is drawn, in text sizes.
MIN_RADIUS = 4.0
#: Free room between the pie and the texts around it, in text sizes.
CLEARANCE = 0.6


def draw_pie(canvas: Canvas, data: ChartData, style: Style) -> None:
    """Draw the pie: names in a legend or at the slices, numbers in the slices where they fit, else around them.

    Raises:
        DoesNotFitError: some text has no room.
    """
    entries: list[Entry] = []
    if not style.slice_names:
        entries = [(name, style.colour(number), "bar") for number, name in enumerate(data.categories)]
    left, top, right, bottom = draw_frame(canvas, data, style, entries)
    values, font = data.series[0].known, style.font
    numbers = written_on_slices(data, style)
    inner = style.names_inside or _fits_inside(values, style, numbers)
    outside = [name if style.slice_names and not style.names_inside else "" for name in data.categories]
    if not inner:
        outside = [f"{name}: {number}" if name else number for name, number in zip(outside, numbers, strict=True)]
    around = font.size * 1.6 if any(outside) else 2.0
    side = max(font.width(text) for text in outside if text) + around if any(outside) else 0.0
    radius = min((right - left) / 2 - side, (bottom - top) / 2 - around)
    if radius < MIN_RADIUS * font.size:
        raise DoesNotFitError("plot too small")
    centre = (left + right) / 2, (top + bottom) / 2
    turns = [0.0, *itertools.accumulate(360 * value / sum(values) for value in values)]
    colours = [style.colour(number) for number in range(len(values))]
    canvas.slices(centre, radius, turns, colours=colours, edge=style.theme.paper, hole=style.hole)
    for index, (start, end) in enumerate(itertools.pairwise(turns)):
        angle = math.radians((start + end) / 2 - 90)
        dx, dy = math.cos(angle), math.sin(angle)
        if inner:
            _check_inside(style, radius, end - start, numbers[index])
            x, y = centre[0] + dx * radius * _ring(style), centre[1] + dy * radius * _ring(style)
            colour, line = contrast(colours[index]), font.size * 0.6 if style.names_inside else 0.0
            if style.names_inside:
                canvas.text((x, y - line), data.categories[index], font, colour)
            canvas.text((x, y + line), numbers[index], style.value_font, colour)
        if outside[index]:
            reach = radius + font.size * CLEARANCE
            place = centre[0] + dx * reach, centre[1] + dy * reach + font.cap / 2 * dy
            anchor = ("l" if dx > 0.25 else "r" if dx < -0.25 else "m") + "m"
            canvas.text(place, outside[index], font, style.theme.ink, anchor=anchor)


def _fits_inside(values: list[float], style: Style, numbers: list[str]) -> bool:
    """Whether all slices are likely to be wide enough for their numbers; the drawing makes sure."""
    widest = max(style.value_font.width(number) for number in numbers)
    radius = 0.3 * min(style.width, style.height)
    return min(values) / sum(values) * 2 * math.pi * _ring(style) * radius > widest


def _ring(style: Style) -> float:
    """Return how far from the middle numbers stand, as a share of the radius."""
    return (1 + style.hole) / 2 if style.hole else 0.62


def _check_inside(style: Style, radius: float, turn: float, text: str) -> None:
    """Raise `DoesNotFitError` if a number is wider than its slice, or higher than its ring."""
    room = radius * _ring(style) * math.sin(min(math.pi / 2, math.radians(turn) / 2))
    ring = radius * (1 - style.hole) / 2 if style.hole else radius * 0.38
    if style.value_font.width(text) / 2 > min(room, 1.5 * ring) or style.value_font.cap > 2 * ring:
        raise DoesNotFitError("slice too small for its number")
