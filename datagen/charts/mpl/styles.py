"""House styles of matplotlib: its default and those that it brings by name, and how its own words map to a look's."""

from datagen.charts.manners import Manner
from datagen.charts.palettes import Colour

#: How likely a chart drawn by matplotlib has one of its own styles, not the look's theme.
SHARE = 0.75
MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^", "down": "v", "cross": "x", "plus": "+"}
#: Markers that are strokes, which have no face.
STROKES = ("cross", "plus")
DASHES = {"solid": "-", "dashed": "--", "dotted": ":", "dashdot": "-."}
HATCHES = {"/": "//", "\\": "\\\\", "x": "xx", "-": "--", "|": "||", ".": ".."}

_TAB = "1f77b4 ff7f0e 2ca02c d62728 9467bd 8c564b e377c2 7f7f7f bcbd22 17becf"
_DEEP = "4c72b0 dd8452 55a868 c44e52 8172b3 937860 da8bc3 8c8c8c ccb974 64b5cd"
STYLES = (
    Manner("matplotlib", "ffffff ffffff 000000 000000 b0b0b0 000000 f2f2f2 1f77b4", _TAB,
           {"spines": ("box", "box", "box", "corner"), "tick_marks": "out", "grid": ("none", "none", "values", "both"),
            "title_bold": False, "title_align": "center", "bands": False, "legend_frame": True, "rounded": 0,
            "accent": "none", "frame": False, "grid_dash": ("solid", "dashed")}, 7),
    Manner("matplotlib seaborn darkgrid", "ffffff eaeaf2 262626 262626 ffffff eaeaf2 e0e0ec 4c72b0", _DEEP,
           {"spines": "none", "tick_marks": "none", "grid": "both", "grid_dash": "solid", "title_bold": False,
            "title_align": "center", "bands": False, "accent": "none", "frame": False}, 3),
    Manner("matplotlib seaborn whitegrid", "ffffff ffffff 262626 262626 cccccc cccccc f5f5f5 4c72b0", _DEEP,
           {"spines": "box", "tick_marks": "none", "grid": ("values", "both"), "grid_dash": "solid",
            "title_align": "center", "title_bold": False, "bands": False, "accent": "none", "frame": False}, 2),
    Manner("matplotlib seaborn ticks", "ffffff ffffff 262626 262626 cccccc 262626 f5f5f5 4c72b0",
           "0173b2 de8f05 029e73 d55e00 cc78bc ca9161 fbafe4 949494 56b4e9",
           {"spines": "corner", "tick_marks": "out", "grid": "none", "title_bold": False, "title_align": "center",
            "accent": "none", "frame": False}, 2),
    Manner("matplotlib ggplot", "ffffff e5e5e5 000000 555555 ffffff ffffff dcdcdc e24a33",
           "e24a33 348abd 988ed5 777777 fbc15e 8eba42 ffb5b8",
           {"spines": "none", "tick_marks": "out", "grid": "both", "grid_dash": "solid", "title_bold": False,
            "title_align": "center", "bands": False, "accent": "none", "frame": False}, 2),
    Manner("matplotlib classic", "bfbfbf ffffff 000000 000000 000000 000000 eeeeee 0000ff",
           "0000ff 008000 ff0000 00bfbf bf00bf bfbf00 404040",
           {"spines": "box", "tick_marks": "in", "grid": ("none", "both"), "grid_dash": "dotted", "title_bold": False,
            "title_align": "center", "bands": False, "legend_frame": True, "accent": "none", "frame": False}),
    Manner("matplotlib grayscale", "ffffff ffffff 000000 000000 b0b0b0 000000 eeeeee 000000",
           "000000 666666 999999 b3b3b3 cccccc 4d4d4d",
           {"spines": "box", "tick_marks": "out", "grid": ("none", "values"), "title_bold": False,
            "title_align": "center", "bands": False, "accent": "none", "frame": False}),
    Manner("matplotlib fivethirtyeight", "f0f0f0 f0f0f0 222222 3c3c3c cbcbcb cbcbcb e6e6e6 008fd5",
           "008fd5 fc4f30 e5ae38 6d904f 8b8b8b 810f7c",
           {"spines": "none", "tick_marks": "none", "grid": "both", "grid_dash": "solid", "title_bold": True,
            "title_align": ("left", "center"), "bands": False, "accent": "none", "frame": False}),
    Manner("matplotlib bmh", "ffffff eeeeee 000000 000000 b2b2b2 bcbcbc e4e4e4 348abd",
           "348abd a60628 7a68a6 467821 d55e00 cc79a7 56b4e9 009e73 f0e442 0072b2",
           {"spines": "box", "tick_marks": "in", "grid": "both", "grid_dash": "dashed", "title_bold": False,
            "title_align": "center", "bands": False, "accent": "none", "frame": False}),
    Manner("matplotlib dark background", "000000 000000 ffffff ffffff 4d4d4d ffffff 1a1a1a 8dd3c7",
           "8dd3c7 feffb3 bfbbd9 fa8174 81b1d2 fdb462 b3de69 bc82bd ccebc4 ffed6f",
           {"spines": "box", "tick_marks": "out", "grid": ("none", "both"), "title_bold": False,
            "title_align": "center", "bands": False, "accent": "none", "frame": False}),
    Manner("matplotlib solarized", "fdf6e3 eee8d5 073642 586e75 fdf6e3 eee8d5 e6dfc8 268bd2",
           "268bd2 2aa198 859900 b58900 cb4b16 dc322f d33682 6c71c4",
           {"spines": "none", "tick_marks": ("none", "out"), "grid": "both", "grid_dash": "solid",
            "title_bold": False, "title_align": ("left", "center"), "bands": False, "accent": "none", "frame": False}),
)  # fmt: skip


def rgb(colour: Colour) -> tuple[float, float, float]:
    """Return a colour as matplotlib takes it."""
    return colour[0] / 255, colour[1] / 255, colour[2] / 255
