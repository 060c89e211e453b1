"""Languages, scripts and fonts: how many there are, that every sign has a glyph, and which way lines run."""

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datagen.family import Rejected
from datagen.pages import FAMILY, typefaces
from datagen.pages.languages import find, known, specimen
from datagen.pages.prose import Writer
from datagen.pages.settings import STANDARD
from datagen.pages.typeset import compile_pdf, typeset
from datagen.pages.words import Dice
from dsocr_jax.answers.grounding import parse_grounding
from dsocr_jax.errors import UserError

SHIPPED = typefaces.shipped()


def writer(tag: str, seed: int = 0) -> Writer:
    return Writer(Dice(np.random.default_rng(seed)), find(tag), 0.5, 0.5)


def test_a_hundred_languages_in_twenty_scripts_need_no_fonts_of_the_system() -> None:
    scripts = {known()[tag].script for tag in SHIPPED}
    assert len(SHIPPED) >= 160
    assert len(scripts) >= 26
    assert {"Arab", "Hebr", "Hans", "Hant", "Jpan", "Kore", "Deva", "Thai"} <= scripts


@pytest.mark.parametrize("tag", SHIPPED)
def test_every_sign_of_a_language_has_a_glyph(tag: str) -> None:
    text = specimen(tag)
    signs = frozenset("".join((*text.paragraphs, *text.headings, *(writer(tag, n).paragraph(300) for n in range(3)))))
    assert typefaces.faces(find(tag), signs - {" "})


@pytest.mark.parametrize(
    "tag", ["ar", "bn", "hi", "hy", "iu", "ja", "km", "ko", "my", "ta", "th", "yo", "zgh", "zh-Hant"]
)
def test_typst_finds_every_glyph(tag: str) -> None:
    face = typefaces.faces(find(tag), frozenset())[0]
    text = "".join(specimen(tag).paragraphs[:6]).replace('"', "”")
    fonts = ", ".join(f'"{family}"' for family in (face.family, "Noto Sans", "DejaVu Sans"))
    source = f'#set text(font: ({fonts}), fallback: false)\n#"{text}"'
    assert compile_pdf(source, typefaces.folders(find(tag))).startswith(b"%PDF")


def test_a_sign_without_a_glyph_rejects_the_page() -> None:
    source = '#set text(font: "Noto Sans", fallback: false)\n#"letters and ก"'
    with pytest.raises(Rejected, match="without a glyph"):
        typeset(source, typefaces.folders(find("en")), frozenset(), frozenset(), coloured=False)


def test_a_sign_that_no_face_has_rejects_the_page(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Words and 𓂀 signs of old. " * 20, encoding="utf-8")
    settings = replace(STANDARD, corpus=str(tmp_path / "a.txt"), layouts=("book",), figures=0.0)
    rng = np.random.default_rng(0)
    content = FAMILY.compose(rng, settings)
    with pytest.raises(Rejected, match="no typeface has every character"):
        FAMILY.render(content, rng, settings)


def test_the_faces_built_into_typst_cover_what_is_said_of_them() -> None:
    text = "".join(sorted(typefaces._BUILT_IN - set('"\\')))
    for family in ("Libertinus Serif", "New Computer Modern"):
        source = f'#set text(font: "{family}", fallback: false)\n#"{text}"'
        assert compile_pdf(source, typefaces.package_folders())


@pytest.mark.parametrize(("tag", "right"), [("ar", True), ("he", True), ("en", False), ("hi", False)])
def test_lines_begin_on_their_side(tag: str, right: bool) -> None:
    settings = replace(STANDARD, layouts=("note",), languages=(tag,), tinted=0.0)
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        drawn = FAMILY.render(FAMILY.compose(rng, settings), rng, settings)
        image = drawn.image.astype(float)
        ink = image < 0.5 * image.max()
        width = ink.shape[1]
        found.append(ink[:, width // 2 :].sum() > ink[:, : width // 2].sum())
    assert (sum(found) >= 6) == right
    assert (sum(found) <= 2) != right


def test_arabic_labels_are_in_the_order_of_reading() -> None:
    settings = replace(STANDARD, layouts=("book",), languages=("ar",), recombined=0.0, made_up=0.0, figures=0.0)
    rng = np.random.default_rng(1)
    drawn = FAMILY.render(FAMILY.compose(rng, settings), rng, settings)
    plain = re.sub("[\u200e\u200f]", "", " ".join(specimen("ar").paragraphs))
    sentences = [text for text in drawn.label.split("\n\n") if len(text) > 80]
    assert sentences
    assert all(unicodedata.normalize("NFC", text[:40]) in plain for text in sentences)


@pytest.mark.parametrize("tag", ["de", "zh-Hans", "th", "ar", "yo"])
def test_texts_are_normal_and_without_controls(tag: str) -> None:
    text = writer(tag, 3).paragraph(2000)
    assert "  " not in text and "\n" not in text
    assert not [sign for sign in text if unicodedata.category(sign) == "Cc"]


def test_sentences_are_seldom_those_of_the_text() -> None:
    plain = " ".join(specimen("fr").paragraphs)
    made = Writer(Dice(np.random.default_rng(0)), find("fr"), 1.0, 0.0)
    sentences = [made.sentence() for _ in range(100)]
    assert sum(sentence in plain for sentence in sentences) < 30


def test_ideographic_texts_have_signs_that_the_specimen_lacks() -> None:
    made = Writer(Dice(np.random.default_rng(0)), find("zh-Hans"), 0.5, 1.0)
    new = set(made.paragraph(6000)) - set("".join(specimen("zh-Hans").paragraphs))
    assert len([sign for sign in new if unicodedata.category(sign) == "Lo"]) > 60


def test_every_script_has_faces() -> None:
    assert all(typefaces.script_faces(language.script) for language in known().values())


@pytest.mark.parametrize(
    ("tag", "message"),
    [("xx", "no language 'xx'"), ("German", "did you mean de?"), ("zh", "zh-Hans or zh-Hant")],
)
def test_unknown_languages(tag: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        find(tag)
    assert message in str(caught.value)


def test_missing_fonts_are_named_with_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    found = typefaces._path
    gone = ("cjk", "fonts-noto-core")
    monkeypatch.setattr(typefaces, "_path", lambda face: None if face.package in gone else found(face))
    with pytest.raises(UserError, match=r"Noto Serif Tibetan.*apt install fonts-noto-core"):
        typefaces.check(("bo",))
    with pytest.raises(UserError, match="pip install -U manimgx-fonts-cjk"):
        typefaces.check(("ja",))


def test_languages_without_shipped_fonts_must_be_named() -> None:
    assert "bo" not in STANDARD.language_mixture().names
    assert replace(STANDARD, languages=("bo",)).language_mixture().names == ("bo",)


@pytest.mark.parametrize(("tag", "right"), [("he", True), ("de", False)])
def test_columns_follow_one_another_in_the_direction_of_reading(tag: str, right: bool) -> None:
    settings = replace(STANDARD, layouts=("newspaper",), languages=(tag,), labels=("grounded",), figures=0.0)
    rng = np.random.default_rng(4)
    parts = parse_grounding(FAMILY.render(FAMILY.compose(rng, settings), rng, settings).label)
    texts = [part.boxes[0] for part in parts if part.label == "text"]
    assert (texts[0][2] > texts[-1][2]) == right
