"""Results for people and programs: overlay pictures, redrawn answers, files.

`understand` reads an answer; `write_result` puts all that it says into a folder.
"""

from dsocr_jax.answers.understand import Region, Result, understand
from dsocr_jax.reading.results.overlay import overlay
from dsocr_jax.reading.results.redraw import beside, draw_figure, draw_molecule, draw_table, redraw
from dsocr_jax.reading.results.write import describe, write_result

__all__ = [
    "Region",
    "Result",
    "beside",
    "describe",
    "draw_figure",
    "draw_molecule",
    "draw_table",
    "overlay",
    "redraw",
    "understand",
    "write_result",
]
