"""The same charts drawn by matplotlib, for variety: slow, and as many charts in the world look.

Figures are made without pyplot, so nothing global is touched. Axis limits and ticks are matplotlib's own choice.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from datagen import fonts
from datagen.charts.answer import cartesian_label, legend_names, pie_label, written_on_slices
from datagen.charts.canvas import Colour, DoesNotFitError, Font
from datagen.charts.colours import contrast
from datagen.charts.compose import ChartData, Series
from datagen.charts.numbers import Axis, NumberFormat, decimals_of
from datagen.charts.style import Style

DPI = 100
MARKS = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^"}
#: Room of a legend entry besides its text, of a line of text, and of ticks, in text sizes.
ENTRY, LINE, TICKS = 4.5, 1.6, 0.8
#: The angle of category labels that are too wide to stand level.
SLANT = 40
#: The plot keeps at least this share of the page's width and height.
MIN_PLOT = 0.35


@dataclass
class Room:
    """What is left of the page, in pixels from the top left; parts of the chart take from its edges."""

    left: float
    top: float
    right: float
    bottom: float

    def place(self, axes: Any, style: Style) -> None:
        """Give the room to the plot."""
        width, height = self.right - self.left, self.bottom - self.top
        if width < MIN_PLOT * style.width or height < MIN_PLOT * style.height:
            raise DoesNotFitError("plot too small")
        share = self.left / style.width, 1 - self.bottom / style.height, width / style.width, height / style.height
        axes.set_position(share)


def draw(data: ChartData, style: Style) -> tuple[np.ndarray, str, dict[str, Any]]:
    """Return picture, label and details of a chart drawn by matplotlib.

    Raises:
        DoesNotFitError: texts overlap or leave the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Any = Figure((style.width / DPI, style.height / DPI), DPI, facecolor=_rgb(style.theme.paper))
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=_rgb(style.theme.plot))
    size = style.font.size
    room = Room(size, size, style.width - size, style.height - size)
    if style.title:
        room.top += style.title_font.size * LINE
    names = legend_names(data, style)
    if data.kind == "pie" and not style.slice_names:
        names = list(data.categories)
    legend = _legend_place(names, room, style)
    details: dict[str, Any] = {}
    if data.kind == "pie":
        handles, written = _pie(axes, data, style)
        room.place(axes, style)
    else:
        room.place(axes, style)  # the number of ticks depends on it
        used, handles, written = _cartesian(axes, data, room, style)
        details = {"axes": [[axis.low, axis.high] for axis in used], "horizontal": style.horizontal}
    if names:
        _legend(figure, handles, names, legend, style)
    if style.title:
        place = "left" if style.title_left else "center"
        x, y = axes.get_position().x0 if style.title_left else 0.5, 1 - size / style.height
        look = {"ha": place, "va": "top", "color": _rgb(style.theme.ink), "fontproperties": _font(style.title_font)}
        figure.text(x, y, data.title, **look)
    canvas.draw()
    _check_texts(figure, written)
    image = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    label = pie_label(data, style) if data.kind == "pie" else cartesian_label(data, style, used)
    return image, label, details


def _pie(axes: Any, data: ChartData, style: Style) -> tuple[list[Any], list[Any]]:
    texts = written_on_slices(data, style)
    colours = [style.colour(number) for number in range(len(texts))]
    wedges, names = axes.pie(
        data.series[0].known,
        colors=[_rgb(colour) for colour in colours],
        labels=data.categories if style.slice_names else [""] * len(texts),
        startangle=90,
        counterclock=False,
        radius=0.9,
        wedgeprops={"width": 0.9 * (1 - style.hole), "edgecolor": _rgb(style.theme.paper)},
        textprops={"fontproperties": _font(style.font), "color": _rgb(style.theme.ink)},
    )[:2]
    ring = 0.9 * ((1 + style.hole) / 2 if style.hole else 0.62)
    for wedge, text, colour in zip(wedges, texts, colours, strict=True):
        middle = np.deg2rad((wedge.theta1 + wedge.theta2) / 2)
        place = ring * np.cos(middle), ring * np.sin(middle)
        names.append(_write(axes, place, text, contrast(colour), style, ha="center", va="center"))
    return list(wedges), list(names)


