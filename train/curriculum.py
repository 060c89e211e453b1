"""A run that climbs: rungs of data from easy to hard, each until the model reads it (`train.stretch`)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from datagen import families
from train.config import TrainConfig
from train.data.live import LIVE
from train.data.source import BatchSource


@dataclasses.dataclass(frozen=True)
class Rung:
    """What is learned until it is read. All fields but ``name`` and ``until`` are those of `TrainConfig`.

    Attributes:
        name: what the log calls it.
        data: live data alone, so that no sample comes twice and the loss is that of samples never seen.
        mixture: of the kinds; every rung has the same kinds.
        modes: resolutions.
        length: tokens of a row.
        rows: of a step.
        pictures_per_row: room for pictures of a row.
        mode_shares: of the modes.
        until: the next rung begins when a token of `Curriculum.judged` costs no more than this (nats).
    """

    name: str
    data: tuple[str, ...]
    mixture: dict[str, float]
    modes: tuple[str, ...]
    length: int
    rows: int
    pictures_per_row: int
    mode_shares: dict[str, float] = dataclasses.field(default_factory=dict)
    until: float | None = None


@dataclasses.dataclass(frozen=True)
class Curriculum(TrainConfig):
    """A `TrainConfig` with rungs; its own data, modes and sizes are those of the last rung."""

    rungs: tuple[Rung, ...] = ()
    #: The kind whose loss decides.
    judged: str = "pages"

    def config(self, number: int, drawn: Mapping[str, int], **changes: Any) -> TrainConfig:
        """Return the run of a rung, whose samples begin behind those ``drawn`` of each kind."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(TrainConfig)}
        rung = {
            field.name: getattr(self.rungs[number], field.name)
            for field in dataclasses.fields(Rung)
            if field.name not in ("name", "until")
        }
        rung["data"] = tuple(_behind(entry, drawn) for entry in self.rungs[number].data)
        return TrainConfig(**{**own, **rung, **changes})


def climbing(base: TrainConfig, rungs: tuple[Rung, ...]) -> Curriculum:
    """Return ``base`` with rungs."""
    own = {field.name: getattr(base, field.name) for field in dataclasses.fields(TrainConfig)}
    last = Curriculum(**own, rungs=rungs).config(len(rungs) - 1, {})
    return Curriculum(
        **{field.name: getattr(last, field.name) for field in dataclasses.fields(TrainConfig)}, rungs=rungs
    )


def drawn_after(source: BatchSource, position: Mapping[str, Any], before: Mapping[str, int]) -> dict[str, int]:
    """Return how many samples of each kind are spent: none at or behind these numbers was drawn.

    Args:
        source: of the feed.
        position: where the feed stands (`train.data.Feed.position`).
        before: what was drawn before the source began.
    """
    plan = source.plan
    turns = max((state[0] for lanes in position["lanes"].values() for state in lanes), default=0)
    # Each row looks ahead; workers may be some rows further than what was taken.
    numbers = (turns + AHEAD) * plan.lanes
    rounds = -(-numbers // plan.turns.period)
    found = dict(before)
    for name, weight in zip(plan.turns.names, plan.turns.weights, strict=True):
        found[name] = found.get(name, 0) + rounds * weight * len(plan.modes)
    return found


#: Samples of a lane that workers may have drawn beyond what was taken, at most: some dozen steps' rows, and what waits.
AHEAD = 512


def _behind(entry: str, drawn: Mapping[str, int]) -> str:
    what = entry.removeprefix(LIVE).split()[0]
    names = what.partition(":")[2]
    kinds = families.expand(names.split(",") if names else ["all"])
    return " ".join([entry, *(f"{kind}@{drawn[kind]}" for kind in kinds if drawn.get(kind))])
