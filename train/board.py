"""The metrics for TensorBoard: event files in ``RUN/tensorboard``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from dsocr_jax.errors import UserError

FOLDER = "tensorboard"

#: Every so many lines the router's load is drawn as well.
PICTURE_EVERY = 10

#: Pixels of a cell of that picture (one expert of one layer), and the load, as a multiple of the fair share, at which
#: its colour is the brightest.
CELL, BRIGHTEST = 12, 3.0


class Board:
    """Writes lines as `train.journal` makes them; a context manager.

    Args:
        folder: made if it is not there.
        step: the run goes on after it; what older files say of later steps is not shown any more.

    Raises:
        UserError: the package tensorboardX is missing.
    """

    def __init__(self, folder: Path, step: int) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise UserError(
                f"metrics for TensorBoard need the package tensorboardX ({error}); install it (`pip install "
                "tensorboardX`) or give --tensorboard False"
            ) from error
        self._writer = SummaryWriter(str(folder), purge_step=step + 1 if step else None, flush_secs=30)
        self._lines = 0

    def write(self, step: int, metrics: Mapping[str, Any], speed: Mapping[str, Any]) -> None:
        """Write the figures of one line; what is None or not there is left out."""
        for name, value in scalars(metrics, speed).items():
            self._writer.add_scalar(name, value, step)
        load = metrics.get("router_load")
        if load and self._lines % PICTURE_EVERY == 0:
            self._writer.add_image("router/load", heat_map(np.asarray(load)), step, dataformats="HWC")
        self._lines += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()


def scalars(metrics: Mapping[str, Any], speed: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of one line by the names that TensorBoard groups them by."""
    found: dict[str, Any] = {}
    for name, value in metrics.items():
        if isinstance(value, int | float) and name != "step":
            found[name if "/" in name else f"train/{name}"] = value
    for title, key in (("loss by kind", "kinds"), ("loss by mode", "modes")):
        found |= {f"{title}/{name}": value for name, value in (metrics.get(key) or {}).items() if value is not None}
    for title, key in (("left out", "left_out"), ("cannot be used", "bad")):
        found |= {f"{title}/{name}": value for name, value in (metrics.get(key) or {}).items()}
    for layer, load in enumerate(metrics.get("router_load") or ()):
        found[f"router/max over mean, layer {layer:02}"] = max(load) * len(load)
        found[f"router/min over mean, layer {layer:02}"] = min(load) * len(load)
    for name, value in speed.items():
        if name != "step":
            found[f"memory/{name}" if name.endswith("_memory") else f"speed/{name}"] = value
    return found


def heat_map(load: np.ndarray) -> np.ndarray:
    """Draw the load of the experts: uint8 [layers * CELL, experts * CELL, 3].

    Args:
        load: float [layers, experts], shares of each layer's tokens. Black is an expert that nobody asks, purple to
            orange the fair share, pale yellow `BRIGHTEST` times that or more.
    """
    from matplotlib import colormaps

    values = load * load.shape[1] / BRIGHTEST
    cells = (colormaps["inferno"](np.clip(values, 0, 1))[..., :3] * 255).astype(np.uint8)
    return cells.repeat(CELL, axis=0).repeat(CELL, axis=1)