def _cartesian(axes: Any, data: ChartData, room: Room, style: Style) -> tuple[list[Axis], list[Any], list[Any]]:
    """Draw bars and lines; return the axis of each series, what the legend shows, and texts that must not overlap."""
    lines = data.series if data.kind == "line" else data.series[-1:] if data.kind == "composite" else ()
    bars = data.series[: len(data.series) - len(lines)]
    handles, texts = _bars(axes, data, bars, style)
    second = axes.twinx() if data.kind == "composite" else axes
    places = np.arange(len(data.categories))
    for number, series in enumerate(lines, len(bars)):
        values = np.array([np.nan if value is None else value for value in series.values])
        (line,) = second.plot(
            places,
            values,
            color=_rgb(style.colour(number)),
            linewidth=style.line_width * 72 / DPI,
            marker=_mark(series, style, number),
            linestyle="--" if style.dashed and number % 2 else "-",
            markerfacecolor=_rgb(style.theme.plot if style.hollow else style.colour(number)),
        )
        handles.append(line)
        texts += _point_labels(second, series, style)
    if data.kind == "line" and style.from_zero:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    if style.value_labels and data.kind != "stacked":
        axes.margins(x=0.15) if style.horizontal else axes.margins(y=0.15)
    _dress(axes, data, room, style)
    texts += [*(axes.get_yticklabels() if style.horizontal else axes.get_xticklabels())]
    limits = axes.get_xlim() if style.horizontal else axes.get_ylim()
    left = right = Axis(float(limits[0]), float(limits[1]), 1.0)
    if second is not axes:
        _dress_second(second, data.series[-1], room, style)
        low, high = second.get_ylim()
        right = Axis(float(low), float(high), 1.0)
    room.place(axes, style)
    if second is not axes:
        room.place(second, style)
    return [left] * len(bars) + [right] * len(lines), handles, texts


def _mark(series: Series, style: Style, number: int) -> str:
    """Return the marker of a series; alone between missing points, a point is only seen by its marker."""
    if style.markers:
        return MARKS[style.markers[number % len(style.markers)]]
    return "o" if None in series.values else ""


def _bars(axes: Any, data: ChartData, bars: tuple[Series, ...], style: Style) -> tuple[list[Any], list[Any]]:
    places = np.arange(len(data.categories))
    floor = np.zeros(len(places))
    width = style.bar_share / (1 if data.kind == "stacked" else max(1, len(bars)))
    handles: list[Any] = []
    texts: list[Any] = []
    for number, series in enumerate(bars):
        stacked = data.kind == "stacked"
        shift = 0.0 if stacked else (number - (len(bars) - 1) / 2) * width
        look: dict[str, Any] = {
            "color": _rgb(style.colour(number)),
            "edgecolor": _rgb(style.theme.ink) if style.outlined else None,
        }
        if style.horizontal:
            drawn = axes.barh(places + shift, series.known, width, left=floor if stacked else None, **look)
        else:
            drawn = axes.bar(places + shift, series.known, width, bottom=floor if stacked else None, **look)
        floor = floor + np.array(series.known)
        handles.append(drawn)
        if style.value_labels:
            form = style.number_format(series)
            texts += axes.bar_label(
                drawn,
                [form.text(value) for value in series.known],
                label_type="center" if stacked else "edge",
                padding=0 if stacked else 2,
                color=_rgb(contrast(style.colour(number)) if stacked else style.theme.ink),
                fontproperties=_font(style.value_font),
            )
    return handles, texts


