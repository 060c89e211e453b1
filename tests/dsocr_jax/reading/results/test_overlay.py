import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dsocr_jax.answers.grounding import to_pixels
from dsocr_jax.answers.understand import Region
from dsocr_jax.reading.results import overlay
from dsocr_jax.reading.results.overlay import _COLOURS, LARGEST, MAX_WORDS, SMALLEST, colour

WHITE = Image.new("RGB", (800, 1000), "white")


def region(label: str, *box: int) -> Region:
    return Region(label, box, to_pixels(box, 800, 1000))  # type: ignore[arg-type]


def test_without_regions_the_page_stays_as_it_is():
    assert np.asarray(overlay(WHITE, [])).min() == 255


@pytest.mark.parametrize("label", ["title", "image", "table", "words that were read"])
def test_a_box_has_the_colour_of_its_kind_on_all_four_sides(label: str):
    pixels = np.asarray(overlay(WHITE, [region(label, 200, 300, 600, 700)]))
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = (
        round(v / 999 * (side - 1)) for v, side in zip((200, 300, 600, 700), (width, height) * 2, strict=True)
    )
    middle = (x1 + x2) // 2, (y1 + y2) // 2
    for x, y in ((x1, middle[1]), (x2, middle[1]), (x2 - 3, y1), (middle[0], y2)):
        assert tuple(pixels[y, x]) == colour(label)
    assert tuple(pixels[middle[1], middle[0]]) != colour(label)


def test_a_label_is_written_beside_its_box():
    with_label, without = (
        np.asarray(overlay(WHITE, [region(label, 200, 300, 600, 700)]))[: round(0.295 * 1000)]
        for label in ("title", "\u200b")
    )
    assert without.min() == 255
    assert with_label.min() < 128


def test_a_label_at_the_top_stays_in_the_picture():
    pixels = np.asarray(overlay(WHITE, [region("title", 0, 0, 999, 300)]))
    assert (pixels[300:330, :100] == colour("title")).all(-1).any()


@pytest.mark.parametrize("size", [(30, 40), (1000, 1000), (5000, 100), (1, 1), (3000, 4000)])
def test_the_longer_side_is_of_readable_size(size: tuple[int, int]):
    done = overlay(Image.new("L", size, 200), [region("title", 0, 0, 999, 999)])
    assert SMALLEST <= max(done.size) <= LARGEST
    assert done.mode == "RGB"


def test_the_picture_itself_is_not_changed():
    page = WHITE.copy()
    overlay(page, [region("title", 0, 0, 999, 999)])
    assert page.tobytes() == WHITE.tobytes()


def test_many_words_are_numbered():
    """Long words far apart would be wide labels; numbers are narrow ones."""

    def ink(count: int) -> int:
        regions = [region("W" * 40, 100, 10, 900, 12), *[region("\u200b", 990, 990, 991, 991)] * count]
        return int((np.asarray(overlay(WHITE, regions)) < 255).any(-1)[14:60].sum())

    assert ink(MAX_WORDS) < ink(0) / 5


@pytest.mark.parametrize(
    ("one", "other"), [*itertools.combinations(("title", "text", "image", "table", "equation"), 2)]
)
def test_colours_of_common_kinds_are_apart(one: str, other: str):
    assert np.abs(np.subtract(colour(one), colour(other))).sum() > 60


@pytest.mark.parametrize("ground", sorted(set(_COLOURS.values())))
def test_white_can_be_read_on_every_colour(ground: tuple[int, int, int]):
    """Contrast as WCAG defines it; 4.5 is its bar for text, 3 for large text as these labels are."""
    linear = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in ground]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) > 4


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda label, x, y: region(label, min(x), min(y), max(x), max(y)),
            st.text(max_size=30) | st.sampled_from(["title", "نص", "数据", "हिन्दी", "\U0001f600", "x" * 4000]),
            st.tuples(st.integers(0, 999), st.integers(0, 999)),
            st.tuples(st.integers(0, 999), st.integers(0, 999)),
        ),
        max_size=8,
    )
)
def test_any_regions_can_be_drawn(regions: list[Region]):
    assert overlay(Image.new("RGB", (60, 40)), regions).size == (1000, 667)
