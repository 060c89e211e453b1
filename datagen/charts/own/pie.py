"""Pies and doughnuts: slices, their names and numbers inside, beside or in a legend."""

import itertools
import math

import numpy as np

from datagen.charts import reasons
from datagen.charts.data import ChartData
from datagen.charts.look import Look
from datagen.charts.own.frame import Room, wrap
from datagen.charts.own.page import VALUE, Page
from datagen.charts.own.shapes import disc, polygon, stroke, wedge
from datagen.charts.own.text import measure
from datagen.charts.palettes import contrast
from datagen.charts.plan import DoesNotFitError, Plan

#: The smallest radius that is drawn, in text sizes, and as a share of the page's smaller side.
MIN_RADIUS, MIN_SHARE = 4.0, 0.2
#: The thinnest slice, in degrees.
MIN_TURN = 2.5
#: How far a slice is moved outwards, as a share of the radius.
EXPLODED = 0.1


class Pie:
    """Where a pie is: middle, radius, and the angles (degrees clockwise from the top) between its slices."""

    __slots__ = ("edges", "leaders", "radius", "shifts", "x", "y")

    def __init__(
        self, x: float, y: float, radius: float, edges: list[float], shifts: list[tuple[float, float]]
    ) -> None:
        self.x, self.y, self.radius, self.edges, self.shifts = x, y, radius, edges, shifts
        self.leaders: list[list[tuple[float, float]]] = []

    def middle(self, index: int) -> tuple[float, float]:
        """Return the direction of a slice's middle."""
        turn = math.radians((self.edges[index] + self.edges[index + 1]) / 2 - 90)
        return math.cos(turn), math.sin(turn)


def lay_pie(page: Page, room: Room, data: ChartData, look: Look, plan: Plan) -> Pie:
    """Place the texts of a pie and return it.

    Raises:
        DoesNotFitError: a slice is too thin, or a text has no room.
    """
    values = data.series[0].known
    total = sum(values)
    if 360 * min(values) / total < MIN_TURN:
        raise DoesNotFitError(reasons.SLICES)
    sign = 1 if look.clockwise else -1
    edges = [look.start_angle + sign * turn for turn in (0.0, *itertools.accumulate(360 * v / total for v in values))]
    numbers = [text or "" for text in plan.written[0]]
    inside, outside = _texts(look, plan, numbers)
    face = look.bold if look.value_bold else look.font
    font = (look.font, look.size)
    wide, tall = room.right - room.left, room.bottom - room.top
    margin = look.size * 0.3
    side, above = margin, margin
    if any(outside):
        side = max(measure(*font, line) for lines in outside for line in lines) + look.size * 1.5
        above = look.size * (0.9 + 0.6 * max(len(lines) for lines in outside))
    radius = min(wide / 2 - side, tall / 2 - above)
    if look.explode >= 0:
        radius *= 1 - EXPLODED / 2
    if radius < max(MIN_RADIUS * look.size, MIN_SHARE * min(page.width, page.height)):
        raise DoesNotFitError(reasons.PLOT)
    pie = Pie((room.left + room.right) / 2, (room.top + room.bottom) / 2, radius, edges, [])
    for index in range(len(values)):
        dx, dy = pie.middle(index)
        far = EXPLODED * radius if index == look.explode else 0.0
        pie.shifts.append((dx * far, dy * far))
    ring = (1 + look.hole) / 2 if look.hole else 0.64
    for index, lines in enumerate(inside):
        if not lines:
            continue
        dx, dy = pie.middle(index)
        sx, sy = pie.shifts[index]
        x, y = pie.x + sx + dx * radius * ring, pie.y + sy + dy * radius * ring
        _inside(page, pie, index, (x, y), lines, look, (face, look.value_size), font)
    if any(outside):
        _outside(page, pie, outside, look, font)
    return pie


def _texts(look: Look, plan: Plan, numbers: list[str]) -> tuple[list[list[str]], list[list[str]]]:
    """Return the lines inside and outside each slice."""
    inside: list[list[str]] = []
    outside: list[list[str]] = []
    for name, number in zip(plan.categories, numbers, strict=True):
        within: list[str] = []
        beside: list[str] = []
        (within if look.slice_place == "inside" else beside).append(number)
        if look.slice_names == "inside":
            within.insert(0, name)
        elif look.slice_names == "outside":
            lines = wrap(name, (look.font, look.size), 0.22 * look.width, 3) or [name]
            if beside and len(lines) == 1 and look.slice_texts != "both":
                both = f"{name} {number}"
                beside = [both] if measure(look.font, look.size, both) < 0.2 * look.width else [name, number]
            else:
                beside = [*lines, *beside]
        inside.append(within)
        outside.append(beside)
    return inside, outside


