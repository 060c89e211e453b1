"""A depiction in a style as lines, wedges and letters: where bonds end at labels, on which side double bonds lie."""

import math
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from datagen.family import Rejected
from datagen.molecules.depiction import Bond, Depiction
from datagen.molecules.labels import Label
from datagen.molecules.layout import crossings
from datagen.molecules.raster import Area, Disc, Letter, Line, Marks, Point
from datagen.molecules.styles import Colour, Style

#: How much of a bond is left free where another crosses over it, on both sides.
CROSSING_GAP = 0.12
#: How wide a wedge is at its narrow end, in line widths.
NARROW = 0.6
#: Arcs of a wavy bond for one bond length.
WAVES = 5
#: Least share of a bond that must be seen between the labels of its atoms, and of a wedge.
SEEN, SEEN_WEDGE = 0.1, 0.28
#: Lines that a trembling line is made of.
TREMBLES = 6
#: A benzene ring's circle, of the distance from the middle to its bonds.
CIRCLE = 0.68
#: Letters and signs that an ellipse describes better than a box, and how much larger than their box it is.
ROUND = frozenset("COSQGDe0+\u2022\u2295\u2296")
OVAL = 1.06


@dataclass(frozen=True)
class Scale:
    """Sizes of one picture in pixels: bond length, width of lines, em of letters."""

    bond: float
    stroke: float
    letter: float


def draw_marks(
    depiction: Depiction, labels: dict[int, Label], style: Style, scale: Scale, rng: np.random.Generator
) -> Marks:
    """Return the marks of a depiction, with its origin at (0, 0) and y down.

    Raises:
        Rejected: labels hide a bond.
    """
    return _Pen(depiction, labels, style, scale, rng).draw()


