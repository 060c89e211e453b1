"""The fonts that every installation has, found as files inside installed packages, without importing these.

- ``matplotlib``: DejaVu (Bitstream Vera licence), STIX General (STIX Font License of 2010) and Computer Modern (BaKoMa
  Fonts Licence); all free to use and to distribute.
- ``manimgx-fonts``: Noto Sans, upright and italic, variable in weight from regular to bold; for Latin, Greek, Cyrillic
  and Vietnamese. Copyright 2022 The Noto Project Authors (https://github.com/notofonts/latin-greek-cyrillic), SIL Open
  Font License 1.1.
- ``manimgx-fonts-cjk``: Noto Sans CJK, variable in weight, as one collection of Japanese, Korean, simplified and
  traditional Chinese. Copyright 2014-2021 Adobe, with Reserved Font Name 'Source', SIL Open Font License 1.1.

The licences are those that the files name themselves; the files are read where they are installed and not copied.

Pillow draws them with its basic layout engine (one glyph after another with kerning): quick, and the same on machines
with and without Raqm, whose FriBiDi Pillow's wheels take from the system. So there are no scripts here that are
written from right to left, or whose letters change or stack with their neighbours (Arabic, Hindi, Thai and others).
"""

import functools
import importlib.util
import string
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ImageFont

from dsocr_jax.errors import UserError

#: What the Computer Modern files draw as typed. The rest of their ASCII follows an old TeX encoding
#: (``<`` draws an inverted exclamation mark), and a straight apostrophe comes out curly.
_COMPUTER_MODERN = frozenset(string.ascii_letters + string.digits + " .,:;!?()[]/+=*&%#@-")

#: Blank in every font, whether or not there is a glyph: whoever sets text moves the pen.
_BLANK = frozenset(" \n\u00a0")


@dataclass(frozen=True)
class _Package:
    """An installed package with fonts: its module, its name on PyPI, and the folder of the files within it."""

    module: str
    distribution: str
    folder: str = "."


_MATPLOTLIB = _Package("matplotlib", "matplotlib", "mpl-data/fonts/ttf")
_NOTO = _Package("manimgx_fonts", "manimgx-fonts")
_NOTO_CJK = _Package("manimgx_fonts_cjk", "manimgx-fonts-cjk")


@dataclass(frozen=True)
class Face:
    """One font: a file, or a face of a collection, at one weight.

    Attributes:
        name: what it is called here.
        kind: what it looks like: "sans", "serif" or "mono".
        bold, italic: whether it is bold (semi-bold included), italic or oblique.
        family: the name that it shares with its bold and italic companions.
        file: the file's name within its package.
        package: the package that brings the file.
        index: which font of a collection it is; 0 for files of one font.
        weight: position on the weight axis of a variable font (400 is regular); None for fonts that have none.
        scripts: what it is made for: "latin" (with Greek, Cyrillic and Vietnamese as far as `covers` says), "hans",
            "hant", "japanese", "korean".
    """

    name: str
    kind: str
    bold: bool = False
    italic: bool = False
    family: str = ""
    file: str = ""
    package: _Package = _MATPLOTLIB
    index: int = 0
    weight: int | None = None
    scripts: tuple[str, ...] = ("latin",)


def _static(name: str, kind: str, family: str, *, bold: bool = False, italic: bool = False) -> Face:
    return Face(name, kind, bold, italic, family, f"{name}.ttf")


def _noto(style: str, weight: int, *, italic: bool = False) -> Face:
    name, file = f"NotoSans-{style}".removesuffix("-"), f"NotoSans{'-Italic' if italic else ''}[wght].ttf"
    return Face(name, "sans", weight >= 600, italic, "NotoSans", file, _NOTO, 0, weight)


def _cjk(code: str, index: int, script: str, style: str, weight: int) -> Face:
    family, file = f"NotoSansCJK{code}", "NotoSansCJK-VF.otf.ttc"
    name, scripts = f"{family}-{style}".removesuffix("-"), (script, "latin")
    return Face(name, "sans", weight >= 600, False, family, file, _NOTO_CJK, index, weight, scripts)


