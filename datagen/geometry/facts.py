"""What is true of a figure because it was constructed so: right angles, equal segments, parallels, equal angles.

Marks in the picture are drawn from facts, so no mark says anything untrue; tests hold every fact against the numbers.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

#: right: (vertex, a, b), the angle avb is right. equal, parallel: (a, b), segments. angles: (vertex, a, b), equal ones.
#: corner: (vertex, a, b), an angle worth measuring. tangent: (point, a, centre), the line to ``a`` touches a circle
#: of the figure around ``centre`` at the point.
Kind = Literal["right", "equal", "parallel", "angles", "corner", "tangent"]


class Fact(NamedTuple):
    """One fact, about groups of points; what the groups are depends on ``kind``."""

    kind: Kind
    groups: tuple[tuple[complex, ...], ...]

    def moved(self, put: Callable[[complex], complex]) -> "Fact":
        """Return the fact about the points where ``put`` moves them."""
        return Fact(self.kind, tuple(tuple(put(point) for point in group) for group in self.groups))