def _point_labels(axes: Any, series: Series, style: Style) -> list[Any]:
    if not style.value_labels:
        return []
    form = style.number_format(series)
    return [
        axes.annotate(
            form.text(value),
            (place, value),
            (0, 5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=_rgb(style.theme.ink),
            fontproperties=_font(style.value_font),
        )
        for place, value in enumerate(series.values)
        if value is not None
    ]


def _dress(axes: Any, data: ChartData, room: Room, style: Style) -> None:
    """Set ticks, grid, spines and titles of the main axes, and take their room."""
    theme, font, size = style.theme, style.font, style.font.size
    places = np.arange(len(data.categories))
    widest = max(font.width(name) for name in data.categories)
    topic = data.series[0].topic
    signs = (topic.prefix, topic.suffix) if style.axis_units else ("", "")
    ticks = _format_ticks(axes.xaxis if style.horizontal else axes.yaxis, NumberFormat(0, style.thousands, *signs))
    if style.horizontal:
        axes.set_yticks(places, data.categories)
        axes.invert_yaxis()
        room.left += widest + TICKS * size
        room.bottom -= (LINE + TICKS) * size
        room.right -= max(font.width(text) for text in ticks) / 2
    else:
        room.left += max(font.width(text) for text in ticks) + TICKS * size
        wide = widest > 0.9 * (room.right - room.left) / len(places)
        axes.set_xticks(places, data.categories, rotation=SLANT if wide else 0, ha="right" if wide else "center")
        room.bottom -= TICKS * size + (widest * math.sin(math.radians(SLANT)) + size if wide else size)
    axes.set_axisbelow(True)
    if style.grid != "none":
        which: Any = "both" if style.grid == "both" else "x" if style.horizontal else "y"
        axes.grid(axis=which, color=_rgb(theme.grid))
    shown = {"box": "left right top bottom", "corner": "left bottom", "base": "left" if style.horizontal else "bottom"}
    _colour_axes(axes, shown.get(style.spines, ""), style)
    values, categories = (axes.set_xlabel, axes.set_ylabel) if style.horizontal else (axes.set_ylabel, axes.set_xlabel)
    if style.value_title:
        values(data.y_title, color=_rgb(theme.ink), fontproperties=_font(font))
    if style.category_title:
        categories(data.x_title, color=_rgb(theme.ink), fontproperties=_font(font))
    beside, below = (style.category_title, style.value_title)[:: 1 if style.horizontal else -1]
    room.left += LINE * size * beside
    room.bottom -= LINE * size * below


def _dress_second(axes: Any, series: Series, room: Room, style: Style) -> None:
    suffix = series.topic.suffix if style.axis_units else ""
    ticks = _format_ticks(axes.yaxis, NumberFormat(0, style.thousands, "", suffix))
    room.right -= max(style.font.width(text) for text in ticks) + TICKS * style.font.size
    # A mark before a number would look like a minus sign.
    axes.tick_params(axis="y", direction="in")
    _colour_axes(axes, "right" if style.spines in ("box", "corner") else "", style)
    if style.value_title:
        axes.set_ylabel(series.topic.title, color=_rgb(style.theme.ink), fontproperties=_font(style.font))
        room.right -= LINE * style.font.size


def _colour_axes(axes: Any, shown: str, style: Style) -> None:
    for name, spine in axes.spines.items():
        spine.set_visible(name in shown.split())
        spine.set_color(_rgb(style.theme.faint))
    axes.tick_params(colors=_rgb(style.theme.faint))
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_fontproperties(_font(style.font))


def _format_ticks(axis: Any, form: NumberFormat) -> list[str]:
    """Write the ticks in view with the decimals that they need; return their texts."""
    low, high = sorted(axis.get_view_interval())
    ticks = [round(float(tick), 9) for tick in axis.get_ticklocs() if low - 1e-9 <= tick <= high + 1e-9]
    form = replace(form, decimals=max(decimals_of(tick) for tick in ticks))
    texts = [form.text(tick) for tick in ticks]
    axis.set_ticks(ticks, texts)
    return texts


def _legend_place(names: list[str], room: Room, style: Style) -> dict[str, Any]:
    """Take the room of the legend; return where it is put."""
    if not names:
        return {}
    size = style.font.size
    entry = max(style.font.width(name) for name in names) + ENTRY * size
    if style.legend == "right":
        room.right -= entry
        return {"loc": "upper right", "bbox_to_anchor": (1 - size / 2 / style.width, 1 - room.top / style.height)}
    columns = max(1, min(len(names), int((room.right - room.left) / entry)))
    height = math.ceil(len(names) / columns) * LINE * size + size / 2
    if style.legend == "top":
        room.top += height
        return {
            "loc": "upper center",
            "bbox_to_anchor": (0.5, 1 - (room.top - height) / style.height),
            "ncols": columns,
        }
    room.bottom -= height
    return {"loc": "lower center", "bbox_to_anchor": (0.5, size / 2 / style.height), "ncols": columns}


def _legend(figure: Any, handles: list[Any], names: list[str], place: dict[str, Any], style: Style) -> None:
    # matplotlib fills columns first; entries are to be read row by row.
    columns = place.get("ncols", 1)
    order = [number for column in range(columns) for number in range(column, len(names), columns)]
    figure.legend(
        [handles[number] for number in order],
        [names[number] for number in order],
        **place,
        borderaxespad=0,
        frameon=style.spines == "box",
        prop=_font(style.font),
        labelcolor=_rgb(style.theme.ink),
        facecolor=_rgb(style.theme.paper),
    )


def _write(axes: Any, place: tuple[float, float], text: str, colour: Colour, style: Style, **look: Any) -> Any:
    return axes.text(*place, text, color=_rgb(colour), fontproperties=_font(style.value_font), **look)


def _check_texts(figure: Any, written: list[Any]) -> None:
    """Raise `DoesNotFitError` if any text leaves the picture, or some of the level ``written`` ones overlap."""
    from matplotlib.text import Text

    page = figure.bbox
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            if box.x0 < page.x0 or box.y0 < page.y0 or box.x1 > page.x1 or box.y1 > page.y1:
                raise DoesNotFitError("text leaves the page")
    boxes = [text.get_window_extent() for text in written if text.get_text() and text.get_rotation() == 0]
    if any(box.overlaps(other) for number, box in enumerate(boxes) for other in boxes[number + 1 :]):
        raise DoesNotFitError("texts overlap")


def _font(font: Font) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(fname=str(fonts.path(font.name)), size=font.size * 72 / DPI)


def _rgb(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = colour
    return red / 255, green / 255, blue / 255
