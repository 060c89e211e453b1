"""The answer of a plane-geometry figure: dictionary text with its segments, labelled points and circles.

Coordinates: x to the right, y upwards, the figure centred on the origin, the longer side of its bounding box 16 units.
The text is one line that is both JSON and a Python literal; it is only ever read by the JSON parser.
"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from dsocr_jax.answers.errors import AnswerError, bounded, excerpt
from dsocr_jax.answers.figure_rules import Point, merge_all, point_text, rounded, ruler_points

MAX_CHARS = 65_536
#: Objects and lists inside each other; the form itself needs three.
MAX_NESTING = 3
MAX_SEGMENTS = 200
MAX_POINTS = 100
MAX_CIRCLES = 50
#: Largest coordinate or radius, in label units.
MAX_MAGNITUDE = 1_000.0
#: The length of the longer side of a normalised figure's bounding box (both published samples span -8..8).
SPAN = 16.0
#: The step of the perception ruler (Slow Perception's d = 4).
RULER = 4.0

_NUMBER = r"-?\d{1,4}(?:\.\d{1,6})?"
_POINT = re.compile(rf"\(({_NUMBER}), ({_NUMBER})\)", re.ASCII)
_LABEL = r"[A-Za-z](?:\d{1,2}|'{1,2})?"
_LABELLED = re.compile(rf"({_LABEL}): (\(.*\))", re.ASCII)
_LABEL_ALONE = re.compile(_LABEL, re.ASCII)
#: A string is one match (also one that never ends), so that brackets in strings are not counted; never backtracks.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)
#: Letters for the centre of a circle that has none in the picture, in the order in which they are tried.
_CENTRE_LETTERS = "OPQRSTUVWXYZABCDEFGHIJKLMN"
_TYPES = {"-": False, "--": True}


@dataclass(frozen=True)
class Segment:
    """A straight stroke between two points."""

    start: Point
    end: Point
    dashed: bool = False


@dataclass(frozen=True)
class Circle:
    """A circle; an empty label means that the centre is not labelled in the picture."""

    label: str
    center: Point
    radius: float


@dataclass(frozen=True)
class Figure:
    """Segments, labelled points ``(label, (x, y))`` and circles."""

    segments: tuple[Segment, ...]
    points: tuple[tuple[str, Point], ...] = ()
    circles: tuple[Circle, ...] = ()


def normalise(figure: Figure) -> Figure:
    """Return the figure as labels hold it: scaled so that the longer side is 16, centred, rounded, merged, in order.

    The bounding box is that of the strokes, circles included, letters not.

    Raises:
        AnswerError: there is no stroke, the figure has no extent, or it cannot be written (see `write_figure`).
    """
    xs = [p[0] for s in figure.segments for p in (s.start, s.end)] + [p[0] for _, p in figure.points]
    ys = [p[1] for s in figure.segments for p in (s.start, s.end)] + [p[1] for _, p in figure.points]
    for circle in figure.circles:
        xs += [circle.center[0] - circle.radius, circle.center[0] + circle.radius]
        ys += [circle.center[1] - circle.radius, circle.center[1] + circle.radius]
    side = max(max(xs) - min(xs), max(ys) - min(ys)) if xs else 0.0
    if not 0 < side < math.inf:
        raise AnswerError("figure: nothing is drawn, or it has no finite extent")
    scale, middle_x, middle_y = SPAN / side, (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2

    def place(point: Point) -> Point:
        return (point[0] - middle_x) * scale, (point[1] - middle_y) * scale

    return _canonical(
        Figure(
            tuple(replace(s, start=place(s.start), end=place(s.end)) for s in figure.segments),
            tuple((label, place(point)) for label, point in figure.points),
            tuple(replace(c, center=place(c.center), radius=c.radius * scale) for c in figure.circles),
        )
    )


def write_figure(figure: Figure, ruler: float = RULER) -> str:
    """Return the figure as text; it is rounded, merged and put in order, but neither scaled nor moved.

    Raises:
        AnswerError: a number is not finite or too large, a segment or circle has no extent after rounding, a label is
            malformed or stands for two points, there is no stroke, or the figure is beyond this module's limits.
    """
    if not ruler > 0:
        raise AnswerError(f"figure: the ruler must be positive, found {ruler}")
    return canonical_text(_canonical(figure), ruler)


def canonical_text(figure: Figure, ruler: float = RULER) -> str:
    """Return a figure as text that is rounded, merged, named and in order already, as `write_figure` would."""
    line = [" -- ".join(point_text(p) for p in ruler_points(s.start, s.end, ruler)) for s in figure.segments]
    content: dict[str, Any] = {
        "Line": {
            "line": line,
            "line_type": ["--" if segment.dashed else "-" for segment in figure.segments],
            "line_endpoint": [f"{label}: {point_text(point)}" for label, point in figure.points],
        }
    }
    if figure.circles:
        content["Circle"] = {
            "circle_center": [f"{circle.label}: {point_text(circle.center)}" for circle in figure.circles],
            "radius": [circle.radius for circle in figure.circles],
        }
    return bounded(json.dumps(content), MAX_CHARS, "figure")


def parse_figure(text: str) -> Figure:
    """Read a figure back; of a segment's points only the first and the last count.

    Raises:
        AnswerError: the text is not JSON of exactly this form, or it is beyond the limits of this module.
    """
    content = _load(bounded(text, MAX_CHARS, "figure"))
    if not isinstance(content, dict) or set(content) not in ({"Line"}, {"Line", "Circle"}):
        raise AnswerError('figure: expected an object with "Line" and perhaps "Circle"')
    line, kind, endpoint = _lists(content, "Line", ("line", "line_type", "line_endpoint"))
    if len(line) != len(kind):
        raise AnswerError(f"figure: {len(line)} lines but {len(kind)} line types")
    if len(line) > MAX_SEGMENTS or len(endpoint) > MAX_POINTS:
        raise AnswerError(f"figure: more than {MAX_SEGMENTS} segments or {MAX_POINTS} labelled points")
    circles: tuple[Circle, ...] = ()
    if "Circle" in content:
        center, radius = _lists(content, "Circle", ("circle_center", "radius"))
        if len(center) != len(radius) or len(center) > MAX_CIRCLES:
            raise AnswerError(f"figure: {len(center)} centres, {len(radius)} radii, the limit is {MAX_CIRCLES} each")
        circles = tuple(Circle(*_labelled(c), _radius(r)) for c, r in zip(center, radius, strict=True))
    segments = tuple(_segment(points, dashes) for points, dashes in zip(line, kind, strict=True))
    return Figure(segments, tuple(_labelled(item) for item in endpoint), circles)


def _canonical(figure: Figure) -> Figure:
    """Round, orient, merge, name and order everything; doing it twice changes nothing."""
    counts = len(figure.segments), len(figure.points), len(figure.circles)
    if counts[0] > MAX_SEGMENTS or counts[1] > MAX_POINTS or counts[2] > MAX_CIRCLES:
        raise AnswerError(f"figure: more than {MAX_SEGMENTS} segments, {MAX_POINTS} points or {MAX_CIRCLES} circles")
    if not figure.segments and not figure.circles:
        raise AnswerError("figure: nothing is drawn")
    segments = merge_segments(figure.segments)
    points = tuple(sorted(((label, _round(point)) for label, point in figure.points), key=lambda p: _order(p[0])))
    named = name_circles([replace(c, center=_round(c.center)) for c in figure.circles], points)
    _check_labels(points, named)
    return Figure(segments, points, named)


def merge_segments(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Round and orient segments, make collinear and touching ones of one type one, and put them in order.

    Raises:
        AnswerError: a segment has no length after rounding, or a number cannot be written.
    """
    strokes: dict[bool, list[tuple[Point, Point]]] = {False: [], True: []}
    for segment in segments:
        first, last = sorted((_round(segment.start), _round(segment.end)))
        if first == last:
            raise AnswerError(f"figure: the segment at {point_text(first)} has no length")
        strokes[bool(segment.dashed)].append((first, last))
    merged = sorted((*pair, dashed) for dashed, pairs in strokes.items() for pair in merge_all(pairs))
    return tuple(Segment(*stroke) for stroke in merged)


