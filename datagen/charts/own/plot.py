"""The plot area: where values and categories lie, tick texts, category names and axis titles around it, its ground."""

import itertools
import math
from typing import NamedTuple

import numpy as np

from datagen.charts import reasons
from datagen.charts.axis import Axis
from datagen.charts.look import Look
from datagen.charts.own.frame import Room, wrap
from datagen.charts.own.page import CATEGORY, TICK, TITLE, Page
from datagen.charts.own.shapes import rectangle, rule
from datagen.charts.own.text import cap, measure
from datagen.charts.plan import DoesNotFitError, Plan

#: The plot keeps at least this share of the page's width and height.
MIN_PLOT = 0.36
#: Category names may take this share of the page.
MAX_NAMES = 0.36
TICK_LENGTH = 4
#: Room of an axis' title in text sizes.
TITLE_ROOM = 1.5
#: Turned names need so many heights of a capital between each other.
PITCH = 1.55


class Plot:
    """A plot area whose values run upwards, or to the right if it is horizontal."""

    __slots__ = ("bottom", "count", "edge", "horizontal", "left", "right", "slot", "top")

    def __init__(self, box: tuple[float, float, float, float], count: int, horizontal: bool, edge: bool) -> None:
        self.left, self.top, self.right, self.bottom = (round(side) for side in box)
        self.count, self.horizontal, self.edge = count, horizontal, edge and count > 1
        length = self.bottom - self.top if horizontal else self.right - self.left
        self.slot = length / (count - 1 if self.edge else count)

    def centre(self, category: int) -> float:
        """Return the middle of a category along its axis; the first is on the left, or at the top."""
        return (self.top if self.horizontal else self.left) + (category + (0.0 if self.edge else 0.5)) * self.slot

    def at(self, value: float, axis: Axis) -> float:
        """Return where a value lies along the value axis."""
        share = axis.share(value)
        if self.horizontal:
            return self.left + share * (self.right - self.left)
        return self.bottom - share * (self.bottom - self.top)


def lay_plot(page: Page, room: Room, look: Look, plan: Plan, count: int) -> Plot:
    """Place tick texts, category names and axis titles in the room, and return the plot they leave.

    Raises:
        DoesNotFitError: category names are too long, or the plot becomes too small.
    """
    return (_horizontal if look.horizontal else _vertical)(page, room, look, plan, count)


class _Side(NamedTuple):
    """A value axis of a vertical plot: at its left (0) or right (1) side, with the ticks' texts that are drawn."""

    axis: Axis
    across: int
    texts: tuple[str, ...]


def _vertical(page: Page, room: Room, look: Look, plan: Plan, count: int) -> Plot:
    size, font, value = look.size, (look.font, look.size), plan.value
    assert value is not None
    gap = aside = 4 + (TICK_LENGTH if look.tick_marks == "out" else 0)
    shown = look.value_axis
    swap = look.value_side == "right" and plan.second is None
    sides = [_Side(value, 1 if swap else 0, value.texts if shown else ())]
    if plan.second is not None:
        sides.append(_Side(plan.second, 1, plan.second.texts if shown else ()))
    outer = (room.left, room.right, room.bottom)
    _take_sides(page, room, look, sides, aside)
    if look.edge_points and plan.x is None:
        # The first name stands below the left edge, the last one below the right edge.
        room.left += max(0.0, measure(*font, plan.categories[0]) / 2 - (room.left - outer[0]))
        room.right -= max(0.0, measure(*font, plan.categories[-1]) / 2 - (outer[1] - room.right))
    if plan.x is not None or look.edge_points:
        # The lowest tick's text and the first one below the axis would touch in the corner.
        gap += cap(*font) // 2 + 1
    if plan.x_title:
        room.bottom -= size * TITLE_ROOM
    if plan.x is not None:
        room.bottom -= size + gap
        # The outermost texts stand half outside the plot.
        room.left = max(room.left, measure(*font, plan.x.texts[0]) / 2 + 2)
        room.right = min(room.right, page.width - measure(*font, plan.x.texts[-1]) / 2 - 2)
        plot = _plot(room, page, 1, False, False)
        for tick, text in zip(plan.x.ticks, plan.x.texts, strict=True):
            x = plot.left + plan.x.share(tick) * (plot.right - plot.left)
            page.level(x, plot.bottom + gap, text, font, look.theme.faint, 0.5, "t", TICK)
    else:
        slots = count - 1 if look.edge_points and count > 1 else count
        plot = _names(page, room, look, plan, ((room.right - room.left) / slots, gap))
    for axis, across, texts in sides:
        x = plot.right + aside if across else plot.left - aside
        for tick, text in zip(axis.ticks if texts else (), texts, strict=True):
            page.level(x, plot.at(tick, axis), text, font, look.theme.faint, 1 - across, "m", TICK)
        if axis.title and look.value_title != "top":
            # A title longer than the plot may use the whole page.
            reach = measure(*font, axis.title) / 2 + 3
            middle = min(max((plot.top + plot.bottom) / 2, reach), page.height - reach)
            page.turned(outer[across], middle, axis.title, font, look.theme.ink, 90, TITLE, across)
    _title_below(page, plot, plan.x_title, look, outer[2])
    return plot


