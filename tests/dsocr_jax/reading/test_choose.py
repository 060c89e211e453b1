"""Bans and loops on the device, against the released rules and against their definition."""

import json
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.reading.choose import (
    GREEDY,
    LOOPS,
    MAX_PERIOD,
    LoopRule,
    Sampling,
    ban,
    choice_row,
    choose,
    extend_runs,
    looping,
    no_choice,
    stack_choices,
)
from dsocr_jax.reading.repetition import NoRepeat, banned_ids
from tests.reference.tiny import FIXTURES

VOCAB, SMALL, LONG = 129280, 6, 40


def banned(rules: list[NoRepeat | None], rows: list[list[int]], vocab: int) -> list[list[int]]:
    """What `ban` bans in rows under rules of their own, all at once."""
    width = max(*map(len, rows), 1)
    ids = np.array([row + [row[-1] if row else 0] * (width - len(row)) for row in rows], np.int32)
    lengths = jnp.array([len(row) for row in rows])
    choice = stack_choices([choice_row(rule, GREEDY) for rule in rules])
    longest = max((rule.ngram for rule in rules if rule), default=0)
    run = jax.jit(partial(ban, look=width, longest=longest))
    scores = run(jnp.zeros((len(rows), vocab)), jnp.asarray(ids), lengths, choice)
    return [np.flatnonzero(np.isneginf(row)).tolist() for row in np.asarray(scores)]


@cache
def fixture() -> dict:
    return json.loads((FIXTURES / "ngram.json").read_text())


def test_all_released_rules_in_one_batch() -> None:
    """Every case of the fixture is a row with the rule that it was recorded under."""
    rules: list[NoRepeat | None] = []
    rows, expected = [], []
    for case in fixture()["cases"]:
        for ngram, window, white, ids in case["windowed"]:
            rules.append(NoRepeat(ngram, window, tuple(fixture()["whitelist"]) if white else ()))
            rows.append(case["ids"])
            expected.append(sorted(ids))
        for ngram, ids in case["whole"].items():
            rules.append(NoRepeat(int(ngram)))
            rows.append(case["ids"])
            expected.append(sorted(ids))
    assert any(expected)
    assert banned(rules, rows, VOCAB) == expected


RULES = (
    NoRepeat(1), NoRepeat(2), NoRepeat(4), NoRepeat(2, None, (0, 3)), NoRepeat(1, 5), NoRepeat(2, 2), NoRepeat(3, 10),
    NoRepeat(2, 8, (1, 2, 5)),
)  # fmt: skip
sequences = st.lists(st.integers(0, SMALL - 1), max_size=LONG)


@cache
def batched():  # type: ignore[no-untyped-def]
    return jax.jit(partial(ban, look=LONG, longest=4))


@cache
def plain(rule: NoRepeat):  # type: ignore[no-untyped-def]
    return jax.jit(partial(banned_ids, rule, vocab_size=SMALL))


@settings(max_examples=60, deadline=None)
@given(rule=st.sampled_from(RULES), row=sequences)
@example(rule=NoRepeat(2, 2), row=[1, 2, 1, 2, 1])
@example(rule=NoRepeat(1, 5), row=[1, 2, 3])
@example(rule=NoRepeat(4), row=[0, 0, 0, 0, 0, 0])
def test_bans_equal_the_plain_form(rule: NoRepeat, row: list[int]) -> None:
    ids = jnp.asarray(np.array([row + [0] * (LONG - len(row))] * 2, np.int32))
    lengths = jnp.array([len(row)] * 2)
    choice = stack_choices([choice_row(rule, GREEDY), choice_row(None, GREEDY)])
    ours = np.isneginf(np.asarray(batched()(jnp.zeros((2, SMALL)), ids, lengths, choice)))
    np.testing.assert_array_equal(ours[0], np.asarray(plain(rule)(ids[:1], lengths[:1]))[0])
    assert not ours[1].any()  # the neighbour has no rule


