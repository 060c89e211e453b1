"""The typefaces that typst sets pages in: which scripts they are for, where they come from, what they cover.

Those of `datagen.fonts` are files inside installed packages; Libertinus and New Computer Modern (SIL OFL and GUST Font
License) are built into typst's wheel. A few scripts have no font in a wheel: theirs are taken from the system, and
languages that need them are only used when they are named.
"""

import functools
import importlib.util
import itertools
from dataclasses import dataclass
from pathlib import Path

from datagen.pages.languages import Language, known
from dsocr_jax.errors import UserError

#: Folders of fonts within installed packages: module, folder, name on PyPI.
_PACKAGES = {
    "noto": ("manimgx_fonts", ".", "manimgx-fonts"),
    "cjk": ("manimgx_fonts_cjk", ".", "manimgx-fonts-cjk"),
    "matplotlib": ("matplotlib", "mpl-data/fonts/ttf", "matplotlib"),
    "rdkit": ("rdkit", "Data/Fonts", "rdkit"),
}
_SYSTEM_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")


@dataclass(frozen=True)
class Typeface:
    """A family as typst calls it.

    Attributes:
        family: its name.
        kind: "sans", "serif", "mono" or "hand".
        package: a key of the packages that bring it, "typst" (built in), or a Debian package.
        file: a file of it, the upright one; empty for built-in ones.
        variable: whether it has every weight; others have a regular and a bold one.
    """

    family: str
    kind: str
    package: str
    file: str = ""
    variable: bool = False


def _noto(script: str) -> Typeface:
    return Typeface(f"Noto Sans {script}".strip(), "sans", "noto", f"NotoSans{script}[wght].ttf", variable=True)


def _cjk(code: str) -> Typeface:
    return Typeface(f"Noto Sans CJK {code}", "sans", "cjk", "NotoSansCJK-VF.otf.ttc", variable=True)


def _system(family: str) -> Typeface:
    return Typeface(family, "sans", "fonts-noto-core", f"{family.replace(' ', '')}-Regular.ttf")


_DEJAVU_SANS = Typeface("DejaVu Sans", "sans", "matplotlib", "DejaVuSans.ttf")
_DEJAVU_SERIF = Typeface("DejaVu Serif", "serif", "matplotlib", "DejaVuSerif.ttf")
_LATIN = (
    Typeface("Libertinus Serif", "serif", "typst"),
    Typeface("New Computer Modern", "serif", "typst"),
    Typeface("STIXGeneral", "serif", "matplotlib", "STIXGeneral.ttf"),
    _DEJAVU_SERIF,
    _noto(""),
    _DEJAVU_SANS,
    Typeface("Telex", "sans", "rdkit", "Telex-Regular.ttf"),
)
#: Stands in where the page's own face has no sign (a Latin letter in Khmer, an arrow).
LATIN = _noto("")
SIGNS = _DEJAVU_SANS
MONO = Typeface("DejaVu Sans Mono", "mono", "matplotlib", "DejaVuSansMono.ttf")
HAND = Typeface("Comic Neue", "hand", "rdkit", "ComicNeue-Regular.ttf")

_BY_SCRIPT: dict[str, tuple[Typeface, ...]] = {
    "Latn": _LATIN,
    "Cyrl": _LATIN,
    "Grek": _LATIN,
    "Hans": (_cjk("SC"),),
    "Hant": (_cjk("TC"), _cjk("HK")),
    "Jpan": (_cjk("JP"),),
    "Kore": (_cjk("KR"),),
    "Arab": (_noto("Arabic"), _noto("Arabic"), _DEJAVU_SANS),
    "Hebr": (_noto("Hebrew"), _DEJAVU_SANS),
    "Armn": (_noto("Armenian"), _DEJAVU_SANS, _DEJAVU_SERIF),
    "Geor": (_noto("Georgian"), _DEJAVU_SANS, _DEJAVU_SERIF),
    "Laoo": (_noto("Lao"), _DEJAVU_SANS),
    "Beng": (_noto("Bengali"),),
    "Deva": (_noto("Devanagari"),),
    "Ethi": (_noto("Ethiopic"),),
    "Gujr": (_noto("Gujarati"),),
    "Guru": (_noto("Gurmukhi"),),
    "Knda": (_noto("Kannada"),),
    "Khmr": (_noto("Khmer"),),
    "Mlym": (_noto("Malayalam"),),
    "Mymr": (_noto("Myanmar"),),
    "Orya": (_noto("Oriya"),),
    "Sinh": (_noto("Sinhala"),),
    "Taml": (_noto("Tamil"),),
    "Telu": (_noto("Telugu"),),
    "Thai": (_noto("Thai"),),
    "Tfng": (_DEJAVU_SANS,),
    "Cans": (_DEJAVU_SANS,),
    "Tibt": (_system("Noto Serif Tibetan"),),
    "Cher": (_system("Noto Sans Cherokee"),),
    "Syrc": (_system("Noto Sans Syriac"),),
    "Thaa": (_system("Noto Sans Thaana"),),
    "Java": (_system("Noto Sans Javanese"),),
    "Vaii": (_system("Noto Sans Vai"),),
}

