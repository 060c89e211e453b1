"""A matplotlib canvas that sets text in any face of `datagen.fonts`.

matplotlib opens files at their default weight and their first face, so text in a variable font or a collection is drawn
from outlines. All other text is matplotlib's own.
"""

import functools
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from datagen import fonts
from datagen.charts import outlines
from datagen.charts.look import Look
from datagen.charts.mpl.styles import rgb

DPI = 100


class OutlinedFont(FontProperties):
    """A face that is drawn from outlines; its name survives the copies that matplotlib makes."""

    face = ""

    def __copy__(self) -> "OutlinedFont":
        made = OutlinedFont(fname=str(self.get_file()), size=self.get_size_in_points(), weight=self.get_weight())
        made.face = self.face
        return made

    def copy(self) -> "OutlinedFont":
        """Return a copy with the same face."""
        return self.__copy__()


@functools.lru_cache(maxsize=256)
def font(face: str, size: float) -> FontProperties:
    """Return the properties of a face at a size in pixels."""
    known = fonts.face(face)
    made = FontProperties if known.weight is None else OutlinedFont
    # The weight has no effect but to tell faces of one file apart.
    properties = made(fname=str(fonts.path(face)), size=size * 72 / DPI, weight=known.weight or 400)
    if isinstance(properties, OutlinedFont):
        properties.face = face
    return properties


@functools.lru_cache(maxsize=4096)
def _path(face: str, text: str) -> Path:
    points, codes, pen = [np.zeros((0, 2))], [np.zeros(0, np.uint8)], 0.0
    for character in text:
        glyph = outlines.glyph(face, character)
        points.append(glyph.points + np.array([pen, 0.0]))
        codes.append(glyph.codes)
        pen += glyph.advance
    return Path(np.concatenate(points), np.concatenate(codes))


class Renderer(RendererAgg):
    """Agg, with text from outlines where the font asks for it."""

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
        """Return width, height and descent of a text in pixels."""
        if not isinstance(prop, OutlinedFont):
            return super().get_text_width_height_descent(s, prop, ismath)
        size = self.points_to_pixels(prop.get_size_in_points())
        ys = np.asarray(_path(prop.face, s).vertices)[:, 1]
        low, high = (ys.min(), ys.max()) if len(ys) else (0.0, 0.0)
        return outlines.width(prop.face, s) * size, (high - min(low, 0.0)) * size, max(0.0, -low) * size

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
    ) -> None:
        """Draw a text whose baseline starts at (x, y), downwards from the top."""
        if not isinstance(prop, OutlinedFont):
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        size = self.points_to_pixels(prop.get_size_in_points())
        place = Affine2D().scale(size).rotate_deg(angle).translate(x, self.height - y)
        gc.set_linewidth(0.0)
        self.draw_path(gc, _path(prop.face, s), place, gc.get_rgb())


class Canvas(FigureCanvasAgg):
    """Agg's canvas with our renderer."""

    def get_renderer(self) -> Renderer:
        """Return the renderer, the same as long as the figure keeps its size."""
        width, height = self.figure.bbox.size
        if getattr(self, "renderer", None) is None:
            self.renderer = Renderer(width, height, self.figure.dpi)
        return self.renderer


def new_figure(look: Look) -> tuple[Any, Canvas]:
    """Return an empty figure of the look's size, and its canvas."""
    figure = Figure((look.width / DPI, look.height / DPI), DPI, facecolor=rgb(look.theme.paper), edgecolor="none")
    return figure, Canvas(figure)


def points(pixels: float) -> float:
    """Return a length in pixels in points, as matplotlib takes widths and sizes."""
    return pixels * 72 / DPI