def _take_sides(page: Page, room: Room, look: Look, sides: list[_Side], aside: int) -> None:
    """Take the room of tick texts and titles of value axes; place titles that stand above their axes."""
    size, font = look.size, (look.font, look.size)
    outer = (room.left, room.right)
    above = look.value_title == "top"
    for axis, across, texts in sides:
        wide = max([measure(*font, text) for text in texts], default=0)
        taken = (wide + aside if wide else 0) + (size * TITLE_ROOM if axis.title and not above else 0)
        if across:
            room.right -= taken
        else:
            room.left += taken
    titles = [(axis.title, across) for axis, across, _ in sides if axis.title]
    if not (above and titles):
        room.top += cap(*font) * 0.8
        return
    if sum(measure(*font, title) for title, _ in titles) + size > outer[1] - outer[0]:
        raise DoesNotFitError(reasons.TITLE)
    for title, across in titles:
        page.level(outer[across], room.top, title, font, look.theme.faint, across, "t", TITLE)
    room.top += size * 1.75


def _title_below(page: Page, plot: Plot, title: str, look: Look, bottom: float) -> None:
    """Place an axis' title in the middle below the plot; a long one may use the whole page."""
    if title:
        reach = measure(look.font, look.size, title) / 2 + 3
        centre = min(max((plot.left + plot.right) / 2, reach), page.width - reach)
        font = (look.font, look.size)
        page.level(centre, bottom - look.size * 0.3, title, font, look.theme.ink, 0.5, "b", TITLE)


def _level_names(
    names: tuple[str, ...], widths: list[int], font: tuple[str, int], room: float
) -> list[list[str]] | None:
    """Return the lines of each category name that stands level, whole or wrapped; None if they have no room."""
    if max(widths) <= room:
        return [[name] for name in names]
    # Words that break anywhere (Chinese, Japanese, Korean) are not torn into lines of two or three characters.
    anywhere = any(ord(name[0]) > 0x2E00 and " " not in name for name in names if name)
    if font[1] * (4.5 if anywhere else 2.5) >= room + 4:
        return None
    narrow = room
    if len({name.count(" ") for name in names}) == 1:
        narrow = min(room, min(widths) - 1)  # names of one form ("Q1 2024") all break, or none
    wrapped = [wrap(name, font, narrow, 3) or wrap(name, font, room, 3) for name in names]
    found = [lines for lines in wrapped if lines is not None]
    return found if len(found) == len(names) else None


