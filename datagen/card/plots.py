"""The plots of a set's card: sizes, lengths of labels, types, rejections."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datagen.card.gather import Numbers
from datagen.card.statistics import Quantity, bin_end

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#3566a8", "#c8692b", "#3c8a5a", "#8a5aa0")
_INK, _FAINT = "#22262c", "#68707b"

#: Bars of one remark that are drawn, remarks of one kind, and different values of a remark worth drawing.
_MOST_BARS, _MOST_REMARKS, _MOST_VALUES = 12, 8, 64

#: A histogram with more bars than this is drawn with two an octave.
_FINE_BARS = 24

#: Remarks that are drawn before others.
_FIRST = (
    "type",
    "recipe",
    "figure",
    "stacking",
    "renderer",
    "language",
    "theme",
    "style",
    "source",
    "degradation preset",
    "degradation parts",
)


def draw_plots(numbers: Mapping[str, Numbers], folder: Path) -> None:
    """Write ``sizes.png`` and one picture of types per kind to ``folder``; equal numbers give equal bytes."""
    from matplotlib import rc_context

    style: dict[Any, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 8.5,
        "text.color": _INK,
        "axes.labelcolor": _FAINT,
        "axes.edgecolor": _FAINT,
        "axes.titlesize": 9.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": _FAINT,
        "ytick.color": _FAINT,
        "axes.grid": False,
    }
    with rc_context(style):
        _draw_sizes(numbers, folder / "sizes.png")
        for place, (kind, mine) in enumerate(numbers.items()):
            _draw_types(kind, mine, _COLOURS[place % len(_COLOURS)], folder / f"{kind}.png")


def _draw_sizes(numbers: Mapping[str, Numbers], file: Path) -> None:
    columns = (
        ("width", "width, pixels"),
        ("height", "height, pixels"),
        ("label tokens", "tokens of a label"),
        ("record bytes", "KiB of a record"),
    )
    figure = _figure(11, 1.75 * len(numbers) + 0.5)
    grid = figure.subplots(len(numbers), len(columns), squeeze=False)
    for place, (kind, mine) in enumerate(numbers.items()):
        for axes, (name, title) in zip(grid[place], columns, strict=True):
            quantity = mine.statistics.quantities.get(name, Quantity())
            _draw_histogram(axes, quantity, _COLOURS[place % len(_COLOURS)], 1024 if name == "record bytes" else 1)
            axes.set_title(kind if name == "width" else "")
            axes.set_xlabel(title if place == len(numbers) - 1 else "")
    _save(figure, file)


def _draw_histogram(axes: "Axes", quantity: Quantity, colour: str, unit: int) -> None:
    """Draw a histogram over a logarithmic axis, on which the bins are nearly equally wide."""
    bars: dict[tuple[float, float], int] = {
        (start, bin_end(start)): count for start, count in sorted(quantity.bins.items())
    }
    if len(bars) > _FINE_BARS:
        bars = _coarse(quantity)
    shares = [100 * count / max(quantity.count, 1) for count in bars.values()]
    lefts = [max(start, 0.7) for start, _ in bars]
    widths = [end - left for (_, end), left in zip(bars, lefts, strict=True)]
    axes.bar(lefts, shares, widths, align="edge", color=colour, edgecolor="white", linewidth=0.6)
    axes.set_xscale("log", base=2)
    low, high = max(quantity.low, 1) * 0.8, max(quantity.high, 2) * 1.25
    axes.set_xlim(low, max(high, 4 * low))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / unit:,.4g}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    axes.locator_params(axis="y", nbins=4)
    axes.tick_params(length=2.5)


def _coarse(quantity: Quantity) -> dict[tuple[float, float], int]:
    """Return bins with their counts, two an octave: of the eight of an octave, the first three and the other five."""
    bars: dict[tuple[float, float], int] = {}
    for start, count in sorted(quantity.bins.items()):
        low = 1 << (start.bit_length() - 1) if start else 0
        middle = low * 11 / 8
        bounds = (low, middle) if start < middle else (middle, 2 * low)
        bars[bounds] = bars.get(bounds, 0) + count
    return bars


def _draw_types(kind: str, mine: Numbers, colour: str, file: Path) -> None:
    """Draw how often the values of the most telling remarks stand there, and why draws were rejected."""
    panels: list[tuple[str, Mapping[str, int], int]] = [
        (name.replace("_", " "), mine.statistics.values[name] or {}, mine.statistics.samples)
        for name in _telling(mine)[:_MOST_REMARKS]
    ]
    if mine.rejected:
        draws = sum(mine.rejected.values()) + mine.statistics.samples
        panels.append(("draws rejected because", mine.rejected, draws))
    if not panels:
        return
    columns = 3
    rows = -(-len(panels) // columns)
    heights = [
        max(min(len(values), _MOST_BARS + 1) for _, values, _ in panels[row * columns : (row + 1) * columns])
        for row in range(rows)
    ]
    figure = _figure(11, sum(0.21 * height + 0.75 for height in heights) + 0.3)
    figure.suptitle(f"{kind}: {mine.statistics.samples:,} samples", x=0.01, ha="left", fontsize=11, fontweight="bold")
    grid = figure.subplots(rows, columns, squeeze=False, height_ratios=[height + 2 for height in heights])
    for place, axes in enumerate(grid.flat):
        if place < len(panels):
            title, values, whole = panels[place]
            _draw_bars(axes, title, values, whole, heights[place // columns], colour)
        else:
            axes.axis("off")
    _save(figure, file)


def _telling(mine: Numbers) -> Sequence[str]:
    """Return the remarks with more than one value, those of `_FIRST` first, yes and no last."""
    names = [name for name, values in mine.statistics.values.items() if 1 < len(values or ()) <= _MOST_VALUES]

    def order(name: str) -> tuple[int, bool, str]:
        plain = set(mine.statistics.values[name] or ()) <= {"yes", "no"}
        return (_FIRST.index(name) if name in _FIRST else len(_FIRST), plain, name)

    return sorted(names, key=order)


def _draw_bars(axes: "Axes", title: str, values: Mapping[str, int], whole: int, room: int, colour: str) -> None:
    most = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    bars = most[:_MOST_BARS]
    if rest := most[_MOST_BARS:]:
        bars.append((f"{len(rest)} others", sum(count for _, count in rest)))
    shares = [100 * count / max(whole, 1) for _, count in bars]
    places = range(len(bars))
    bar = axes.barh(places, shares, height=0.72, color=colour)
    if rest:
        bar[-1].set_alpha(0.4)
    for place, share in zip(places, shares, strict=True):
        axes.text(share + 0.01 * max(shares), place, f"{share:.1f} %", va="center", color=_FAINT, fontsize=7.5)
    axes.set_yticks(places, [_short(value) for value, _ in bars])
    axes.set_ylim(room - 0.4, -0.6)  # bars of one height in all panels of a row
    axes.set_xlim(0, 1.22 * max(shares))
    axes.set_xticks([])
    axes.tick_params(length=0, labelcolor=_INK)
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.set_title(title)


def _short(text: str) -> str:
    return (text if len(text) <= 26 else f"{text[:25]}…") or "(none)"


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, file: Path) -> None:
    # The version of matplotlib would stand in the file otherwise.
    figure.savefig(file, dpi=110, metadata={"Software": None})
