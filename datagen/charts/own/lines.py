"""Lines, steps and areas with markers, gaps at missing points, written values, and names at their ends."""

import itertools
from typing import NamedTuple

import numpy as np

from datagen.charts import reasons
from datagen.charts.axis import Axis
from datagen.charts.data import ChartData
from datagen.charts.look import Look
from datagen.charts.own.page import LEGEND, MARK, VALUE, Page
from datagen.charts.own.plot import Plot
from datagen.charts.own.shapes import curve, marker, sheer_polygon, stroke
from datagen.charts.own.text import cap, measure
from datagen.charts.palettes import mix
from datagen.charts.plan import DoesNotFitError, Plan

#: Two lines that are nowhere further apart than this cannot be told apart, in pixels.
MIN_APART = 2.5

Place = tuple[float, float]


class Course(NamedTuple):
    """Where a series runs: its known points, in runs between gaps; the lower edge of a stacked area for each run."""

    series: int
    axis: Axis
    runs: list[list[Place]]
    places: list[Place | None]
    floors: list[list[Place]]


def lay_lines(plot: Plot, data: ChartData, plan: Plan) -> list[Course]:
    """Return the courses of lines, steps and areas.

    Raises:
        DoesNotFitError: two of them coincide.
    """
    courses: list[Course] = []
    stack = [0.0] * plot.count
    totals: list[float] = []
    if data.stacking == "percent":
        totals = [sum(v or 0.0 for v in column) for column in zip(*(s.values for s in data.series), strict=True)]
    along = [plot.centre(number) for number in range(plot.count)]
    for number, series in enumerate(data.series):
        if series.mark not in ("line", "step", "area"):
            continue
        axis = plan.axis(series)
        assert axis is not None
        values = series.values
        low = [plot.at(axis.base if not axis.log else axis.low, axis)] * plot.count
        if series.mark == "area" and data.stacking != "none":
            low = [plot.at(level, axis) for level in stack]
            parts = [100 * (v or 0.0) / t for v, t in zip(values, totals, strict=True)] if totals else values
            stack = [level + (part or 0.0) for level, part in zip(stack, parts, strict=True)]
            values = tuple(stack)
        places: list[Place | None] = []
        runs: list[list[Place]] = [[]]
        floors: list[list[Place]] = [[]]
        for x, value, floor in zip(along, values, low, strict=True):
            if value is None:
                places.append(None)
                if runs[-1]:
                    runs.append([])
                    floors.append([])
                continue
            place = (x, plot.at(value, axis))
            places.append(place)
            runs[-1].append(place)
            floors[-1].append((x, floor))
        courses.append(Course(number, axis, [run for run in runs if run], places, [run for run in floors if run]))
    _check_apart(courses)
    return courses


def _check_apart(courses: list[Course]) -> None:
    for index, one in enumerate(courses):
        for other in courses[:index]:
            pairs = [(a, b) for a, b in zip(one.places, other.places, strict=True) if a is not None and b is not None]
            if pairs and max([abs(a[1] - b[1]) for a, b in pairs]) < MIN_APART:
                raise DoesNotFitError(reasons.LINES)


def _steps(run: list[Place]) -> list[Place]:
    """Return the corners of a run of steps: each value holds until half way to the next."""
    corners = [run[0]]
    for (x1, y1), (x2, y2) in itertools.pairwise(run):
        middle = (x1 + x2) / 2
        corners += [(middle, y1), (middle, y2)]
    corners.append(run[-1])
    if len(run) == 1:
        return run
    return corners


def paint_lines(canvas: np.ndarray, courses: list[Course], data: ChartData, look: Look) -> None:
    """Draw areas, then lines, then markers."""
    shaped: list[tuple[Course, list[np.ndarray | list[Place]]]] = []
    for course in courses:
        mark = data.series[course.series].mark
        shape = _steps if mark == "step" else curve if look.smooth else list
        shaped.append((course, [shape(run) for run in course.runs]))
    for course, shapes in shaped:
        if data.series[course.series].mark == "area":
            _paint_area(canvas, course, shapes, look, stacked=data.stacking != "none")
    for course, shapes in shaped:
        colour = look.palette[course.series]
        if data.series[course.series].mark == "area" and data.stacking != "none" and look.area_alpha > 0.9:
            colour = look.outline or look.theme.plot
        for run in shapes:
            if len(run) > 1:
                stroke(canvas, run, colour, look.line_width, look.dashes[course.series])
    for course in courses:
        _paint_markers(canvas, course, data, look)


def _paint_area(
    canvas: np.ndarray, course: Course, shapes: list[np.ndarray | list[Place]], look: Look, *, stacked: bool
) -> None:
    for run, floor in zip(shapes, course.floors, strict=True):
        if len(floor) > 1:
            lower = curve(floor) if look.smooth and stacked else np.asarray(floor)
            outline = np.concatenate([np.asarray(run), lower[::-1]])
            sheer_polygon(canvas, outline, look.palette[course.series], look.area_alpha)


