"""How a chart looks, whatever draws it: sizes, fonts, colours, and which of its parts are drawn and where.

`draw_look` follows a theme (`datagen.charts.themes`): the house style of an office suite, a newspaper, a journal or a
plotting library, with its own habits. Renderers take the look as a request: what they cannot do (rounded bars, say)
they leave out, but nothing that names a series or carries a number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from datagen.charts.colouring import FALLBACKS, palette_of, point_colours_of
from datagen.charts.data import ChartData
from datagen.charts.palettes import Colour
from datagen.charts.settings import ChartSettings
from datagen.charts.themes import PLAIN, THEMES, Theme
from datagen.charts.typefaces import faces

#: The face of easy charts.
EASY_FACE = "DejaVuSans-Bold"
MARKERS = ("circle", "square", "diamond", "triangle", "down", "cross", "plus")
DASHES = ("solid", "dashed", "dotted", "dashdot")
HATCHES = ("/", "\\", "x", "-", "|", ".")
#: Faces that look smaller than others at the same size.
SIZE_FACTORS = {"STIXGeneral": 1.15, "cmr10": 1.1}
#: Text is never smaller than this.
MIN_SIZE = 10
#: The sizes of text that are used: few, so that glyphs and words are drawn once and used again.
SIZES = (9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28)
#: Written values become unlikely beyond this many.
MANY_VALUES = 24
#: How many random numbers a look takes: always as many, whatever they decide.
_DRAWS = 96


@dataclass(frozen=True, slots=True)
class Look:
    """The look of one chart; lengths and sizes in pixels (sizes of text are ems).

    Attributes:
        width, height: size of the picture.
        pad: free margin of the page.
        theme: colours of page, plot, text, axis lines and grid; its name.
        palette: a colour for each series (for each slice of a pie), all distinguishable.
        font, bold: names of the faces (`datagen.fonts`) of plain text and of emphasised text.
        size, small, title_size, value_size: of plain text; of subtitle, source and note; of the title; of values.
        title, subtitle, source, note: whether they are drawn (if the data has them).
        title_bold: whether the title is set in the bold face.
        title_align: "left", "center" or "right": of title and subtitle.
        title_bottom: whether the title stands below the chart, as a figure's caption.
        legend: "top", "bottom", "right", "left", "inside", "ends" (names at the right ends of lines; a renderer may
            take "right" instead) or "none".
        legend_align: "left", "center" or "right", of a legend at the top or bottom.
        legend_frame: whether the legend has a frame.
        mark_right: whether the legend says which series belong to the right axis.
        grid: "none", "values" (lines across the value axis), "categories" or "both".
        grid_dash: one of `DASHES`.
        spines: "box", "corner" (two axis lines), "base" (the category axis alone) or "none".
        tick_marks: "out", "in" or "none".
        bands: whether every other interval of the value axis has a ground of its own (`Theme.band`).
        value_axis: whether the value axis has tick texts.
        value_side: "left" or "right": the side of a single vertical value axis.
        value_title: "side" (turned along the axis), "top" (level, above the axis) or "none".
        category_title: whether the category axis has its title.
        category_angle: 0, 30, 45, 60 or 90: the least turn of category names below a plot (more if they don't fit).
        value_labels: whether values are written at bars and points.
        value_place: "outside", "inside" (at the end) or "centre": where they are written at bars.
        value_bold: whether they are set in the bold face.
        value_boxes: whether values at lines stand in small boxes.
        horizontal: whether bars lie; their first category is at the top.
        bar_share: the share of a category's room that its bars take.
        bar_gap: free room between bars side by side, as a share of a bar's width (negative: they overlap).
        outline: the colour of bars', areas' and slices' outlines; None for none.
        rounded: radius of bars' outer corners.
        gradient: 0 (flat) to 1: how much bars are shaded.
        hatches: for each series one of `HATCHES` or empty; empty for none at all.
        point_colours: colours of a single series' bars, one for each category; empty for one colour.
        line_width: of lines.
        markers: for each series one of `MARKERS`, or empty; empty for none at all.
        marker_size: a marker's radius.
        hollow: whether markers are filled with the ground.
        dashes: for each series one of `DASHES`.
        smooth: whether lines are curved (through every point).
        edge_points: whether lines and areas run from edge to edge: the first point on the left axis, the last on the
            right edge; else points stand in the middle of their categories, as bars do.
        area_alpha: how opaque areas are, 0 to 1.
        error_cap: half the width of error bars' caps.
        hole: the radius of a doughnut's hole as a share of the pie's; 0 for a pie.
        start_angle: where the first slice begins, in degrees clockwise from the top.
        clockwise: whether slices follow each other clockwise.
        explode: index of a slice that is moved outwards, or -1.
        slice_edge: width of the line between slices (in the page's colour).
        slice_names: "legend", "outside" or "inside" the slices.
        slice_texts: "percent", "value" or "both" (value, then percent in brackets).
        percent_decimals: decimals of percentages that are reckoned from a pie's values.
        slice_place: "inside" or "outside": where numbers stand.
        ticks: how many steps a value axis has, about.
        from_zero: whether the value axis must hold zero; bars always have it.
        tick_units: whether tick texts carry the series' currency, percent sign or unit.
        tick_groups: whether tick texts have separators of thousands.
        accent: "none", "bar" (a coloured block at the top left) or "rule" (a line at the top), in `Theme.accent`.
        frame: whether the page has a thin frame.
    """

    width: int
    height: int
    pad: int
    theme: Theme
    palette: tuple[Colour, ...]
    font: str
    bold: str
    size: int
    small: int
    title_size: int
    value_size: int
    title: bool
    subtitle: bool
    source: bool
    note: bool
    title_bold: bool
    title_align: str
    title_bottom: bool
    legend: str
    legend_align: str
    legend_frame: bool
    mark_right: bool
    grid: str
    grid_dash: str
    spines: str
    tick_marks: str
    bands: bool
    value_axis: bool
    value_side: str
    value_title: str
    category_title: bool
    category_angle: int
    value_labels: bool
    value_place: str
    value_bold: bool
    value_boxes: bool
    horizontal: bool
    bar_share: float
    bar_gap: float
    outline: Colour | None
    rounded: int
    gradient: float
    hatches: tuple[str, ...]
    point_colours: tuple[Colour, ...]
    line_width: float
    markers: tuple[str, ...]
    marker_size: float
    hollow: bool
    dashes: tuple[str, ...]
    smooth: bool
    edge_points: bool
    area_alpha: float
    error_cap: float
    hole: float
    start_angle: float
    clockwise: bool
    explode: int
    slice_edge: float
    slice_names: str
    slice_texts: str
    percent_decimals: int
    slice_place: str
    ticks: int
    from_zero: bool
    tick_units: bool
    tick_groups: bool
    accent: str
    frame: bool


def draw_look(data: ChartData, rng: np.random.Generator, settings: ChartSettings) -> Look:  # noqa: PLR0915
    """Choose a look for ``data``."""
    draws = iter(rng.random(_DRAWS).tolist())
    if settings.simple:
        return replace(_EASY, **_easy(data, draws, settings))

    def chance(share: float) -> bool:
        return next(draws) < share

    def between(low: float, high: float) -> float:
        return low + (high - low) * next(draws)

    def pick(*options: Any) -> Any:
        return options[int(next(draws) * len(options))]

    kind = data.kind
    theme = THEMES[int(next(draws) * len(THEMES))] if chance(settings.themed) else PLAIN
    count, rows = len(data.series), len(data.categories)
    marks = {series.mark for series in data.series}
    bars, pie, scatter = "bar" in marks, kind == "pie", kind == "scatter"
    lines = not marks.isdisjoint(("line", "step", "area"))

    width = int(between(settings.sides[0], settings.sides[1] + 1))
    height = round(width / between(*settings.aspect))
    horizontal = bars and not lines and not data.dates and chance(0.3)
    pairs = faces(data.language, pick(*theme.fonts), settings.latin)
    font, bold = pairs[int(next(draws) * len(pairs))]
    size = between(settings.text[0], settings.text[1] + 1) * (width / 640) ** 0.8 * SIZE_FACTORS.get(font, 1.0)
    size = _near(max(MIN_SIZE, size))
    named = (count > 1 and not scatter) or pie
    legend = pick(*theme.legends)
    if legend == "ends" and (kind != "line" or count > 6 or rows > 60):
        legend = "right"
    if legend == "inside" and (pie or horizontal or count > 5 or data.stacking != "none"):
        legend = "top"
    if legend == "right" and chance(0.06):
        legend = "left"
    slice_names = pick("legend", "legend", "outside", "outside", "inside")
    if pie and slice_names != "legend":
        legend = "none"

    wanted = rows if pie else 1 if scatter else count
    thin = lines or scatter
    palette = palette_of(theme, pick(*theme.palettes), wanted, int(next(draws) * 4) * chance(0.5), thin)
    if wanted == 1 and chance(0.15):
        palette = (theme.accent,) if theme.accent != theme.plot else palette
    point_colours = point_colours_of(data, theme, palette, next(draws), next(draws)) if bars and count == 1 else ()

    many = (rows * count) / MANY_VALUES
    chance_of_labels = settings.value_labels * theme.labels * (1.0 if many <= 1 else 0.5 / many)
    if "area" in marks or kind == "composite":
        # Numbers in areas, and at lines over bars, are rare: they are hard to read.
        chance_of_labels *= 0.0 if "area" in marks and count > 1 else 0.5
    labels = chance(min(0.95, chance_of_labels)) and not scatter
    value_axis = not (labels and not data.log and count < 4 and chance(0.35))
    shown_lines = [series.mark in ("line", "step") for series in data.series]
    marked = scatter or chance(0.65 if rows <= 24 else 0.1)
    order = _shuffled(MARKERS[:5] if chance(0.8) else MARKERS, draws)
    same_marker = count == 1 or chance(0.4)
    dash_turn = chance(0.15) and count > 1
    dashes = tuple(DASHES[i % 4] if dash_turn and shown_lines[i] else "solid" for i in range(count))
    hatched = bars and chance(theme.hatched)
    turn = int(next(draws) * len(HATCHES))
    hatches = tuple(("", *HATCHES)[(i + turn) % 7 if i else turn % 7] for i in range(count)) if hatched else ()
    deviates = chance(0.12)
    hole = between(0.4, 0.68) if chance(0.33) else 0.0
    grid = pick("none", "values", "both", "categories") if deviates else pick(*theme.grids)
    return Look(
        width=width,
        height=height,
        pad=max(6, int(size * between(0.5, 1.1))),
        theme=theme,
        palette=palette,
        font=font,
        bold=bold,
        size=size,
        small=_near(size * between(0.75, 0.92)),
        title_size=_near(size * between(1.1, 1.6)),
        value_size=_near(size * pick(0.85, 0.92, 1.0)),
        title=chance(0.85),
        subtitle=chance(0.6),
        source=chance(0.7),
        note=chance(0.6),
        title_bold=chance(theme.bold),
        title_align=pick(*theme.aligns),
        title_bottom=chance(0.02),
        legend=legend if named else "none",
        legend_align=pick("center", "center", "left") if "left" in theme.aligns else "center",
        legend_frame=legend in ("inside", "right") and chance(0.3),
        mark_right=chance(0.4),
        grid=grid,
        grid_dash=theme.dash if chance(0.75) else pick("solid", "dashed", "dotted"),
        spines=pick("box", "corner", "base", "none") if chance(0.08) else pick(*theme.spines),
        tick_marks=pick(*theme.marks),
        bands=chance(theme.banded) and not data.log,
        value_axis=value_axis,
        value_side="right" if chance(0.1 if "left" in theme.aligns else 0.01) and not horizontal else "left",
        value_title=pick("none", "side", "side", "top") if "left" in theme.aligns else pick("none", "side"),
        category_title=chance(0.35),
        category_angle=pick(45, 30, 90, 60) if chance(0.07) else 0,
        value_labels=labels,
        value_place=pick("outside", "outside", "outside", "inside", "centre"),
        value_bold=chance(0.15),
        value_boxes=chance(0.06),
        horizontal=horizontal,
        bar_share=between(0.45, 0.88),
        bar_gap=pick(0.0, 0.0, 0.08, 0.15, -0.15) if count > 1 else 0.0,
        outline=pick(theme.ink, theme.paper) if chance(0.12) or hatched else None,
        rounded=int(between(2, 7)) if chance(theme.rounded) else 0,
        gradient=between(0.2, 0.5) if chance(theme.shaded) else 0.0,
        hatches=hatches,
        point_colours=point_colours,
        line_width=between(1.3, 3.2) * (width / 640) ** 0.5,
        markers=tuple(order[0 if same_marker else i % len(order)] for i in range(count)) if marked else (),
        marker_size=between(2.6, 5.0) * (width / 640) ** 0.5,
        hollow=chance(0.25),
        dashes=dashes,
        smooth=chance(theme.smooth) and kind in ("line", "area", "composite"),
        edge_points=chance(0.8 if "area" in marks else 0.3) and lines and not bars and not labels,
        area_alpha=between(0.25, 0.6) if data.stacking == "none" else between(0.75, 1.0),
        error_cap=between(2.0, 5.0),
        hole=hole,
        start_angle=0.0 if chance(0.75) else between(0, 360),
        clockwise=chance(0.85),
        explode=int(next(draws) * rows) if chance(0.1) and not hole else -1,
        slice_edge=between(0.8, 2.2) if chance(0.75) else 0.0,
        slice_names=slice_names if pie else "legend",
        slice_texts=pick("percent", "percent", "value", "both"),
        percent_decimals=pick(0, 1, 1),
        slice_place=pick("inside", "outside"),
        ticks=pick(4, 5, 5, 6, 6, 7, 8),
        from_zero=chance(0.3 if lines else 0.15),
        tick_units=chance(0.55),
        tick_groups=chance(0.75),
        accent=pick("bar", "rule") if chance(theme.accents) else "none",
        frame=chance(theme.framed),
    )


def _near(size: float) -> int:
    """Return the greatest of `SIZES` that is not above ``size``; the smallest if all are."""
    return max([one for one in SIZES if one <= size + 0.01], default=SIZES[0])


def _shuffled(words: tuple[str, ...], draws: Iterator[float]) -> tuple[str, ...]:
    """Return ``words`` from a random one on: cheaper than a permutation, and as good."""
    turn = int(next(draws) * len(words))
    return words[turn:] + words[:turn]


def _easy(data: ChartData, draws: Iterator[float], settings: ChartSettings) -> dict[str, Any]:
    """Return what differs among easy looks: sizes and colours."""
    wanted = len(data.categories) if data.kind == "pie" else 1
    size = settings.text[0] + int(next(draws) * (settings.text[1] + 1 - settings.text[0]))
    return {
        "width": settings.sides[0],
        "height": settings.sides[0],
        "palette": palette_of(PLAIN, FALLBACKS[int(next(draws) * 4)], wanted, int(next(draws) * 8), False),
        "size": size,
        "value_size": size + 4,
        "bar_share": 0.6 + 0.1 * next(draws),
        "ticks": 4 + int(next(draws) * 5),
    }


#: Bars or slices with names and numbers, and nothing else.
_EASY = Look(
    width=0, height=0, pad=5, theme=PLAIN, palette=(), font=EASY_FACE, bold=EASY_FACE, size=0, small=0, title_size=0,
    value_size=0, title=False, subtitle=False, source=False, note=False, title_bold=False, title_align="center",
    title_bottom=False, legend="none", legend_align="center", legend_frame=False, mark_right=False, grid="none",
    grid_dash="solid", spines="base", tick_marks="none", bands=False, value_axis=False, value_side="left",
    value_title="none", category_title=False, category_angle=0, value_labels=True, value_place="outside",
    value_bold=False, value_boxes=False, horizontal=False, bar_share=0.6, bar_gap=0.0, outline=None, rounded=0,
    gradient=0.0, hatches=(), point_colours=(), line_width=2.0, markers=(), marker_size=3.0, hollow=False,
    dashes=("solid",), smooth=False, edge_points=False, area_alpha=1.0, error_cap=3.0, hole=0.0, start_angle=0.0,
    clockwise=True, explode=-1, slice_edge=1.4, slice_names="inside", slice_texts="value", percent_decimals=0,
    slice_place="inside", ticks=5, from_zero=True, tick_units=False, tick_groups=False, accent="none", frame=False,
)  # fmt: skip
