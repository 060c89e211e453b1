"""The engine answers as the plain loop does, whatever else is in its batch, however little memory it has."""

import dataclasses
import itertools

import numpy as np
import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.modes import Mode
from dsocr_jax.reading import engine as engine_module
from dsocr_jax.reading.choose import LoopRule, Sampling
from dsocr_jax.reading.engine import Engine, EngineOptions, Progress, Request
from dsocr_jax.reading.fused import PAGE
from dsocr_jax.reading.repetition import NoRepeat
from tests.dsocr_jax.reading.small import MODES, example, model, reference, run

#: The second spares ids that the third bans.
RULES = (None, NoRepeat(3, 20, (20, 21, 200)), NoRepeat(2))
#: No answer of 40 ids can loop by this rule.
LOOPS, NEW = LoopRule(48, 3), 40
OPTIONS = EngineOptions(4, 8, loops=LOOPS, rules=tuple(rule for rule in RULES if rule), sampled=True)
#: Three pages for two rows of up to two each.
SHORT = dataclasses.replace(OPTIONS, rows=2, pages=3)
WARM = Sampling(1.0, 0.9, 7)


def mixed() -> list[Request]:
    """Every mode, and text alone, under every rule; answers of several lengths."""
    pairs = itertools.product((None, *MODES), RULES)
    return [
        Request(key, example(key, mode), NEW - key, rule) for key, (mode, rule) in enumerate(pairs)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def together() -> dict[int, Progress]:
    return run(mixed(), OPTIONS)


CASES = [(0, None, RULES[0]), (4, MODES[0], RULES[1]), (8, MODES[1], RULES[2]), (9, MODES[2], RULES[0])]


@pytest.mark.parametrize(("key", "mode", "rule"), CASES, ids=["text", "windowed", "whole", "tiles"])
def test_answers_are_those_of_the_plain_loop(
    key: int, mode: Mode | None, rule: NoRepeat | None, together: dict[int, Progress]
) -> None:
    ids, log_probs = reference(key, mode, most=NEW, rule=rule)
    found = together[key]
    assert found.tokens == ids[: NEW - key]
    assert found.log_probs == pytest.approx(log_probs[: NEW - key], abs=1e-4)


def test_the_rules_matter() -> None:
    """Otherwise the equality above would say little."""
    plain, spared, whole = (tuple(reference(4, MODES[0], most=NEW, rule=rule)[0]) for rule in RULES)
    assert len({plain, spared, whole}) == 3


def test_any_order_and_number_of_rows(together: dict[int, Progress]) -> None:
    found = run(mixed()[::-1], SHORT)
    assert {key: one.tokens for key, one in found.items()} == {key: one.tokens for key, one in together.items()}


def test_short_of_pages_the_youngest_begin_again_and_answer_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [Request(key, example(key, MODES[0], "<image>" + "x" * 50), 40) for key in range(4)]
    again: list[int] = []
    drop = Engine._drop
    monkeypatch.setattr(Engine, "_drop", lambda self, rows: (again.extend(rows), drop(self, rows))[1])
    found = run(requests, SHORT)
    assert again
    enough = run(requests, OPTIONS)
    assert [found[key].tokens for key in range(4)] == [enough[key].tokens for key in range(4)]


def test_a_row_ends_where_the_cache_does() -> None:
    """With less memory than one answer may need."""
    engine = Engine(model(), dataclasses.replace(OPTIONS, pages=1))
    engine.add(Request(0, example(0), None))
    assert engine._limit(engine.waiting[0].request) == engine.most == PAGE


def sampled(keys: list[int], seed: int = 7) -> dict[int, list[int]]:
    requests = [Request(key, example(key), 20, None, Sampling(1.0, 0.9, seed)) for key in keys]
    return {key: one.tokens for key, one in run(requests, OPTIONS).items()}


def test_sampling_does_not_depend_on_neighbours() -> None:
    many = sampled([0, 1, 2, 3, 4, 5])
    assert sampled([3]) == {3: many[3]}
    assert sampled([5, 3, 0]) == {key: many[key] for key in (5, 3, 0)}


def test_sampling_depends_on_the_seed_and_differs_from_greedy() -> None:
    assert sampled([3], 7) != sampled([3], 8)
    assert sampled([3], 7)[3] != reference(3, most=NEW)[0][:20]


def test_greedy_rows_beside_sampled_ones_stay_greedy() -> None:
    requests = [Request(0, example(0, MODES[0]), 20), Request(1, example(1), 20, None, WARM)]
    assert run(requests, OPTIONS)[0].tokens == reference(0, most=NEW)[0][:20]


def test_a_cancelled_request_is_never_reported_and_leaves_its_row() -> None:
    engine = Engine(model(), OPTIONS)
    for key in range(6):
        engine.add(Request(key, example(key), NEW))
    seen = {one.request.key for one in engine.step() + engine.step()}
    assert 1 in seen
    engine.cancel(1)  # at work
    engine.cancel(5)  # waiting
    after = []
    while engine.busy:
        after += [one.request.key for one in engine.step()]
    assert set(after) == {0, 2, 3, 4}
    assert engine.pool.free == engine.pool.available
    assert engine.free == 4


@pytest.mark.parametrize("pages", [None, 1])
def test_a_prompt_that_leaves_no_room_is_refused(pages: int | None) -> None:
    engine = Engine(model(), dataclasses.replace(OPTIONS, pages=pages))
    with pytest.raises(UserError, match="leaves no room for an answer"):
        engine.add(Request(0, example(0, prompt="<image>" + "x" * (252 if pages is None else 60))))
    assert not engine.busy


def test_a_loop_ends_its_answer() -> None:
    (found,) = run([Request(4, example(4, MODES[1]))], OPTIONS).values()
    assert found.finish_reason == "repetition"
    last = found.tokens[-49:]
    assert any(last[period:] == last[:-period] for period in range(1, 17))
    assert len(found.tokens) < 256 - len(example(4, MODES[1]).tokens)


def test_requests_of_one_length_join_together_past_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "padded_length", lambda tokens: tokens)
    engine = Engine(model(), OPTIONS)
    for key, mode in enumerate((MODES[0], MODES[1], MODES[0])):
        engine.add(Request(key, example(key, mode), 5))
    groups = [[one.request.key for one in engine._next_group(4)] for _ in range(2)]
    assert groups == [[0, 2], [1]] and not engine.waiting


def test_log_probs_are_the_models_own_whatever_is_banned(together: dict[int, Progress]) -> None:
    """Under the rule of pairs, ids that are not the most probable are chosen; their probability is still told."""
    assert all(log_prob <= 0 for log_prob in together[8].log_probs)
    assert np.isfinite(together[8].log_probs).all()
