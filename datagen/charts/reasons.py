"""Why a chart cannot be drawn as it is: a fixed set, since they become keys of tables.

Renderers raise `datagen.charts.plan.DoesNotFitError` with one of these.
"""

from datagen.charts.plan import DoesNotFitError

LEAVES = "text leaves the page"
OVERLAP = "texts overlap"
VALUES = "values overlap"
NO_ROOM = "value has no room"
CATEGORIES = "category names too long"
POINTS = "point names overlap"
TITLE = "title too long"
LEGEND = "legend too large"
COVERED = "legend covers data"
PLOT = "plot too small"
BARS = "bars too thin"
SLICES = "slice too thin"
LINES = "lines coincide"
HIDDEN = "points hide each other"
COLOURS = "too few colours"
UNDRAWABLE = "text cannot be drawn"

REASONS = (
    LEAVES, OVERLAP, VALUES, NO_ROOM, CATEGORIES, POINTS, TITLE, LEGEND, COVERED, PLOT, BARS, SLICES, LINES, HIDDEN,
    COLOURS, UNDRAWABLE,
)  # fmt: skip

__all__ = ["REASONS", "DoesNotFitError"]
