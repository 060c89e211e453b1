"""The label of a figure that is normalised already: as `dsocr_jax.answers.geometry` writes it, several times faster.

The general writer looks at every pair of segments twice for what could be merged, which would cost as much time as all
of the drawing. Here only pairs of nearly one direction are looked at. A test holds both to the same text.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from datagen.geometry.readable import Stroke
from dsocr_jax.answers.figure_rules import Point, merge_two, ruler_points
from dsocr_jax.answers.geometry import RULER, Circle, Figure

#: Letters for the centre of a circle that has none in the picture, in the order in which they are tried.
_CENTRES = "OPQRSTUVWXYZABCDEFGHIJKLMN"
#: Segments whose directions differ by more than this sine are never one line: more than rounding can turn a segment
#: that is long enough to be read.
_SINE = 0.1


def merged(strokes: Iterable[Stroke]) -> list[Stroke]:
    """Return the strokes in order, collinear and touching ones of one type as one; ends are kept, none is computed.

    Args:
        strokes: from the end with the smaller x (then y), rounded as in labels.
    """
    done: list[Stroke] = []
    waiting = sorted(strokes, key=_place, reverse=True)
    while waiting:
        stroke = waiting.pop()
        along = (stroke[1] - stroke[0]).conjugate()
        size = abs(along) * _SINE
        for number, other in enumerate(done):
            way = other[1] - other[0]
            if other[2] == stroke[2] and abs((along * way).imag) < size * abs(way):
                whole = merge_two((_pair(other[0]), _pair(other[1])), (_pair(stroke[0]), _pair(stroke[1])))
                if whole:
                    del done[number]
                    waiting.append((complex(*whole[0]), complex(*whole[1]), stroke[2]))
                    break
        else:
            done.append(stroke)
    return sorted(done, key=_place)


def name_circles(circles: Iterable[Circle], points: Sequence[tuple[str, Point]]) -> tuple[Circle, ...]:
    """Give unlabelled centres the letter of a point there, else O, else the next free letter; return them in order."""
    ordered = sorted(circles, key=lambda c: (c.center, c.radius))
    taken = dict(points) | {c.label: c.center for c in ordered if c.label}
    done = []
    for circle in ordered:
        label = circle.label
        if not label:
            here = [name for name, point in taken.items() if point == circle.center]
            label = here[0] if here else next(name for name in _CENTRES if name not in taken)
            taken[label] = circle.center
        done.append(replace(circle, label=label))
    return tuple(done)


def figure_text(figure: Figure) -> str:
    """Return the label of a figure that is rounded, merged, named and in order."""
    content: dict[str, dict[str, list[str] | list[float]]] = {
        "Line": {
            "line": [" -- ".join(map(_text, ruler_points(s.start, s.end, RULER))) for s in figure.segments],
            "line_type": ["--" if segment.dashed else "-" for segment in figure.segments],
            "line_endpoint": [f"{label}: {_text(point)}" for label, point in figure.points],
        }
    }
    if figure.circles:
        content["Circle"] = {
            "circle_center": [f"{circle.label}: {_text(circle.center)}" for circle in figure.circles],
            "radius": [circle.radius for circle in figure.circles],
        }
    return json.dumps(content)


def _text(point: Point) -> str:
    """Return a point as labels write it; adding zero makes negative zero zero."""
    return f"({round(point[0], 2) + 0.0!r}, {round(point[1], 2) + 0.0!r})"


def _place(stroke: Stroke) -> tuple[float, float, float, float, bool]:
    return stroke[0].real, stroke[0].imag, stroke[1].real, stroke[1].imag, stroke[2]


def _pair(point: complex) -> Point:
    return point.real, point.imag
