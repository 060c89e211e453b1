"""The texts of a picture that ECharts wrote: found in its SVG, checked, and drawn by glyphs' outlines.

ECharts writes each line of a text as an element of its own, with its middle (across as its anchor says) at a place, and
a font whose family is a face of `datagen.fonts`.
"""

import html
import re
from collections import Counter
from typing import NamedTuple

from datagen.charts import outlines, reasons
from datagen.charts.own.page import CATEGORY, MARK, NAME, TICK, TITLE, VALUE, Page
from datagen.charts.plan import DoesNotFitError

_TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")
_SHARES = {"start": 0.0, "middle": 0.5, "end": 1.0}
#: Which group of a page a text belongs to, by the reason that its loss is called by.
_GROUPS = {
    reasons.VALUES: VALUE, reasons.NO_ROOM: VALUE, reasons.CATEGORIES: CATEGORY, reasons.POINTS: NAME,
    reasons.PLOT: TICK, reasons.SLICES: VALUE,
}  # fmt: skip
#: Letters reach so much above and below the middle of a line, in ems.
_REACH = 0.42


class Line(NamedTuple):
    """A line of text: what it says, and its matrix (a, b, c, d, e, f) that puts its middle left end in place."""

    text: str
    face: str
    size: float
    matrix: tuple[float, ...]
    box: tuple[float, float, float, float]
    paint: str

    @property
    def slanted(self) -> bool:
        """Whether it is neither level nor upright."""
        return abs(self.matrix[0]) > 1e-3 and abs(self.matrix[1]) > 1e-3


def lines_of(svg: str) -> list[Line]:
    """Return the texts of a picture."""
    return [_line(match.group(1), html.unescape(match.group(2))) for match in _TEXT.finditer(svg) if match.group(2)]


def _line(attributes: str, text: str) -> Line:
    given = dict(_ATTRIBUTE.findall(attributes))
    style = dict(part.split(":", 1) for part in given["style"].split(";") if ":" in part)
    size, face = float(style["font-size"].removesuffix("px")), style["font-family"].strip("'\" ")
    numbers = [float(number) for number in _NUMBER.findall(given.get("transform", ""))]
    a, b, c, d, e, f = numbers if len(numbers) == 6 else (1.0, 0.0, 0.0, 1.0, *(numbers or (0.0, 0.0)))
    wide = outlines.width(face, text) * size
    x = float(given.get("x", 0)) - _SHARES[given.get("text-anchor", "start")] * wide
    y = float(given.get("y", 0))
    matrix = (a, b, c, d, a * x + c * y + e, b * x + d * y + f)
    corners = [(u, v) for u in (0.0, wide) for v in (-_REACH * size, _REACH * size)]
    xs = [a * u + c * v + matrix[4] for u, v in corners]
    ys = [b * u + d * v + matrix[5] for u, v in corners]
    fill = given.get("fill", "#000")
    if given.get("stroke", "none") != "none":
        paint = f'fill="{fill}" stroke="{given["stroke"]}" paint-order="stroke" stroke-linejoin="round" '
        paint += f'stroke-width="{float(given.get("stroke-width", 1)) * 1000 / size:.0f}"'
    else:
        paint = f'fill="{fill}"'
    return Line(text, face, size, matrix, (min(xs), min(ys), max(xs), max(ys)), paint)


def check(
    lines: list[Line], expected: list[tuple[str, str]], page: Page, marks: list[tuple[int, int, int, int]]
) -> None:
    """Raise `DoesNotFitError` if a text is missing, leaves the page, or touches another one.

    Args:
        lines: what is in the picture.
        expected: texts that must be there (as often as they come), with reasons for their loss.
        page: an empty page of the picture's size.
        marks: boxes of markers that texts must not cover.
    """
    missing = Counter(text.strip() for text, _ in expected if text.strip())
    missing.subtract(line.text.strip() for line in lines)
    why = {text.strip(): reason for text, reason in expected}
    for text, count in missing.items():
        if count > 0:
            raise DoesNotFitError(why[text])
    for line in lines:
        left, top, right, bottom = (round(side) for side in line.box)
        if line.slanted:
            if left < 1 or top < 1 or right > page.width - 1 or bottom > page.height - 1:
                raise DoesNotFitError(reasons.LEAVES)
            continue
        page.boxes.append((left, top, right, bottom))
        page.groups.append(_GROUPS.get(why.get(line.text.strip(), ""), TITLE))
    page.boxes += marks
    page.groups += [MARK] * len(marks)
    page.check()


def outlined(svg: str, lines: list[Line]) -> str:
    """Return the picture with its texts as paths."""
    left = iter(lines)

    def path(match: "re.Match[str]") -> str:
        if not match.group(2):
            return ""
        line = next(left)
        down = outlines.capital(line.face) * line.size / 2
        scale = line.size / 1000
        matrix = " ".join(f"{number:.4f}" for number in line.matrix)
        move = f"matrix({matrix}) translate(0 {down:.2f}) scale({scale:.5f})"
        return f'<path transform="{move}" {line.paint} d="{outlines.svg(line.face, line.text)}"/>'

    return _TEXT.sub(path, svg)