class _Pen:
    """Collects the marks of one drawing."""

    def __init__(
        self, depiction: Depiction, labels: dict[int, Label], style: Style, scale: Scale, rng: np.random.Generator
    ) -> None:
        self.depiction, self.labels, self.style, self.scale, self.rng = depiction, labels, style, scale, rng
        self.places = (depiction.places * (scale.bond, -scale.bond)).tolist()
        self.bonded: list[list[int]] = [[] for _ in depiction.atoms]
        for bond in depiction.bonds:
            self.bonded[bond.begin].append(bond.end)
            self.bonded[bond.end].append(bond.begin)
        margin = style.margin * scale.letter + scale.stroke / 2
        grow = (-margin, -margin, margin, margin)
        self.boxes = {n: (text.boxes * scale.letter + grow).tolist() for n, text in labels.items()}
        self.circles = depiction.aromatic if style.circles else frozenset()
        self.marks = Marks()

    def draw(self) -> Marks:
        over = {second: first for first, second in crossings(self.depiction)} if self._bridged() else {}
        bonds = list(enumerate(self.depiction.bonds))
        for number, bond in bonds:
            if number not in over:
                self._bond(bond)
        for number, under in over.items():
            self._gap(self.depiction.bonds[number], self.depiction.bonds[under])
            self._bond(self.depiction.bonds[number])
        for ring in self.circles:
            self._circle(ring)
        self._joints()
        for number, text in self.labels.items():
            x, y = self.places[number]
            colour = self._colour(number)
            for character, dx, dy, size in text.glyphs:
                em = self.scale.letter
                self.marks.letters.append(Letter(character, x + dx * em, y + dy * em, size * em, colour, number))
        return self.marks

    def _bridged(self) -> bool:
        """Whether rings share more than a bond: then bonds may cross."""
        rings = [set(ring) for ring in self.depiction.rings]
        return any(len(a & b) > 2 for a, b in combinations(rings, 2))

    # Bonds

    def _bond(self, bond: Bond) -> None:
        if bond.mark == "solid":
            self._wedge(bond)
        elif bond.mark == "hashed":
            self._hash(bond)
        elif bond.mark == "wavy":
            self._wave(bond)
        elif bond.mark == "crossed":
            self._cross(bond)
        elif bond.order == 2:
            self._double(bond)
        else:
            start, end = self._trimmed(bond.begin, bond.end)
            self._line(bond, start, end)
            if bond.order == 3:
                across = self._across(bond, self.style.gap * self.scale.bond)
                for sign in (-1, 1):
                    shift = across[0] * sign, across[1] * sign
                    self._line(bond, _add(start, shift), _add(end, shift))

    def _double(self, bond: Bond) -> None:
        side = self._side(bond)
        gap = self.style.gap * self.scale.bond
        if side == 0:
            across = self._across(bond, gap / 2)
            for sign in (-1, 1):
                shift = across[0] * sign, across[1] * sign
                self._line(bond, *self._trimmed(bond.begin, bond.end, shift))
            return
        self._line(bond, *self._trimmed(bond.begin, bond.end))
        if bond.ring in self.circles:
            return
        across = self._across(bond, gap * side)
        start, end = self._trimmed(bond.begin, bond.end, across)
        begin, last = self.places[bond.begin], self.places[bond.end]
        unit = _unit(begin, last)
        # The inner line stops where it would meet the inner lines of the neighbouring bonds.
        from_start = self._cut(bond.begin, bond.end, side, gap) - _dot(_subtract(start, begin), unit)
        from_end = self._cut(bond.end, bond.begin, -side, gap) - _dot(_subtract(last, end), unit)
        if from_start > 0:
            start = start[0] + unit[0] * from_start, start[1] + unit[1] * from_start
        if from_end > 0:
            end = end[0] - unit[0] * from_end, end[1] - unit[1] * from_end
        self._line(bond, start, end)

    def _side(self, bond: Bond) -> int:
        """Return the side of a double bond's second line: 1 or -1 (see `_across`), or 0 for a line on each side."""
        begin, end = self.places[bond.begin], self.places[bond.end]
        if bond.ring >= 0:
            ring = [self.places[atom] for atom in self.depiction.rings[bond.ring]]
            middle = sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)
            return 1 if _turn(begin, end, middle) > 0 else -1
        sides = [
            [1 if _turn(begin, end, self.places[n]) > 0 else -1 for n in self.bonded[a] if n != b]
            for a, b in ((bond.begin, bond.end), (bond.end, bond.begin))
        ]
        straight = any(self._linear(atom) for atom in (bond.begin, bond.end))
        if not (sides[0] and sides[1]) or straight or self.style.centred:
            return 0
        if len(sides[0]) == len(sides[1]) == 2:
            return 0
        total = sum(sides[0]) + sum(sides[1])
        if total == 0:
            total = sides[0][0] if len(sides[0]) == 1 else sides[1][0]
        return 1 if total > 0 else -1

    def _linear(self, atom: int) -> bool:
        """Whether an atom has two double bonds (an allene's or a ketene's middle)."""
        orders = [bond.order for bond in self.depiction.bonds if atom in (bond.begin, bond.end)]
        return orders.count(2) > 1 and len(orders) == 2

    def _cut(self, atom: int, other: int, side: int, gap: float) -> float:
        """Return by how much the inner line is shorter than its bond at ``atom``."""
        if atom in self.labels:
            return 0.0
        here, there = self.places[atom], self.places[other]
        angles = []
        for neighbour in self.bonded[atom]:
            if neighbour != other and _turn(here, there, self.places[neighbour]) * side > 0:
                first, second = _unit(here, there), _unit(here, self.places[neighbour])
                angles.append(math.acos(max(-1.0, min(1.0, _dot(first, second)))))
        if not angles:
            return 0.0
        return min(0.3 * self.scale.bond, gap / math.tan(min(angles) / 2))

    def _wedge(self, bond: Bond) -> None:
        start, end = self._wedge_ends(bond)
        thin = self._across(bond, self.scale.stroke * NARROW / 2)
        wide = self._across(bond, self._wide() / 2)
        corners = (_add(start, thin), _subtract(start, thin)), (_add(end, wide), _subtract(end, wide))
        first, last = self._colour(bond.begin, line=True), self._colour(bond.end, line=True)
        if first == last:
            self.marks.shapes.append(Area((corners[0][0], corners[0][1], corners[1][1], corners[1][0]), first))
            return
        middle = tuple(_mix(a, b, 0.5) for a, b in zip(corners[0], corners[1], strict=True))
        self.marks.shapes.append(Area((corners[0][0], corners[0][1], middle[1], middle[0]), first))
        self.marks.shapes.append(Area((middle[0], middle[1], corners[1][1], corners[1][0]), last))

    def _wedge_ends(self, bond: Bond) -> tuple[Point, Point]:
        """Return the ends of a wedge's middle line; the corners of its wide end keep clear of the label there."""
        start, end = self._trimmed(bond.begin, bond.end, least=SEEN_WEDGE)
        wide = self._across(bond, self._wide() / 2)
        corners = (wide, (-wide[0], -wide[1]))
        short = [math.dist(start, self._trimmed(bond.begin, bond.end, shift)[1]) for shift in corners]
        near = min(math.dist(start, end), *(math.sqrt(max(0.0, s * s - _dot(wide, wide))) for s in short))
        if near < SEEN_WEDGE * self.scale.bond:
            raise Rejected("bond hidden by labels")
        return start, _mix(start, end, near / math.dist(start, end))

    def _hash(self, bond: Bond) -> None:
        start, end = self._wedge_ends(bond)
        length = math.dist(start, end)
        count = max(4, round(length / max(self.style.hash_step * self.scale.bond, 2 * self.scale.stroke, 2.5)))
        first, last = self._colour(bond.begin, line=True), self._colour(bond.end, line=True)
        thin, wide = self.scale.stroke * 1.2, self._wide()
        for number in range(count + 1):
            share = number / count
            across = self._across(bond, (thin + (wide - thin) * share) / 2)
            middle = _mix(start, end, share)
            colour = first if share < 0.5 else last
            self._segment(_add(middle, across), _subtract(middle, across), colour, round_ends=False)

    def _wide(self) -> float:
        return max(self.style.wedge * self.scale.bond, 3.0 * self.scale.stroke, 4.0)

    def _wave(self, bond: Bond) -> None:
        start, end = self._trimmed(bond.begin, bond.end, least=SEEN_WEDGE)
        waves = max(3, round(WAVES * math.dist(start, end) / self.scale.bond))
        steps = waves * 8
        points = []
        for step in range(steps + 1):
            across = self._across(bond, 0.09 * self.scale.bond * math.sin(2 * math.pi * waves * step / steps))
            points.append(_add(_mix(start, end, step / steps), across))
        first, last = self._colour(bond.begin, line=True), self._colour(bond.end, line=True)
        for step, (a, b) in enumerate(pairwise(points)):
            self.marks.shapes.append(Line(*a, *b, self.scale.stroke, first if 2 * step < steps else last, True))

    def _cross(self, bond: Bond) -> None:
        across = self._across(bond, self.style.gap * self.scale.bond / 2)
        one, two = (self._trimmed(bond.begin, bond.end, shift) for shift in (across, (-across[0], -across[1])))
        self._line(bond, one[0], two[1])
        self._line(bond, two[0], one[1])

    def _gap(self, over: Bond, under: Bond) -> None:
        """Wipe out the lower bond where another goes over it."""
        a, b = self.places[over.begin], self.places[over.end]
        c, d = self.places[under.begin], self.places[under.end]
        start, end = _turn(c, d, a), _turn(c, d, b)
        share = start / (start - end)
        reach = CROSSING_GAP + 0.04
        width = self.scale.bond * 2 * CROSSING_GAP + (self.style.gap * self.scale.bond if over.order > 1 else 0)
        low, high = _mix(a, b, max(0, share - reach)), _mix(a, b, min(1, share + reach))
        self.marks.shapes.append(Line(*low, *high, width, self.style.paper))

    def _circle(self, ring: int) -> None:
        corners = [self.places[atom] for atom in self.depiction.rings[ring]]
        x, y = sum(x for x, _ in corners) / 6, sum(y for _, y in corners) / 6
        radius = CIRCLE * math.cos(math.pi / 6) * sum(math.dist((x, y), corner) for corner in corners) / 6
        self.marks.shapes.append(Disc(x, y, radius, self.style.ink, self.scale.stroke))

    def _joints(self) -> None:
        """Close the notch between the flat ends of bonds that meet in a corner."""
        if self.style.round or self.scale.stroke < 1.2:
            return
        for number, others in enumerate(self.bonded):
            if number not in self.labels and len(others) > 1:
                x, y = self.places[number]
                self.marks.shapes.append(Disc(x, y, self.scale.stroke / 2, self._colour(number, True)))

    # Lines

    def _line(self, bond: Bond, start: Point, end: Point) -> None:
        """Draw a line of a bond in the colours of its atoms."""
        first, last = self._colour(bond.begin, line=True), self._colour(bond.end, line=True)
        if first == last:
            self._segment(start, end, first)
            return
        # The colours change in the middle between the atoms' places, wherever the line ends.
        begin, unit = self.places[bond.begin], _unit(self.places[bond.begin], self.places[bond.end])
        half = math.dist(begin, self.places[bond.end]) / 2 - _dot(_subtract(start, begin), unit)
        middle = start[0] + unit[0] * half, start[1] + unit[1] * half
        self._segment(start, middle, first)
        self._segment(middle, end, last)

    def _segment(self, start: Point, end: Point, colour: Colour, round_ends: bool | None = None) -> None:
        ends = self.style.round if round_ends is None else round_ends
        width = self.scale.stroke
        if not self.style.wobble:
            self.marks.shapes.append(Line(*start, *end, width, colour, ends))
            return
        # A hand's line is bowed a little and misses its ends a little.
        size = self.style.wobble * min(math.dist(start, end), self.scale.bond)
        start, end = (
            (x + float(self.rng.normal(0, size / 3)), y + float(self.rng.normal(0, size / 3))) for x, y in (start, end)
        )
        unit, bow, turn = _unit(start, end), float(self.rng.normal(0, size)), float(self.rng.normal(0, size / 2))
        points = []
        for number in range(TREMBLES + 1):
            share = number / TREMBLES
            off = bow * math.sin(math.pi * share) + turn * math.sin(2 * math.pi * share)
            x, y = _mix(start, end, share)
            points.append((x - unit[1] * off, y + unit[0] * off))
        for a, b in pairwise(points):
            self.marks.shapes.append(Line(*a, *b, width, colour, True))

    def _trimmed(self, begin: int, end: int, shift: Point = (0.0, 0.0), least: float = SEEN) -> tuple[Point, Point]:
        """Return the line between two atoms, moved by ``shift``, as far as their labels leave it free.

        Raises:
            Rejected: less than the share ``least`` of it would be seen.
        """
        start, stop = _add(self.places[begin], shift), _add(self.places[end], shift)
        if begin not in self.boxes and end not in self.boxes:
            return start, stop
        free = self._label_end(begin, stop, start), self._label_end(end, start, stop)
        if free[0] + free[1] > 1 - least:
            raise Rejected("bond hidden by labels")
        return _mix(start, stop, free[0]), _mix(start, stop, 1 - free[1])

    def _label_end(self, atom: int, far: Point, near: Point) -> float:
        """Return the share of the line from ``near`` to ``far`` that the label of ``atom`` covers."""
        if atom not in self.boxes:
            return 0.0
        x, y = self.places[atom]
        start, step = (near[0] - x, near[1] - y), (far[0] - near[0], far[1] - near[1])
        ends = (
            _leave_ellipse(box, start, step) if glyph[0] in ROUND else _leave_box(box, start, step)
            for box, glyph in zip(self.boxes[atom], self.labels[atom].glyphs, strict=True)
        )
        return max(0.0, min(1.0, max(ends)))

    def _across(self, bond: Bond, length: float) -> Point:
        """Return a vector across the bond."""
        x, y = _unit(self.places[bond.begin], self.places[bond.end])
        return -y * length, x * length

    def _colour(self, atom: int, line: bool = False) -> Colour:
        if not self.style.colours or (line and not self.style.halves):
            return self.style.ink
        return self.style.colours.get(self.depiction.atoms[atom].element, self.style.ink)


