"""The loss curves as a picture: of the whole, by kind of sample and by mode."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from train.metrics import read_metrics

#: The smooth lines are running means over this share of the logged steps.
SMOOTHING = 0.02

#: Losses that span a larger factor are drawn on a logarithmic scale.
SPAN = 8.0

#: Colours of curves, told apart by most people with any colour vision (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Return at each place the mean of the last ``width`` values, of fewer at the start (float64).

    What is no number does not count; where nothing does there is none.
    """
    known = np.isfinite(values)
    sums, counts = (
        np.concatenate([[0.0], np.cumsum(part, dtype=np.float64)]) for part in (np.where(known, values, 0.0), known)
    )
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    with np.errstate(invalid="ignore"):
        return (sums[ends] - sums[starts]) / (counts[ends] - counts[starts])


def plot_loss(metrics: Path, picture: Path, title: str = "") -> bool:
    """Draw the losses in ``metrics`` (see `train.metrics`) into a PNG file; False when there are no two lines yet."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = read_metrics(metrics)
    if len(lines) < 2:
        return False
    steps = np.array([line["step"] for line in lines])
    groups = {name: _curves(lines, name) for name in ("kinds", "modes")}
    below = [(name, curves) for name, curves in groups.items() if len(curves) > 1]
    figure = Figure(figsize=(9, 8.5 if below else 5), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2 if below else 1, max(len(below), 1))
    axes = figure.add_subplot(grid[0, :])
    _draw_whole(axes, steps, lines)
    axes.set_title(title)
    for place, (name, curves) in enumerate(below):
        part = figure.add_subplot(grid[1, place])
        part.set_title("by kind of sample" if name == "kinds" else "by mode")
        for (label, values), colour in zip(curves.items(), _cycle(len(curves)), strict=True):
            part.plot(steps, values, color=colour, alpha=0.2, linewidth=1)
            part.plot(steps, smooth(values, _width(steps)), color=colour, linewidth=1.8, label=label)
        _finish(part, steps, np.concatenate(list(curves.values())))
        part.legend(frameon=False)
    temporary = picture.with_name(f".{picture.name}.partial")
    figure.savefig(temporary, format="png", dpi=110)
    temporary.replace(picture)
    return True


def _draw_whole(axes: Any, steps: np.ndarray, lines: Sequence[Mapping[str, Any]]) -> None:
    loss = _values(line.get("loss") for line in lines)
    axes.plot(steps, loss, color=COLOURS[0], alpha=0.3, linewidth=1, label="one batch")
    axes.plot(steps, smooth(loss, _width(steps)), color=COLOURS[0], linewidth=1.8, label="running mean")
    _finish(axes, steps, loss)
    rate = axes.twinx()
    values = _values(line.get("lr") for line in lines)
    rate.plot(steps, values, color="tab:gray", linestyle="--", linewidth=1, label="learning rate")
    rate.set(ylabel="learning rate", ylim=(0, None))
    rate.spines["top"].set_visible(False)
    handles = [*axes.get_legend_handles_labels()[0], *rate.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, loc="upper right", frameon=False)


def _finish(axes: Any, steps: np.ndarray, values: np.ndarray) -> None:
    """Label the axes, and choose the scale."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    known = values[np.isfinite(values)]
    axes.set(xlabel="step", ylabel="loss per answer token (nats)", xlim=(_start(steps), steps[-1]))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if len(known) and known.min() > 0 and known.max() > SPAN * known.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(0, None)
    axes.grid(alpha=0.3)
    axes.spines["top"].set_visible(False)


def _start(steps: np.ndarray) -> float:
    """Return where the axis of the steps begins: at 0, but for a log whose beginning is missing."""
    return 0.0 if steps[0] < 0.1 * steps[-1] else float(steps[0])


def _curves(lines: Sequence[Mapping[str, Any]], group: str) -> dict[str, np.ndarray]:
    """Return the curves of a group of losses, in the order of their names."""
    names = sorted({name for line in lines for name in line.get(group) or {}})
    return {name: _values((line.get(group) or {}).get(name) for line in lines) for name in names}


def _values(found: Any) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in found], np.float64)


def _width(steps: np.ndarray) -> int:
    return max(2, round(SMOOTHING * len(steps)))


def _cycle(count: int) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(count)]
