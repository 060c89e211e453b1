"""What to change in a look when the chart does not fit: the least first, and never what names or numbers a thing."""

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
        return _pie(look, reason)
    if reason in (reasons.VALUES, reasons.NO_ROOM) and look.value_labels:
        return replace(look, value_labels=False, value_axis=True)
    if reason == reasons.COVERED and look.legend == "inside":
        return replace(look, legend="top", legend_frame=False)
    if reason == reasons.LEGEND:
        return _legend(look)
    if reason == reasons.CATEGORIES:
        return _categories(data, look)
    if reason == reasons.BARS and look.bar_share < 0.85:
        return replace(look, bar_share=0.9, bar_gap=0.0)
    if reason == reasons.HIDDEN and look.marker_size > 3:
        return replace(look, marker_size=2.6)
    if reason == reasons.TITLE:
        return _title(look)
    if reason in (reasons.PLOT, reasons.LEAVES, reasons.OVERLAP, reasons.POINTS):
        return _crowded(look, reason)
    return None


def _pie(look: Look, reason: str) -> Look | None:
    if reason in (reasons.NO_ROOM, reasons.VALUES) and look.slice_names == "inside":
        return replace(look, slice_names="outside", slice_place="outside")
    if reason in (reasons.NO_ROOM, reasons.VALUES) and look.slice_place == "inside":
        return replace(look, slice_place="outside")
    if reason == reasons.LEGEND:
        return _legend(look) or (replace(look, slice_names="outside", legend="none") if look.legend != "none" else None)
    if reason == reasons.TITLE:
        return _title(look)
    if reason in (reasons.VALUES, reasons.LEAVES, reasons.OVERLAP, reasons.PLOT):
        if look.slice_texts == "both":
            return replace(look, slice_texts="percent")
        if look.slice_names == "outside":
            return replace(look, slice_names="legend", legend="right" if look.width > look.height else "bottom")
        return _crowded(look, reason)
    return None


def _legend(look: Look) -> Look | None:
    if look.legend in ("right", "left", "inside", "ends"):
        return replace(look, legend="top" if "top" in look.theme.legends else "bottom", legend_frame=False)
    return _smaller(look)


def _categories(data: ChartData, look: Look) -> Look | None:
    lying = all(series.mark == "bar" for series in data.series) and not data.dates
    if lying and not look.horizontal:
        return replace(look, horizontal=True, category_angle=0, value_title="side" if look.value_title == "top" else look.value_title)  # fmt: skip
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


def _crowded(look: Look, reason: str) -> Look | None:
    if reason == reasons.PLOT and (look.subtitle or look.note or look.category_title):
        return replace(look, subtitle=False, note=False, category_title=False)
    if reason == reasons.PLOT and look.legend in ("right", "left", "ends"):
        return replace(look, legend="bottom", legend_frame=False)
    if reason in (reasons.LEAVES, reasons.OVERLAP) and look.value_title != "none":
        return replace(look, value_title="none")
    if reason in (reasons.LEAVES, reasons.OVERLAP) and look.value_labels:
        return replace(look, value_labels=False, value_axis=True)
    return _smaller(look)


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
