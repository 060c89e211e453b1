"""What stands around matplotlib's axes: title, subtitle, legend, source, note; what is left is the axes' room."""

from typing import Any

from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from datagen.charts import reasons
from datagen.charts.data import ChartData
from datagen.charts.look import Look
from datagen.charts.manners import dice
from datagen.charts.mpl.canvas import font, points
from datagen.charts.mpl.styles import DASHES, HATCHES, MARKERS, STROKES, rgb
from datagen.charts.own.frame import MAX_LINES, MAX_SIDE, MAX_STACK, Room, wrap
from datagen.charts.own.text import cap, measure
from datagen.charts.palettes import Colour, contrast
from datagen.charts.plan import DoesNotFitError, Plan

#: What is free beside and between the lines of a title, in sizes of its text.
LEADING = 1.3


class Texts:
    """Writes texts on a figure by pixels from the top left, and remembers them with their groups."""

    def __init__(self, figure: Any, look: Look) -> None:
        self.figure, self.look = figure, look
        self.made: list[tuple[Any, int]] = []

    def write(
        self, x: float, y: float, text: str, face: tuple[str, int], colour: Colour, across: float, group: int,
        **more: Any,
    ) -> None:  # fmt: skip
        """Write a text whose baseline is at ``y``; ``across`` is 0, 0.5 or 1."""
        align = {0.0: "left", 0.5: "center", 1.0: "right"}[across]
        place = x / self.look.width, 1 - y / self.look.height
        style = {"color": rgb(colour), "fontproperties": font(*face), "ha": align, "va": "baseline"}
        made = self.figure.text(*place, text, **{**style, "parse_math": False, **more})
        self.made.append((made, group))


