"""Samples and figures: what they notice, and files that do not hold what they say."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsocr_jax.errors import UserError
from dsocr_jax.parity.fixture import STRIDES, Entry, read_fixture, write_fixture


def stored(tmp_path: Path, array: np.ndarray, keep: int = 50) -> Entry:
    write_fixture(tmp_path, "f", {}, {"x": array}, keep)
    return read_fixture(tmp_path, "f").entries["x"]


@pytest.fixture
def array() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)


def test_a_sample_is_met_by_its_array(tmp_path: Path, array: np.ndarray) -> None:
    entry = stored(tmp_path, array)
    assert (entry.shape, entry.stride, entry.sample.shape, entry.error(array)) == ((20, 30), 13, (47,), 0.0)


@given(place=st.integers(0, 599), size=st.sampled_from([1e-3, -0.1, 1e4]))
@settings(max_examples=40, deadline=None)
def test_every_changed_value_is_noticed(tmp_path_factory: pytest.TempPathFactory, place: int, size: float) -> None:
    array = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    entry = stored(tmp_path_factory.mktemp("fixture"), array)
    changed = array.copy()
    changed.reshape(-1)[place] += np.float32(size)
    assert entry.error(changed) > 1e-6


def test_moved_values_are_noticed(tmp_path: Path, array: np.ndarray) -> None:
    entry = stored(tmp_path, array)
    moved = array.copy()
    moved[3, [1, 2]] = moved[3, [2, 1]]
    assert not any(place % entry.stride == 0 for place in (91, 92)) or entry.errors(moved)["sample"] > 0
    assert entry.errors(moved)["ramp"] > 1e-7


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_infinitely_wrong(tmp_path: Path, array: np.ndarray, value: float) -> None:
    entry = stored(tmp_path, array)
    array[5, 5] = value
    assert entry.error(array) == np.inf


def test_integers_are_stored_whole_and_counted(tmp_path: Path) -> None:
    ids = np.arange(300, dtype=np.int16)
    entry = stored(tmp_path, ids)
    assert (entry.exact, entry.stride, entry.differing(ids), entry.differing(ids + 1)) == (True, 1, 0, 300)


def test_strides_are_primes() -> None:
    assert all(all(n % k for k in range(2, int(n**0.5) + 1)) for n in STRIDES[1:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["arrays"]["x"].update(shape=[21, 30]), "holds 47 values"),
        (lambda d: d["arrays"].update(y=d["arrays"]["x"]), "which the npz does not hold"),
        (lambda d: d["arrays"].pop("x"), "does not describe x"),
        (lambda d: d["arrays"]["x"].pop("norm"), "norm"),
        (lambda d: d.pop("arrays"), "not a fixture"),
    ],
)
def test_files_that_contradict_each_other(tmp_path: Path, array: np.ndarray, change, message: str) -> None:
    stored(tmp_path, array)
    described = json.loads((tmp_path / "f.json").read_text())
    change(described)
    (tmp_path / "f.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match=message):
        read_fixture(tmp_path, "f")


def test_pickled_arrays_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    stored(tmp_path, array)
    np.savez(tmp_path / "f.npz", x=np.array([object()]))
    with pytest.raises(UserError, match="not readable"):
        read_fixture(tmp_path, "f")
