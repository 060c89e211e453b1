import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.grounding import (
    MAX_BOXES,
    MAX_PARTS,
    Grounded,
    parse_grounding,
    scan_grounding,
    to_pixels,
    write_grounding,
)

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


@pytest.mark.parametrize(
    ("boxes", "read"),
    [
        ("[[1,2,3,4]]", (1, 2, 3, 4)),
        (" [ [ 1 ,\n2 , 3\t, 4 ] ] ", (1, 2, 3, 4)),
        ("[[1, 2, 3, 4,],]", (1, 2, 3, 4)),
        ("[[1.2, 2.0, 3.7, 4.001]]", (1, 2, 4, 4)),
        ("[[-3, 2, 1003, 1000]]", (0, 2, 999, 999)),
    ],
)
def test_a_scan_takes_what_the_released_scripts_take(boxes: str, read: tuple[int, int, int, int]):
    scan = scan_grounding(PART.replace("[[10, 20, 300, 40]]", boxes))
    assert ([part.boxes for part in scan.parts], scan.broken) == ([(read,)], ())
    with pytest.raises(AnswerError):
        parse_grounding(PART.replace("[[10, 20, 300, 40]]", boxes if boxes != "[[1,2,3,4]]" else "[]"))


@pytest.mark.parametrize(
    "boxes",
    [
        *(
            "",
            "[]",
            "[[]]",
            "[1, 2, 3, 4]",
            "[[1, 2, 3]]",
            "[[1, 2, 3, 4, 5]]",
            "[[1 2, 3, 4]]",
            "[[1, 2, 3, 4] [1, 2, 3, 4]]",
        ),
        *(
            "[[n, 1, 2, 3]]",
            "[[1, 2, 3, 12345]]",
            "[[1, 2, 3, 4e1]]",
            "[[0x1, 2, 3, 4]]",
            "[[9, 2, 3, 4]]",
            "[[1, 9, 3, 4]]",
        ),
        *("((1, 2, 3, 4),)", "[[1, 2, 3, 4]]; 1", "__import__('os')", "[[1, 2, 3, " + "9" * 5000 + "]]"),
        "[" + "[1, 2, 3, 4], " * (MAX_BOXES + 1) + "]",
    ],
)
def test_a_scan_says_what_is_no_list_of_boxes(boxes: str):
    text = PART + PART.replace("[[10, 20, 300, 40]]", boxes)
    scan = scan_grounding(text)
    assert len(scan.parts) == 1
    assert [broken.span for broken in scan.broken] == [(len(PART), len(text))]


def test_a_scan_counts_boxes_that_were_clipped():
    assert scan_grounding(PART.replace("[[10, 20, 300, 40]]", "[[1, 2, 3, 1000], [1, 2, 3, 4]]")).clipped == 1


def test_a_number_of_parts_beyond_the_limit_is_refused():
    with pytest.raises(AnswerError, match="parts"):
        scan_grounding("<|ref|>a<|/ref|><|det|>[[1,2,3,4]]<|/det|>" * (MAX_PARTS + 1))


@pytest.mark.parametrize("length", range(1, len(PART)))
def test_a_part_cut_off_anywhere_is_one_broken_part_or_none(length: int):
    scan = scan_grounding(PART + "text\n" + PART[:length])
    assert len(scan.parts) == 1
    assert len(scan.broken) <= 1


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
