import subprocess
import sys

import pytest

from datagen import fonts


def test_every_face_is_a_file_that_loads() -> None:
    assert all(fonts.load(name, 12).size == 12 for name in fonts.names())


def test_kinds_partition_the_faces() -> None:
    parts = [fonts.names(kind) for kind in ("sans", "serif", "mono")]
    assert sorted(sum(parts, ())) == sorted(fonts.names("all"))


def test_bold_and_italic_select() -> None:
    assert "DejaVuSerif-BoldItalic" in fonts.names("serif", bold=True, italic=True)
    assert not {"DejaVuSans-Bold", "DejaVuSans-Oblique"} & set(fonts.names("sans", bold=False, italic=False))


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind must be"):
        fonts.names("gothic")


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
    ],
)
def test_covers(name: str, text: str, covered: bool) -> None:
    assert fonts.covers(name, text) is covered


def test_finding_fonts_does_not_import_matplotlib() -> None:
    code = "import sys; from datagen import fonts; fonts.load('DejaVuSans', 9); sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
