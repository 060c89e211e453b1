"""Drawing of a normalised figure: antialiased strokes, dashes, and letters that touch no stroke."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from datagen import fonts
from datagen.family import Drawn, Rejected
from datagen.geometry.settings import GeometrySettings
from datagen.geometry.sketch import Composed
from dsocr_jax.answers.geometry import Figure

#: Strokes are drawn this many times larger and reduced, which smooths their edges.
SUPERSAMPLE = 3
#: Directions in which a letter is tried around its point, and how far off, in letter heights.
DIRECTIONS = 16
DISTANCES = (0.15, 0.3, 0.5, 0.75)
#: Ink and paper colours; the first of each is the plain one.
INKS = ((0, 0, 0), (20, 40, 110), (110, 20, 30), (20, 80, 50), (60, 60, 60))
PAPERS = ((255, 255, 255), (250, 246, 235), (240, 244, 250), (232, 232, 232), (253, 250, 215))


@dataclass(frozen=True)
class Style:
    """How one picture looks; lengths in pixels."""

    width: int
    height: int
    scale: float
    middle: tuple[float, float]
    stroke: float
    dash: tuple[float, float]
    letter: int
    font: str
    dots: bool
    ink: tuple[int, int, int]
    paper: tuple[int, int, int]


def render(content: Composed, rng: np.random.Generator, settings: GeometrySettings) -> Drawn:
    """Draw the figure at a random place and size; the label stays that of the centred figure.

    Raises:
        Rejected: a letter finds no place that is free of strokes.
    """
    style = draw_style(content, rng, settings)
    ink = _strokes(content.figure, style)
    if style.dots:
        _dots(ink, content, style)
    _letters(ink, content, style)
    steps = np.arange(256, dtype=np.float32)[:, None] / 255
    table = np.rint(np.array(style.paper) * (1 - steps) + np.array(style.ink) * steps).astype(np.uint8)
    gray = len(set(style.ink)) == 1 and len(set(style.paper)) == 1
    image = np.take(table[:, 0] if gray else table, np.asarray(ink), axis=0)
    names = "".join(letter for letter, _ in content.letters)
    return Drawn(image, content.key, {"recipe": content.recipe, "letters": names, "scale": style.scale})


def draw_style(content: Composed, rng: np.random.Generator, settings: GeometrySettings) -> Style:
    """Choose the style: sizes so that the figure and its letters fit, then a place for them."""
    longer = int(rng.integers(settings.sides[0], settings.sides[1] + 1))
    shorter = round(longer / rng.uniform(1.0, settings.aspect))
    half_x, half_y = half_extent(content.figure)
    # Mostly the picture lies as the figure does.
    lying = (half_x >= half_y) == bool(rng.random() < 0.8)
    width, height = (longer, shorter) if lying else (shorter, longer)
    letter = max(11, round(shorter * rng.uniform(*settings.letter)))
    stroke = max(1.0, shorter * rng.uniform(*settings.stroke))
    margin = (1.25 * letter if content.letters else 0.0) + stroke + 2
    fill = rng.uniform(*settings.fill)
    scale = min((width * fill - 2 * margin) / (2 * half_x), (height * fill - 2 * margin) / (2 * half_y))
    room_x, room_y = width / 2 - half_x * scale - margin, height / 2 - half_y * scale - margin
    middle = width / 2 + rng.uniform(-1, 1) * room_x, height / 2 + rng.uniform(-1, 1) * room_y
    dash = float(rng.uniform(0.011, 0.02)) * shorter + 1.5 * stroke
    coloured = rng.random() < settings.coloured
    return Style(
        width,
        height,
        float(scale),
        (float(middle[0]), float(middle[1])),
        float(stroke),
        (dash, dash * float(rng.uniform(0.6, 0.9))),
        letter,
        str(rng.choice(settings.fonts)),
        bool(rng.random() < settings.dots),
        INKS[int(rng.integers(len(INKS)))] if coloured else INKS[0],
        PAPERS[int(rng.integers(len(PAPERS)))] if coloured else PAPERS[0],
    )


def half_extent(figure: Figure) -> tuple[float, float]:
    """Return how far a normalised figure reaches from the origin along x and y, in label units."""
    xs = [abs(p[0]) for s in figure.segments for p in (s.start, s.end)]
    ys = [abs(p[1]) for s in figure.segments for p in (s.start, s.end)]
    xs += [abs(c.center[0]) + c.radius for c in figure.circles]
    ys += [abs(c.center[1]) + c.radius for c in figure.circles]
    return max(1.0, *xs), max(1.0, *ys)


def _pixel(point: tuple[float, float], style: Style, factor: int = 1) -> tuple[float, float]:
    x, y = style.middle[0] + point[0] * style.scale, style.middle[1] - point[1] * style.scale
    return x * factor, y * factor


def _strokes(figure: Figure, style: Style) -> Image.Image:
    """Return the strokes as ink, 255 where there is a stroke."""
    large = Image.new("L", (style.width * SUPERSAMPLE, style.height * SUPERSAMPLE))
    draw = ImageDraw.Draw(large)
    thick = max(2, round(style.stroke * SUPERSAMPLE))
    for segment in figure.segments:
        start, end = (_pixel(p, style, SUPERSAMPLE) for p in (segment.start, segment.end))
        for a, b in _dashes(start, end, style) if segment.dashed else [(start, end)]:
            draw.line((a, b), fill=255, width=thick)
            if not segment.dashed:
                for x, y in (a, b):
                    draw.circle((x, y), thick / 2, fill=255)
    for circle in figure.circles:
        x, y = _pixel(circle.center, style, SUPERSAMPLE)
        draw.circle((x, y), circle.radius * style.scale * SUPERSAMPLE + thick / 2, outline=255, width=thick)
    return large.reduce(SUPERSAMPLE)


def _dashes(
    start: tuple[float, float], end: tuple[float, float], style: Style
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Cut a stroke into dashes, the first and the last of full length, so that both ends are seen."""
    length = math.dist(start, end)
    dash, gap = (part * SUPERSAMPLE for part in style.dash)
    count = max(2, round((length + gap) / (dash + gap)))
    stretch = length / (count * dash + (count - 1) * gap)

    def at(place: float) -> tuple[float, float]:
        share = place / length
        return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share

    period = (dash + gap) * stretch
    return [(at(number * period), at(number * period + dash * stretch)) for number in range(count)]


