"""The table of a chart as it is drawn."""

from datagen.charts.compose import ChartData, Series
from datagen.charts.numbers import Axis, NumberFormat, recoverable, rounded_text
from datagen.charts.style import Style
from dsocr_jax.answers.tables import write_table

#: Put behind the name of a series that is drawn against the second axis.
RIGHT_AXIS = " (right axis)"
#: The header of values that nothing drawn gives a name to.
NO_NAME = "value"


def legend_names(data: ChartData, style: Style) -> list[str]:
    """Return the series' names as the legend shows them; empty if there is no legend."""
    if style.legend == "none" or data.kind == "pie":
        return []
    return [series.name or series.topic.name for series in data.series]


def header(data: ChartData, style: Style) -> list[str]:
    """Return the names of the columns: as in the legend, else what the value axis or the chart is called."""
    names = legend_names(data, style)
    if not names and data.kind != "pie" and style.value_title:
        names = [data.y_title]
    if not names:
        names = [data.title if style.title else NO_NAME]
    if data.kind == "composite":
        names[-1] += RIGHT_AXIS
    return names


def cartesian_label(data: ChartData, style: Style, axes: list[Axis]) -> str:
    """Return the label of bars and lines.

    Args:
        data: the true values.
        style: says whether values are written in the picture; if not, they are rounded to what can be read off.
        axes: the axis of each series.
    """
    columns = [_column(series, style, axis) for series, axis in zip(data.series, axes, strict=True)]
    rows = [[name, *cells] for name, *cells in zip(data.categories, *columns, strict=True)]
    return write_table([["", *header(data, style)], *rows])


def slice_texts(data: ChartData, style: Style) -> list[tuple[str, str]]:
    """Return value and percentage of each slice as they are written, empty where not drawn."""
    (series,) = data.series
    values = series.known
    percent = NumberFormat(series.decimals if data.percent else 1, suffix="%")
    value = style.number_format(series)
    shares = values if data.percent else [100 * v / sum(values) for v in values]
    return [
        (
            "" if style.slice_texts == "percent" else value.text(v),
            "" if style.slice_texts == "value" else percent.text(share),
        )
        for v, share in zip(values, shares, strict=True)
    ]


def written_on_slices(data: ChartData, style: Style) -> list[str]:
    """Return the text of each slice; a percentage that follows a value stands in brackets."""
    return [
        f"{value} ({percent})" if value and percent else value or percent for value, percent in slice_texts(data, style)
    ]


def pie_label(data: ChartData, style: Style) -> str:
    """Return the label of a pie: the values if they are written, else the percentages."""
    rows = [
        [name, value or percent]
        for name, (value, percent) in zip(data.categories, slice_texts(data, style), strict=True)
    ]
    return write_table([["", *header(data, style)], *rows])


def _column(series: Series, style: Style, axis: Axis) -> list[str]:
    if style.value_labels:
        form = style.number_format(series)
        return ["" if value is None else form.text(value) for value in series.values]
    step = recoverable(axis)
    return ["" if value is None else rounded_text(value, step) for value in series.values]
