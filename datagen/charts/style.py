"""How a chart looks: sizes, fonts, colours, and which of its parts are drawn."""

from dataclasses import dataclass

import numpy as np

from datagen.charts.canvas import Colour, Font
from datagen.charts.colours import THEMES, Theme, choose_palette
from datagen.charts.compose import ChartData, Series
from datagen.charts.numbers import NumberFormat
from datagen.charts.settings import ChartSettings

#: Faces that look smaller than others at the same size.
SIZE_FACTORS = {"STIXGeneral": 1.15}
MARKERS = ("circle", "square", "diamond", "triangle")


@dataclass(frozen=True)
class Style:
    """The look of one chart; lengths in pixels.

    Attributes:
        width, height: size of the picture.
        font, title_font, value_font: of plain text, the title, and written values.
        theme: colours of page and text.
        palette: colours of series or slices.
        grid: "none", "values" (lines across the value axis) or "both".
        spines: "box", "corner" (two axis lines), "base" (one) or "none".
        legend: "top", "bottom", "right" or "none".
        title, title_left: whether there is a title, and whether it stands on the left.
        value_title, category_title: whether the axes have titles.
        value_labels: whether values are written at bars and points.
        horizontal: whether bars lie.
        bar_share: the share of a category's room that its bars take.
        outlined: whether bars have an outline.
        line_width, markers, hollow, dashed: how lines look.
        ticks: how many steps an axis has, about.
        from_zero: whether the value axis must hold zero.
        thousands: whether thousands are separated by commas.
        units, axis_units: whether written values and tick texts have currency and percent signs.
        hole: the radius of a doughnut's hole as a share of the pie's.
        slice_texts: "percent", "value" or "both".
        slice_names: whether slices are named at the slices, not in a legend.
        names_inside: whether those names stand inside them, and margins are small.
    """

    width: int
    height: int
    font: Font
    title_font: Font
    value_font: Font
    theme: Theme
    palette: tuple[Colour, ...]
    grid: str
    spines: str
    legend: str
    title: bool
    title_left: bool
    value_title: bool
    category_title: bool
    value_labels: bool
    horizontal: bool
    bar_share: float
    outlined: bool
    line_width: float
    markers: tuple[str, ...]
    hollow: bool
    dashed: bool
    ticks: int
    from_zero: bool
    thousands: bool
    units: bool
    axis_units: bool
    hole: float
    slice_texts: str
    slice_names: bool
    names_inside: bool

    @property
    def marker_radius(self) -> float:
        """Half the size of markers."""
        return 1.4 * self.line_width + 1

    def number_format(self, series: Series) -> NumberFormat:
        """Return how values of a series are written at bars and points."""
        prefix, suffix = (series.topic.prefix, series.topic.suffix) if self.units else ("", "")
        return NumberFormat(series.decimals, self.thousands, prefix, suffix)

    def colour(self, index: int) -> Colour:
        """Return the colour of a series or slice."""
        return self.palette[index % len(self.palette)]


def draw_style(data: ChartData, rng: np.random.Generator, settings: ChartSettings) -> Style:
    """Choose a look for ``data``."""
    simple = settings.simple
    themed = bool(rng.random() < settings.themed)
    theme = THEMES[int(rng.integers(len(THEMES)))] if themed else THEMES[0]
    aspect = float(rng.uniform(*settings.aspect))
    width = int(rng.integers(settings.sides[0], settings.sides[1] + 1))
    size = int(rng.integers(settings.text[0], settings.text[1] + 1))
    # Text grows with the page, so that large pages are not all paper.
    name = str(rng.choice(settings.fonts))
    if not simple:
        size = round(size * (width / 640) ** 0.8 * SIZE_FACTORS.get(name, 1.0))
    # Series and slices need names; only a single series can go without.
    named = len(data.series) > 1 or data.kind == "pie"
    bold = name + ("Bol" if name.startswith("STIX") else "-Bold")

    def chance(share: float) -> bool:
        return bool(rng.random() < share) and not simple

    def pick(*options: str) -> str:
        return str(rng.choice(options))

    return Style(
        width=width,
        height=round(width / aspect),
        font=Font(name, size),
        title_font=Font(bold if chance(0.5) else name, round(size * rng.uniform(1.1, 1.5))),
        value_font=Font(name, size + 4 if simple else size - int(rng.integers(2))),
        theme=theme,
        palette=choose_palette(
            len(data.categories) if data.kind == "pie" else len(data.series), theme.plot, rng, themed
        ),
        grid="none" if simple else pick("none", "values", "values", "both"),
        spines="base" if simple else pick("box", "corner", "corner", "base", "none"),
        legend=pick("top", "bottom", "right", "top") if named or chance(0.25) else "none",
        title=chance(0.8),
        title_left=chance(0.3),
        value_title=chance(0.6),
        category_title=chance(0.35),
        value_labels=bool(rng.random() < settings.value_labels),
        horizontal=chance(0.3) and data.kind in ("bar", "stacked"),
        bar_share=float(rng.uniform(0.6, 0.7) if simple else rng.uniform(0.5, 0.9)),
        outlined=chance(0.15),
        line_width=float(rng.uniform(1.4, 3.2)),
        markers=tuple(str(marker) for marker in rng.permutation(MARKERS)) if chance(0.7) else (),
        hollow=chance(0.3),
        dashed=chance(0.15),
        ticks=int(rng.integers(4, 9)),
        from_zero=chance(0.35) or data.kind != "line",
        thousands=chance(0.6),
        units=chance(0.6),
        axis_units=chance(0.4),
        hole=float(rng.uniform(0.4, 0.65)) if chance(0.3) else 0.0,
        slice_texts="value" if simple else "percent" if data.percent else pick("percent", "value", "value", "both"),
        slice_names=chance(0.5) or simple,
        names_inside=simple,
    )
