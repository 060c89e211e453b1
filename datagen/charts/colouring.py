"""Which colours the series, slices and bars of one chart have."""

from datagen.charts.data import ChartData
from datagen.charts.palettes import Colour, choose_colours, mix
from datagen.charts.themes import Theme

#: Palettes of plain charts, and to fall back on where a theme's have too few colours.
FALLBACKS = ("tab", "office", "echarts", "safe", "spreadsheet", "candy", "night", "plotly")


def palette_of(theme: Theme, wish: str, count: int, turn: int, thin: bool) -> tuple[Colour, ...]:
    """Return ``count`` colours of the wished palette, or of the first that has so many; the most there are if none."""
    best: tuple[Colour, ...] = ()
    for name in (wish, *theme.palettes, *FALLBACKS):
        found = choose_colours(name, count, turn, theme.plot, thin)
        if len(found) >= count:
            return found
        best = max(best, found, key=len)
    return best


def point_colours_of(
    data: ChartData, theme: Theme, palette: tuple[Colour, ...], first: float, second: float
) -> tuple[Colour, ...]:
    """Return a colour for each bar of a single series: mostly none; its own, one picked out, or losses apart."""
    values, rows = data.series[0].values, len(data.categories)
    if min(data.series[0].known) < 0 and first < 0.4:
        losses = choose_colours("red_gray", 1, 0, theme.plot, False)
        return tuple(palette[0] if value is None or value >= 0 else losses[0] for value in values)
    if first < 0.1 and rows <= 8:
        own = palette_of(theme, FALLBACKS[int(second * len(FALLBACKS))], rows, 0, False)
        return own if len(own) == rows else ()
    if first < 0.2:
        # Muted bars must still stand out from the ground.
        muted = mix(palette[0], theme.plot, 0.5)
        chosen = int(second * rows)
        return tuple(palette[0] if number == chosen else muted for number in range(rows))
    return ()
