"""Shards are handed out until each is read or given up, whatever dies."""

import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.reading.cluster import dispatch
from dsocr_jax.reading.cluster.dispatch import Dispatcher, Done, Event, GivenUp, Refused, Stopped, Told
from dsocr_jax.reading.cluster.lines import Tally
from dsocr_jax.reading.cluster.plan import Plan, Shard
from tests.dsocr_jax.reading.cluster_parts import HereCrew, planned

TALLY = Tally(pages=2)


def shards(count: int) -> list[Shard]:
    return Plan({}, 2, tuple(planned(f"/{number}", "pdf", 2) for number in range(count))).shards()


class Meter:
    def __init__(self) -> None:
        self.pages = 0

    def __call__(self, pages: int) -> None:
        self.pages += pages


def dispatched(
    crew: HereCrew, count: int, workers: int = 2, at_once: int = 2, retries: int = 2, meter: Meter | None = None
) -> list[Done | GivenUp]:
    meter = meter or Meter()
    dispatcher = Dispatcher(
        crew, workers=workers, at_once=at_once, retries=retries, advance=meter, stop=lambda: False
    )  # fmt: skip
    outcomes = list(dispatcher.run(shards(count)))
    assert meter.pages == 2 * count
    return outcomes


def test_shards_are_spread_and_workers_kept_full() -> None:
    crew = HereCrew(lambda worker, shard: TALLY)
    outcomes = dispatched(crew, 4)
    assert sorted(outcome.shard for outcome in outcomes) == [0, 1, 2, 3]
    assert crew.given == [(0, 0, 1), (1, 1, 1), (0, 2, 2), (1, 3, 2)]


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 3),
    st.integers(1, 12),
    st.lists(st.booleans(), max_size=60),
)
def test_every_shard_ends_once_whatever_dies(
    workers: int, at_once: int, retries: int, count: int, deaths: list[bool]
) -> None:
    died: Counter[int] = Counter()
    held: Counter[int] = Counter()
    fate = iter(deaths)
    crew: HereCrew

    def read(worker: int, shard: Shard) -> Tally:
        if next(fate, False):
            died.update(one.number for one in crew.alive[worker])
            raise RuntimeError("killed")
        held[shard.number] += 1
        return TALLY

    crew = HereCrew(read)
    outcomes = dispatched(crew, count, workers, at_once, retries)
    assert sorted(outcome.shard for outcome in outcomes) == list(range(count))
    for outcome in outcomes:
        if isinstance(outcome, GivenUp):
            assert died[outcome.shard] == retries + 1 and outcome.reason == "killed"
        else:
            assert died[outcome.shard] <= retries and held[outcome.shard] == 1


def test_a_shard_that_kills_its_reader_is_given_up_and_takes_no_other_along() -> None:
    def read(worker: int, shard: Shard) -> Tally:
        if shard.number == 1:
            raise RuntimeError("poison")
        return TALLY

    crew = HereCrew(read)
    outcomes = dispatched(crew, 8, at_once=3, retries=2)
    assert [one for one in outcomes if isinstance(one, GivenUp)] == [GivenUp(1, "poison")]
    tries = [given for given in crew.given if given[1] == 1]
    assert len(tries) == 3
    # After the first death it is read alone: nothing before it on its worker, and nothing behind it.
    for worker, _, place in tries[1:]:
        assert place == 1 and max(each[2] for each in crew.given if each[0] == worker) <= 3
        last = max(index for index, each in enumerate(crew.given) if each[0] == worker)
        assert crew.given[last][1] == 1


def test_a_lost_shard_goes_to_another_worker_than_the_substitute() -> None:
    first: list[int] = []

    def read(worker: int, shard: Shard) -> Tally:
        if shard.number == 0 and not first:
            first.append(worker)
            raise RuntimeError("bad device")
        return TALLY

    crew = HereCrew(read)
    dispatched(crew, 6, workers=2, at_once=1)
    assert [worker for worker, shard, _ in crew.given if shard == 0] == [0, 1]


def test_workers_that_never_start_end_the_run() -> None:
    crew = HereCrew(lambda worker, shard: TALLY, starts=lambda number: False)
    with pytest.raises(UserError, match="no worker is left: the last one ended with a bad start"):
        dispatched(crew, 3)
    assert crew.count <= 2 + dispatch.MAX_FALSE_STARTS


def test_one_good_worker_does_it_alone() -> None:
    crew = HereCrew(lambda worker, shard: TALLY, starts=lambda number: number == 1)
    assert len(dispatched(crew, 5, workers=3)) == 5


def test_what_a_worker_says_to_the_user_ends_the_run() -> None:
    class Refusing(HereCrew):
        def events(self, seconds: float) -> list[Event]:
            return [*super().events(seconds), Refused("the disk is full")]

    with pytest.raises(UserError, match="the disk is full"):
        dispatched(Refusing(lambda worker, shard: TALLY), 3)


def test_stopping_stops() -> None:
    crew = HereCrew(lambda worker, shard: TALLY)
    asked: list[Any] = []

    def stop() -> bool:
        asked.append(None)
        return len(asked) == 3

    dispatcher = Dispatcher(crew, workers=1, at_once=1, retries=0, advance=Meter(), stop=stop)
    found: list[Any] = []
    with pytest.raises(Stopped):
        found.extend(dispatcher.run(shards(9)))
    assert len(crew.given) == 2


def test_a_worker_that_hangs_is_ended_and_its_shard_read_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(HereCrew):
        def events(self, seconds: float) -> list[Event]:
            if self.alive.get(0):
                time.sleep(0.01)
                return [Told(0, 0, 1)]  # it answers, but gets no further
            return super().events(seconds)

    monkeypatch.setattr(dispatch, "PATIENCE", 0.1)
    crew = Hanging(lambda worker, shard: TALLY)
    outcomes = dispatched(crew, 1, workers=1)
    assert [type(outcome) for outcome in outcomes] == [Done]
    assert [worker for worker, _, _ in crew.given] == [0, 1]
    assert 0 not in crew.alive


def test_workers_that_are_never_ready_are_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pending(HereCrew):
        def start(self) -> int:
            self.count += 1
            return self.count

    monkeypatch.setattr(dispatch, "PATIENCE", 0.05)
    with pytest.raises(UserError, match="no worker became ready within"):
        dispatched(Pending(lambda worker, shard: TALLY), 1)
