import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from datagen import fonts
from datagen.pages.glyphs import CHARACTERS, Glyphs


def at(*places: int) -> np.ndarray:
    return np.array(places, np.int64)


def by_pillow(font: ImageFont.FreeTypeFont, word: str, x: int, y: int, shape: tuple[int, int]) -> np.ndarray:
    """Draw the letters one by one, each moved on by the whole pixels of its advance."""
    ink = np.zeros(shape, np.uint8)
    for letter in word:
        picture = Image.new("L", shape[::-1], 0)
        ImageDraw.Draw(picture).text((x, y), letter, fill=255, font=font, anchor="ls")
        ink = np.maximum(ink, np.asarray(picture))
        x += round(font.getlength(letter))
    return ink


@pytest.mark.parametrize("name", ["DejaVuSans", "STIXGeneralItalic", "cmr10", "DejaVuSansMono-Bold"])
def test_words_look_as_pillow_draws_their_letters(name: str) -> None:
    ink = np.zeros((60, 200), np.uint8)
    Glyphs(name, 24).draw(ink, ["Afjord"], at(20), at(40))
    assert np.array_equal(ink, by_pillow(fonts.load(name, 24), "Afjord", 20, 40, ink.shape))


def test_every_word_stands_in_its_place() -> None:
    glyphs = Glyphs("DejaVuSerif", 16)
    together, apart = np.zeros((80, 200), np.uint8), np.zeros((80, 200), np.uint8)
    words, xs, ys = ["one", "(two)", "3%"], [10, 90, 40], [20, 20, 60]
    glyphs.draw(together, words, at(*xs), at(*ys))
    for word, x, y in zip(words, xs, ys, strict=True):
        glyphs.draw(apart, [word], at(x), at(y))
    assert np.array_equal(together, apart)


def test_a_width_is_the_sum_of_its_letters() -> None:
    glyphs = Glyphs("DejaVuSansMono", 20)
    assert glyphs.measure(["a", "abc", "i.W"]).tolist() == [12, 36, 36]


def test_every_character_has_a_width_and_ink() -> None:
    glyphs = Glyphs("STIXGeneral", 14)
    assert (glyphs.measure(list(CHARACTERS)) > 0).all()
    for character in CHARACTERS:
        ink = np.zeros((40, 40), np.uint8)
        glyphs.draw(ink, [character], at(15), at(25))
        assert ink.any(), character


@pytest.mark.parametrize("word", ["e\u0301", "two words", "\u05d0"])
def test_other_characters_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match="page text may hold no blanks"):
        Glyphs("DejaVuSans", 12).measure([word])


def test_nothing_to_draw() -> None:
    ink = np.zeros((5, 5), np.uint8)
    Glyphs("DejaVuSans", 12).draw(ink, [], at(), at())
    assert not ink.any()


@pytest.mark.parametrize("name", ["DejaVuSansMono", "cmtt10"])
def test_spaces_of_typewriter_faces_are_as_wide_as_letters(name: str) -> None:
    glyphs = Glyphs(name, 20)
    assert [glyphs.space] * 2 == glyphs.measure(["i", "W"]).tolist()


def test_characters_are_added_when_they_are_asked_for() -> None:
    early, late = Glyphs("DejaVuSans", 18), Glyphs("DejaVuSans", 18)
    late.measure(["Ωмåж"])
    inks = [np.zeros((40, 200), np.uint8) for _ in range(3)]
    early.draw(inks[0], ["åжΩ"], at(20), at(30))
    late.draw(inks[1], ["åжΩ"], at(20), at(30))
    inks[2] = by_pillow(fonts.load("DejaVuSans", 18), "åжΩ", 20, 30, inks[2].shape)
    assert np.array_equal(inks[0], inks[1])
    assert np.array_equal(inks[0], inks[2])
