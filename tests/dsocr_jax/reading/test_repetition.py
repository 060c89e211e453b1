"""Which ids are banned, against the released rules."""

import json
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsocr_jax.errors import UserError
from dsocr_jax.reading.repetition import NoRepeat, banned_ids
from tests.reference.tiny import FIXTURES

VOCAB = 129280


@cache
def cases() -> dict:
    return json.loads((FIXTURES / "ngram.json").read_text())


def banned(rule: NoRepeat, rows: list[list[int]]) -> list[list[int]]:
    """Banned ids of each row; the rows are padded with an id that would repeat if it were looked at."""
    width = max(map(len, rows))
    padded = np.array([row + row[-1:] * (width - len(row)) if row else [0] * width for row in rows], np.int32)
    run = jax.jit(partial(banned_ids, rule, vocab_size=VOCAB))
    found = run(jnp.asarray(padded), jnp.array([len(row) for row in rows]))
    return [np.flatnonzero(row).tolist() for row in np.asarray(found)]


def windowed_settings() -> list[tuple[int, int, bool]]:
    return sorted({(n, w, bool(white)) for case in cases()["cases"] for n, w, white, _ in case["windowed"]})


@pytest.mark.parametrize("setting", windowed_settings(), ids=str)
def test_windowed_rule(setting: tuple[int, int, bool]) -> None:
    n, window, white = setting
    rows, expected = [], []
    for case in cases()["cases"]:
        for row in case["windowed"]:
            if (row[0], row[1], bool(row[2])) == setting:
                rows.append(case["ids"])
                expected.append(sorted(row[3]))
    assert banned(NoRepeat(n, window, tuple(cases()["whitelist"]) if white else ()), rows) == expected


@pytest.mark.parametrize("n", sorted({int(n) for case in cases()["cases"] for n in case["whole"]}))
def test_whole_sequence_rule(n: int) -> None:
    known = [case for case in cases()["cases"] if str(n) in case["whole"]]
    expected = [sorted(case["whole"][str(n)]) for case in known]
    assert any(expected)
    assert banned(NoRepeat(n), [case["ids"] for case in known]) == expected


def test_single_ids() -> None:
    assert banned(NoRepeat(1), [[5, 3, 5]]) == [[3, 5]]
    assert banned(NoRepeat(1, 50), [[5, 3, 5]]) == [[]]


def test_a_window_shorter_than_the_ngram_is_refused() -> None:
    with pytest.raises(UserError, match="ngram <= window"):
        NoRepeat(30, 20)
