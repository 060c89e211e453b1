"""What stands around a plot: title, legend, axis titles; what is left is the plot's place."""

from collections.abc import Sequence

from datagen.charts.canvas import Box, Canvas, Colour, DoesNotFitError, Point
from datagen.charts.compose import ChartData
from datagen.charts.style import Style

#: The plot must keep this share of the page's width and height.
MIN_PLOT = 0.35

#: Name, colour, and "bar", "line" or a marker.
Entry = tuple[str, Colour, str]


def draw_frame(canvas: Canvas, data: ChartData, style: Style, entries: Sequence[Entry]) -> Box:
    """Draw the title and the legend; return the box that is left."""
    pad = 5 if style.names_inside else max(6, style.font.size * 2 // 3)
    left, top, right, bottom = pad, pad, style.width - pad, style.height - pad
    if style.title and data.title:
        height = style.title_font.cap
        if style.title_left:
            canvas.text((left, top + height), data.title, style.title_font, style.theme.ink, anchor="lb")
        else:
            canvas.text((style.width / 2, top + height), data.title, style.title_font, style.theme.ink, anchor="mb")
        top += height + style.title_font.size
    if not entries or style.legend == "none":
        return left, top, right, bottom
    line = round(style.font.size * 1.5)
    if style.legend == "right":
        widest = max(style.font.width(name) for name, _, _ in entries) + 2 * style.font.size
        start = top + max(0, (bottom - top - line * len(entries)) // 3)
        for number, entry in enumerate(entries):
            _entry(canvas, (right - widest, start + line * number + line / 2), entry, style)
        return left, top, right - widest - pad, bottom
    rows = _rows(entries, right - left, style)
    first = top if style.legend == "top" else bottom - line * len(rows)
    for number, row in enumerate(rows):
        widths = [_entry_width(entry, style) for entry in row]
        x = (left + right - sum(widths)) / 2 + style.font.size / 2
        for entry, width in zip(row, widths, strict=True):
            _entry(canvas, (x, first + line * number + line / 2), entry, style)
            x += width
    if style.legend == "top":
        return left, top + line * len(rows) + style.font.size / 2, right, bottom
    return left, top, right, bottom - line * len(rows) - style.font.size / 2


def check_plot(box: Box, style: Style) -> None:
    """Raise `DoesNotFitError` if the plot has become too small."""
    if box[2] - box[0] < MIN_PLOT * style.width or box[3] - box[1] < MIN_PLOT * style.height:
        raise DoesNotFitError("plot too small")


def _entry_width(entry: Entry, style: Style) -> float:
    return style.font.width(entry[0]) + 3.2 * style.font.size


def _rows(entries: Sequence[Entry], width: float, style: Style) -> list[list[Entry]]:
    rows: list[list[Entry]] = [[]]
    used = 0.0
    for entry in entries:
        wide = _entry_width(entry, style)
        if rows[-1] and used + wide > width:
            rows.append([])
            used = 0.0
        rows[-1].append(entry)
        used += wide
    return rows


def _entry(canvas: Canvas, place: Point, entry: Entry, style: Style) -> None:
    """Draw a legend entry with its left middle at ``place``."""
    name, colour, mark = entry
    x, y = place
    size = style.font.size
    if mark == "bar":
        canvas.rectangle((x, y - size * 0.4, x + size * 1.1, y + size * 0.4), colour)
    else:
        canvas.strokes([[(x - size * 0.2, y), (x + size * 1.3, y)]], colour, style.line_width)
        if mark != "line":
            inside = style.theme.plot if style.hollow else None
            canvas.markers([(x + size * 0.55, y)], mark, style.marker_radius, colour=colour, inside=inside)
    canvas.text((x + size * 1.7, y + style.font.cap / 2), name, style.font, style.theme.ink, anchor="lb")
