from collections import Counter

import numpy as np
import pytest

from datagen import sample
from datagen.sample import content_digest, make_sample, split_of
from dsocr_jax.errors import UserError

pytestmark = pytest.mark.usefixtures("fake")


def test_the_same_arguments_give_the_same_sample() -> None:
    one, two = (make_sample(3, "pages", 7, "all", "easy") for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert (one.label, one.meta) == (two.label, two.meta)


def test_a_sample_says_where_it_comes_from() -> None:
    made = make_sample(3, "pages", 7, "all", "easy")
    assert (made.kind, made.id, made.seed, made.meta["level"]) == ("pages", 7, 3, "easy")
    assert made.meta["content"] == content_digest("pages", made.label)
    assert made.prompt == "<image>\nFree OCR."


def test_neighbours_differ() -> None:
    images = {make_sample(seed, "pages", index, "all", "easy").image.tobytes() for seed in (0, 1) for index in range(9)}
    assert len(images) == 18


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_split_holds_its_contents_only(split: sample.Split) -> None:
    samples = [make_sample(1, "pages", index, split, "easy") for index in range(40)]
    assert {split_of(content_digest("pages", made.label)) for made in samples} == {split}


def test_one_content_in_ten_is_for_testing() -> None:
    share = Counter(split_of(content_digest("charts", str(number))) for number in range(20_000))
    assert share["test"] / 20_000 == pytest.approx(0.1, abs=0.01)


def test_the_level_chooses_the_settings() -> None:
    assert make_sample(0, "pages", 0, "all", "standard").image.shape == (9, 9, 3)


def test_rejected_draws_are_counted_and_not_kept() -> None:
    rejected: Counter[str] = Counter()
    labels = [make_sample(0, "pages", index, "all", "easy", rejected=rejected).label for index in range(200)]
    assert not [label for label in labels if int(label.split()[1]) % 5 == 0]
    assert rejected["a multiple of five"] > 20


def test_a_label_that_is_not_in_its_form_is_not_kept() -> None:
    rejected: Counter[str] = Counter()
    labels = [make_sample(0, "pages", index, "all", "easy", rejected=rejected).label for index in range(400)]
    assert not [label for label in labels if label.endswith("77") or label.endswith(" ")]
    assert rejected["label not in its form"] > 0


def test_giving_up_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_REJECT", "1")
    with pytest.raises(
        UserError,
        match=r"make_sample\(0, 'pages', 4, 'all', 'easy', degradation='none'\) failed: none of 1000 .* no room",
    ):
        make_sample(0, "pages", 4, "all", "easy")


def test_a_library_that_cannot_be_loaded_is_named_and_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_LIBRARY", "1")
    with pytest.raises(UserError, match=r"pages cannot be drawn here: libXrender\.so\.1.*libxrender1"):
        make_sample(0, "pages", 4, "all", "easy")
