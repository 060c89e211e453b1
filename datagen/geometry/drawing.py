"""Drawing of a normalised figure: strokes, marks, dots, letters, then paper and ink."""

import cv2
import numpy as np

from datagen.family import Drawn
from datagen.geometry.dice import Dice
from datagen.geometry.letters import Box, draw_letters
from datagen.geometry.marks import Marks
from datagen.geometry.paper import coloured
from datagen.geometry.readable import TOUCH
from datagen.geometry.settings import GeometrySettings
from datagen.geometry.sketch import Composed
from datagen.geometry.strokes import PARTS, draw_disc, draw_figure
from datagen.geometry.style import Style, draw_style


def render(content: Composed, rng: np.random.Generator, settings: GeometrySettings) -> Drawn:
    """Draw the figure at a random place and size; the label stays that of the centred figure.

    Raises:
        Rejected: a letter finds no place that is free of strokes.
    """
    dice = Dice(rng)
    style = draw_style(content, dice, settings)
    ink, second, boxes = draw_ink(content, style, dice)
    return Drawn(coloured(ink, second, content, style), content.key, meta(content, style, boxes))


def draw_ink(content: Composed, style: Style, dice: Dice) -> tuple[np.ndarray, np.ndarray | None, list[Box]]:
    """Return ink (255 where something is drawn) of the first and of the second colour, and what is not strokes.

    Raises:
        Rejected: a letter finds no place that is free of strokes.
    """
    ink = np.zeros((style.height, style.width), np.uint8)
    second = None if style.second is None else np.zeros_like(ink)
    parts: tuple[str, ...] = PARTS
    if second is not None and style.coloured in parts:
        draw_figure(second, content.strokes, content.circles, style.frame, (style.coloured,))
        parts = tuple(part for part in parts if part != style.coloured)
    draw_figure(ink, content.strokes, content.circles, style.frame, parts)
    marks = Marks(second if second is not None and style.coloured == "marks" else ink, content, style, dice)
    marks.draw()
    boxes = _dots(ink, content, style)
    taken = ink if second is None else cv2.max(ink, second)
    boxes += draw_letters(ink, taken, content, style, dice)
    marks.write(taken)
    return ink, second, boxes + marks.boxes


def _dots(ink: np.ndarray, content: Composed, style: Style) -> list[Box]:
    """Draw points as dots: those that the style names, and those that no stroke would show."""
    boxes = []
    known = {label for label, _ in content.figure.points}
    radius = style.frame.stroke * 0.8 + 1.2
    for label, point in content.letters:
        alone = label not in known
        if style.dots in ("all", "hollow") or (alone and style.dots == "centres") or _lonely(point, content):
            at = style.frame.pixel(point)
            hollow = style.dots == "hollow" and not alone
            draw_disc(ink, at, radius + hollow)
            if hollow:
                draw_disc(ink, at, radius + 1 - style.frame.stroke * 0.7, 0)
            side = radius + 2
            boxes.append((int(at.real - side), int(at.imag - side), int(at.real + side) + 1, int(at.imag + side) + 1))
    return boxes


def _lonely(point: complex, content: Composed) -> bool:
    """Tell whether nothing shows a point that is no centre: neither the end of a stroke nor a crossing."""
    if any(centre == point for centre, _ in content.circles):
        return False
    through = sum(abs(abs(point - centre) - radius) < TOUCH for centre, radius in content.circles)
    for a, b, _ in content.strokes:
        if min(abs(a - point), abs(b - point)) < TOUCH:
            return False
        through += abs(a - point) + abs(b - point) < abs(a - b) + TOUCH / 10
    return through < 2


def meta(content: Composed, style: Style, boxes: list[Box]) -> dict[str, object]:
    """Return what is known about the picture beside the label; ``frame`` is what `redraw_iou` draws the label with."""
    return {
        "recipe": content.recipe,
        "parts": list(content.parts),
        "letters": [label for label, _ in content.letters],
        "scale": style.frame.scale,
        "frame": style.frame.numbers(),
        "boxes": [list(box) for box in boxes],
        "font": style.font,
        "smallest_text": style.letter,
        "marks": sorted(style.marks),
        "hand": style.frame.wobble > 0,
    }