def _paint_markers(canvas: np.ndarray, course: Course, data: ChartData, look: Look) -> None:
    """Draw markers; without any, a point between two gaps still has one, since nothing else would show it."""
    colour = look.palette[course.series]
    if not look.markers:
        for run in course.runs:
            if len(run) == 1:
                marker(canvas, *run[0], "circle", look.marker_size, colour, None)
    elif data.series[course.series].mark != "area":
        inside = look.theme.plot if look.hollow else None
        for place in course.places:
            if place is not None:
                marker(canvas, place[0], place[1], look.markers[course.series], look.marker_size, colour, inside)


def label_lines(page: Page, plot: Plot, courses: list[Course], look: Look, plan: Plan) -> None:
    """Place the written values of lines: above a hill, below a valley, where other values are not."""
    face = look.bold if look.value_bold else look.font
    font, tall = (face, look.value_size), cap(face, look.value_size)
    gap = (look.marker_size if look.markers else look.line_width) + 3
    taken: list[tuple[float, float, float, float]] = [
        (box[0], box[1], box[2], box[3])
        for box, group in zip(page.boxes, page.groups, strict=True)
        if group in (VALUE, MARK)
    ]
    single = len(courses) == 1
    for course in courses:
        # A halo keeps a number readable over its line; over an area it would be a hole.
        halo = None if plan.data.series[course.series].mark == "area" else look.theme.plot
        colour = look.theme.ink if single else _readable(look, course.series)
        texts, places = plan.written[course.series], course.places
        for index, (text, place) in enumerate(zip(texts, places, strict=True)):
            if not text or place is None:
                continue
            x, y = place
            wide = measure(*font, text)
            before, after = places[index - 1] if index else None, places[index + 1] if index + 1 < len(places) else None
            beside = [one[1] for one in (before, after) if one is not None]
            valley = bool(beside) and sum(beside) / len(beside) < y - 1
            spots = [(y - gap - tall, y - gap), (y + gap, y + gap + tall)]
            if valley:
                spots.reverse()
            for top, bottom in spots:
                box = (x - wide / 2 - 1, top - 1, x + wide / 2 + 1, bottom + 1)
                free = all(b[0] >= box[2] or b[2] <= box[0] or b[1] >= box[3] or b[3] <= box[1] for b in taken)
                if free and top > plot.top - tall and bottom < plot.bottom:
                    break
            else:
                raise DoesNotFitError(reasons.VALUES)
            taken.append(box)
            page.level(x, bottom, text, font, colour, 0.5, "b", VALUE, on_paper=False, halo=halo)


def _readable(look: Look, series: int) -> tuple[int, int, int]:
    """Return a series' colour, darker (or lighter) where it is to be read as text."""
    return mix(look.palette[series], look.theme.ink, 0.35)


def ends_width(look: Look, plan: Plan) -> float:
    """Return the room that names at the ends of lines take on the right."""
    return max(measure(look.bold, look.size, name) for name in plan.names) + look.size * 0.8


def lay_ends(page: Page, plot: Plot, courses: list[Course], look: Look, plan: Plan) -> None:
    """Place the series' names at the right ends of their lines, moved apart where they would touch.

    Raises:
        DoesNotFitError: they have no room beside each other.
    """
    font, step = (look.bold, look.size), look.size * 1.2
    ends = sorted((next(p for p in reversed(course.places) if p is not None)[1], course.series) for course in courses)
    ys = [y for y, _ in ends]
    for index in range(1, len(ys)):
        ys[index] = max(ys[index], ys[index - 1] + step)
    over = ys[-1] - (plot.bottom - step / 2)
    if over > 0:
        ys[-1] -= over
        for index in range(len(ys) - 2, -1, -1):
            ys[index] = min(ys[index], ys[index + 1] - step)
    # A name that is moved far from its line does not name it any more.
    if ys[0] < plot.top or any(abs(y - end) > step * 1.6 for y, (end, _) in zip(ys, ends, strict=True)):
        raise DoesNotFitError(reasons.LEGEND)
    for y, (_, series) in zip(ys, ends, strict=True):
        page.level(plot.right + look.size * 0.5, y, plan.names[series], font, _readable(look, series), 0.0, "m", LEGEND)


def claim_markers(page: Page, courses: list[Course], data: ChartData, look: Look) -> None:
    """Keep texts off markers."""
    if look.markers:
        half = look.marker_size
        for course in courses:
            if data.series[course.series].mark == "area":
                continue
            for place in course.places:
                if place is not None:
                    x, y = place
                    page.boxes.append((int(x - half), int(y - half), int(x + half) + 1, int(y + half) + 1))
                    page.groups.append(MARK)
