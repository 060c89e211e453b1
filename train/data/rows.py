"""Rows of some lanes, made in one process."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from dsocr_jax.batch import Batch, collate_rows, view_counts
from train.data.lanes import Count, Lane, LaneState, Plan


@dataclasses.dataclass(frozen=True)
class Made:
    """The rows of some lanes in one step.

    Attributes:
        batch: each row is a group of its own.
        kinds: samples of each kind.
        pictures: number of pictures.
        views: number of views in use.
        samples: names.
        count: what was left out.
        states: where the lanes stand after it.
    """

    batch: Batch
    kinds: Counter[str]
    pictures: int
    views: int
    samples: list[str]
    count: Count
    states: list[LaneState]


def joined(parts: Sequence[Made], batch: Batch) -> Made:
    """Return the rows of several makers as those of one; they stand side by side in ``batch``."""
    count = Count()
    for part in parts:
        count.left_out += part.count.left_out
        count.bad += part.count.bad
        count.bad_names += part.count.bad_names
    return Made(
        batch,
        sum((part.kinds for part in parts), Counter()),
        sum(part.pictures for part in parts),
        sum(part.views for part in parts),
        [name for part in parts for name in part.samples],
        count,
        [state for part in parts for state in part.states],
    )


class RowMaker:
    """Makes the rows of some lanes.

    Args:
        plan: of the run.
        lanes: which ones.
    """

    def __init__(self, plan: Plan, lanes: range) -> None:
        self.plan, self.lanes = plan, lanes
        self._lanes: dict[int, list[Lane]] = {}
        self._states: Mapping[int, Sequence[LaneState]] = {}

    def seek(self, states: Mapping[int, Sequence[LaneState]]) -> None:
        """Go on where the lanes stood: their states by the mode's number; others begin anew."""
        self._lanes, self._states = {}, states

    def make(self, mode: int) -> Made:
        """Return the next row of every lane in a mode."""
        plan = self.plan
        if mode not in self._lanes:
            states: Sequence[LaneState | None] = self._states.get(mode) or [None] * len(self.lanes)
            self._lanes[mode] = [Lane(plan, mode, lane, state) for lane, state in zip(self.lanes, states, strict=True)]
        count = Count()
        rows = [lane.row(count) for lane in self._lanes[mode]]
        examples = [[one.example for one in row] for row in rows]
        numbers = [[one.kind for one in row] for row in rows]
        batch = collate_rows(examples, plan.model, plan.length, plan.rooms[mode], len(rows), numbers)
        every = [one for row in rows for one in row]
        return Made(
            batch,
            Counter(plan.kinds[one.kind].name for one in every),
            sum(one.size.pictures for one in every),
            sum(view_counts(one.example).total() for one in every),
            [one.name for one in every],
            count,
            [lane.state() for lane in self._lanes[mode]],
        )
