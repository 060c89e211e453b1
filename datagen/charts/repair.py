"""What to change in a look when the chart does not fit: the least first, and never what names or numbers a thing."""

from collections.abc import Callable
from dataclasses import replace

from datagen.charts import reasons
from datagen.charts.data import ChartData
from datagen.charts.look import MIN_SIZE, Look

#: A chart is drawn at most so many times; each failed attempt costs its layout, nothing is painted.
MAX_ATTEMPTS = 5


def repair(data: ChartData, look: Look, reason: str) -> Look | None:
    """Return another look that may fit, or None if there is nothing left to change.

    Args:
        data: the chart.
        look: the look that did not fit.
        reason: one of `datagen.charts.reasons.REASONS`.
    """
    if data.kind == "pie":
        way = _PIES.get(reason)
        return way(look) if way else None
    if reason == reasons.CATEGORIES:
        return _categories(data, look)
    way = _AXES.get(reason)
    return way(look) if way else None


def _values(look: Look) -> Look | None:
    return replace(look, value_labels=False, value_axis=True) if look.value_labels else None


def _covered(look: Look) -> Look | None:
    return replace(look, legend="top", legend_frame=False) if look.legend == "inside" else None


def _bars(look: Look) -> Look | None:
    return replace(look, bar_share=0.9, bar_gap=0.0) if look.bar_share < 0.85 else None


def _hidden(look: Look) -> Look | None:
    return replace(look, marker_size=2.6) if look.marker_size > 3 else None


def _numbers_of_slices(look: Look) -> Look | None:
    if look.slice_names == "inside":
        return replace(look, slice_names="outside", slice_place="outside")
    if look.slice_place == "inside":
        return replace(look, slice_place="outside")
    return _crowded_pie(look)


def _crowded_pie(look: Look) -> Look | None:
    if look.slice_texts == "both":
        return replace(look, slice_texts="percent")
    if look.slice_names == "outside":
        return replace(look, slice_names="legend", legend="right" if look.width > look.height else "bottom")
    return _small_plot(look)


def _legend_of_pie(look: Look) -> Look | None:
    return _legend(look) or (replace(look, slice_names="outside", legend="none") if look.legend != "none" else None)


def _legend(look: Look) -> Look | None:
    if look.legend in ("right", "left", "inside", "ends"):
        return replace(look, legend="top" if "top" in look.theme.legends else "bottom", legend_frame=False)
    return _smaller(look)


def _categories(data: ChartData, look: Look) -> Look | None:
    lying = all(series.mark == "bar" for series in data.series) and not data.dates
    if lying and not look.horizontal:
        title = "side" if look.value_title == "top" else look.value_title
        return replace(look, horizontal=True, category_angle=0, value_title=title)
    if look.category_angle not in (0, 90):
        return replace(look, category_angle=0)
    if look.legend in ("right", "left", "ends"):
        return replace(look, legend="top", legend_frame=False)
    return _smaller(look)


def _title(look: Look) -> Look | None:
    if look.value_title == "top":
        return replace(look, value_title="side")
    if look.title_size > look.size:
        return replace(look, title_size=look.size)
    return replace(look, subtitle=False) if look.subtitle else _smaller(look)


def _small_plot(look: Look) -> Look | None:
    if look.subtitle or look.note or look.category_title:
        return replace(look, subtitle=False, note=False, category_title=False)
    if look.legend in ("right", "left", "ends"):
        return replace(look, legend="bottom", legend_frame=False)
    return _smaller(look)


def _crowded(look: Look) -> Look | None:
    if look.value_title != "none":
        return replace(look, value_title="none")
    return _values(look) or _smaller(look)


def _smaller(look: Look) -> Look | None:
    """Return the look with all texts a quarter smaller, as long as they can be read."""
    if look.size <= MIN_SIZE and look.value_size <= MIN_SIZE - 1:
        return None
    return replace(
        look,
        size=max(MIN_SIZE, look.size * 3 // 4),
        small=max(MIN_SIZE - 1, look.small * 3 // 4),
        title_size=max(MIN_SIZE, look.title_size * 3 // 4),
        value_size=max(MIN_SIZE - 1, look.value_size * 3 // 4),
    )


_AXES: dict[str, Callable[[Look], Look | None]] = {
    reasons.VALUES: _values,
    reasons.NO_ROOM: _values,
    reasons.COVERED: _covered,
    reasons.LEGEND: _legend,
    reasons.BARS: _bars,
    reasons.HIDDEN: _hidden,
    reasons.TITLE: _title,
    reasons.PLOT: _small_plot,
    reasons.LEAVES: _crowded,
    reasons.OVERLAP: _crowded,
    reasons.POINTS: _smaller,
}
_PIES: dict[str, Callable[[Look], Look | None]] = {
    reasons.VALUES: _numbers_of_slices,
    reasons.NO_ROOM: _numbers_of_slices,
    reasons.LEGEND: _legend_of_pie,
    reasons.TITLE: _title,
    reasons.PLOT: _crowded_pie,
    reasons.LEAVES: _crowded_pie,
    reasons.OVERLAP: _crowded_pie,
}
