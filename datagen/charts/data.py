"""What a chart says: categories, series of true values, how its numbers are written, and its texts.

Everything that a reader can take from the picture is here; how it looks is decided apart from it. Renderers take both
and nothing else, so that every renderer draws the same chart and the label is written in one place.
"""

import json
from dataclasses import dataclass
from typing import Literal

#: How a series is drawn. "slice" is a pie's only series; "point" is one axis of a scatter chart's points.
Mark = Literal["bar", "line", "area", "step", "slice", "point"]
#: How bars or areas stand: side by side (or one over the other, for areas), on each other, or on each other to 100 %.
Stacking = Literal["none", "stacked", "percent"]


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written in the chart's language.

    Every space is a plain one (U+0020): nobody can tell it from a narrow or a no-break space in a picture.

    Attributes:
        decimals: digits after the decimal sign.
        decimal: the decimal sign.
        group: what separates groups of three digits; empty for nothing.
        prefix, suffix: a currency, a percent sign, a unit; with their spaces. The minus sign stands before the prefix.
        grouping: sizes of groups from the right; the last one repeats ((3,), or (3, 2) as in India).
        least: how many digits must stand before the rightmost separator for there to be any: 2 writes 1234 but 12 345,
            as is the custom in Spanish and Polish.
    """

    decimals: int = 0
    decimal: str = "."
    group: str = ""
    prefix: str = ""
    suffix: str = ""
    grouping: tuple[int, ...] = (3,)
    least: int = 1

    def text(self, value: float) -> str:
        """Return ``value`` as it is written: ``-$1,234.50``. A value that is written as zero has no minus sign."""
        digits = f"{abs(value):.{self.decimals}f}"
        minus = "-" if value < 0 and digits.strip("0.") else ""
        whole, _, fraction = digits.partition(".")
        if self.group and len(whole) >= self.grouping[0] + self.least:
            whole = self._grouped(whole)
        return f"{minus}{self.prefix}{whole}{self.decimal if fraction else ''}{fraction}{self.suffix}"

    def _grouped(self, whole: str) -> str:
        parts, sizes = [], list(self.grouping)
        while whole:
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            parts.append(whole[-size:])
            whole = whole[:-size]
        return self.group.join(reversed(parts))


@dataclass(frozen=True)
class Series:
    """A row of true values.

    Attributes:
        name: its name in the legend; empty for a single series that has none.
        values: one for each category; None is a missing point.
        mark: how it is drawn.
        form: how its values are written, when they are.
        right: whether it belongs to the second value axis.
        errors: half the length of each error bar (not part of the label); empty for none.
    """

    name: str
    values: tuple[float | None, ...]
    mark: Mark
    form: NumberFormat
    right: bool = False
    errors: tuple[float, ...] = ()

    @property
    def known(self) -> list[float]:
        """The values that are not missing."""
        return [value for value in self.values if value is not None]


@dataclass(frozen=True)
class ChartData:
    """What a chart says.

    Attributes:
        kind: "bar", "line", "area", "step", "pie", "composite" (bars and lines, mostly on two axes) or "scatter".
        language: a BCP 47 tag ("en", "zh", "pt-BR"): decides script, fonts, fallback words, number formats.
        categories: names of the table's rows; a scatter chart's points.
        series: the table's columns. A scatter chart has two: the points' x and y values,
            named as the axes' titles are.
        stacking: of bars or areas. "percent" comes with values that are percentages already: those of a category add up
            to exactly 100 as written.
        log: whether the (left) value axis is logarithmic; all its values are then positive.
        dates: whether the categories follow each other in time.
        title, subtitle, source, note: texts that may be drawn above and below; empty for none.
        x_title, y_title, y2_title: titles of the category axis, the value axis and the second value axis.
    """

    kind: str
    language: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    stacking: Stacking = "none"
    log: bool = False
    dates: bool = False
    title: str = ""
    subtitle: str = ""
    source: str = ""
    note: str = ""
    x_title: str = ""
    y_title: str = ""
    y2_title: str = ""

    @property
    def key(self) -> str:
        """The table of true values: categories, and names and values of the series."""
        return json.dumps([self.categories, [[series.name, series.values] for series in self.series]])
