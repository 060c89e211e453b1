"""What the batches of a run are: the plan of its rows, and which of them are this process's."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax

from dsocr_jax.batch import Batch, collate_rows
from dsocr_jax.errors import UserError
from dsocr_jax.tokenizer import Tokenizer
from train.config import TrainConfig
from train.data.lanes import Kind, Plan
from train.data.rooms import first_sizes, room_of, steps_per_epoch
from train.data.samples import Source
from train.data.shares import Turns


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
        names = sorted(
            {
                name
                for source in sets
                for name, count in source.counts.items()
                if count != 0 and config.mixture.get(name, 1) > 0
            }
        )
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

    def shapes(self, mode: int) -> Batch:
        """Return the shapes of a mode's batches, of all processes together (`jax.ShapeDtypeStruct` leaves)."""
        plan, rows, groups = self.plan, self.config.rows, self.groups * self.processes
        row = collate_rows([[]], plan.model, plan.length, plan.rooms[mode], 1, [[]])

        def whole(x: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct((rows, *x.shape[1:]), x.dtype)

        def views(x: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct((groups, rows // groups * x.shape[1], *x.shape[2:]), x.dtype)

        found = jax.tree.map(whole, dataclasses.replace(row, views={}))
        return dataclasses.replace(found, views=jax.tree.map(views, row.views), groups=groups)

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
