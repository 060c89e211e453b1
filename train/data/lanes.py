"""Lanes: each row of a batch has its own part of the samples, and goes through it alone.

So which process or machine makes a row does not matter, and the position of the input is a few numbers for each lane.
The samples that wait are held with their views: `train.data.packing.LOOK_AHEAD` rows of them for each lane and mode.
"""

import bisect
import dataclasses
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dsocr_jax.batch import Example, view_counts
from dsocr_jax.config import ModelConfig
from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode
from dsocr_jax.tokenizer import Tokenizer
from train.data.examples import build
from train.data.packing import Size, choose, fits, wants_more
from train.data.samples import Sample, Source, Unusable
from train.data.shares import Turns, mixed, shuffled

#: Draws in place of one sample that is too long, before the kind is given up.
MAX_REDRAWS = 100

#: Samples of a lane that cannot be used, one after the other, before the run ends.
MAX_UNUSABLE = 100

#: Samples that a source without an end is asked for at most.
ENDLESS = 2**40

#: Sets dice and orders apart.
_ORDER, _LANES, _DICE = range(3)

#: A lane's position in one mode: the next of its numbers, and those of the samples that wait.
LaneState = list[Any]


class Kind:
    """All samples of one kind, over several sources: one behind the other, or in turn if they have no end.

    A source without an end that is named several times comes as often in a round, and makes no sample twice.
    """

    def __init__(self, name: str, sources: Sequence[Source]) -> None:
        self.name = name
        self.sources = [source for source in sources if source.counts.get(name, 0) != 0]
        counts = [source.counts[name] for source in self.sources]
        self.endless = None in counts
        if self.endless and any(count is not None for count in counts):
            where = ", ".join(source.name for source in self.sources)
            raise UserError(f"--data: {name} comes from {where}; a kind that is drawn live can come from nowhere else")
        named: dict[str, set[str]] = {}
        for source in self.sources if self.endless else ():
            named.setdefault(source.fingerprint, set()).add(source.name)
        alike = next((sorted(names) for names in named.values() if len(names) > 1), None)
        if alike:
            raise UserError(f"--data: {' and '.join(alike)} would make the same samples of {name}")
        prints = [source.fingerprint for source in self.sources]
        #: For each source its place among those of its name, and how many these are.
        self._shared = [(prints[:place].count(each), prints.count(each)) for place, each in enumerate(prints)]
        self._starts = list(itertools.accumulate((count or ENDLESS for count in counts), initial=0))

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Sample:
        if self.endless:
            turn, part = divmod(index, len(self.sources))
            place, times = self._shared[part]
            return self.sources[part].read(self.name, turn * times + place)
        part = bisect.bisect_right(self._starts, index) - 1
        return self.sources[part].read(self.name, index - self._starts[part])


@dataclasses.dataclass(frozen=True)
class Plan:
    """Everything that decides the rows of a run; it can be sent to other processes.

    Attributes:
        seed: of all orders and dice.
        length: tokens of a row.
        lanes: rows of a step, over all processes.
        model: sizes and special ids.
        modes: names and sizes of views.
        rooms: most views of a row by size, for each mode.
        kinds: what is drawn.
        turns: when each kind comes.
        tokenizer: the model's.
        degradation: what is done to pictures.
    """

    seed: int
    length: int
    lanes: int
    model: ModelConfig
    modes: tuple[Mode, ...]
    rooms: tuple[Mapping[int, int], ...]
    kinds: tuple[Kind, ...]
    turns: Turns
    tokenizer: Tokenizer
    degradation: str

    def sample(self, mode: int, number: int) -> tuple[int, Sample]:
        """Return the kind and the sample at ``number`` of the pass through the data in the mode of that place.

        Raises:
            Unusable: it cannot be read.
        """
        place, turn = self.turns.at(number)
        kind = self.kinds[place]
        if kind.endless:
            index = turn * len(self.modes) + mode  # no mode sees what another one sees
        else:
            epoch, turn = divmod(turn, len(kind))
            index = shuffled(turn, len(kind), mixed(self.seed, _ORDER, mode, place, epoch))
        return place, kind[index]

    def number(self, mode: int, lane: int, turn: int) -> int:
        """Return the number of a lane's sample ``turn``: each round of the lanes takes the next numbers, one each.

        Where the lanes stand in a round is random: no period of the kinds can meet that of the lanes.
        """
        shift = mixed(self.seed, _LANES, mode, turn)
        return turn * self.lanes + (lane + shift) % self.lanes


