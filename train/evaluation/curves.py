"""Held-out losses and metrics over the steps, as one picture."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from dsocr_jax.evaluate.report import LOWER_IS_BETTER
from train.evaluation.result import MAIN
from train.plot import COLOURS

#: Strokes of the curves, which may lie upon each other.
STROKES = ("-", "--", ":", "-.")


def draw_curves(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a PNG: the losses by kind in the first mode, those of all kinds by mode, and each kind's main metrics.

    Args:
        lines: as `train.evaluation.result.Result.line` makes them, steps rising.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    steps = [line["step"] for line in lines]
    modes = list(lines[-1]["loss"])
    kinds = sorted(lines[-1]["kinds"])
    panels = _panels(lines, kinds, modes)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.6 * columns, 2.7 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, limits, curves) in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, columns, place)
        for number, (name, values) in enumerate(curves.items()):
            colour, stroke = COLOURS[number % len(COLOURS)], STROKES[number % len(STROKES)]
            axes.plot(steps, values, stroke, marker="o", markersize=3, color=colour, label=name)
        axes.set(title=title, ylim=limits)
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(alpha=0.3)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.legend(fontsize="small", frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


Panel = tuple[str, tuple[float | None, float | None], dict[str, list[float]]]


def _panels(lines: Sequence[Mapping[str, Any]], kinds: Sequence[str], modes: Sequence[str]) -> list[Panel]:
    def values(*path: str) -> list[float]:
        return [_at(line, path) for line in lines]

    by_kind = {kind: values("kinds", kind, "loss", modes[0]) for kind in kinds}
    panels: list[Panel] = [(f"held-out loss, {modes[0]} mode (nats)", (0, None), by_kind)]
    if len(modes) > 1:
        panels.append(("held-out loss by mode (nats)", (0, None), {mode: values("loss", mode) for mode in modes}))
    for kind in kinds:
        names = [name for name in MAIN.get(kind, ("exact",)) if name in lines[-1]["kinds"][kind]["scores"]]
        if names:
            curves = {_title(name): values("kinds", kind, "scores", name) for name in names}
            panels.append((kind, (-0.03, 1.03), curves))
    return panels


def _title(metric: str) -> str:
    return metric.replace("_", " ") + (" ↓" if metric in LOWER_IS_BETTER else "")


def _at(line: Any, path: Sequence[str]) -> float:
    for name in path:
        line = (line or {}).get(name)
    return float("nan") if line is None else float(line)
