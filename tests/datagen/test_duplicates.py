import hashlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen import duplicates
from datagen.duplicates import Digests, Duplicates
from datagen.shards import DIGEST_BYTES


def digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()[:DIGEST_BYTES]


def counted(numbers: list[int]) -> Duplicates:
    digests = Digests()
    for number in numbers:
        digests.add(digest(number))
    return digests.duplicates()


def expected(numbers: list[int]) -> Duplicates:
    times = Counter(numbers)
    return Duplicates(
        len(numbers), len(times), sum(count > 1 for count in times.values()), max(times.values(), default=0)
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=200))
def test_counts_are_exact(numbers: list[int]) -> None:
    assert counted(numbers) == expected(numbers)


@pytest.mark.parametrize(("held", "block"), [(7, 3), (1, 1), (100, 13)])
def test_several_passes_count_the_same(monkeypatch: pytest.MonkeyPatch, held: int, block: int) -> None:
    monkeypatch.setattr(duplicates, "MAX_HELD", held)
    monkeypatch.setattr(duplicates, "_BLOCK", block)
    numbers = [number * number % 61 for number in range(150)]
    assert counted(numbers) == expected(numbers)


def test_only_whole_digests_are_equal() -> None:
    digests = Digests()
    digests.add(bytes(DIGEST_BYTES) + bytes(DIGEST_BYTES - 1) + b"\1" + b"\1" + bytes(DIGEST_BYTES - 1))
    assert digests.duplicates().distinct == 3


def test_surplus_is_what_could_be_left_out() -> None:
    assert counted([1, 1, 1, 2, 3, 3]).surplus == 3
