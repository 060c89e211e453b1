import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.card import statistics
from datagen.card.statistics import MAX_VALUES, Quantity, Statistics, bin_end, bin_of

numbers = st.lists(st.integers(0, 2**40), max_size=40)


def of(values: list[int]) -> Quantity:
    quantity = Quantity()
    for value in values:
        quantity.add(value)
    return quantity


@given(st.integers(0, 2**60))
def test_a_number_is_in_its_bin(number: int) -> None:
    assert bin_of(number) <= number < bin_end(bin_of(number))
    assert bin_of(bin_end(bin_of(number))) == bin_end(bin_of(number))  # where the next one starts


@given(numbers, numbers)
def test_sums_of_parts_are_the_whole(one: list[int], two: list[int]) -> None:
    first = of(one)
    first.merge(of(two))
    assert first == of(one + two)


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_quantiles_are_close_below(values: list[int]) -> None:
    true = sorted(values)[(len(values) - 1) // 2]
    assert true / 1.13 - 1 <= of(values).quantile(0.5) <= true


def counted(metas: list[dict[str, object]]) -> Statistics:
    found = Statistics()
    for index, meta in enumerate(metas):
        found.add(index, (100, 50), 999, f"label {index}", meta)
    return found


METAS: list[dict[str, object]] = [
    {"type": "bar", "grid": True, "rows": 4, "names": ["a", "b"], "scale": 1.5, "content": "x", "level": "easy"},
    {"type": "pie", "grid": False, "rows": 9, "degradation": {"preset": "scan", "parts": {"noise": {"strength": 1}}}},
    {"repairs": {"legend too large": 2, "no room": 0}, "axes": {"x": {"low": 1}}},
]


def test_remarks_are_counted_by_their_kind() -> None:
    found = counted(METAS)
    assert found.values == {
        "type": {"bar": 1, "pie": 1},
        "grid": {"yes": 1, "no": 1},
        "names": {"a": 1, "b": 1},
        "degradation preset": {"scan": 1},
        "degradation parts": {"noise": 1},
        "repairs": {"legend too large": 2},
    }
    assert (found.quantities["meta rows"].low, found.quantities["meta rows"].high) == (4, 9)


def test_tokens_are_counted_for_one_sample_in_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "TOKENS_EVERY", 3)
    assert counted([{}] * 7).quantities["label tokens"].count == 3


def test_json_keeps_everything() -> None:
    found = counted(METAS)
    assert Statistics.from_json(json.loads(json.dumps(found.as_json()))) == found


@pytest.mark.parametrize("value", [None, "x" * 99])
def test_descriptions_are_not_counted(value: str | None) -> None:
    found = counted([{"title": value or f"title {number}"} for number in range(MAX_VALUES + 1)])
    assert found.values == {"title": None}


def test_the_order_of_merging_does_not_matter() -> None:
    parts = [counted([{"title": f"{part} {number}"} for number in range(40)]) for part in "abc"] + [counted(METAS)]
    sums = []
    for order in (parts, parts[::-1]):
        total = Statistics()
        for part in order:
            total.merge(Statistics.from_json(part.as_json()))
        sums.append(total)
    assert sums[0] == sums[1]
    assert sums[0].values["title"] is None and sums[0].samples == 123
