"""Points with their names beside them."""

import numpy as np

from datagen.charts import reasons
from datagen.charts.data import ChartData
from datagen.charts.look import Look
from datagen.charts.own.page import MARK, NAME, Page
from datagen.charts.own.plot import Plot
from datagen.charts.own.shapes import marker
from datagen.charts.own.text import cap, ink
from datagen.charts.plan import DoesNotFitError, Plan

#: Points nearer to each other than so many radii hide each other.
MIN_DISTANCE = 1.5
#: Where a name may stand around its point, best first: (share of its width left of the anchor, x, y in gaps).
_SPOTS = (
    (0.0, 1, 0),
    (1.0, -1, 0),
    (0.5, 0, -1),
    (0.5, 0, 1),
    (0.0, 0.7, -0.8),
    (0.0, 0.7, 0.8),
    (1.0, -0.7, -0.8),
    (1.0, -0.7, 0.8),
)


def lay_points(page: Page, plot: Plot, data: ChartData, look: Look, plan: Plan) -> list[tuple[float, float]]:
    """Place the names of points and return where the points are.

    Raises:
        DoesNotFitError: points hide each other, or a name has no room.
    """
    across, up = plan.x, plan.value
    assert across is not None and up is not None
    xs, ys = data.series[0].known, data.series[1].known
    points = [
        (plot.left + across.share(x) * (plot.right - plot.left), plot.at(y, up)) for x, y in zip(xs, ys, strict=True)
    ]
    places = np.array(points)
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    apart[np.diag_indices_from(apart)] = np.inf
    if len(points) > 1 and apart.min() < MIN_DISTANCE * look.marker_size:
        raise DoesNotFitError(reasons.HIDDEN)
    font, tall = (look.font, look.value_size), cap(look.font, look.value_size)
    gap, half = look.marker_size + 3, look.marker_size + 1
    taken = np.empty((2 * len(points), 4))
    taken[: len(points)] = np.concatenate([places - half, places + half], 1)
    count = len(points)
    for (x, y), name in zip(points, plan.categories, strict=True):
        mask = ink(*font, name)
        boxes = []
        for share, dx, dy in _SPOTS:
            left = x + dx * gap - share * mask.width
            # Level with the point, or clear of it above or below.
            middle = y + (dy * (gap + tall / 2))
            boxes.append((left - 1, middle - tall / 2 - 2, left + mask.width + 1, middle + mask.height - tall / 2 + 1))
        spots = np.array(boxes)
        there = taken[:count]
        hit = (spots[:, None, 0] < there[:, 2]) & (there[:, 0] < spots[:, None, 2])
        hit &= (spots[:, None, 1] < there[:, 3]) & (there[:, 1] < spots[:, None, 3])
        free = ~hit.any(1)
        free &= (spots[:, 0] > plot.left) & (spots[:, 2] < plot.right)
        free &= (spots[:, 1] > plot.top - tall) & (spots[:, 3] < plot.bottom)
        if not free.any():
            raise DoesNotFitError(reasons.POINTS)
        best = int(free.argmax())
        share, dx, dy = _SPOTS[best]
        taken[count] = spots[best]
        count += 1
        page.level(
            x + dx * gap, y + dy * (gap + tall / 2), name, font, look.theme.ink, share, "m", NAME, on_paper=False
        )
    for x, y in points:
        page.boxes.append((int(x - half) + 2, int(y - half) + 2, int(x + half) - 1, int(y + half) - 1))
        page.groups.append(MARK)
    return points


def paint_points(canvas: np.ndarray, points: list[tuple[float, float]], look: Look) -> None:
    """Draw the points."""
    shape = look.markers[0] if look.markers else "circle"
    inside = look.theme.plot if look.hollow else None
    for x, y in points:
        marker(canvas, x, y, shape, look.marker_size, look.palette[0], inside)