def _inside(
    page: Page, pie: Pie, index: int, place: tuple[float, float], lines: list[str], look: Look,
    value_font: tuple[str, int], name_font: tuple[str, int],
) -> None:  # fmt: skip
    """Place the lines of a slice around ``place``; the last one is the number if there is one inside."""
    colour = contrast(look.palette[index])
    fonts = [name_font] * len(lines)
    if look.slice_place == "inside":
        fonts[-1] = value_font
    step = look.size * 1.2
    x, y = place
    for number, (line, font) in enumerate(zip(lines, fonts, strict=True)):
        middle = y + (number - (len(lines) - 1) / 2) * step
        box = page.level(x, middle, line, font, colour, 0.5, "m", VALUE, on_paper=False)
        if not _holds(pie, index, box, look.hole):
            raise DoesNotFitError(reasons.NO_ROOM)


def _holds(pie: Pie, index: int, box: tuple[int, int, int, int], hole: float) -> bool:
    """Whether a slice holds a text's box (its corners, but for two pixels)."""
    start, end = sorted(pie.edges[index : index + 2])
    sx, sy = pie.shifts[index]
    for x in (box[0] + 1, box[2] - 1):
        for y in (box[1] + 1, box[3] - 1):
            dx, dy = x - pie.x - sx, y - pie.y - sy
            far = math.hypot(dx, dy)
            if far > pie.radius - 1 or far < hole * pie.radius + 1:
                return False
            turn = (math.degrees(math.atan2(dy, dx)) + 90 - start) % 360
            if turn > end - start:
                return False
    return True


def _outside(page: Page, pie: Pie, texts: list[list[str]], look: Look, font: tuple[str, int]) -> None:
    """Place lines beside the slices, apart from each other, with a line to the slice where they had to move."""
    step, far = look.size * 1.2, pie.radius + look.size * 0.8
    for side in (1, -1):
        # Each spot is [middle, half height, slice], from top to bottom.
        spots: list[tuple[float, float, int]] = []
        for index, lines in enumerate(texts):
            dx, dy = pie.middle(index)
            if lines and (dx >= 0) == (side > 0):
                spots.append((pie.y + pie.shifts[index][1] + dy * far, len(lines) * step / 2, index))
        spots.sort()
        for middle, (wanted, half, index) in zip(_apart(spots, page.height - 4), spots, strict=True):
            dx, dy = pie.middle(index)
            sx, sy = pie.shifts[index]
            # The text begins where its line nearest to the pie's middle is clear of the pie.
            near = min(max(pie.y + sy, middle - half), middle + half) - pie.y - sy
            clear = math.sqrt(max(0.0, (pie.radius + look.size * 0.4) ** 2 - near**2))
            x = pie.x + sx + side * (max(clear, abs(dx) * (pie.radius + look.size * 0.5)) + look.size * 0.5)
            if abs(middle - wanted) > 3 or look.value_boxes:
                knee = pie.radius + look.size * 0.35
                starts = [(pie.x + sx + dx * out, pie.y + sy + dy * out) for out in (pie.radius, knee)]
                pie.leaders.append([*starts, (x - 4 * side, middle)])
            for number, line in enumerate(texts[index]):
                y = middle + (number - (len(texts[index]) - 1) / 2) * step
                page.level(x, y, line, font, look.theme.ink, 0.0 if side > 0 else 1.0, "m", VALUE)


def _apart(spots: list[tuple[float, float, int]], bottom: float) -> list[float]:
    """Return the middles of texts, pushed down until they do not touch, then up again from the page's ``bottom``."""
    middles = [middle for middle, _, _ in spots]
    for index in range(1, len(spots)):
        middles[index] = max(middles[index], middles[index - 1] + spots[index - 1][1] + spots[index][1] + 2)
    if spots and middles[-1] + spots[-1][1] > bottom:
        middles[-1] = bottom - spots[-1][1]
        for index in range(len(spots) - 2, -1, -1):
            middles[index] = min(middles[index], middles[index + 1] - spots[index + 1][1] - spots[index][1] - 2)
    return middles


def paint_pie(canvas: np.ndarray, pie: Pie, look: Look) -> None:
    """Draw the slices."""
    paper = look.theme.paper
    count = len(pie.edges) - 1
    if look.explode >= 0:
        for index in range(count):
            sx, sy = pie.shifts[index]
            outline = wedge(pie.x + sx, pie.y + sy, pie.radius, *pie.edges[index : index + 2])
            polygon(canvas, outline, look.palette[index])
    else:
        # Each slice reaches a little under the next one: no page shows through the joints.
        over = math.copysign(min(1.0, 100 / pie.radius), pie.edges[1] - pie.edges[0])
        for index in range(count):
            start, end = pie.edges[index : index + 2]
            further = over if index < count - 1 else 0.0
            polygon(canvas, wedge(pie.x, pie.y, pie.radius, start, end + further), look.palette[index])
    if look.slice_edge and count > 1:
        for index in range(count):
            sx, sy = pie.shifts[index]
            for edge in pie.edges[index : index + 2]:
                turn = math.radians(edge - 90)
                rim = (pie.x + sx + pie.radius * math.cos(turn), pie.y + sy + pie.radius * math.sin(turn))
                stroke(canvas, ((pie.x + sx, pie.y + sy), rim), paper, look.slice_edge)
    if look.hole:
        disc(canvas, pie.x, pie.y, pie.radius * look.hole, paper)
    for leader in pie.leaders:
        stroke(canvas, leader, look.theme.faint, 1)