def lay_frame(texts: Texts, look: Look, plan: Plan, group: int) -> Room:
    """Write title, subtitle, source and note; return the room that is left."""
    room = Room(look.pad, look.pad, look.width - look.pad, look.height - look.pad)
    theme = look.theme
    if look.accent == "bar":
        _block(texts, look.pad, 0, 3 * look.size, max(5, look.size // 4), theme.accent)
    elif look.accent == "rule":
        _block(texts, 0, 0, look.width, max(2, look.size // 5), theme.accent)
    if look.accent != "none":
        room.top += max(6, look.size // 3)
    bold = look.bold if look.title_bold else look.font
    below = [(plan.note, look.font, look.small), (plan.source, look.font, look.small)]
    if look.title_bottom:
        below.append((plan.title, bold, look.title_size))
    for text, face, size in below:
        align, colour = ("left", theme.faint) if size == look.small else (look.title_align, theme.ink)
        for line in reversed(_wrapped(text, (face, size), room)):
            _line(texts, room, line, (face, size), (align, colour), room.bottom - 0.25 * size, group)
            room.bottom -= LEADING * size
    if any(text for text, _, _ in below):
        room.bottom -= 0.35 * look.size
    if plan.title and not look.title_bottom:
        for line in _wrapped(plan.title, (bold, look.title_size), room):
            tall = cap(bold, look.title_size)
            _line(texts, room, line, (bold, look.title_size), (look.title_align, theme.ink), room.top + tall, group)
            room.top += LEADING * look.title_size
    size = look.small + 1
    for line in _wrapped(plan.subtitle, (look.font, size), room):
        tall = cap(look.font, size)
        _line(texts, room, line, (look.font, size), (look.title_align, theme.faint), room.top + tall, group)
        room.top += LEADING * size
    if plan.title and not look.title_bottom:
        room.top += 0.25 * look.size
    return room


def _wrapped(text: str, face: tuple[str, int], room: Room) -> list[str]:
    if not text:
        return []
    lines = wrap(text, face, 0.96 * (room.right - room.left), MAX_LINES)
    if lines is None:
        raise DoesNotFitError(reasons.TITLE)
    return lines


def _line(
    texts: Texts, room: Room, text: str, face: tuple[str, int], style: tuple[str, Colour], y: float, group: int
) -> None:  # fmt: skip
    align, colour = style
    share = {"left": 0.0, "center": 0.5, "right": 1.0}[align]
    texts.write(room.left + share * (room.right - room.left), y, text, face, colour, share, group)


def _block(texts: Texts, left: float, top: float, wide: float, tall: float, colour: Colour) -> None:
    width, height = texts.look.width, texts.look.height
    box = Rectangle((left / width, 1 - (top + tall) / height), wide / width, tall / height, color=rgb(colour))
    box.set(linewidth=0, transform=texts.figure.transFigure)
    texts.figure.add_artist(box)


def handles(data: ChartData, look: Look, count: int) -> list[Any]:
    """Return what the legend shows for each series or slice."""
    made: list[Any] = []
    for index in range(count):
        colour = rgb(look.palette[index])
        mark = "slice" if data.kind == "pie" else data.series[index].mark
        if mark in ("line", "step"):
            shape = look.markers[index] if look.markers else ""
            face = rgb(look.theme.plot) if look.hollow and shape not in STROKES else colour
            dash: Any = DASHES[look.dashes[index]]
            made.append(
                Line2D(
                    [], [], color=colour, linewidth=points(look.line_width), linestyle=dash,
                    marker=MARKERS.get(shape, "None"), markersize=points(2 * look.marker_size), markerfacecolor=face,
                    markeredgecolor=colour, markeredgewidth=1.0,
                )
            )  # fmt: skip
            continue
        hatch = look.hatches[index] if look.hatches and mark == "bar" else ""
        edge = look.outline if look.outline is not None else look.palette[index]
        edge = contrast(look.palette[index]) if hatch else edge
        alpha = look.area_alpha if mark == "area" else 1.0
        made.append(
            Patch(facecolor=(*colour, alpha), edgecolor=rgb(edge), hatch=HATCHES.get(hatch), linewidth=0.6)
        )  # fmt: skip
    return made


def lay_legend(texts: Texts, room: Room, look: Look, data: ChartData, names: tuple[str, ...], title_group: int) -> None:
    """Put the legend at the side of the room that the look asks for, and take its room.

    Raises:
        DoesNotFitError: it is too large.
    """
    shown = handles(data, look, len(names))
    size, wide = look.size, room.right - room.left
    beside = look.legend in ("right", "left", "ends", "inside")
    columns = 1
    if not beside:
        entry = max(measure(look.font, size, name) for name in names) + 4.6 * size
        columns = max(1, min(len(names), int(wide / entry)))
        # matplotlib fills columns first; entries are to be read row by row.
        order = [number for column in range(columns) for number in range(column, len(names), columns)]
        shown, names = [shown[number] for number in order], tuple(names[number] for number in order)
    legend = texts.figure.legend(
        shown, list(names), loc="upper left", bbox_to_anchor=(0, 1), ncols=columns, **legend_style(look)
    )
    box = legend.get_window_extent(texts.figure.canvas.get_renderer())
    if beside and (box.width > MAX_SIDE * look.width or box.height > room.bottom - room.top):
        raise DoesNotFitError(reasons.LEGEND)
    if not beside and (box.height > MAX_STACK * look.height or box.width > wide):
        raise DoesNotFitError(reasons.LEGEND)
    if look.legend == "left":
        left, top = room.left, room.top + 0.8 * size
        room.left += box.width + 0.8 * size
    elif beside:
        left = room.right - box.width
        top = room.top + (0.8 * size if dice(look, 1)[0] < 0.6 else (room.bottom - room.top - box.height) / 2)
        room.right = left - 0.8 * size
    else:
        left = room.left if look.legend_align == "left" else room.left + (wide - box.width) / 2
        top = room.top if look.legend == "top" else room.bottom - box.height
        if look.legend == "top":
            room.top += box.height + 0.4 * size
        else:
            room.bottom -= box.height + 0.3 * size
    legend.set_bbox_to_anchor((left / look.width, 1 - top / look.height), texts.figure.transFigure)
    texts.made += [(text, title_group) for text in legend.get_texts()]


def legend_style(look: Look) -> dict[str, Any]:
    """Return how legends look: what matplotlib would else take from its global settings."""
    theme = look.theme
    framed = look.legend_frame
    return {
        "prop": font(look.font, look.size), "labelcolor": rgb(theme.ink), "frameon": framed, "borderaxespad": 0.0,
        "facecolor": rgb(theme.plot if look.legend == "inside" else theme.paper), "edgecolor": (0.8, 0.8, 0.8),
        "framealpha": 1.0, "fancybox": True, "shadow": False, "handlelength": 2.0, "handletextpad": 0.8,
        "columnspacing": 1.6, "labelspacing": 0.45, "borderpad": 0.4 if framed else 0.0, "numpoints": 1,
    }  # fmt: skip