def test_too_long_a_whitelist_is_refused() -> None:
    with pytest.raises(UserError, match="5 ids in the whitelist"):
        choice_row(NoRepeat(2, None, (1, 2, 3, 4, 5)), GREEDY)


@cache
def detector(rule: LoopRule):
    """When a row counts as a loop: after how many ids, or None."""

    @jax.jit
    def run(ids: jax.Array) -> jax.Array:
        def step(runs: jax.Array, i: jax.Array) -> tuple[jax.Array, jax.Array]:
            runs = extend_runs(runs, ids[None], i[None], ids[i][None])
            return runs, looping(runs, rule)[0]

        return jax.lax.scan(step, jnp.zeros((1, MAX_PERIOD), jnp.int32), jnp.arange(ids.shape[0]))[1]

    def ended(row: list[int], room: int = 1024) -> int | None:
        padded = np.full(room, -7, np.int32)
        padded[: len(row)] = row
        found = np.flatnonzero(np.asarray(run(jnp.asarray(padded)))[: len(row)])
        return int(found[0]) + 1 if len(found) else None

    return ended


@settings(max_examples=25, deadline=None)
@given(
    start=st.lists(st.integers(0, 50), max_size=60),
    loop=st.lists(st.integers(0, 50), min_size=1, max_size=MAX_PERIOD),
)
def test_whatever_repeats_for_ever_is_found_in_time(start: list[int], loop: list[int]) -> None:
    period = len(loop)
    most = len(start) + period + max(LOOPS.length, period * (LOOPS.repeats - 1))
    found = detector(LOOPS)((start + loop * 600)[: most + 1])
    assert found is not None and found <= most


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, MAX_PERIOD), st.integers(1, 6))
def test_a_few_repeats_are_no_loop(seed: int, period: int, repeats: int) -> None:
    """Up to seven times the same rows of a table, or fewer than 256 ids in all, between text that does not repeat."""
    rng = np.random.default_rng(seed)
    loop = rng.permutation(1000)[:period].tolist()
    copies = min(repeats + 1, 7)
    row = [*range(2000, 2100), *loop * copies, *range(3000, 3100)]
    assert detector(LOOPS)(row) is None


def test_forty_equal_empty_cells_are_no_loop() -> None:
    cell = [5, 6]
    table = [1, *([2, *cell * 40, 3] * 1), *range(100, 140)]
    assert detector(LOOPS)(table) is None


def test_a_rule_of_few_repeats_ends_sooner() -> None:
    row = [9, *[1, 2, 3] * 20]
    assert detector(LoopRule(12, 3))(row) == 1 + 3 + 12
    assert detector(LoopRule(12, 8))(row) == 1 + 3 + 21


def test_sampling_follows_the_probabilities_and_the_share() -> None:
    scores = jnp.log(jnp.array([[0.5, 0.3, 0.15, 0.05]])).repeat(400, axis=0)
    positions = jnp.arange(400)

    def shares(sampling: Sampling) -> np.ndarray:
        choice = stack_choices([choice_row(None, sampling)] * 400)
        drawn = jax.jit(partial(choose, sampled=True))(scores, positions, choice)
        return np.bincount(np.asarray(drawn), minlength=4) / 400

    np.testing.assert_allclose(shares(Sampling(1.0)), [0.5, 0.3, 0.15, 0.05], atol=0.08)
    cut = shares(Sampling(1.0, 0.75))
    assert cut[2] == cut[3] == 0 and cut[0] == pytest.approx(0.625, abs=0.08)
    assert shares(Sampling(0.05))[0] > 0.95
    np.testing.assert_array_equal(shares(GREEDY), [1, 0, 0, 0])


@pytest.mark.parametrize(
    ("values", "said"), [((-1.0, 1.0, 0), "temperature"), ((1.0, 0.0, 0), "top-p"), ((1.0, 1.0, -1), "seed")]
)
def test_sampling_that_means_nothing_is_refused(values: tuple[float, float, int], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Sampling(*values)


def test_idle_rows_ask_for_nothing() -> None:
    assert np.asarray(no_choice(2).ngram).tolist() == [0, 0]