def name_circles(circles: Iterable[Circle], points: Iterable[tuple[str, Point]]) -> tuple[Circle, ...]:
    """Give unlabelled centres the letter of a point there, else O, else the next free letter; put circles in order.

    Raises:
        AnswerError: a radius is not positive or too large, or no letter is left.
    """
    done: list[Circle] = []
    ordered = sorted(circles, key=lambda c: (c.center, c.radius))
    taken = dict(points) | {c.label: c.center for c in ordered if c.label}
    for circle in ordered:
        radius = rounded(circle.radius)
        if not 0 < radius <= MAX_MAGNITUDE:
            raise AnswerError(f"figure: a circle of radius {circle.radius}")
        label = circle.label
        if not label:
            here = [name for name, point in taken.items() if point == circle.center]
            free = [name for name in _CENTRE_LETTERS if name not in taken]
            if not here and not free:
                raise AnswerError("figure: no letter left for a circle's centre")
            label = (here or free)[0]
            taken[label] = circle.center
        done.append(Circle(label, circle.center, radius))
    return tuple(sorted(done, key=lambda c: (c.center, c.radius)))


def _check_labels(points: Iterable[tuple[str, Point]], circles: Iterable[Circle]) -> None:
    places: dict[str, Point] = {}
    for label, point in points:
        if not _LABEL_ALONE.fullmatch(label):
            raise AnswerError(f"figure: {excerpt(label)} is no point label")
        if label in places:
            raise AnswerError(f"figure: the label {label} is given twice")
        places[label] = point
    for circle in circles:
        if not _LABEL_ALONE.fullmatch(circle.label):
            raise AnswerError(f"figure: {excerpt(circle.label)} is no point label")
        if places.setdefault(circle.label, circle.center) != circle.center:
            raise AnswerError(f"figure: the label {circle.label} stands for two points")


