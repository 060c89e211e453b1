"""Values behave as their topics do: magnitudes, courses in time, shares of a whole."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datagen.charts.content.amounts import measure
from datagen.charts.content.dice import Dice
from datagen.charts.content.language import language, tags
from datagen.charts.content.plans import PARTS, plans
from datagen.charts.content.rows import TIMES, named_rows, time_rows
from datagen.charts.content.settings import KINDS
from datagen.charts.content.shapes import bounds, table
from datagen.charts.content.shares import percentages
from datagen.charts.content.topics import Topic, catalogue

TOPICS = [topic for topic in catalogue().topics.values() if not topic.parts]
seeds = st.integers(0, 2**63)
#: How far beyond the typical values of its topic any value may lie: names scatter, years grow.
FAR = 60.0


def _dice(seed: int) -> Dice:
    return Dice(np.random.default_rng(seed))


def _columns(dice: Dice, topic: Topic) -> list[list[float]]:
    words, row = language("en"), dice.pick(tuple(topic.over) + topic.by)
    rows = time_rows(dice, words, row, 4, 24) if row in TIMES else named_rows(dice, words, row, 3, 12)
    pools = [pool for pool in topic.series if pool not in (row, "years")]
    pool = dice.pick(pools) if pools and dice.chance(0.5) else ""
    return table(dice, topic, rows, pool, 2 if pool else 1)


@given(seeds, st.sampled_from(TOPICS))
@example(9299251, next(topic for topic in TOPICS if topic.key == "gdp_growth"))
def test_values_stay_within_the_magnitudes_of_their_topic(seed: int, topic: Topic) -> None:
    values = [value for column in _columns(_dice(seed), topic) for value in column]
    assert all(math.isfinite(value) for value in values)
    assert max(map(abs, values)) <= min(FAR * topic.high, topic.cap)
    if not topic.signed and topic.model not in ("wave", "explode", "decay") and topic.key != "earthquakes":
        assert min(values) >= topic.low / FAR


@given(seeds, st.sampled_from(TOPICS), st.integers(1, 2))
@example(0, catalogue().topics["temperature"], 1)
def test_there_are_as_many_series_as_were_asked_for(seed: int, topic: Topic, count: int) -> None:
    dice, words = _dice(seed), language("en")
    rows = named_rows(dice, words, topic.by[0], 3, 5) if topic.by else time_rows(dice, words, topic.over[0], 4, 6)
    for pool in topic.series:
        columns = table(dice, topic, rows, pool, count)
        assert [len(column) for column in columns] == [len(rows.names)] * count


@given(seeds, st.sampled_from([topic for topic in TOPICS if not topic.signed]))
def test_what_cannot_be_negative_is_not(seed: int, topic: Topic) -> None:
    assert all(value >= 0 for column in _columns(_dice(seed), topic) for value in column)


@given(seeds, st.sampled_from(TOPICS), st.sampled_from(tags()))
def test_amounts_are_scaled_to_few_digits_and_not_to_zero(seed: int, topic: Topic, tag: str) -> None:
    dice = _dice(seed)
    columns = _columns(dice, topic)
    unit = measure(dice, language(tag), topic, columns)
    rounded = [value for column in columns for value in unit.round(column, positive=not topic.signed)]
    assert topic.signed or min(rounded) > 0
    digits = [len([c for c in unit.form.text(value) if c.isdigit()]) for value in rounded]
    assert max(digits) <= 11


@given(st.lists(st.floats(1e-3, 1e6), min_size=2, max_size=12), st.integers(0, 2))
def test_percentages_add_up_and_lie_next_to_the_exact_ones(weights: list[float], decimals: int) -> None:
    shares = percentages(weights, decimals)
    assert round(sum(shares), 6) == 100
    step = 10.0**-decimals
    assert all(
        abs(share - 100 * weight / sum(weights)) < step * (1 + 1e-9)
        for share, weight in zip(shares, weights, strict=True)
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("composite", "scatter")])
def test_every_kind_has_many_topics_that_suit_it(kind: str) -> None:
    assert len(plans(kind)) >= 8
    assert kind == "pie" or all(plan.rows for plan in plans(kind))


def test_what_is_stacked_are_parts_of_a_whole() -> None:
    for kind in ("stacked", "stacked area", "percent", "percent area"):
        assert all(set(plan.series) <= PARTS for plan in plans(kind))


def test_countries_are_larger_than_cities() -> None:
    population = catalogue().topics["population"]
    assert bounds(population, "cities")[1] <= bounds(population, "countries")[0]


def test_tourists_come_in_summer() -> None:
    words, topic, high, low = language("en"), catalogue().topics["tourists"], 0.0, 0.0
    for seed in range(40):
        dice = _dice(seed)
        rows = time_rows(dice, words, "M", 12, 12)
        for value, phase in zip(table(dice, topic, rows, "", 1)[0], rows.phases, strict=True):
            high, low = high + math.log(value) * (0.5 < phase < 0.66), low + math.log(value) * (phase < 0.16)
    assert high > low + 40 * 2 * math.log(1.5)


@given(seeds, st.sampled_from(sorted(TIMES)), st.sampled_from(tags()))
def test_times_follow_each_other_with_names_of_their_own(seed: int, kind: str, tag: str) -> None:
    rows = time_rows(_dice(seed), language(tag), kind, 4, 24)
    assert len(set(rows.names)) == len(rows.names) == len(rows.times) == len(rows.phases) >= 3
    assert rows.dates and list(rows.times) == sorted(set(rows.times))
    assert all(0 <= phase <= 1 for phase in rows.phases)
