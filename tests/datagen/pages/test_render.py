from dataclasses import replace

import numpy as np
import pytest

from datagen import fonts
from datagen.family import Drawn, Rejected
from datagen.pages import FAMILY
from datagen.pages.settings import EASY, PLAIN, Settings
from datagen.pages.text import Block, Text
from dsocr_jax.answers import check_label


def draw(seed: int, settings: Settings) -> tuple[Text, Drawn]:
    rng = np.random.default_rng(seed)
    content = FAMILY.compose(rng, settings)
    return content, FAMILY.render(content, rng, settings)  # type: ignore[return-value]


LEVELS = {"easy": EASY, "plain": PLAIN}


def usable(level: str, count: int) -> list[tuple[Text, Drawn]]:
    pages = []
    for seed in range(count):
        try:
            pages.append(draw(seed, LEVELS[level]))
        except Rejected:
            continue
    return pages


@pytest.fixture(scope="module", params=["easy", "plain"])
def pages(request: pytest.FixtureRequest) -> list[tuple[Text, Drawn]]:
    return usable(request.param, 40)


def test_most_draws_can_be_used(pages: list[tuple[Text, Drawn]]) -> None:
    assert len(pages) >= 30


def test_labels_are_in_their_form(pages: list[tuple[Text, Drawn]]) -> None:
    for _, drawn in pages:
        check_label("pages", drawn.label)


def test_labels_are_beginnings_of_the_text(pages: list[tuple[Text, Drawn]]) -> None:
    for content, drawn in pages:
        assert content.key.replace("\n", " ").startswith(drawn.label.casefold().replace("\n\n", " "))


def test_no_ink_at_the_edges(pages: list[tuple[Text, Drawn]]) -> None:
    for _, drawn in pages:
        image = drawn.image
        paper = image[0, 0]
        assert all((edge == paper).all() for edge in (image[0], image[-1], image[:, 0], image[:, -1]))
        assert (image != paper).any()


def test_meta_tells_about_the_label(pages: list[tuple[Text, Drawn]]) -> None:
    for _, drawn in pages:
        assert drawn.meta["words"] == len(drawn.label.split())
        assert drawn.meta["characters"] == len(drawn.label)
        assert fonts.covers(drawn.meta["font"], drawn.label)
        assert (drawn.meta["language"], drawn.meta["script"], drawn.meta["direction"]) == ("en", "Latn", "ltr")


@pytest.mark.parametrize("level", ["easy", "plain"])
def test_the_same_generator_draws_the_same(level: str) -> None:
    (_, one), (_, two) = draw(5, LEVELS[level]), draw(5, LEVELS[level])
    assert np.array_equal(one.image, two.image)
    assert (one.label, one.meta) == (two.label, two.meta)


def test_easy_pictures_are_square_gray_and_large_in_type() -> None:
    for _, drawn in usable("easy", 20):
        assert drawn.image.shape == (192, 192)
        font = fonts.load(drawn.meta["font"], drawn.meta["size"])
        _, top, _, bottom = font.getbbox("H")
        assert bottom - top >= 0.12 * 192


def test_easy_pictures_use_one_line_and_two() -> None:
    assert {drawn.meta["lines"] for _, drawn in usable("easy", 30)} == {1, 2}


def test_pages_vary() -> None:
    pages = [drawn for _, drawn in usable("plain", 40)]
    assert {drawn.image.ndim for drawn in pages} == {2, 3}
    assert {drawn.meta["columns"] for drawn in pages} == {1, 2}
    assert len({drawn.meta["font"] for drawn in pages}) > 8
    assert len({drawn.image.shape[:2] for drawn in pages}) > 35


def test_text_that_is_too_long_is_cut() -> None:
    small = replace(PLAIN, words=(400, 400), width=(300, 300), size=(20, 20))
    content, drawn = draw(1, small)
    assert 5 < drawn.meta["words"] < sum(len(block.words) for block in content.blocks)


def test_nothing_fits() -> None:
    with pytest.raises(Rejected, match="no line fits"):
        draw(0, replace(PLAIN, width=(60, 60), size=(40, 40)))


def test_a_card_on_which_nothing_fits() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(Rejected, match="too wide"):
        FAMILY.render(Text((Block(("incomprehensible",)),)), rng, EASY)


def test_computer_modern_is_not_used_for_what_it_draws_otherwise() -> None:
    only = replace(PLAIN, faces=("cmr10", "DejaVuSans"))
    content = Text((Block(("a", '"quote"', "and", "more")),))
    for seed in range(20):
        assert FAMILY.render(content, np.random.default_rng(seed), only).meta["font"] == "DejaVuSans"