def _leave_box(box: list[float], start: Point, step: Point) -> float:
    """Return the share of a line at which it leaves a box for good; 0 if it never is in it."""
    low, high = 0.0, 1.0
    for begin, move, least, most in ((start[0], step[0], box[0], box[2]), (start[1], step[1], box[1], box[3])):
        if abs(move) < 1e-9:
            if not least < begin < most:
                return 0.0
            continue
        one, two = (least - begin) / move, (most - begin) / move
        low, high = max(low, min(one, two)), min(high, max(one, two))
    return high if low < high else 0.0


def _leave_ellipse(box: list[float], start: Point, step: Point) -> float:
    """Return the same for the ellipse in a box, a little larger: round letters leave the corners of their box free."""
    half = (box[2] - box[0]) / 2 * OVAL, (box[3] - box[1]) / 2 * OVAL
    x, y = (start[0] - (box[0] + box[2]) / 2) / half[0], (start[1] - (box[1] + box[3]) / 2) / half[1]
    dx, dy = step[0] / half[0], step[1] / half[1]
    a, b, c = dx * dx + dy * dy, x * dx + y * dy, x * x + y * y - 1
    root = b * b - a * c
    return 0.0 if root <= 0 or not a else (math.sqrt(root) - b) / a


def _add(a: Point, b: Point) -> Point:
    return a[0] + b[0], a[1] + b[1]


def _subtract(a: Point, b: Point) -> Point:
    return a[0] - b[0], a[1] - b[1]


def _mix(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1]


def _unit(a: Point, b: Point) -> Point:
    length = math.hypot(b[0] - a[0], b[1] - a[1]) or 1.0
    return (b[0] - a[0]) / length, (b[1] - a[1]) / length


def _turn(a: Point, b: Point, c: Point) -> float:
    """Return twice the area of a triangle, positive if ``c`` lies on the side that `_Pen._across` points to."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
