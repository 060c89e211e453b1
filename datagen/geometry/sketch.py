"""A figure while it is being put together: strokes, named points and circles in a frame of any size and place."""

import math
from dataclasses import dataclass, field
from itertools import combinations

from datagen.family import Rejected
from datagen.geometry.plane import angle_at, distance_to_segment
from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.figure_rules import Point, merge_two
from dsocr_jax.answers.geometry import Circle, Figure, Segment, normalise, write_figure

#: Letters in the order in which points get them; O is kept for centres.
LETTERS = "ABCDEFGHIJKLMNPQRSTUVWXYZ"
CENTRE_LETTERS = "OPQRSTUVWXYZ"
#: Points closer than this (label units) cannot be told apart, or have no room for their letters.
MIN_DISTANCE = 1.1
#: Strokes from one point must differ by at least this angle (radians).
MIN_ANGLE = math.radians(9)
MIN_RADIUS = 1.0
#: Where along a stroke its distance from another one is looked at, and how small it may be (label units).
PROBES = (0.1, 0.3, 0.5, 0.7, 0.9)
MIN_GAP = 0.45
#: A chord or tangent whose probes are all closer than this to its circle (label units) melts into it.
MIN_SAGITTA = 0.6


@dataclass(frozen=True)
class Composed:
    """A normalised figure, and the letters that its picture shows (a centre may have a name and no letter)."""

    figure: Figure
    letters: tuple[tuple[str, Point], ...]
    recipe: str

    @property
    def key(self) -> str:
        """The label: it holds all that the picture says."""
        return write_figure(self.figure)


@dataclass
class Sketch:
    """Strokes ``(start, end, dashed)``, names of points, and circles ``(centre, radius)``; points are complex."""

    strokes: list[tuple[complex, complex, bool]] = field(default_factory=list)
    names: dict[complex, str] = field(default_factory=dict)
    circles: list[tuple[complex, float]] = field(default_factory=list)

    def name(self, *points: complex, letters: str = LETTERS) -> None:
        """Give each point the next free letter, unless it has one."""
        for point in points:
            if not any(abs(point - known) < 1e-9 for known in self.names):
                taken = set(self.names.values())
                self.names[point] = next(letter for letter in letters if letter not in taken)

    def join(self, start: complex, end: complex, dashed: bool = False) -> None:
        """Draw a segment."""
        self.strokes.append((start, end, dashed))

    def close(self, *corners: complex) -> None:
        """Draw the polygon with these corners, and name them."""
        for start, end in zip(corners, (*corners[1:], corners[0]), strict=True):
            self.join(start, end)
        self.name(*corners)

    def circle(self, centre: complex, radius: float, named: bool = False) -> None:
        """Draw a circle, and name its centre if asked."""
        self.circles.append((centre, radius))
        if named:
            self.name(centre, letters=CENTRE_LETTERS)

    def moved(self, turn: complex, mirror: bool) -> "Sketch":
        """Return the sketch turned by the unit vector ``turn``, mirrored first if asked."""

        def put(point: complex) -> complex:
            return (point.conjugate() if mirror else point) * turn

        return Sketch(
            [(put(a), put(b), dashed) for a, b, dashed in self.strokes],
            {put(point): label for point, label in self.names.items()},
            [(put(centre), radius) for centre, radius in self.circles],
        )

    def compose(self, recipe: str) -> Composed:
        """Return the sketch as normalised content.

        Raises:
            Rejected: points or strokes come too close to each other to be read.
        """
        labels = self.names
        strokes = tuple(Segment(_pair(a), _pair(b), dashed) for a, b, dashed in self.strokes)
        # The letter of a centre that no stroke reaches stands with the circle alone.
        alone = {
            c
            for c, _ in self.circles
            if not any(distance_to_segment(c, a, b) < 1e-6 * abs(b - a) for a, b, _ in self.strokes)
        }
        points = tuple((label, _pair(point)) for point, label in labels.items() if point not in alone)
        circles = tuple(Circle(labels.get(c, ""), _pair(c), radius) for c, radius in self.circles)
        try:
            figure = normalise(Figure(strokes, points, circles))
        except AnswerError:
            raise Rejected("figure cannot be written") from None
        check_readable(figure)
        shown = dict(figure.points) | {c.label: c.center for c in figure.circles if c.label in labels.values()}
        return Composed(figure, tuple(sorted(shown.items())), recipe)


def check_readable(figure: Figure) -> None:
    """Raise `Rejected` if points or strokes of a normalised figure come too close to each other to be read."""
    places = {complex(*p) for _, p in figure.points} | {complex(*c.center) for c in figure.circles}
    places |= {complex(*p) for s in figure.segments for p in (s.start, s.end)}
    if any(abs(a - b) < MIN_DISTANCE for a, b in combinations(places, 2)):
        raise Rejected("points too close")
    if any(c.radius < MIN_RADIUS for c in figure.circles):
        raise Rejected("circle too small")
    if any(
        math.dist(a.center, b.center) + abs(a.radius - b.radius) < 2 * MIN_GAP
        for a, b in combinations(figure.circles, 2)
    ):
        raise Rejected("circles too close")
    for first, second in combinations(figure.segments, 2):
        _check_pair(first, second)
    for segment in figure.segments:
        a, b = complex(*segment.start), complex(*segment.end)
        for c in figure.circles:
            if all(abs(abs(a + (b - a) * share - complex(*c.center)) - c.radius) < MIN_SAGITTA for share in PROBES):
                raise Rejected("stroke too close to a circle")


def _check_pair(first: Segment, second: Segment) -> None:
    a, b, c, d = (complex(*p) for p in (first.start, first.end, second.start, second.end))
    for vertex, one, other in ((a, b, c), (a, b, d), (b, a, c), (b, a, d)):
        shared = other
        far = d if shared == c else c
        if abs(vertex - shared) < 1e-9 and angle_at(vertex, one, far) < MIN_ANGLE:
            raise Rejected("strokes too close")
    if merge_two((first.start, first.end), (second.start, second.end)):
        return  # a dashed prolongation of a solid stroke: they touch at one point
    if abs(a - b) > abs(c - d):
        a, b, c, d = c, d, a, b
    near = sum(distance_to_segment(a + (b - a) * share, c, d) < MIN_GAP for share in PROBES)
    if near >= 3:
        raise Rejected("strokes too close")


def _pair(point: complex) -> Point:
    return point.real, point.imag
