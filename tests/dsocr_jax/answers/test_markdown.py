import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers.grounding import scan_grounding
from dsocr_jax.answers.markdown import to_markdown

TITLE = "<|ref|>title<|/ref|><|det|>[[10, 20, 300, 40]]<|/det|>\n"
IMAGE = "<|ref|>image<|/ref|><|det|>[[1, 2, 300, 400]]<|/det|>\n"


def markdown(text: str, links: dict[int, list[str]] | None = None) -> str:
    return to_markdown(text, scan_grounding(text), links or {})


def test_parts_go_and_their_text_stays():
    assert markdown(f"{TITLE}# Heading\n\n{TITLE}Text.") == "# Heading\n\nText."


def test_images_become_links():
    assert markdown(f"{IMAGE}\n{TITLE}after", {0: ["images/0.jpg"]}) == "![](images/0.jpg)\n\nafter"


def test_equal_images_have_a_link_each():
    assert markdown(IMAGE + IMAGE, {0: ["a.jpg"], 1: ["b.jpg"]}) == "![](a.jpg)\n\n![](b.jpg)"


def test_an_image_that_is_not_cut_out_has_no_link():
    assert markdown(f"before\n{IMAGE}after") == "before\n\nafter"


def test_gaps_left_by_parts_are_one_blank_line():
    assert markdown(f"a\n\n{TITLE}\n\n{TITLE}b") == "a\n\nb"


@pytest.mark.parametrize(("command", "plain"), [(r"\coloneqq", ":="), (r"\eqqcolon", "=:")])
def test_definition_signs_of_grounded_pages_are_plain(command: str, plain: str):
    assert markdown(rf"{TITLE}\(a {command} b\)") == rf"\(a {plain} b\)"


def test_pages_without_grounding_are_left_alone():
    assert markdown("a \\coloneqq b\n\n\n\nc") == "a \\coloneqq b\n\n\n\nc"


def test_labels_are_the_text_where_nothing_else_is():
    line = "<|ref|>{}<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\n"
    assert markdown(line.format("First line") + line.format("第二行")) == "First line\n第二行"


def test_labels_of_kinds_are_no_text():
    assert markdown(TITLE + IMAGE) == ""


@pytest.mark.parametrize(
    "rest", ["<|ref|>", "<|ref|>tex", "<|ref|>text<|/ref|>", "<|ref|>text<|/ref|><|det|>[[12, 3", "<|det|>", "<|/ref|>"]
)
def test_what_is_cut_off_leaves_no_tags(rest: str):
    assert markdown(f"{TITLE}Text.\n\n{rest}") == "Text."


def test_a_part_with_unreadable_boxes_goes_too():
    assert markdown("<|ref|>text<|/ref|><|det|>__import__('os')<|/det|>\nText.") == "Text."


def test_controls_and_direction_marks_go():
    assert markdown("a\x00b\u202ec\ud800") == "abc"


@given(st.lists(st.sampled_from(["<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "[[1, 2, 3, 4]]", "image", "x", "\n"])))
def test_no_tag_is_ever_left(pieces: list[str]):
    text = "".join(pieces)
    assert "<|" not in to_markdown(text, scan_grounding(text), {})
