"""The batches of a run, one after the other."""

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self

from dsocr_jax.batch import Batch, collate_rows, regroup, view_counts
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import Tokenizer
from train.config import TrainConfig
from train.data.lanes import Count, Kind, Lane, LaneState, Plan
from train.data.positions import gathered
from train.data.rooms import first_sizes, room_of, steps_per_epoch
from train.data.samples import Source
from train.data.shares import Turns

#: So many samples must have been tried before the share of unusable ones is judged.
JUDGED_AFTER = 200

#: Unusable samples that are kept by name.
NAMED = 5


@dataclasses.dataclass(frozen=True)
class Fed:
    """One batch and how it came about; everything is of this process's rows.

    Attributes:
        batch: rows of this process, numpy leaves.
        kinds: samples of each kind.
        left_out: samples in whose place another one of their kind was put, by kind and reason: "charts too long".
        mode: name of the mode.
        tokens: all tokens that are not padding.
        pictures: number of pictures.
        filled: share of the rows' tokens in use.
        views_filled: share of the views in use (1 where there is no room for any).
        samples: what a user needs to find each sample, e.g. "data/easy charts 123", row by row.
        bad: samples that could not be used, by reason.
    """

    batch: Batch
    kinds: Counter[str]
    left_out: Counter[str]
    mode: str = ""
    tokens: int = 0
    pictures: int = 0
    filled: float = 1.0
    views_filled: float = 1.0
    samples: list[str] = dataclasses.field(default_factory=list)
    bad: Counter[str] = dataclasses.field(default_factory=Counter)


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


