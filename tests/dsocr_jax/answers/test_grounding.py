import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.grounding import Grounded, parse_grounding, to_pixels, write_grounding

PART = "<|ref|>title<|/ref|><|det|>[[10, 20, 300, 40]]<|/det|>"
COORDINATES = st.tuples(*[st.integers(0, 999)] * 4).map(
    lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
)


def test_parts_are_found_between_other_text():
    text = f"{PART}\n# A title\n\n<|ref|>image<|/ref|><|det|>[[0, 0, 999, 500], [1, 2, 3, 4]]<|/det|>\n"
    first, second = parse_grounding(text)
    assert first == Grounded("title", ((10, 20, 300, 40),))
    assert second.boxes == ((0, 0, 999, 500), (1, 2, 3, 4))
    assert text[slice(*first.span)] == PART


def test_text_without_parts_has_none():
    assert parse_grounding("[[1, 2, 3, 4]]") == []


@given(
    st.lists(
        st.tuples(st.text(max_size=10).filter(lambda t: "<|" not in t), st.lists(COORDINATES, min_size=1, max_size=3)),
        max_size=3,
    )
)
def test_what_is_written_is_read_back(items: list[tuple[str, list[tuple[int, int, int, int]]]]):
    parts = [Grounded(label, tuple(boxes)) for label, boxes in items]
    assert parse_grounding("\n".join(map(write_grounding, parts))) == parts


@pytest.mark.parametrize(
    "text",
    [
        "<|ref|>title",
        "<|/ref|>",
        PART.replace("<|/ref|>", "<|/ref|> "),
        PART.replace("[[", "["),
        PART.replace("20", "1000"),
        PART.replace("20", "-2"),
        PART.replace("20", "2.5"),
        PART.replace("[10, 20, 300, 40]", "[10, 20, 300]"),
        PART.replace("[10, 20, 300, 40]", ""),
        PART.replace("10", "301"),
        PART.replace("20", "٢"),
        "<|ref|>" + PART,
    ],
)
def test_malformed_parts_are_refused(text: str):
    with pytest.raises(AnswerError):
        parse_grounding(text)


def test_an_answer_that_was_cut_off_keeps_its_whole_parts():
    assert parse_grounding("<|/det|>" + PART + PART[:30], strict=False) == [Grounded("title", ((10, 20, 300, 40),))]


@given(
    st.lists(st.sampled_from(["<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "[[1, 2, 3, 4]]", "[", "x"]), max_size=16)
)
def test_hostile_text_is_never_an_error_when_not_strict(pieces: list[str]):
    for part in parse_grounding("".join(pieces), strict=False):
        assert part.boxes


def test_open_tags_take_linear_time():
    start = time.perf_counter()
    assert parse_grounding("<|ref|>" * 140_000, strict=False) == []
    assert time.perf_counter() - start < 5


def test_pixels_are_truncated():
    assert to_pixels((0, 1, 500, 999), 640, 480) == (0, 0, 320, 480)


@pytest.mark.parametrize(
    "part", [Grounded("a", ()), Grounded("<|det|>", ((0, 0, 1, 1),)), Grounded("a", ((5, 0, 1, 1),))]
)
def test_other_parts_are_not_written(part: Grounded):
    with pytest.raises(AnswerError):
        write_grounding(part)