def _names(page: Page, room: Room, look: Look, plan: Plan, space: tuple[float, float]) -> Plot:
    """Place category names below the plot, as plainly as they fit: level, wrapped, or turned."""
    slot, gap = space
    size, font, names = look.size, (look.font, look.size), plan.categories
    count, tall = len(names), cap(look.font, look.size)
    colour = look.theme.faint
    widths = [measure(*font, name) for name in names]
    longest = max(widths)
    if look.category_angle == 0:
        lines = _level_names(names, widths, font, slot - 4)
        if lines is not None:
            step = round(size * 1.2)
            room.bottom -= gap + tall + step * (max(len(parts) for parts in lines) - 1) + size * 0.45
            plot = _plot(room, page, count, False, look.edge_points)
            for number, parts in enumerate(lines):
                x = plot.centre(number)
                for row, part in enumerate(parts):
                    page.level(x, plot.bottom + gap + row * step, part, font, colour, 0.5, "t", CATEGORY)
            return plot
    first = room.left + (0 if look.edge_points else slot / 2)
    for angle in (30, 45, 60, 90):
        if angle < look.category_angle or (angle in (30, 60) and look.category_angle != angle):
            continue
        turn = math.radians(angle)
        height = longest * math.sin(turn) + tall * math.cos(turn)
        reach = max(width * math.cos(turn) - first - number * slot for number, width in enumerate(widths))
        if slot < tall * PITCH / math.sin(turn) or height > MAX_NAMES * page.height or (angle < 90 and reach > -3):
            continue
        room.bottom -= gap + height + size * 0.4
        plot = _plot(room, page, count, False, look.edge_points)
        for number, name in enumerate(names):
            x, y = plot.centre(number), plot.bottom + gap
            if angle == 90:
                page.turned(x, y, name, font, colour, 90, CATEGORY, 0.5, 0.0)
            else:
                page.turned(x + tall * 0.7, y - 1, name, font, colour, angle, CATEGORY, 1.0, 0.0)
        return plot
    raise DoesNotFitError(reasons.CATEGORIES)


def _horizontal(page: Page, room: Room, look: Look, plan: Plan, count: int) -> Plot:
    size, font, value = look.size, (look.font, look.size), plan.value
    assert value is not None
    gap = 4 + (TICK_LENGTH if look.tick_marks == "out" else 0)
    outer_left, outer_bottom = room.left, room.bottom
    if plan.x_title:
        room.left += size * TITLE_ROOM
    texts = value.texts if look.value_axis else ()
    names: list[list[str]] = []
    for name in plan.categories:
        parts = wrap(name, font, MAX_NAMES * page.width, 2)
        if parts is None:
            raise DoesNotFitError(reasons.CATEGORIES)
        names.append(parts)
    room.left += max(measure(*font, part) for parts in names for part in parts) + gap + 2
    if value.title:
        room.bottom -= size * TITLE_ROOM
    if texts:
        room.bottom -= size + gap
        room.right -= max(2.0, measure(*font, texts[-1]) / 2)
    plot = _plot(room, page, count, True, False)
    step = size * 1.15
    if plot.slot < cap(*font) * 1.5 or any(len(parts) * step > plot.slot for parts in names if len(parts) > 1):
        raise DoesNotFitError(reasons.CATEGORIES)
    for number, parts in enumerate(names):
        y = plot.centre(number) - (len(parts) - 1) * step / 2
        for row, part in enumerate(parts):
            page.level(plot.left - gap - 1, y + row * step, part, font, look.theme.faint, 1.0, "m", CATEGORY)
    for tick, text in zip(value.ticks if texts else (), texts, strict=True):
        page.level(plot.at(tick, value), plot.bottom + gap, text, font, look.theme.faint, 0.5, "t", TICK)
    _title_below(page, plot, value.title, look, outer_bottom)
    if plan.x_title:
        page.turned(outer_left, (plot.top + plot.bottom) / 2, plan.x_title, font, look.theme.ink, 90, TITLE, 0.0)
    return plot


def _plot(room: Room, page: Page, count: int, horizontal: bool, edge: bool) -> Plot:
    if room.right - room.left < MIN_PLOT * page.width or room.bottom - room.top < MIN_PLOT * page.height:
        raise DoesNotFitError(reasons.PLOT)
    return Plot((room.left, room.top, room.right, room.bottom), count, horizontal, edge)