class BatchSource:
    """What the batches of a run are, for one process.

    Args:
        config: what the run is.
        sets: its data.
        tokenizer: must belong to the model.
        groups: parts that the rows of all processes are split into (see `dsocr_jax.batch.Batch`): the data-parallel
            shards of the mesh, times the parts that a step computes one after the other.
        process: index of this process, of ``processes``; each makes its own rows.

    Attributes:
        plan: decides every row.
        lanes: the rows of this process.
        kinds: names of the kinds; their places are the numbers in `Batch.kinds`.
    """

    def __init__(
        self,
        config: TrainConfig,
        sets: Sequence[Source],
        tokenizer: Tokenizer,
        *,
        groups: int = 1,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        if config.rows % groups or groups % processes:
            parts = f" (the mesh has {groups // config.accumulate}, --accumulate {config.accumulate})"
            raise UserError(
                f"--rows {config.rows} does not split into {groups} equal parts"
                f"{parts if config.accumulate > 1 else ' of the mesh'} over {processes} processes; take a multiple of "
                f"{math.lcm(groups, processes)}"
            )
        self.config, self.process, self.processes = config, process, processes
        self.groups, each = groups // processes, config.rows // processes
        self.lanes = range(process * each, (process + 1) * each)
        self.mode_turns = Turns(config.mode_shares or dict.fromkeys(config.modes, 1.0))
        self.plan = self._plan(sets, tokenizer)
        self.kinds = tuple(kind.name for kind in self.plan.kinds)

    def _plan(self, sets: Sequence[Source], tokenizer: Tokenizer) -> Plan:
        config = self.config
        names = sorted({name for source in sets for name in source.counts if config.mixture.get(name, 1) > 0})
        kinds = tuple(Kind(name, sets) for name in names)
        endless = [kind.name for kind in kinds if kind.endless]
        if not config.mixture and endless and len(endless) < len(kinds):
            raise UserError(f"--data: there is no end of {', '.join(endless)}; say by --mixture how many of each kind")
        weights = config.mixture or {kind.name: 1.0 if endless else float(len(kind)) for kind in kinds}
        turns = Turns({name: weights[name] for name in names})
        modes = config.model_modes
        plan = Plan(
            config.seed, config.length, config.rows, config.model_config, modes, (), kinds, turns, tokenizer,
            config.degradation,
        )  # fmt: skip
        most = max(source.most_pictures for kind in kinds for source in kind.sources)
        self.sizes = first_sizes(plan)
        rooms = (
            room_of(sizes, mode, config.length, config.pictures_per_row, most)
            for sizes, mode in zip(self.sizes, modes, strict=True)
        )
        return dataclasses.replace(plan, rooms=tuple(rooms))

    def mode_of(self, step: int) -> int:
        """Return the number of the mode of a step (from 0)."""
        name = self.mode_turns.names[self.mode_turns.at(step)[0]]
        return self.config.modes.index(name)

    def steps_per_epoch(self) -> float:
        """Return about how many steps one pass over the data takes: as many samples as there are.

        Raises:
            UserError: there is no end of the data.
        """
        turns = self.mode_turns
        shares = {name: weight / turns.period for name, weight in zip(turns.names, turns.weights, strict=True)}
        steps = steps_per_epoch(self.plan, [shares[name] for name in self.config.modes], self.sizes)
        if steps is None:
            raise UserError("--epochs: live data have no end; give --steps")
        return steps


class Feed:
    """Iterates over the batches of a `BatchSource`; a context manager.

    Args:
        source: what to make.
        workers: processes that make it; 0 does it in this one, when a batch is asked for.

    Attributes:
        kinds: names of the kinds; their places are the numbers in `Batch.kinds`.
    """

    def __init__(self, source: BatchSource, workers: int) -> None:
        self.source, self.kinds = source, source.kinds
        self._maker = RowMaker(source.plan, source.lanes)
        self._step, self._states = 0, dict[int, list[LaneState]]()
        self._tried, self._bad = 0, 0

    def __next__(self) -> Fed:
        mode = self.source.mode_of(self._step)
        made = [self._maker.make(mode)]
        self._step += 1
        self._states[mode] = [state for part in made for state in part.states]
        self._judge(made)
        return self._fed(mode, made)

    def _fed(self, mode: int, made: Sequence[Made]) -> Fed:
        plan = self.source.plan
        batch = regroup([part.batch for part in made], plan.model, self.source.groups)
        tokens = int(batch.mask.sum())
        room = sum(plan.rooms[mode].values()) * len(batch.tokens)
        return Fed(
            batch,
            sum((part.kinds for part in made), Counter()),
            sum((part.count.left_out for part in made), Counter()),
            plan.modes[mode].name,
            tokens,
            sum(part.pictures for part in made),
            tokens / batch.tokens.size,
            sum(part.views for part in made) / room if room else 1.0,
            [name for part in made for name in part.samples],
            sum((part.count.bad for part in made), Counter()),
        )

    def _judge(self, made: Sequence[Made]) -> None:
        """Raise UserError if too many samples cannot be used."""
        most, bad = self.source.config.max_bad, [name for part in made for name in part.count.bad_names]
        self._bad += sum(part.count.bad.total() for part in made)
        self._tried += sum(part.kinds.total() + part.count.bad.total() for part in made)
        if bad and self._tried >= JUDGED_AFTER and self._bad > most * self._tried:
            raise UserError(
                f"--data: {self._bad} of {self._tried} samples cannot be used, which is more than --max-bad {most:g}; "
                f"the last: {'; '.join(bad[-NAMED:])}"
            )

    def position(self) -> dict[str, Any]:
        """Return where the iterator stands, as JSON holds it, for any number of processes and workers.

        Every process of a run must call it at the same step.
        """
        modes = self.source.config.modes
        lanes = {modes[mode]: states for mode, states in self._states.items()}
        return {"step": self._step, "lanes": gathered(lanes, self.source.processes)}

    def seek(self, position: dict[str, Any]) -> None:
        """Go on behind the batch after which ``position`` was taken."""
        modes, own = self.source.config.modes, self.source.lanes
        lanes = position["lanes"]
        self._states = {modes.index(name): lanes[name][own.start : own.stop] for name in lanes}
        self._step = position["step"]
        self._maker.seek(self._states)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
