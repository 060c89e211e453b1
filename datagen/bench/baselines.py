"""What others would use: the plain way to make a picture of a chart or a molecule, to compare with."""

import io
import itertools
from collections.abc import Callable

import numpy as np

#: The pictures of the chart baseline, in pixels.
WIDTH, HEIGHT = 640, 480
_DPI = 100

_NAMES = ("North", "South", "East", "West", "Centre", "Coast", "Hills", "Lakes", "Plains", "Islands", "Delta", "Forest")


def matplotlib_chart(kind: str) -> Callable[[int], bytes]:
    """Return what draws a chart of 640x480 as most people do, a new figure each, and saves it as PNG.

    Args:
        kind: "bar", "line" or "pie".
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def draw(index: int) -> bytes:
        rng = np.random.default_rng(index)
        figure, axes = pyplot.subplots(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI)
        if kind == "pie":
            axes.pie(rng.uniform(1, 9, 6), labels=_NAMES[:6], autopct="%1.1f%%")
        else:
            places = np.arange(8)
            for number, name in enumerate(("2021", "2022", "2023")):
                values = rng.uniform(10, 90, 8)
                if kind == "bar":
                    axes.bar(places + 0.27 * (number - 1), values, 0.27, label=name)
                else:
                    axes.plot(places, values, marker="o", label=name)
            axes.set_xticks(places, _NAMES[:8])
            axes.set_xlabel("Region")
            axes.set_ylabel("Sales (thousands)")
            axes.grid(axis="y")
            axes.legend()
        axes.set_title("Sales by region")
        stream = io.BytesIO()
        figure.savefig(stream, format="png")
        pyplot.close(figure)
        return stream.getvalue()

    return draw


def matplotlib_charts() -> Callable[[int], bytes]:
    """Return what draws bars, lines and pies in turn."""
    draws = [matplotlib_chart(kind) for kind in ("bar", "line", "pie")]
    turns = itertools.cycle(draws)

    def draw(index: int) -> bytes:
        return next(turns)(index)

    return draw


def pillow_png(image: np.ndarray) -> Callable[[int], bytes]:
    """Return what encodes ``image`` as PNG by Pillow."""
    from PIL import Image

    picture = Image.fromarray(image)

    def encode(index: int) -> bytes:
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        return stream.getvalue()

    return encode