@dataclasses.dataclass(frozen=True)
class Waiting:
    """A sample that was drawn and is in no row yet.

    Attributes:
        turn: its number in its lane.
        kind: number of its kind.
        name: finds it.
        example: what goes into the row.
        size: what that takes.
    """

    turn: int
    kind: int
    name: str
    example: Example
    size: Size


@dataclasses.dataclass
class Count:
    """What was counted while rows were made.

    Attributes:
        left_out: samples in whose place another of the kind was put, by kind and reason.
        bad: samples that could not be used, by reason.
        bad_names: the first of them, with what is wrong.
    """

    left_out: Counter[str] = dataclasses.field(default_factory=Counter)
    bad: Counter[str] = dataclasses.field(default_factory=Counter)
    bad_names: list[str] = dataclasses.field(default_factory=list)


class Lane:
    """One row after the other, in one mode.

    Args:
        plan: of the run.
        mode: the mode's number.
        lane: this lane's number.
        state: where to go on; None for the beginning.
    """

    def __init__(self, plan: Plan, mode: int, lane: int, state: LaneState | None = None) -> None:
        self.plan, self.mode, self.lane = plan, mode, lane
        self._next, turns = (0, []) if state is None else state
        self._waiting = [self._draw(turn, Count()) for turn in turns]

    def state(self) -> LaneState:
        """Return where the lane stands, as JSON holds it."""
        return [self._next, [one.turn for one in self._waiting]]

    def row(self, count: Count) -> list[Waiting]:
        """Return the samples of the next row, in the order of their numbers; ``count`` is added to.

        Raises:
            UserError: no sample of a kind fits, or too many cannot be used.
        """
        failed = 0
        while wants_more([one.size for one in self._waiting], self.plan.length):
            try:
                self._waiting.append(self._draw(self._next, count))
                failed = 0
            except Unusable as error:
                count.bad[error.reason] += 1
                count.bad_names.append(str(error))
                failed += 1
                if failed == MAX_UNUSABLE:
                    raise UserError(f"--data: {failed} samples in a row cannot be used; the last: {error}") from None
            finally:
                self._next += 1
        room = self.plan.rooms[self.mode]
        chosen = set(choose([one.size for one in self._waiting], self.plan.length, room))
        row = [one for i, one in enumerate(self._waiting) if i in chosen]
        self._waiting = [one for i, one in enumerate(self._waiting) if i not in chosen]
        return row

    def _draw(self, turn: int, count: Count) -> Waiting:
        """Return the sample of a number, or another of its kind when it does not fit."""
        plan, mode = self.plan, self.plan.modes[self.mode]
        number = plan.number(self.mode, self.lane, turn)
        rng = np.random.default_rng([plan.seed, _DICE, self.mode, number])
        place, sample = plan.sample(self.mode, number)
        kind = plan.kinds[place]
        for _ in range(MAX_REDRAWS):
            example = build(sample, plan.tokenizer, plan.model, mode, plan.length, plan.degradation, rng)
            size = Size(len(example.tokens), view_counts(example), len(example.pictures))
            if fits(size, plan.length, plan.rooms[self.mode]):
                return Waiting(turn, place, sample.name, example, size)
            why = "too long" if size.tokens > plan.length else "with too many pictures"
            count.left_out[f"{kind.name} {why}"] += 1
            sample = kind[int(rng.integers(len(kind)))]
        raise UserError(
            f"{MAX_REDRAWS} samples of {kind.name} one after the other were {why} (the last: {size.tokens} tokens and "
            f"{size.pictures} pictures in mode {mode.name}; a row holds --length {plan.length} tokens and as many "
            f"views as --pictures-per-row says); raise what is short, or leave the kind out"
        )
