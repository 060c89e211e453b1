"""The few words that a label adds to what is drawn, and how percentages are written, by language."""

from datagen.charts.content import phrases
from datagen.charts.content.language import language
from datagen.charts.data import NumberFormat


def right_axis(tag: str) -> str:
    """Return what is put behind the name of a series on the right axis, with its space."""
    return phrases(tag).right_axis


def value_word(tag: str) -> str:
    """Return the header of a column that nothing drawn gives a name to."""
    return phrases(tag).value


def percent_form(tag: str, decimals: int, decimal: str) -> NumberFormat:
    """Return how percentages that are reckoned from a chart's values are written."""
    prefix, suffix = language(tag).percent
    return NumberFormat(decimals, decimal, prefix=prefix, suffix=suffix)