def _dots(ink: Image.Image, content: Composed, style: Style) -> None:
    radius = style.stroke * 1.3 + 1
    side = math.ceil(radius) + 1
    for _, point in content.letters:
        x, y = _pixel(point, style)
        left, top = math.floor(x) - side, math.floor(y) - side
        dot = Image.new("L", ((2 * side + 2) * 4, (2 * side + 2) * 4))
        ImageDraw.Draw(dot).circle(((x - left) * 4, (y - top) * 4), radius * 4, fill=255)
        ink.paste(255, (left, top), dot.reduce(4))


def _letters(ink: Image.Image, content: Composed, style: Style) -> None:
    """Draw each letter near its point, outside the figure if it can be, where nothing is drawn yet."""
    font = fonts.load(style.font, style.letter)
    draw = ImageDraw.Draw(ink)
    taken = np.asarray(ink) > 8
    pad = max(1, round(style.stroke / 2))
    for letter, point in content.letters:
        left, top, right, bottom = font.getbbox(letter)
        width, height = right - left, bottom - top
        x, y = _pixel(point, style)
        place = _free_place(taken, (x, y), (width, height), pad, style)
        if place is None:
            raise Rejected("no room for a letter")
        draw.text((place[0] - left, place[1] - top), letter, fill=255, font=font)
        taken = taken if taken.flags.writeable else taken.copy()
        taken[place[1] : place[1] + int(height), place[0] : place[0] + int(width)] = True


def _free_place(
    taken: np.ndarray, point: tuple[float, float], size: tuple[float, float], pad: int, style: Style
) -> tuple[int, int] | None:
    """Return the top-left pixel of a free box for a letter of this size, nearest to the point and most outward."""
    width, height = int(size[0]), int(size[1])
    away = math.atan2(point[1] - style.middle[1], point[0] - style.middle[0])
    for distance in DISTANCES:
        for number in range(DIRECTIONS):
            turn = (number + 1) // 2 * (1 if number % 2 else -1) * 2 * math.pi / DIRECTIONS
            dx, dy = math.cos(away + turn), math.sin(away + turn)
            # The box's side or corner, not its middle, is `distance` letter heights from the point.
            reach = min(width / 2 / max(abs(dx), 1e-6), height / 2 / max(abs(dy), 1e-6))
            reach += distance * style.letter + style.stroke / 2
            left, top = round(point[0] + dx * reach - width / 2), round(point[1] + dy * reach - height / 2)
            if left < 1 or top < 1 or left + width >= style.width or top + height >= style.height:
                continue
            if not taken[max(0, top - pad) : top + height + pad, max(0, left - pad) : left + width + pad].any():
                return left, top
    return None