#: What the faces in typst's wheel draw for certain (found out by setting every character; see the tests).
_BUILT_IN = frozenset(
    map(
        chr,
        itertools.chain(
            range(0x20, 0x7F),
            range(0xA1, 0x250),
            range(0x386, 0x38B),
            (0x38C,),
            range(0x38E, 0x3A2),
            range(0x3A3, 0x3CF),
            range(0x400, 0x460),
            range(0x490, 0x4C0),
            range(0x1E00, 0x1F00),
            (0x2010, 0x2011, 0x2013, 0x2014, 0x2018, 0x2019, 0x201A, 0x201C, 0x201D, 0x201E, 0x2022, 0x2026, 0x20AC),
        ),
    )
)


def is_shipped(language: Language) -> bool:
    """Tell whether the fonts of a language come with packages that every installation has."""
    return any(face.package in _PACKAGES or face.package == "typst" for face in _BY_SCRIPT[language.script])


def shipped() -> tuple[str, ...]:
    """Return the tags of the languages whose fonts every installation has."""
    return tuple(tag for tag, language in known().items() if is_shipped(language))


def faces(language: Language, characters: frozenset[str]) -> tuple[Typeface, ...]:
    """Return the faces that draw ``characters`` in ``language``, together with `LATIN` and `SIGNS`.

    Raises:
        UserError: the script's fonts are not installed.
    """
    left = frozenset(character for character in characters if not _is_spare(character))
    found = []
    for face in _BY_SCRIPT[language.script]:
        require(face, language)
        if left <= _covered(face):
            found.append(face)
    return tuple(found)


def require(face: Typeface, language: Language) -> None:
    """Check that ``face`` is installed.

    Raises:
        UserError: it is not; the message names the package to install.
    """
    if face.package == "typst" or ((path := _path(face)) and path.is_file()):
        return
    raise UserError(_missing(face, f"pages in {language.name} ({language.tag})"))


def _missing(face: Typeface, who: str) -> str:
    """Return what to say when the font that ``who`` need is not installed."""
    who = f"{who} need the font {face.family}"
    if face.package in _PACKAGES:
        name = _PACKAGES[face.package][2]
        return f"{who}, which comes with the package {name}; run `pip install -U {name}`."
    return f"{who}, which no wheel brings; install it for the system (Debian: `apt install {face.package}`)."


def check(tags: tuple[str, ...]) -> None:
    """Check that the fonts of languages are installed; raises as `require` does."""
    for face in (LATIN, SIGNS, MONO, HAND):
        require(face, known()["en"])
    for tag in tags:
        language = known()[tag]
        for face in _BY_SCRIPT[language.script]:
            require(face, language)


def folders(language: Language) -> tuple[str, ...]:
    """Return the folders that typst must look into for a page in ``language``; the same for all shipped ones."""
    own = [_path(face) for face in _BY_SCRIPT[language.script] if not is_shipped(language)]
    return (*package_folders(), *(str(path.parent) for path in own if path))


@functools.cache
def package_folders() -> tuple[str, ...]:
    """Return the folders with fonts of the packages that every installation has."""
    return tuple(str(folder) for folder in map(_folder, _PACKAGES) if folder)


def script_faces(script: str) -> tuple[Typeface, ...]:
    """Return the faces made for a script, installed or not."""
    return _BY_SCRIPT[script]


def covered(family: Typeface, text: str) -> bool:
    """Tell whether ``family`` draws every character of ``text`` itself."""
    return set(text) <= _covered(family)


@functools.lru_cache(maxsize=20_000)
def _is_spare(character: str) -> bool:
    return character in _covered(LATIN) or character in _covered(SIGNS)


@functools.cache
def _folder(package: str) -> Path | None:
    module, folder, _ = _PACKAGES[package]
    spec = importlib.util.find_spec(module)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if Path(place, folder).is_dir():
            return Path(place, folder)
    return None


@functools.cache
def _path(face: Typeface) -> Path | None:
    if face.package in _PACKAGES:
        folder = _folder(face.package)
        return folder / face.file if folder else None
    for place in _SYSTEM_FOLDERS:
        for path in sorted(Path(place).expanduser().rglob(face.file)):
            return path
    return None


@functools.cache
def _covered(face: Typeface) -> frozenset[str]:
    if face.package == "typst":
        return _BUILT_IN
    path = _path(face)
    if not path or not path.is_file():
        raise UserError(_missing(face, "pages"))
    return _characters(path)


@functools.cache
def _characters(path: Path) -> frozenset[str]:
    """Return what a file has glyphs for; the fonts of the collection that we use have all the same."""
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))