def _order(label: str) -> tuple[str, int, str]:
    """A, A', A1, A2, A10, B: the letter first, then the number."""
    return label[0], int(label[1:]) if label[1:].isdigit() else 0, label


def _round(point: Point) -> Point:
    x, y = rounded(float(point[0])), rounded(float(point[1]))
    if not (abs(x) <= MAX_MAGNITUDE and abs(y) <= MAX_MAGNITUDE):  # also catches NaN
        raise AnswerError(f"figure: the point ({x}, {y}) is out of range")
    return x, y


def _load(text: str) -> Any:
    depth = 0
    for bracket in _STRING_OR_BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(bracket[0], 0)
        if depth > MAX_NESTING:
            raise AnswerError(f"figure: nested deeper than {MAX_NESTING} at character {bracket.start()}")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except AnswerError:
        raise
    except ValueError as error:  # malformed JSON, or an integer with too many digits
        raise AnswerError(f"figure: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise AnswerError("figure: a key is given twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise AnswerError(f"figure: {name} is no number")


def _lists(content: dict[str, Any], name: str, keys: tuple[str, ...]) -> list[list[Any]]:
    part = content[name]
    if not isinstance(part, dict) or set(part) != set(keys):
        raise AnswerError(f'figure: "{name}" must be an object with exactly {", ".join(keys)}')
    for key in keys:
        if not isinstance(part[key], list):
            raise AnswerError(f'figure: "{name}.{key}" must be a list')
    return [part[key] for key in keys]


def _segment(points: Any, dashes: Any) -> Segment:
    if not isinstance(points, str) or not isinstance(dashes, str) or dashes not in _TYPES:
        raise AnswerError(f'figure: a line must be text and its type "-" or "--", found {excerpt(str(dashes))}')
    places = [_point(piece) for piece in points.split(" -- ")]
    if len(places) < 2:
        raise AnswerError(f"figure: a line needs two points: {excerpt(points)}")
    return Segment(places[0], places[-1], _TYPES[dashes])


def _labelled(item: Any) -> tuple[str, Point]:
    found = _LABELLED.fullmatch(item) if isinstance(item, str) else None
    if not found:
        raise AnswerError(f'figure: expected "LABEL: (x, y)", found {excerpt(str(item))}')
    return found[1], _point(found[2])


def _point(text: str) -> Point:
    found = _POINT.fullmatch(text)
    if not found:
        raise AnswerError(f'figure: expected "(x, y)", found {excerpt(text)}')
    x, y = float(found[1]), float(found[2])
    if abs(x) > MAX_MAGNITUDE or abs(y) > MAX_MAGNITUDE:
        raise AnswerError(f"figure: the point {text} is out of range")
    return x, y


def _radius(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_MAGNITUDE:
        raise AnswerError(f"figure: a radius must be a number in (0, {MAX_MAGNITUDE}], found {excerpt(str(value))}")
    return float(value)
