"""The loss curve as a picture."""

from pathlib import Path

import numpy as np

from train.metrics import read_metrics

#: The smooth line is a running mean over this share of the logged steps.
SMOOTHING = 0.02


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Return at each place the mean of the last ``width`` values, of fewer at the start (float64)."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def plot_loss(metrics: Path, picture: Path, title: str = "") -> bool:
    """Draw the loss in ``metrics`` (see `train.metrics`) into a PNG file; False when there are no two lines yet."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = read_metrics(metrics)
    if len(lines) < 2:
        return False
    steps = np.array([line["step"] for line in lines])
    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    loss = np.array([line["loss"] for line in lines])
    axes.plot(steps, loss, color="tab:blue", alpha=0.3, linewidth=1, label="one batch")
    axes.plot(
        steps, smooth(loss, max(2, round(SMOOTHING * len(loss)))), color="tab:blue", linewidth=1.8, label="running mean"
    )
    axes.set(xlabel="step", ylabel="loss per answer token (nats)", title=title, xlim=(0, steps[-1]), ylim=(0, None))
    axes.grid(alpha=0.3)
    rate = axes.twinx()
    rate.plot(
        steps, [line["lr"] for line in lines], color="tab:gray", linestyle="--", linewidth=1, label="learning rate"
    )
    rate.set(ylabel="learning rate", ylim=(0, None))
    handles = [*axes.get_legend_handles_labels()[0], *rate.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, loc="upper right")
    temporary = picture.with_name(f".{picture.name}.partial")
    figure.savefig(temporary, format="png", dpi=120)
    temporary.replace(picture)
    return True
