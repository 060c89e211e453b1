"""The compression study as a plot: word sets against text tokens and against compression, the paper's beside ours."""

import io
from collections.abc import Sequence

from dsocr_jax.evaluate import paper
from dsocr_jax.evaluate.compression import limits_of
from dsocr_jax.evaluate.items import PLAIN
from dsocr_jax.evaluate.result import Group
from dsocr_jax.evaluate.rivals import is_rival

#: What is drawn: the paper's number; but beside rivals, which may leave out what they were not given and be right about
#: the rest (`dsocr_jax.evaluate.rivals`), the mean of precision and recall.
PRECISION, F1 = ("word_set_precision", "word-set precision, %"), ("word_set_f1", "word-set F1, %")
#: A colour for each mode, such as stay apart for most eyes (after Okabe and Ito); greys are the paper's.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_GREYS = {64: "#9a9a9a", 100: "#4d4d4d"}
#: For each set, the plain one first.
_MARKS, _LINES = "osD^vP", ("-", "--", "-.", (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (6, 2)))


def plot_compression(groups: Sequence[Group]) -> bytes:
    """Return the plot as a PNG file.

    Args:
        groups: of `dsocr_jax.evaluate.compression.group_compression`; those of bins are drawn. The paper's stand
            beside them where they are of its size and precision is drawn.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    by_tokens, by_ratio = figure.subplots(1, 2, sharey=True)
    lines = dict.fromkeys((group.name["set"], group.name["mode"]) for group in groups)
    sets, modes = (list(dict.fromkeys(names)) for names in zip(*lines, strict=True))
    metric, title = F1 if any(map(is_rival, modes)) else PRECISION
    ratios = False
    for variant, mode in lines:
        bins = [group for group in groups if (group.name["set"], group.name["mode"]) == (variant, mode)]
        bins = [group for group in bins if "tokens" in group.name]
        style = {
            "color": _COLOURS[modes.index(mode) % len(_COLOURS)],
            "marker": _MARKS[sets.index(variant) % len(_MARKS)],
            "linestyle": _LINES[sets.index(variant) % len(_LINES)],
            "markersize": 5,
            "capsize": 3,
            "label": _label(variant, mode, bins),
        }
        shown = [group.metrics[metric] for group in bins]
        heights = [100 * (estimate.value or 0) for estimate in shown]
        errors = [
            [height - 100 * _or(estimate.low, height / 100) for height, estimate in zip(heights, shown, strict=True)],
            [100 * _or(estimate.high, height / 100) - height for height, estimate in zip(heights, shown, strict=True)],
        ]
        middles = [sum(limits_of(group.name["tokens"])) / 2 for group in bins]
        by_tokens.errorbar(middles, heights, yerr=errors, **style)
        places = [group.metrics["compression"].value for group in bins]
        if all(place is not None for place in places):
            ratios = True
            by_ratio.errorbar(places, heights, yerr=errors, **style)
    highest = max(limits_of(group.name["tokens"])[1] for group in groups if "tokens" in group.name)
    for vision, precision in paper.PRECISION.items() if highest > paper.FIRST and metric == PRECISION[0] else ():
        style = {
            "color": _GREYS[vision], "marker": "x", "linestyle": ":", "zorder": 1, "label": f"paper, {vision} tokens"
        }  # fmt: skip
        by_tokens.plot([paper.FIRST + paper.WIDTH * (i + 0.5) for i in range(len(precision))], precision, **style)
        by_ratio.plot(paper.COMPRESSION[vision], precision, **style)
    by_tokens.set(xlabel="text tokens of the page", ylabel=title)
    by_ratio.set(xlabel="compression: text tokens / vision tokens" + ("" if ratios else " (ours not known)"))
    for axes in (by_tokens, by_ratio):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    bottom, top = by_tokens.get_ylim()
    by_tokens.set_ylim(max(0, bottom), min(102, max(top, 101)))
    handles, labels = by_tokens.get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, loc="outside upper center", ncols=min(len(labels), 4))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _label(variant: str, mode: str, bins: Sequence[Group]) -> str:
    vision = bins[0].metrics["vision_tokens"].value if bins else None
    parts = [mode or "ours", "" if vision is None else f"{vision:.0f} tokens", "" if variant == PLAIN else variant]
    return ", ".join(filter(None, parts))


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
