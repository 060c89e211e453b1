"""The forgetting figure: what pages of each age cost, and what is left of them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dsocr_jax.memory.legibility import correlation, letters, x_height
from dsocr_jax.memory.options import MemoryOptions
from dsocr_jax.memory.rendered import MemoryPage, Rendered

#: A colour for each mode in turn, such as stay apart for most eyes (after Okabe and Ito).
_COLOURS = ("#0072B2", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#56B4E9")
#: The part of a page that is shown as it is seen: left, top, width and height as shares of its side.
_CUT = (0.02, 0.02, 0.3, 0.14)
#: Shade of the ages at which pages are gone.
_GONE = "#eeeeee"
#: Ages beyond the oldest page left that are drawn, to show that nothing comes any more.
_BEYOND = 3


@dataclass(frozen=True)
class Row:
    """One page in numbers; the last three (``x_height`` in pixels) are proxies of legibility, see `legibility`."""

    page: MemoryPage
    characters: int
    x_height: float
    correlation: float
    letters: float

    @property
    def characters_per_token(self) -> float:
        """Characters of text for each vision token."""
        return self.characters / self.page.tokens


def measure(rendered: Rendered, options: MemoryOptions) -> list[Row]:
    """Return a row for each page that is left, the newest first."""
    return [
        Row(page, len(page.text), x_height(options, page.mode), correlation(page), letters(options, page.mode))
        for page in reversed(rendered.pages)
    ]


def plot(rows: Sequence[Row], gone: int, options: MemoryOptions) -> bytes:
    """Return the figure as a PNG file: tokens and legibility against age, and a part of one page in every mode.

    Args:
        rows: of `measure`, at least one.
        gone: pages that are left out.
        options: of the memory.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    colours = {mode.name: _COLOURS[number % len(_COLOURS)] for number, mode in enumerate(options.modes)}
    figure = Figure(figsize=(11, 5.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[2.6, 1])[:, 0]
    cost, left = above.subplots(1, 2)
    ages = [row.page.age for row in rows]
    none = list(range(len(rows), len(rows) + min(gone, _BEYOND)))
    shades = [colours[row.page.mode.name] for row in rows]
    cost.bar(ages, [row.page.tokens for row in rows], color=shades, width=0.85)
    cost.set(ylabel="vision tokens of the page")
    left.plot(ages, [row.correlation for row in rows], color="#444444", linewidth=1)
    left.scatter(ages, [row.correlation for row in rows], color=shades, zorder=3)
    left.scatter(none, [0] * len(none), color="#888888", marker="x", zorder=3)
    left.scatter(ages, [row.letters for row in rows], color=shades, marker="^", s=26, zorder=3)
    left.set(ylabel="correlation; share of letters", ylim=(-0.04, 1.04))
    heights = left.twinx()
    heights.scatter(ages, [row.x_height for row in rows], edgecolors=shades, marker="s", s=26, facecolors="none")
    top = max(10.0, rows[0].x_height)
    heights.set(ylabel="height of an x in pixels", ylim=(-0.04 * top, 1.04 * top))
    dark = "#444444"
    kinds = [
        Line2D([], [], color=dark, linestyle="", marker="^", label="random letters told apart"),
        Line2D([], [], color=dark, marker="o", label="correlation with the page"),
        Line2D([], [], color=dark, linestyle="", marker="s", fillstyle="none", label="height of an x"),
    ]
    left.legend(handles=kinds, loc="lower left", frameon=False, fontsize=8.5)
    for axes in (cost, left):
        axes.set(xlabel="age in pages (0 is the newest)", xlim=(-0.8, len(rows) + len(none) - 0.2))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3, axis="y")
        axes.set_axisbelow(True)
        axes.spines["top"].set_visible(False)
        if none:
            axes.axvspan(none[0] - 0.5, none[-1] + 0.5, color=_GONE, zorder=0)
    cost.spines["right"].set_visible(False)
    heights.spines["top"].set_visible(False)
    names = [
        Patch(color=colours[mode.name], label=f"{mode.name}, {mode.base_size} px, {tokens} tokens")
        for mode, tokens in zip(options.modes, options.tokens, strict=True)
    ]
    names += [Patch(color=_GONE, label=f"gone ({gone} pages)")] if gone else []
    above.legend(handles=names, loc="outside upper center", ncols=len(names), frameon=False, fontsize=9)
    # One page in all modes, as it is seen in the course of its life; the newest one is often hardly written on.
    page = rows[min(1, len(rows) - 1)].page
    for number, mode in enumerate(options.modes):
        axes = below.add_subplot(1, len(options.modes), number + 1)
        x, y, width, height = (round(share * mode.base_size) for share in _CUT)
        seen = replace(page, mode=mode).seen().crop((x, y, x + width, y + height))
        axes.imshow(seen, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"seen in {mode.name}", fontsize=9)
        for spine in axes.spines.values():
            spine.set(color=colours[mode.name], linewidth=2)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
