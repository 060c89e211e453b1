"""House styles: the colours and habits of office suites, newspapers, journals, plotting libraries and reports.

A habit is a row of options in words, one of which is drawn; a word that comes twice is twice as likely. Names say what
a theme is in the manner of; nothing was copied.
"""

from dataclasses import dataclass

from datagen.charts.palettes import Colour, colours


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours, and habits as options in words (see `datagen.charts.look.Look` for what the words mean).

    Attributes:
        name: of the theme.
        paper, plot, ink, faint, grid, axis: colours of the page, the plot's ground, titles and names, tick texts,
            grid lines, axis lines.
        band: ground of every other interval, where `Look.bands` says so.
        accent: colour of a block or rule at the top of the page, and of a single series now and then.
        palettes, fonts, grids, spines, marks, legends, aligns: habits.
        bold: how likely the title is bold.
        labels: how likely, compared with other themes, values are written (1 is as likely).
        dash: of grid lines.
        rounded, shaded, hatched, smooth, accents, banded, framed: how likely such ornaments are.
    """

    name: str
    paper: Colour
    plot: Colour
    ink: Colour
    faint: Colour
    grid: Colour
    axis: Colour
    band: Colour
    accent: Colour
    palettes: tuple[str, ...]
    fonts: tuple[str, ...]
    grids: tuple[str, ...]
    spines: tuple[str, ...]
    marks: tuple[str, ...]
    legends: tuple[str, ...]
    aligns: tuple[str, ...]
    bold: float
    labels: float
    dash: str
    rounded: float
    shaded: float
    hatched: float
    smooth: float
    accents: float
    banded: float
    framed: float


def _theme(
    name: str,
    shades: str,
    palettes: str,
    fonts: str = "sans",
    grids: str = "values",
    spines: str = "base",
    marks: str = "none",
    legends: str = "bottom bottom top right",
    aligns: str = "center",
    *,
    bold: float = 0.3,
    labels: float = 1.0,
    dash: str = "solid",
    rounded: float = 0.0,
    shaded: float = 0.0,
    hatched: float = 0.0,
    smooth: float = 0.05,
    accents: float = 0.0,
    banded: float = 0.03,
    framed: float = 0.05,
) -> Theme:
    """Return a theme; ``shades`` are paper, plot, ink, faint, grid, axis, band and accent in hexadecimal codes."""
    words = [tuple(text.split()) for text in (palettes, fonts, grids, spines, marks, legends, aligns)]
    habits = (bold, labels, dash, rounded, shaded, hatched, smooth, accents, banded, framed)
    return Theme(name, *colours(shades), *words, *habits)  # type: ignore[arg-type,call-arg]


#: What a chart without a theme looks like.
PLAIN = _theme(
    "plain",
    "ffffff ffffff 141414 5a5a5a d7d7d7 5a5a5a f4f4f4 1f77b4",
    "tab office echarts safe deep",
    "sans",
    "none values values both",
    "box corner corner base none",
    "out none",
    "top bottom right",
    "center left",
)

THEMES = (
    PLAIN,
    # Office suites
    _theme("office", "ffffff ffffff 595959 595959 d9d9d9 d9d9d9 f2f2f2 4472c4",
           "office office office blues greens grays", "sans", "values values values none both", "base base none",
           "none", "bottom bottom bottom right top", bold=0.1, labels=1.2, framed=0.25, smooth=0.1),
    _theme("office new", "ffffff ffffff 404040 595959 d9d9d9 bfbfbf f2f2f2 156082", "office_new", "sans",
           "values none", "base none", "none", "bottom bottom top right", bold=0.15, labels=1.3, framed=0.15),
    _theme("office old", "ffffff ffffff 000000 000000 868686 868686 efefef 4f81bd", "office_old", "sans",
           "values values none", "corner", "out", "right right right bottom", bold=0.8, framed=0.5, shaded=0.2),
    _theme("office 2003", "ffffff c0c0c0 000000 000000 000000 808080 c8c8c8 9999ff", "spreadsheet office_old tab",
           "sans", "values", "box", "out", "right right bottom", bold=0.7, framed=0.6),
    _theme("office dark", "404040 404040 f2f2f2 d9d9d9 5f5f5f 7f7f7f 4a4a4a 4472c4", "office night", "sans",
           "values none", "base", "none", "bottom top", bold=0.3, labels=1.2),
    _theme("spreadsheet", "ffffff ffffff 757575 222222 cccccc 333333 f5f5f5 3366cc", "spreadsheet spreadsheet_soft",
           "sans", "values", "base none", "none", "right top right bottom", "left left center", bold=0.2, labels=0.5,
           smooth=0.2),
    _theme("libre", "ffffff ffffff 000000 000000 b3b3b3 b3b3b3 eeeeee 004586", "libre", "sans serif", "values",
           "corner box", "out", "right right bottom", bold=0.1),
    # Plotting libraries
    _theme("library", "ffffff ffffff 000000 000000 b0b0b0 000000 f2f2f2 1f77b4", "tab tab safe", "dejavu",
           "none none values both", "box box corner", "out out in", "inside inside right top", bold=0.1, labels=0.6,
           hatched=0.06),
    _theme("seaborn", "ffffff eaeaf2 262626 262626 ffffff eaeaf2 e0e0ec 4c72b0", "deep muted", "sans dejavu",
           "both values", "none", "none", "right inside top", bold=0.1, labels=0.6),
    _theme("ggplot", "ffffff ebebeb 1a1a1a 4d4d4d ffffff ebebeb e2e2e2 f8766d", "gg deep tab", "sans",
           "both both values", "none", "out", "right right bottom top", "left", bold=0.1, labels=0.5),
    _theme("ggplot light", "ffffff ffffff 1a1a1a 4d4d4d ebebeb 333333 f6f6f6 619cff", "gg safe bright", "sans", "both",
           "box", "out", "right bottom", "left center", bold=0.3, labels=0.5),
    _theme("ggplot minimal", "ffffff ffffff 1a1a1a 4d4d4d ebebeb ebebeb f6f6f6 00ba38", "gg soft safe", "sans",
           "both values", "none", "none", "right bottom top", "left", bold=0.4, labels=0.7),
    _theme("vega", "ffffff ffffff 000000 000000 dddddd 888888 f5f5f5 4c78a8", "vega", "sans", "values both",
           "box corner", "out", "right right top", "center left", bold=0.8, labels=0.5),
    _theme("web", "ffffff ffffff 464646 6e7079 e0e6f1 6e7079 f7f8fa 5470c6", "echarts echarts_old", "sans", "values",
           "base", "out none", "top top bottom right", "left center", bold=0.8, rounded=0.15, smooth=0.3, banded=0.08),
    _theme("dashboard", "ffffff e5ecf6 2a3f5f 2a3f5f ffffff e5ecf6 dae4f2 636efa", "plotly", "sans", "both values",
           "none", "none", "right right top", "left", bold=0.0, labels=0.7),
    _theme("web product", "ffffff ffffff 333333 666666 e6e6e6 ccd6eb f7f7f7 7cb5ec", "highcharts", "sans", "values",
           "base", "out none", "bottom bottom right", "center", bold=0.2, smooth=0.2, labels=0.9),
    # Newspapers and magazines
    _theme("broadsheet", "fff1e5 fff1e5 33302e 66605c e3d6c9 66605c f7e6d6 990f3d", "broadsheet", "serif sans",
           "values", "base", "out none", "top top ends right", "left", bold=0.4, labels=0.8, accents=0.3),
    _theme("weekly", "ffffff ffffff 121212 5a5a5a c8d3d9 121212 eef2f4 e3120b", "weekly", "sans", "values", "base",
           "none out", "top ends top right", "left", bold=0.95, labels=0.7, accents=0.85),
    _theme("weekly blue", "d9e6ec d9e6ec 121212 45525a ffffff 121212 cfdfe7 e3120b", "weekly daily", "sans", "values",
           "base", "none out", "top ends right", "left", bold=0.95, labels=0.6, accents=0.7),
    _theme("daily", "ffffff ffffff 121212 727272 e2e2e2 999999 f7f7f7 1a6ea0", "daily weekly red_gray", "serif sans",
           "values values none", "base none", "none", "ends top top right", "left", bold=0.8, labels=1.4,
           dash="solid"),
    _theme("tabloid", "fffdf5 fffdf5 000000 444444 dcd6c4 000000 f6f0dd d0021b", "candy retro sunset", "sans",
           "none values", "base", "none", "top bottom", "left center", bold=1.0, labels=1.8, accents=0.5),
    _theme("agency", "ffffff ffffff 222222 808080 e0e0e0 bdbdbd f3f3f3 15607a", "bright blues navy_gold", "sans",
           "values none", "base", "none", "top top ends", "left", bold=0.9, labels=1.5),
    # Journals and theses
    _theme("journal", "ffffff ffffff 000000 000000 dddddd 000000 f4f4f4 3c5488", "journal safe grays", "sans serif",
           "none", "corner corner box", "out out in", "inside inside right top", "center left", bold=0.2, labels=0.25,
           hatched=0.2),
    _theme("physics", "ffffff ffffff 000000 000000 dddddd 000000 f4f4f4 000000", "safe grays tab red_gray",
           "serif stix cm", "none none both", "box", "in", "inside inside right", "center", bold=0.05, labels=0.15,
           dash="dotted", hatched=0.25),
    _theme("medical", "ffffff ffffff 1a1a1a 333333 e5e5e5 333333 f5f7fa bc3c29", "medical blues", "sans",
           "none values", "corner", "out", "top right inside", "left", bold=0.7, labels=0.5),
    _theme("thesis", "ffffff ffffff 000000 222222 cccccc 222222 f2f2f2 1f4e79", "grays blues safe office",
           "serif cm stix", "values both none", "box corner", "out in", "bottom right inside", "center", bold=0.2,
           labels=0.7, dash="dashed", hatched=0.2),
    _theme("survey print", "ffffff ffffff 000000 000000 000000 000000 eeeeee 000000", "grays", "mono serif cm", "none",
           "box corner", "in out", "inside right bottom", "center", bold=0.0, labels=0.5, hatched=0.5),
    # Reports
    _theme("report green", "ffffff ffffff 1f3d2b 4d5f54 dbe5dd a9b8ad f0f5f1 1e6b3c", "report_green greens earth",
           "sans", "values none", "base", "none", "bottom top right", "left center", bold=0.6, labels=1.3,
           banded=0.08),
    _theme("report teal", "ffffff f4f8f9 003b49 4f6870 d5e1e4 8fa5ac e8f1f3 00677f", "report_teal statistics", "sans",
           "values", "base none", "none", "top right bottom", "left", bold=0.7, labels=1.1),
    _theme("bank", "ffffff ffffff 002f6c 5b6770 d0d3d4 a7a8a9 f1f4f8 002f6c", "bank navy_gold blues", "sans serif",
           "values none", "base corner", "out none", "bottom top", "left", bold=0.8, labels=1.2, accents=0.25),
    _theme("statistics", "ffffff ffffff 222222 414042 d9d9d9 b3b3b3 f3f6f8 206095", "statistics blues", "sans",
           "values", "base", "out none", "top right", "left", bold=0.9, labels=0.6),
    _theme("ministry", "ffffff f2f2f2 333333 4d4d4d ffffff 7f7f7f e9e9e9 7b1e3a", "earth report_teal red_gray",
           "serif sans", "values", "base", "none", "right bottom", "left center", bold=0.6, labels=1.1, banded=0.1),
    # By hand
    _theme("minimal", "ffffff ffffff 3c3c3c 787878 eeeeee c8c8c8 fafafa 2a9d8f", "soft sea muted blues", "sans",
           "none none values", "base none", "none", "top bottom right", "left center", bold=0.3, labels=2.0,
           rounded=0.15),
    _theme("pastel", "fffaf7 fffaf7 5c4b51 7d6b70 f0e3dd d9c8c1 f9efe9 e5989b", "pastel soft", "sans", "values none",
           "base none", "none", "top bottom", "center", bold=0.4, labels=1.3, rounded=0.3, smooth=0.25),
    _theme("kids", "fef9e7 ffffff 34495e 34495e e5e8e8 34495e fdf2e9 ef476f", "candy retro", "sans", "values both",
           "corner base", "none", "right bottom top", "center", bold=0.8, labels=1.3, rounded=0.35),
    _theme("slide", "f5f7fa ffffff 1e283c 5a6478 dce1e8 a5aebd f0f3f7 118ab2", "sea sunset candy", "sans",
           "values none", "base none", "none", "top bottom right", "left", bold=0.8, labels=1.4, rounded=0.2,
           shaded=0.08, smooth=0.15),
    _theme("sepia", "f8f1e3 f8f1e3 3b2f2f 6b5b4b e0d3bd 6b5b4b f1e7d3 8c510a", "earth retro red_gray", "serif",
           "values none", "corner base", "out", "right top bottom", "center left", bold=0.3, labels=1.0),
    _theme("dark", "21252b 21252b ebebeb b4b9c3 3d434c 767d89 282d34 61afef", "night neon candy", "sans",
           "values both", "base none", "none", "top right bottom", "left center", bold=0.5, labels=0.9, smooth=0.2),
    _theme("midnight", "0f1b2d 13233a e6edf7 9fb2cc 243a58 3f5878 182b46 00e5ff", "neon night plotly", "sans",
           "values", "base none", "none", "top bottom right", "left", bold=0.6, labels=1.0, smooth=0.3, rounded=0.15),
    _theme("black", "000000 000000 ffffff cccccc 333333 888888 141414 ffab40", "neon night", "sans mono",
           "values none", "corner base", "out none", "top right", "center left", bold=0.4, labels=0.9),
    _theme("blueprint", "10395f 10395f e8f1f8 c3d7e6 2f5a82 8fb3d0 154570 ffd166", "night candy", "mono sans", "both",
           "box", "in", "right bottom", "center", bold=0.3, labels=0.7, dash="dotted"),
)  # fmt: skip
