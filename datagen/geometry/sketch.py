"""A figure while it is put together: strokes, named points, circles and facts, in a frame of any size and place."""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from datagen.family import Rejected
from datagen.geometry.facts import Fact
from datagen.geometry.readable import MIN_SAGITTA, TOUCH, Round, Stroke, check_readable
from dsocr_jax.answers.geometry import SPAN, Circle, Figure, Segment, canonical_text, merge_segments, name_circles

#: Letters in the order in which points get them; O is kept for centres.
LETTERS = "ABCDEFGHIJKLMNPQRSTUVWXYZ"
CENTRE_LETTERS = "OPQRSTUVWXYZ"
Name = tuple[str, complex]


@dataclass(frozen=True)
class Composed:
    """A normalised figure, and what its picture shows beside strokes and circles.

    Attributes:
        figure: what the label says.
        strokes: its segments ``(start, end, dashed)`` as complex numbers, rounded as in the label.
        circles: its circles ``(centre, radius)``, likewise.
        letters: the letters that the picture shows (a centre may have a name and no letter), and where.
        facts: what marks may be drawn from.
        recipe: the name of the base figure.
        parts: the names of the additions.
        corners: the polygon that may be shaded.
    """

    figure: Figure
    strokes: tuple[Stroke, ...]
    circles: tuple[Round, ...]
    letters: tuple[Name, ...]
    facts: tuple[Fact, ...] = ()
    recipe: str = ""
    parts: tuple[str, ...] = ()
    corners: tuple[complex, ...] = ()

    @functools.cached_property
    def key(self) -> str:
        """The label: it holds all that the picture says."""
        return canonical_text(self.figure)