def paint_ground(canvas: np.ndarray, plot: Plot, look: Look, plan: Plan) -> None:
    """Draw the plot's ground, bands and grid."""
    theme, value = look.theme, plan.value
    assert value is not None
    left, top, right, bottom = plot.left, plot.top, plot.right, plot.bottom
    if theme.plot != theme.paper:
        rectangle(canvas, left, top, right, bottom, theme.plot)
    places = [round(plot.at(tick, value)) for tick in value.ticks]
    if look.bands:
        for one, other in list(itertools.pairwise(places))[::2]:
            box = (one, top, other, bottom) if plot.horizontal else (left, other, right, one)
            rectangle(canvas, *box, theme.band)
    if look.grid in ("values", "both"):
        _paint_grid(canvas, plot, look, places, upright=plot.horizontal)
    if look.grid in ("categories", "both"):
        if plan.x is not None:
            places = [round(plot.left + plan.x.share(tick) * (plot.right - plot.left)) for tick in plan.x.ticks]
        else:
            places = [round(plot.centre(number)) for number in range(plot.count)]
        _paint_grid(canvas, plot, look, places, upright=not plot.horizontal)


def _paint_grid(canvas: np.ndarray, plot: Plot, look: Look, places: list[int], *, upright: bool) -> None:
    colour, dash = look.theme.grid, look.grid_dash
    for at in places:
        if upright:
            rule(canvas, at, plot.top, at, plot.bottom - 1, colour, dash)
        else:
            rule(canvas, plot.left, at, plot.right - 1, at, colour, dash)


def paint_axes(canvas: np.ndarray, plot: Plot, look: Look, plan: Plan) -> None:
    """Draw axis lines, tick marks, and the line of zero where it is not one of them."""
    theme, value = look.theme, plan.value
    assert value is not None
    left, top, right, bottom = plot.left, plot.top, plot.right, plot.bottom
    upright, level = ((left, top, left, bottom), (left, bottom, right, bottom))
    if look.value_side == "right" and plan.second is None and not plot.horizontal:
        upright = (right, top, right, bottom)
    base, other = (upright, level) if plot.horizontal else (level, upright)
    lines = {"box": [base, other, (left, top, right, top), (right, top, right, bottom), (left, top, left, bottom)]}
    shown = lines.get(
        look.spines, [base, other] if look.spines == "corner" else [base] if look.spines == "base" else []
    )
    if look.spines == "base" and value.low < 0 < value.high and not value.log:
        shown = []
    if look.spines == "corner" and plan.second is not None:
        shown = [*shown, (right, top, right, bottom)]
    for line in shown:
        rule(canvas, *line, theme.axis)
    if value.low < 0 < value.high and not value.log and plan.x is None:
        at = round(plot.at(0.0, value))
        rule(canvas, *((at, top, at, bottom) if plot.horizontal else (left, at, right, at)), theme.axis)
    if look.tick_marks != "none" and look.value_axis:
        _paint_marks(canvas, plot, look, plan)


def _paint_marks(canvas: np.ndarray, plot: Plot, look: Look, plan: Plan) -> None:
    value, colour = plan.value, look.theme.axis
    assert value is not None
    length = TICK_LENGTH if look.tick_marks == "out" else -TICK_LENGTH
    for tick in value.ticks:
        at = round(plot.at(tick, value))
        if plot.horizontal:
            rule(canvas, at, plot.bottom, at, plot.bottom + length, colour)
        elif look.value_side == "right" and plan.second is None:
            rule(canvas, plot.right - TICK_LENGTH, at, plot.right, at, colour)
        else:
            rule(canvas, plot.left - length, at, plot.left, at, colour)
    if plan.second is not None:
        # Inwards on the right, where a mark before a number would look like a minus sign.
        for tick in plan.second.ticks:
            at = round(plot.at(tick, plan.second))
            rule(canvas, plot.right - TICK_LENGTH, at, plot.right, at, colour)
    if plan.x is not None:
        for tick in plan.x.ticks:
            at = round(plot.left + plan.x.share(tick) * (plot.right - plot.left))
            rule(canvas, at, plot.bottom, at, plot.bottom + length, colour)
    elif look.spines in ("box", "corner"):
        for number in range(plot.count):
            at = round(plot.centre(number))
            if plot.horizontal:
                rule(canvas, plot.left - length, at, plot.left, at, colour)
            else:
                rule(canvas, at, plot.bottom, at, plot.bottom + length, colour)