_FACES = {
    face.name: face
    for face in (
        _static("DejaVuSans", "sans", "DejaVuSans"),
        _static("DejaVuSans-Bold", "sans", "DejaVuSans", bold=True),
        _static("DejaVuSans-Oblique", "sans", "DejaVuSans", italic=True),
        _static("DejaVuSans-BoldOblique", "sans", "DejaVuSans", bold=True, italic=True),
        _static("cmss10", "sans", "cmss"),
        _static("DejaVuSerif", "serif", "DejaVuSerif"),
        _static("DejaVuSerif-Bold", "serif", "DejaVuSerif", bold=True),
        _static("DejaVuSerif-Italic", "serif", "DejaVuSerif", italic=True),
        _static("DejaVuSerif-BoldItalic", "serif", "DejaVuSerif", bold=True, italic=True),
        _static("STIXGeneral", "serif", "STIXGeneral"),
        _static("STIXGeneralBol", "serif", "STIXGeneral", bold=True),
        _static("STIXGeneralItalic", "serif", "STIXGeneral", italic=True),
        _static("STIXGeneralBolIta", "serif", "STIXGeneral", bold=True, italic=True),
        _static("cmr10", "serif", "cm"),
        _static("cmb10", "serif", "cm", bold=True),
        _static("DejaVuSansMono", "mono", "DejaVuSansMono"),
        _static("DejaVuSansMono-Bold", "mono", "DejaVuSansMono", bold=True),
        _static("DejaVuSansMono-Oblique", "mono", "DejaVuSansMono", italic=True),
        _static("DejaVuSansMono-BoldOblique", "mono", "DejaVuSansMono", bold=True, italic=True),
        _static("cmtt10", "mono", "cmtt"),
        _noto("", 400),
        _noto("Medium", 500),
        _noto("SemiBold", 600),
        _noto("Bold", 700),
        _noto("Italic", 400, italic=True),
        _noto("BoldItalic", 700, italic=True),
        *(
            _cjk(code, index, script, style, weight)
            for index, (code, script) in enumerate(
                (("jp", "japanese"), ("kr", "korean"), ("sc", "hans"), ("tc", "hant"))
            )
            for style, weight in (("Light", 300), ("", 400), ("Medium", 500), ("Bold", 700))
        ),
    )
}

#: The kinds that `names` knows.
KINDS = ("sans", "serif", "mono", "all")
#: The scripts that `names` knows.
SCRIPTS = ("latin", "hans", "hant", "japanese", "korean")

#: What a face must draw to serve a language: letters (for Chinese, Japanese and Korean the script decides).
_LETTERS = {
    "en": "",
    "de": "äöüßÄÖÜ",
    "fr": "àâæçéèêëîïôœùûüÿÉÀ",
    "es": "áéíñóúü¿¡",
    "pt": "áâãàçéêíóôõúÁÉ",
    "it": "àèéìòùÈ",
    "nl": "ëïéèöü",
    "sv": "åäöÅÄÖé",
    "da": "æøåÆØÅé",
    "cs": "áčďéěíňóřšťúůýžČŘŠŽ",
    "hu": "áéíóöőúüűÁÉŐŰ",
    "ro": "ăâîșțĂÂÎȘȚ",
    "pl": "ąćęłńóśźżŁŚŻ",
    "tr": "çğıöşüÇĞİÖŞÜ",
    "vi": "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵĐ",
    "id": "",
    "ru": "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЬЮЯЄІЇҐабвгдежзийклмнопрстуфхцчшщьюяєіїґ",
    "el": "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰΆΈΉΊΌΎΏ",
}
#: What texts of every language may hold besides.
_COMMON = string.ascii_letters + string.digits + ".,:;!?()/+=%&#-–<>'\"€°²³"
_SCRIPT_OF = {"zh": "hans", "zh-TW": "hant", "zh-HK": "hant", "ja": "japanese", "ko": "korean"}


