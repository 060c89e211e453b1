import subprocess
import sys

import numpy as np
import pytest

from datagen import fonts
from dsocr_jax.errors import UserError


def _every_name() -> list[str]:
    return sorted({*fonts.names(), *(name for script in fonts.SCRIPTS for name in fonts.names(script=script))})


def test_every_face_is_a_file_that_loads() -> None:
    assert all(fonts.load(name, 12).size == 12 for name in _every_name())


def test_kinds_partition_the_faces() -> None:
    parts = [fonts.names(kind) for kind in ("sans", "serif", "mono")]
    assert sorted(sum(parts, ())) == sorted(fonts.names("all"))


def test_bold_and_italic_select() -> None:
    assert "DejaVuSerif-BoldItalic" in fonts.names("serif", bold=True, italic=True)
    assert not {"DejaVuSans-Bold", "DejaVuSans-Oblique"} & set(fonts.names("sans", bold=False, italic=False))


def test_names_without_a_script_are_matplotlibs() -> None:
    assert not any(name.startswith("Noto") for name in fonts.names())


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind must be"):
        fonts.names("gothic")


def test_unknown_script_is_refused() -> None:
    with pytest.raises(ValueError, match="script must be"):
        fonts.names(script="runes")


def test_fonts_are_cached() -> None:
    assert fonts.load("DejaVuSans", 17) is fonts.load("DejaVuSans", 17)


@pytest.mark.parametrize(
    ("name", "text", "covered"),
    [
        ("DejaVuSans", "Ärger – 5 €", True),
        ("DejaVuSans", "漢字", False),
        ("STIXGeneral", "two words", True),
        ("cmr10", "plain words, 12 of them", True),
        ("cmr10", "a < b", False),
        ("cmr10", "don't", False),
        ("NotoSans", "Выручка, млн €; Số lượng; Αύξηση", True),
        ("NotoSans", "漢字", False),
        ("NotoSansCJKsc", "营业收入（亿元）", True),
        ("NotoSansCJKkr-Bold", "매출액", True),
    ],
)
def test_covers(name: str, text: str, covered: bool) -> None:
    assert fonts.covers(name, text) is covered


@pytest.mark.parametrize("name", ["DejaVuSans", "STIXGeneral", "NotoSans", "NotoSansCJKjp"])
def test_covers_agrees_with_what_is_drawn(name: str) -> None:
    font = fonts.load(name, 32)
    box = bytes(font.getmask("\U0010fffe"))
    characters = "Aß€жΩộ漢한あ₂≥①"
    drawn = [bytes(font.getmask(character)) != box for character in characters]
    assert [fonts.covers(name, character) for character in characters] == drawn


def _ink(name: str, text: str) -> int:
    return int(np.frombuffer(bytes(fonts.load(name, 40).getmask(text)), np.uint8).sum(dtype=np.int64))


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("NotoSans", "NotoSans-Medium", "NotoSans-SemiBold", "NotoSans-Bold"), "Revenue"),
        (("NotoSansCJKsc-Light", "NotoSansCJKsc", "NotoSansCJKsc-Medium", "NotoSansCJKsc-Bold"), "营业收入"),
    ],
)
def test_heavier_weights_have_more_ink(names: tuple[str, ...], text: str) -> None:
    inks = [_ink(name, text) for name in names]
    assert inks == sorted(set(inks))


def test_faces_of_the_collection_are_those_of_their_scripts() -> None:
    drawn = {bytes(fonts.load(f"NotoSansCJK{code}", 40).getmask("骨")) for code in ("jp", "sc", "tc")}
    assert len(drawn) == 3
    names = {fonts.load(f"NotoSansCJK{code}", 40).getname()[0] for code in ("jp", "kr", "sc", "tc")}
    assert names == {f"Noto Sans CJK {code}" for code in ("JP", "KR", "SC", "TC")}


@pytest.mark.parametrize("tag", fonts.languages())
def test_every_language_has_plain_faces_with_bold_companions(tag: str) -> None:
    faces = [name for name in fonts.for_language(tag) if fonts.face(fonts.bold_of(name)).bold]
    assert len(faces) >= 3


def test_a_language_with_a_region_has_the_faces_of_the_language() -> None:
    assert fonts.for_language("pt-BR") == fonts.for_language("pt")


def test_traditional_chinese_has_faces_of_its_own() -> None:
    assert not set(fonts.for_language("zh-TW")) & set(fonts.for_language("zh-CN"))


def test_a_language_without_fonts_is_refused() -> None:
    with pytest.raises(UserError, match="no fonts for the language 'ar'"):
        fonts.for_language("ar")


@pytest.mark.parametrize(
    ("name", "bold"),
    [
        ("NotoSans-Medium", "NotoSans-Bold"),
        ("NotoSansCJKtc-Light", "NotoSansCJKtc-Bold"),
        ("NotoSans-Italic", "NotoSans-BoldItalic"),
        ("STIXGeneral", "STIXGeneralBol"),
        ("cmss10", "cmss10"),
    ],
)
def test_bold_companions(name: str, bold: str) -> None:
    assert fonts.bold_of(name) == bold


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda name: None)
    fonts._directory.cache_clear()
    with pytest.raises(UserError, match="pip install -U manimgx-fonts-cjk"):
        fonts.path("NotoSansCJKsc")
    fonts._directory.cache_clear()


def test_finding_fonts_does_not_import_their_packages() -> None:
    code = (
        "import sys; from datagen import fonts; fonts.load('DejaVuSans', 9); fonts.covers('NotoSansCJKsc', 'a'); "
        "sys.exit(bool({'matplotlib', 'manimgx_fonts', 'manimgx_fonts_cjk'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
