"""What can be set about charts, and the two named levels."""

from dataclasses import dataclass

FONTS = ("DejaVuSans", "DejaVuSerif", "STIXGeneral", "DejaVuSansMono")


@dataclass(frozen=True)
class ChartSettings:
    """Settings of the charts family; lengths are in pixels.

    Attributes:
        kinds: the kinds of data to draw from, each as likely (repeat one to make it likelier).
        simple: one series of small whole numbers with short names, and nothing but bars or slices and their labels.
        categories: fewest and most categories.
        series: fewest and most series, where the kind can have several.
        sides: the smallest and the largest width.
        aspect: the smallest and the largest ratio of width to height.
        text: smallest and largest size of plain text (em) on a page 640 wide.
        fonts: names of font faces.
        value_labels: how likely values are written at bars and points; slices always have a number.
        themed: how likely the look follows a theme other than the plain one.
        matplotlib: how likely matplotlib draws instead of our own renderer.
        echarts: how likely ECharts draws (the extra `echarts` must be installed; nothing is drawn differently without).
        missing: how likely a line has a missing point.
        languages: BCP 47 tags to draw from, each as likely (repeat one to make it likelier); empty for all that there
            are, English and Chinese most often.
        log: how likely a chart that can have one has a logarithmic axis.
        errors: how likely a chart that can have them has error bars.
    """

    kinds: tuple[str, ...]
    simple: bool
    categories: tuple[int, int]
    series: tuple[int, int]
    sides: tuple[int, int]
    aspect: tuple[float, float]
    text: tuple[int, int]
    fonts: tuple[str, ...]
    value_labels: float
    themed: float
    matplotlib: float
    missing: float
    echarts: float = 0.0
    languages: tuple[str, ...] = ()
    log: float = 0.0
    errors: float = 0.0


EASY = ChartSettings(
    kinds=("bar", "bar", "pie"),
    simple=True,
    categories=(2, 4),
    series=(1, 1),
    sides=(192, 192),
    aspect=(1.0, 1.0),
    text=(14, 16),
    fonts=("DejaVuSans-Bold",),
    value_labels=1.0,
    themed=0.0,
    matplotlib=0.0,
    missing=0.0,
    languages=("en",),
)

STANDARD = ChartSettings(
    kinds=("bar", "bar", "grouped", "stacked", "line", "line", "pie", "composite"),
    simple=False,
    categories=(3, 12),
    series=(2, 5),
    sides=(420, 860),
    aspect=(0.9, 1.9),
    text=(12, 17),
    fonts=FONTS,
    value_labels=0.5,
    themed=0.5,
    matplotlib=0.02,
    missing=0.06,
    log=0.06,
    errors=0.1,
)
