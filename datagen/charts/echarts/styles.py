"""House styles of ECharts: its own defaults of two versions, and some in the manner of themes that people use."""

from datagen.charts.manners import Manner
from datagen.charts.palettes import Colour

#: How likely a chart drawn by ECharts has one of these styles, not the look's theme.
SHARE = 0.75
#: A marker's symbol and turn in degrees.
SYMBOLS: dict[str, tuple[str, int]] = {
    "circle": ("circle", 0),
    "square": ("rect", 0),
    "diamond": ("diamond", 0),
    "triangle": ("triangle", 0),
    "down": ("triangle", 180),
    "cross": ("path://M0 1L1 0L5 4L9 0L10 1L6 5L10 9L9 10L5 6L1 10L0 9L4 5Z", 0),
    "plus": ("path://M4 0L6 0L6 4L10 4L10 6L6 6L6 10L4 10L4 6L0 6L0 4L4 4Z", 0),
}
#: ECharts has no line of dashes and dots by name.
DASHES: dict[str, str | list[int]] = {"solid": "solid", "dashed": "dashed", "dotted": "dotted", "dashdot": [8, 3, 2, 3]}

_PLAIN = {
    "tick_marks": "out", "grid": ("values", "values", "values", "none"), "grid_dash": "solid", "bands": False,
    "title_bold": True, "title_align": ("left", "left", "center"), "accent": "none", "frame": False,
    "legend_frame": False,
}  # fmt: skip
STYLES = (
    Manner("ECharts 5", "ffffff ffffff 464646 6e7079 e0e6f1 6e7079 f7f9fc 5470c6",
           "5470c6 91cc75 fac858 ee6666 73c0de 3ba272 fc8452 9a60b4 ea7ccc", {**_PLAIN, "spines": "base"}, 7),
    Manner("ECharts 4", "ffffff ffffff 333333 333333 cccccc 333333 f6f6f6 c23531",
           "c23531 2f4554 61a0a8 d48265 91c7ae 749f83 ca8622 bda29a 6e7074 546570",
           {**_PLAIN, "spines": "corner"}, 4),
    Manner("ECharts candy", "ffffff ffffff 0b8a8f 3c3c3c e8edee 1fb5bd f4fafa 2fc0c8",
           "2fc0c8 b5a0de 5ab0ee ffb980 d8797f 8d97b2 e4cf0e 96b552 95706d dc69a9",
           {**_PLAIN, "spines": ("corner", "base"), "bands": (False, True), "title_align": ("left", "center")}, 2),
    Manner("ECharts vintage", "fdf7ec fdf7ec 33261f 5a4a40 e6d9c4 6b5a4c f6ecd9 d5735f",
           "d5735f 5f9ea0 d9a05b 7a8f56 8f5d74 4f6d8f b8860b 9aa5a5", {**_PLAIN, "spines": ("corner", "base")}, 2),
    Manner("ECharts dark", "100c2a 100c2a eef1fa b9b8ce 484753 b9b8ce 1b1735 4992ff",
           "4992ff 7cffb2 fddd60 ff6e76 58d9f9 05c091 ff8a45 8d48e3 dd79ff", {**_PLAIN, "spines": "base"}, 2),
    Manner("ECharts chalk", "29343d 29343d ffffff c8d0d6 4a5761 8a97a1 303c46 fc97af",
           "fc97af 87f7cf f7f494 72ccff f7c5a0 d4a4eb d2f5a6 76f2f2", {**_PLAIN, "spines": ("base", "corner")}, 1),
    Manner("ECharts sky", "ffffff ffffff 1d4f76 5c7080 e3edf4 8fb0c4 f3f8fb 3b8fc4",
           "3b8fc4 8fc9e8 f2a65a 56688f 7fc8a9 e3757b b6c9d6 2b5c82", {**_PLAIN, "spines": ("base", "none")}, 2),
    Manner("ECharts screen", "061537 061537 dcecff 8fb4e3 17325f 2a5a9f 0a1f4a 1fd2ff",
           "1fd2ff ffd15c 2ee59d ff7b6b 8f8bff f58ad5 5f9bff b6f25c", {**_PLAIN, "spines": ("base", "none")}, 1),
)  # fmt: skip


def css(colour: Colour) -> str:
    """Return a colour as ECharts takes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