def names(
    kind: str = "all", *, bold: bool | None = None, italic: bool | None = None, script: str | None = None
) -> tuple[str, ...]:
    """Return the names of the faces of one kind ("sans", "serif", "mono" or "all"), always in the same order.

    Args:
        kind: one of `KINDS`.
        bold: only bold faces (True), only others (False), or both (None).
        italic: likewise for italic and oblique faces.
        script: one of `SCRIPTS`: all faces made for it; None for matplotlib's own alone.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}, not {kind!r}")
    if script is not None and script not in SCRIPTS:
        raise ValueError(f"script must be one of {SCRIPTS}, not {script!r}")
    return tuple(
        face.name
        for face in _FACES.values()
        if kind in ("all", face.kind)
        and bold in (None, face.bold)
        and italic in (None, face.italic)
        and (face.package is _MATPLOTLIB if script is None else script in face.scripts)
    )


def languages() -> tuple[str, ...]:
    """Return the tags that `for_language` knows, without regions where these make no difference."""
    return (*_LETTERS, *_SCRIPT_OF)


@functools.lru_cache(maxsize=512)
def for_language(
    tag: str, kind: str = "all", *, bold: bool | None = False, italic: bool | None = False, latin: bool = False
) -> tuple[str, ...]:
    """Return the names of the faces that draw all of a language's letters; upright and plain ones unless asked.

    Args:
        tag: a BCP 47 tag ("de", "pt-BR", "zh-TW").
        kind: one of `KINDS`. There are no serif and mono faces for Chinese, Japanese and Korean: nothing is returned.
        bold, italic: as for `names`.
        latin: no faces that are made for Chinese, Japanese or Korean, too.

    Raises:
        UserError: the language is not among `languages`, or a package with fonts is not installed.
    """
    language = tag.partition("-")[0]
    if tag in _SCRIPT_OF or language in _SCRIPT_OF:
        return names(kind, bold=bold, italic=italic, script=_SCRIPT_OF.get(tag) or _SCRIPT_OF[language])
    if language not in _LETTERS:
        raise UserError(f"there are no fonts for the language {tag!r}; those known are {', '.join(languages())}.")
    letters = _COMMON + _LETTERS[language]
    faces = names(kind, bold=bold, italic=italic, script="latin")
    if latin:
        faces = tuple(name for name in faces if face(name).scripts == ("latin",))
    # Of the four equal sets of Latin letters in Noto Sans CJK one is enough.
    return tuple(name for name in faces if not name.startswith(_REPEATED) and covers(name, letters))


_REPEATED = ("NotoSansCJKkr", "NotoSansCJKsc", "NotoSansCJKtc")


def bold_of(name: str) -> str:
    """Return the name of the bold companion of a face, as upright or italic as itself; itself if there is none."""
    plain = face(name)
    return next(
        (
            other.name
            for other in reversed(_FACES.values())
            if (other.family, other.italic, other.bold) == (plain.family, plain.italic, True)
        ),
        name,
    )


def face(name: str) -> Face:
    """Return what is known about the face called ``name``; KeyError for an unknown name."""
    return _FACES[name]


@functools.cache
def _directory(package: _Package) -> Path:
    spec = importlib.util.find_spec(package.module)
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place, package.folder)
        if folder.is_dir():
            return folder
    name = package.distribution
    raise UserError(f"fonts come with the package {name}, which is not installed whole; run `pip install -U {name}`.")


def path(name: str) -> Path:
    """Return the file of the face called ``name``; `Face.index` and `Face.weight` say what to take from it.

    Raises:
        UserError: the package that brings the file is not installed.
    """
    return _directory(face(name).package) / face(name).file


@functools.lru_cache(maxsize=512)
def load(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Return the face called ``name`` at ``size`` pixels per em, ready to draw with; the last 512 are kept.

    Raises:
        UserError: the package that brings the file is not installed, or the file is damaged.
    """
    wanted, file = face(name), path(name)
    try:
        font = ImageFont.truetype(str(file), size, index=wanted.index, layout_engine=ImageFont.Layout.BASIC)
        if wanted.weight is not None:
            font.set_variation_by_axes([wanted.weight])
    except OSError as error:
        raise UserError(
            f"cannot read the font {file} ({error}); run `pip install -U {wanted.package.distribution}`."
        ) from None
    return font


def covers(name: str, text: str) -> bool:
    """Tell whether the face called ``name`` draws every character of ``text`` as what it is."""
    return _drawn(name).issuperset(text)


@functools.lru_cache(maxsize=512)
def _drawn(name: str) -> frozenset[str]:
    return _characters(path(name), name.startswith("cm"))


@functools.cache
def _characters(file: Path, computer_modern: bool) -> frozenset[str]:
    """Return the characters that a file has glyphs for (the fonts of the collection we use have all the same)."""
    if computer_modern:
        return _BLANK | _COMPUTER_MODERN
    from fontTools.ttLib import TTFont

    with TTFont(file, fontNumber=0, lazy=True) as font:
        table = font.reader["cmap"]
        codes = _format_12(table)
        return _BLANK | frozenset(map(chr, font.getBestCmap() if codes is None else codes))


def _format_12(table: bytes) -> list[int] | None:
    """Return the code points of a `cmap` table's subtable of format 12, if it has one.

    fontTools would also name each glyph, which takes a quarter of a second for Noto Sans CJK.
    """
    records = np.frombuffer(table, ">u4", count=2 * int.from_bytes(table[2:4], "big"), offset=4)
    for offset in records[1::2].tolist():
        if table[offset : offset + 2] == b"\x00\x0c":
            count = int.from_bytes(table[offset + 12 : offset + 16], "big")
            groups = np.frombuffer(table, ">u4", count=3 * count, offset=offset + 16).reshape(-1, 3)
            return [code for first, last, _ in groups.tolist() for code in range(first, last + 1)]
    return None
