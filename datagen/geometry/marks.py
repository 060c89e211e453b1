"""Marks of facts (right angles, equal segments, parallels, angles) and measures: in the picture, not in the label."""

import cmath
import itertools
import math

import numpy as np

from datagen import fonts
from datagen.geometry.dice import Dice
from datagen.geometry.glyphs import glyph, is_free, put
from datagen.geometry.letters import Box
from datagen.geometry.sketch import Composed
from datagen.geometry.strokes import Line, draw_lines
from datagen.geometry.style import Style, size_near

#: The faces that figures are written in: upright ones go with slanted letters.
FIGURES = {"serif": "STIXGeneral", "sans": "DejaVuSans"}
GREEK = "αβγδθφ"
UNKNOWN = "abcxyhrmn"
UNITS = ("", "", "", " cm", " m")
Text = tuple[str, complex, complex]


class Marks:
    """Draws the marks of one picture; ``boxes`` collects what they cover, ``texts`` what is still to be written."""

    def __init__(self, ink: np.ndarray, content: Composed, style: Style, dice: Dice) -> None:
        self.ink, self.content, self.style, self.dice = ink, content, style, dice
        self.thin = max(1.35, style.frame.stroke * dice.uniform(0.6, 1.0))
        self.size = style.letter * dice.uniform(0.42, 0.6)
        self.share = dice.pick((0.5, 0.42))
        self.boxes: list[Box] = []
        self.texts: list[Text] = []
        self.lines: list[Line] = []
        self.squared: set[complex] = set()
        self.marked: set[tuple[str, complex]] = set()
        self.occupied = [style.frame.pixel(point) for _, point in content.letters]

    def draw(self) -> None:
        """Draw all marks that the style asks for."""
        counts = {"equal": 0, "angles": 0, "parallel": 0}
        for kind, groups in self.content.facts:
            if kind in self.style.marks:
                pixels = [tuple(self.style.frame.pixel(point) for point in group) for group in groups]
                if kind == "right":
                    self._square(*pixels[0])
                elif kind in counts and counts[kind] < 3 and all(self._has_room(kind, group) for group in pixels):
                    counts[kind] += 1
                    self.marked.update((kind, (group[-2] + group[-1]) / 2) for group in pixels)
                    for group in pixels:
                        if kind == "equal":
                            self._ticks(group[0], group[1], counts[kind])
                        elif kind == "parallel":
                            self._arrows(group[0], group[1], counts[kind])
                        else:
                            self._arcs(group[0], group[1], group[2], counts[kind])
        self._measured_angles()
        self._lengths()
        draw_lines(self.ink, self.lines, self.thin)

    def _has_room(self, kind: str, group: tuple[complex, ...]) -> bool:
        """Tell whether a mark would be seen as one; it is drawn for all of a fact's groups or for none."""
        a, b = group[-2:]
        if kind == "angles":
            opening = abs(cmath.phase((b - group[0]) / (a - group[0])))
            return 0.3 < opening < 2.6 and self._radius(*group) > 0.6 * self.size
        places = (a + b) / 2, a + (b - a) * self.share
        if any(kind == other and abs(place - places[0]) < 2 for other, place in self.marked):
            return False  # it has a mark already
        return abs(b - a) > 3.5 * self.size and all(
            abs(point - place) > 1.2 * self.size for point in self.occupied for place in places
        )

    def _square(self, vertex: complex, a: complex, b: complex) -> None:
        side = min(self.size, abs(a - vertex) * 0.4, abs(b - vertex) * 0.4)
        if side >= 4:
            along, up = (a - vertex) / abs(a - vertex) * side, (b - vertex) / abs(b - vertex) * side
            self._stroke(vertex + along, vertex + along + up, vertex + up)
            self.squared.add(vertex)

    def _ticks(self, a: complex, b: complex, count: int) -> None:
        middle, along = (a + b) / 2, (b - a) / abs(b - a)
        apart, half = max(self.thin + 2.5, self.size * 0.32) * along, self.size * 0.42 * along * cmath.rect(1.0, 1.35)
        centres = [middle + apart * (number - (count - 1) / 2) for number in range(count)]
        for centre in centres:
            self._stroke(centre - half, centre + half)

    def _arrows(self, a: complex, b: complex, count: int) -> None:
        middle, along = a + (b - a) * self.share, (b - a) / abs(b - a)
        wing = self.size * 0.55
        for number in range(count):
            tip = middle + along * (wing * 0.5 + number * wing * 0.8)
            ends = [tip - along * wing * cmath.rect(1.0, turn) for turn in (0.45, -0.45)]
            self._stroke(ends[0], tip, ends[1])

    def _arcs(self, vertex: complex, a: complex, b: complex, count: int, radius: float = 0.0) -> None:
        opening = abs(cmath.phase((b - vertex) / (a - vertex)))
        radius = radius or self._radius(vertex, a, b)
        first, second = cmath.phase(a - vertex), cmath.phase(b - vertex)
        start = first if cmath.phase((b - vertex) / (a - vertex)) > 0 else second
        for number in range(count):
            size = radius + number * max(self.thin + 2.5, self.size * 0.3)
            arc = [vertex + cmath.rect(size, start + opening * share / 12) for share in range(13)]
            self._stroke(*arc)

    def _radius(self, vertex: complex, a: complex, b: complex) -> float:
        """A radius for an arc: wider in narrow angles, and clear of the ends of the arms."""
        opening = abs(cmath.phase((b - vertex) / (a - vertex)))
        wide = self.size * (1.25 if opening > 0.7 else 2.0)
        return min(wide, 0.4 * min(abs(a - vertex), abs(b - vertex)))

    def _measured_angles(self) -> None:
        """Arcs with degrees, a Greek letter or a number at a few corners."""
        kinds = self.style.marks & {"corner", "numbers"}
        corners = [groups[0] for kind, groups in self.content.facts if kind == "corner"]
        if not kinds or not corners:
            return
        numbered = "numbers" in kinds
        greek = self.dice.chance(0.25)
        for number, (vertex, a, b) in enumerate(self.dice.some(corners, self.dice.whole(1, 3 if numbered else 2))):
            opening = math.degrees(abs(cmath.phase((b - vertex) / (a - vertex))))
            points = self.style.frame.pixel(vertex), self.style.frame.pixel(a), self.style.frame.pixel(b)
            if points[0] in self.squared or not 18 < opening < 165:
                continue
            radius = self._radius(*points)
            arc = not numbered or self.dice.chance(0.4)
            if arc:
                self._arcs(points[0], points[1], points[2], 1, radius)
            text = str(number + 1) if numbered else GREEK[number] if greek else f"{round(opening)}°"
            if arc and not numbered and self.dice.chance(0.2):
                continue  # an arc alone
            way = sum((point - points[0]) / abs(point - points[0]) for point in points[1:])
            self.texts.append((text, points[0] + way / abs(way) * (radius if arc else radius * 0.5), way / abs(way)))

    def _lengths(self) -> None:
        """Lengths, or letters for them, beside a few segments."""
        if "lengths" not in self.style.marks:
            return
        unit = self.dice.uniform(0.3, 1.5)
        ending = self.dice.pick(UNITS)
        unknown = self.dice.some(UNKNOWN, 3) if self.dice.chance(0.45) else []
        strokes = self.content.strokes
        middle = self.style.frame.pixel(sum(a + b for a, b, _ in strokes) / (2 * max(1, len(strokes))))
        for start, end, _ in self.dice.some(strokes, self.dice.whole(1, 3)):
            length = abs(end - start) * unit
            text = unknown.pop() if unknown else f"{length:.1f}{ending}" if length < 4 else f"{round(length)}{ending}"
            a, b = self.style.frame.pixel(start), self.style.frame.pixel(end)
            across = (b - a) / abs(b - a) * 1j
            at = (a + b) / 2
            if ((at - middle) * across.conjugate()).real < 0:
                across = -across
            if abs(b - a) > 3 * self.style.letter:
                self.texts.append((text, at, across))

    def write(self, taken: np.ndarray) -> None:
        """Write the texts where they touch nothing; a text without room is left out."""
        size = size_near(0.78 * self.style.letter)
        font = FIGURES[fonts.face(self.style.font).kind]
        for text, at, way in self.texts:
            face = self.style.font if text.isalpha() else font
            drawn = glyph(text, face, size)
            height, width = drawn.ink.shape
            reach = math.hypot(way.real * width / 2, way.imag * height / 2) + drawn.pad + self.style.frame.stroke / 2
            for number in range(6):
                middle = at + way * (reach + number * size * 0.12)
                left, top = round(middle.real - width / 2), round(middle.imag - height / 2)
                if is_free(taken, drawn, left, top):
                    self.boxes.append(put(self.ink, drawn, left, top))
                    if taken is not self.ink:
                        put(taken, drawn, left, top)
                    break

    def _stroke(self, *points: complex) -> None:
        """Draw a line through the points, when all marks are drawn, and note what it covers."""
        self.lines += itertools.pairwise(points)
        pad = self.thin / 2 + 1.5
        xs, ys = [point.real for point in points], [point.imag for point in points]
        self.boxes.append(
            (
                math.floor(min(xs) - pad),
                math.floor(min(ys) - pad),
                math.ceil(max(xs) + pad) + 1,
                math.ceil(max(ys) + pad) + 1,
            )
        )
