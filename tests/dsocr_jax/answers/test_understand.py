import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsocr_jax.answers.understand import MAX_FIGURES, MAX_WARNINGS, relinked, understand
from dsocr_jax.prompts import PROMPTS

FIGURE, MARKDOWN = PROMPTS["figure"], PROMPTS["markdown"]
GEOMETRY = json.dumps({"Line": {"line": ["(-8.0, 0.0) -- (8.0, 0.0)"], "line_type": ["-"], "line_endpoint": []}})
PAGE = (
    "<|ref|>title<|/ref|><|det|>[[0, 0, 999, 100]]<|/det|>\n# Report\n\n"
    "<|ref|>image<|/ref|><|det|>[[100, 200, 500, 400]]<|/det|>\n\n"
    "<|ref|>table<|/ref|><|det|>[[100, 500, 900, 700]]<|/det|>\n<table><tr><td>a</td></tr></table>\n"
)
SIZE = (1000, 2000)


@pytest.mark.parametrize(
    ("text", "prompt", "kind"),
    [
        ("", MARKDOWN, "blank"),
        (" \n\u200b\x00", MARKDOWN, "blank"),
        ("Some text.", PROMPTS["free"], "pages"),
        (PAGE, MARKDOWN, "pages"),
        ("<table><tr><td>a</td></tr></table>\n", FIGURE, "charts"),
        ("<table><tr><td>a</td></tr></table> and <table></table>", FIGURE, "pages"),
        (GEOMETRY, FIGURE, "geometry"),
        (GEOMETRY, "<image>\nWhat is it?", "geometry"),
        ("CCO", FIGURE, "molecules"),
        ("CCO", PROMPTS["free"], "pages"),
        ("A cat on a mat", FIGURE, "pages"),
    ],
)
def test_kinds(text: str, prompt: str, kind: str):
    assert understand(text, prompt, SIZE).kind == kind


def test_a_page_has_regions_in_pixels_a_linked_figure_and_its_table():
    result = understand(PAGE, MARKDOWN, SIZE)
    assert [(region.label, region.pixels, region.figure) for region in result.regions] == [
        ("title", (0, 0, 1000, 200), None),
        ("image", (100, 400, 500, 800), 0),
        ("table", (100, 1001, 900, 1401), None),
    ]
    assert result.markdown == "# Report\n\n![](images/0.jpg)\n\n<table><tr><td>a</td></tr></table>"
    assert [found.table.rows for found in result.tables] == [(("a",),)]
    assert result.warnings == ()


def test_links_can_be_given_another_prefix():
    result = understand(PAGE, MARKDOWN, SIZE)
    assert relinked(result, "x/page_") == result.markdown.replace("images/", "x/page_")


def test_what_the_model_writes_like_a_link_is_not_relinked():
    result = understand(f"{PAGE}\n![](images/0.jpg)", MARKDOWN, SIZE)
    assert relinked(result, "x/").endswith("![](images/0.jpg)")


def test_a_chart_is_read_as_its_label():
    (found,) = understand("<table><tr><td></td><td>a&b</td></tr></table>", FIGURE, SIZE).tables
    assert found.table.rows == (("", "a&b"),)


def test_a_molecule_is_canonical():
    assert understand(" OCC\n", FIGURE, SIZE).molecule == "CCO"


def test_a_figure_is_read():
    figure = understand(GEOMETRY, FIGURE, SIZE).figure
    assert figure is not None
    assert figure.segments[0].end == (8.0, 0.0)


@pytest.mark.parametrize("text", ["CC(", "C1CC", "[Xx]", GEOMETRY[:-1], GEOMETRY.replace('"', "'"), "<table></table>"])
def test_what_cannot_be_read_is_a_warning(text: str):
    result = understand(text, FIGURE, SIZE)
    assert len(result.warnings) == 1
    assert (result.molecule, result.figure, result.tables) == ("", None, ())
    assert result.markdown == text


def test_images_without_area_are_not_linked():
    result = understand("<|ref|>image<|/ref|><|det|>[[5, 5, 5, 9]]<|/det|>\nText", MARKDOWN, SIZE)
    assert result.markdown == "Text"
    assert "not cut out" in result.warnings[0]


def test_images_beyond_the_limit_are_not_cut_out():
    text = "<|ref|>image<|/ref|><|det|>[[1, 1, 9, 9]]<|/det|>\n" * (MAX_FIGURES + 2)
    result = understand(text, MARKDOWN, SIZE)
    assert sum(region.figure is not None for region in result.regions) == MAX_FIGURES
    assert result.markdown.count("![]") == MAX_FIGURES
    assert result.warnings[0].startswith("2 pictures")


def test_warnings_have_a_limit():
    result = understand("<|det|>" * 1000, MARKDOWN, SIZE)
    assert len(result.warnings) == MAX_WARNINGS
    assert result.warnings[-1] == f"and {1000 - MAX_WARNINGS + 1} more warnings"


def test_the_end_of_a_page_that_loops_is_understood():
    result = understand(PAGE + "<table><tr><td>1</td></tr>" + "<tr><td>2</td>" * 3, MARKDOWN, SIZE)
    assert len(result.tables) == 1
    assert result.warnings


@given(st.text(max_size=200), st.sampled_from(list(PROMPTS.values())))
def test_any_text_is_understood(text: str, prompt: str):
    result = understand(text, prompt, SIZE)
    assert result.text == text
    assert dataclasses.replace(result) == result
    result.markdown.encode()