@dataclass
class Sketch:
    """Strokes ``(start, end, dashed)``, names of points, circles ``(centre, radius)``, facts; points are complex.

    Attributes:
        dashed: auxiliary strokes are dashed.
        roles: points get the letter that goes with what they are (M for a midpoint), if it is free.
        letters: the letters in the order in which other points get them.
        upright: the figure must not be turned (drawings of solids).
        rigid: the figure has a fixed form, so that only its turn keeps it from being drawn again and again.
        corners: the corners of the last polygon drawn.
    """

    dashed: bool = False
    roles: bool = False
    letters: str = LETTERS
    upright: bool = False
    rigid: bool = False
    strokes: list[Stroke] = field(default_factory=list)
    names: dict[complex, str] = field(default_factory=dict)
    circles: list[Round] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    corners: tuple[complex, ...] = ()

    def name(self, *points: complex, role: str = "", letters: str = "") -> None:
        """Give each point a free letter, unless it has one: its role's if roles count, else the next in order."""
        for point in points:
            if all(abs(point - known) > 1e-9 for known in self.names):
                taken = set(self.names.values())
                preferred = role if self.roles or role == "O" else ""
                free = [letter for letter in (*preferred, *letters, *self.letters) if letter not in taken]
                if not free:
                    raise Rejected("no letter left")
                self.names[point] = free[0]

    def name_as(self, point: complex, label: str) -> None:
        """Give a point exactly this label, or the next letter if the label is taken."""
        if label in self.names.values():
            self.name(point)
        elif all(abs(point - known) > 1e-9 for known in self.names):
            self.names[point] = label

    def join(self, start: complex, end: complex, dashed: bool = False) -> None:
        """Draw a segment."""
        self.strokes.append((start, end, dashed))

    def aux(self, start: complex, end: complex) -> None:
        """Draw an auxiliary segment, dashed if the figure's auxiliary segments are."""
        self.strokes.append((start, end, self.dashed))

    def path(self, *points: complex) -> None:
        """Draw segments from point to point."""
        for start, end in itertools.pairwise(points):
            self.join(start, end)

    def close(self, *corners: complex) -> None:
        """Draw the polygon with these corners, and name them."""
        around = zip(corners[-1:] + corners[:-1], corners, corners[1:] + corners[:1], strict=True)
        for before, corner, after in around:
            self.join(corner, after)
            self.facts.append(Fact("corner", ((corner, before, after),)))
        self.name(*corners)
        self.corners = corners

    def circle(self, centre: complex, radius: float, named: bool = False) -> None:
        """Draw a circle, and name its centre if asked."""
        self.circles.append((centre, radius))
        if named:
            self.name(centre, role="O", letters=CENTRE_LETTERS)

    def right(self, vertex: complex, a: complex, b: complex) -> None:
        """Note that the angle avb is right; both arms must be drawn."""
        self.facts.append(Fact("right", ((vertex, a, b),)))

    def equal(self, *pairs: tuple[complex, complex]) -> None:
        """Note that these segments, all drawn, are of one length."""
        self.facts.append(Fact("equal", pairs))

    def parallel(self, *pairs: tuple[complex, complex]) -> None:
        """Note that these segments, all drawn, are parallel."""
        self.facts.append(Fact("parallel", pairs))

    def same_angles(self, *angles: tuple[complex, complex, complex]) -> None:
        """Note that these angles (vertex, a, b) are equal; all arms must be drawn."""
        self.facts.append(Fact("angles", angles))

    def tangent(self, point: complex, along: complex, centre: complex) -> None:
        """Note that the line from ``point`` to ``along`` touches a circle around ``centre`` at ``point``."""
        self.facts.append(Fact("tangent", ((point, along, centre),)))

    def corner(self, vertex: complex, a: complex, b: complex) -> None:
        """Note that the angle avb, both of whose arms are drawn, is worth measuring."""
        self.facts.append(Fact("corner", ((vertex, a, b),)))

    def compose(
        self, recipe: str, turn: complex = 1 + 0j, mirror: bool = False, sagitta: float = MIN_SAGITTA
    ) -> Composed:
        """Return the sketch as normalised content, turned by the unit vector ``turn``, mirrored first if asked.

        Args:
            recipe: its name.
            turn: a complex number of size 1.
            mirror: whether it is mirrored in the x axis before it is turned.
            sagitta: how flat the piece that a chord cuts off may be, in label units.

        Raises:
            Rejected: points or strokes come too close to each other to be read.
        """

        def turned(point: complex) -> complex:
            return (point.conjugate() if mirror else point) * turn

        middle, scale = self._frame(turned)
        known: dict[complex, complex] = {}

        def put(point: complex) -> complex:
            if point not in known:
                exact = (turned(point) - middle) * scale
                known[point] = complex(round(exact.real, 2) + 0.0, round(exact.imag, 2) + 0.0)
            return known[point]

        segments = merge_segments(_segment(put(a), put(b), dashed) for a, b, dashed in self.strokes)
        strokes = [(complex(*s.start), complex(*s.end), s.dashed) for s in segments]
        circles = [(put(centre), round(radius * scale, 2)) for centre, radius in self.circles]
        letters = sorted(((label, put(point)) for point, label in self.names.items()), key=lambda item: _order(item[0]))
        check_readable([*(p for _, p in letters), *(c for c, _ in circles)], strokes, circles, sagitta)
        # The letter of a centre that no stroke reaches stands with the circle alone.
        centres = {centre for centre, _ in circles}
        alone = {c for c in centres if not any(_touches(c, a, b) for a, b, _ in strokes)}
        points = tuple((label, (p.real, p.imag)) for label, p in letters if p not in alone)
        labels = {p: label for label, p in letters if p in centres}
        rounds = (Circle(labels.get(c, ""), (c.real, c.imag), r) for c, r in circles)
        figure = Figure(segments, points, name_circles(rounds, points))
        return Composed(
            figure,
            tuple(strokes),
            tuple(circles),
            tuple(letters),
            tuple(fact.moved(put) for fact in self.facts),
            recipe,
            tuple(self.parts),
            tuple(put(corner) for corner in self.corners),
        )

    def _frame(self, turned: Callable[[complex], complex]) -> tuple[complex, float]:
        """Return the middle of the turned figure's bounding box, letters not included, and the label's scale."""
        places = [turned(p) for stroke in self.strokes for p in stroke[:2]] + [turned(p) for p in self.names]
        for centre, radius in self.circles:
            middle = turned(centre)
            places += [middle - complex(radius, radius), middle + complex(radius, radius)]
        xs, ys = [p.real for p in places], [p.imag for p in places]
        left, right, low, high = min(xs), max(xs), min(ys), max(ys)
        return complex(left + right, low + high) / 2, SPAN / max(right - left, high - low)


def _segment(a: complex, b: complex, dashed: bool) -> Segment:
    if abs(a - b) < TOUCH:
        raise Rejected("stroke without length")
    return Segment((a.real, a.imag), (b.real, b.imag), dashed)


def _order(label: str) -> tuple[str, int, str]:
    """The order of points in labels: A, A', A1, A2, A10, B."""
    return label[0], int(label[1:]) if label[1:].isdigit() else 0, label


def _touches(point: complex, a: complex, b: complex) -> bool:
    length = abs(b - a)
    at = (point - a) * ((b - a) / length).conjugate()
    return abs(at.imag) < TOUCH and -TOUCH < at.real < length + TOUCH
