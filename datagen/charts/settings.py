"""What can be set about charts, and the named levels."""

from dataclasses import dataclass

from datagen.charts.content import EASY as EASY_CONTENT
from datagen.charts.content import MIDDLE as MIDDLE_CONTENT
from datagen.charts.content import STANDARD as STANDARD_CONTENT
from datagen.charts.content import ContentSettings


@dataclass(frozen=True)
class ChartSettings:
    """Settings of the charts family; lengths are in pixels.

    Which renderer draws is decided by the shares below, never by what happens to be installed: the same seed must
    give the same bytes everywhere. So ECharts, whose extra is optional, has no share by default, and a set whose
    settings give it one cannot be built without the extra.

    Attributes:
        content: what charts say.
        simple: nothing but bars or slices with their names and numbers (`ContentSettings.simple`).
        sides: the smallest and the largest width.
        aspect: the smallest and the largest ratio of width to height.
        text: smallest and largest size of plain text (em) on a page 640 wide.
        value_labels: how likely values are written at bars and points; slices always have a number.
        themed: how likely the look follows a theme other than the plain one.
        matplotlib: how likely matplotlib draws instead of our own renderer.
        echarts: how likely ECharts draws.
        latin: whether faces made for Chinese, Japanese and Korean are left alone (for languages that have others).
    """

    content: ContentSettings
    simple: bool = False
    sides: tuple[int, int] = (420, 820)
    aspect: tuple[float, float] = (0.95, 1.95)
    text: tuple[int, int] = (12, 17)
    value_labels: float = 0.45
    themed: float = 0.93
    matplotlib: float = 0.02
    echarts: float = 0.0
    latin: bool = False


EASY = ChartSettings(
    content=EASY_CONTENT,
    simple=True,
    sides=(192, 192),
    aspect=(1.0, 1.0),
    text=(14, 16),
    value_labels=1.0,
    themed=0.0,
    matplotlib=0.0,
)

#: Bars, lines and pies of a few English names in large type, mostly with their numbers.
MIDDLE = ChartSettings(
    content=MIDDLE_CONTENT,
    sides=(640, 640),
    aspect=(1.0, 1.0),
    text=(18, 24),
    value_labels=0.9,
    themed=0.0,
    matplotlib=0.0,
    latin=True,
)

STANDARD = ChartSettings(content=STANDARD_CONTENT)
