import numpy as np

from datagen.geometry.dice import BLOCK, Dice


def dice(seed: int = 0) -> Dice:
    return Dice(np.random.default_rng(seed))


def test_equal_generators_give_equal_choices():
    first, second = dice(), dice()
    assert [first.random() for _ in range(3 * BLOCK)] == [second.random() for _ in range(3 * BLOCK)]


def test_whole_numbers_reach_both_ends_evenly():
    rolled = [d.whole(1, 6) for d in [dice()] for _ in range(3000)]
    counts = [rolled.count(number) for number in range(1, 7)]
    assert sum(counts) == 3000 and min(counts) > 400


def test_some_are_different_ones_of_the_options():
    d = dice()
    chosen = [tuple(d.some("abcd", 2)) for _ in range(300)]
    assert all(a != b for a, b in chosen) and len(set(chosen)) == 12
    assert sorted(d.some("abc", 9)) == ["a", "b", "c"]


def test_chances_are_as_given():
    d = dice()
    assert 250 < sum(d.chance(0.3) for _ in range(1000)) < 350
    assert {d.sign() for _ in range(50)} == {1, -1}
    assert all(2 <= d.uniform(2, 3) < 3 for _ in range(100))
