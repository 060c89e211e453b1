"""Text in pictures of results: fonts that are installed with the package, for most scripts, at any size."""

import functools
import importlib.util
from pathlib import Path

from PIL import ImageDraw, ImageFont

from dsocr_jax.answers.text import remove_invisible

#: Package → where its font files lie, in the order in which they are tried.
_FOLDERS = (("matplotlib", "mpl-data/fonts/ttf"), ("manimgx_fonts", "."), ("manimgx_fonts_cjk", "."))
_FIRST = ("DejaVuSans.ttf",)
#: Simplified Chinese among the fonts of a collection; its Japanese, Korean and traditional glyphs differ in style.
_COLLECTION_INDEX = 2
#: Of variable fonts; 400 is regular, and white on a colour needs a little more.
_WEIGHT = 500
_BLANK = frozenset(" \n")


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the first font that draws all of ``text``, else the one that draws most; ``size`` in pixels."""
    wanted = frozenset(text) - _BLANK
    best, most = None, -1
    for file in _files():
        drawn = len(wanted & _characters(file))
        if drawn > most:
            best, most = file, drawn
        if drawn == len(wanted):
            break
    return _load(best, size)


def clean(text: str, most: int) -> str:
    """Return ``text`` on one line without characters that draw nothing, cut to ``most`` characters."""
    line = " ".join(remove_invisible(text[: 4 * most]).split())
    return line if len(line) <= most and len(text) <= 4 * most else line[: most - 1].rstrip() + "…"


def fitted(text: str, size: int, width: float) -> str:
    """Return ``text`` cut, with an ellipsis, to ``width`` pixels; empty where not even two letters fit."""
    font = font_for(text, size)
    if font.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle].rstrip() + "…") <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low >= 2 else ""


def write(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, size: int, fill: object, anchor: str = "la"
) -> None:
    """Draw one line of text; the anchor is Pillow's."""
    if text:
        draw.text(place, text, font=font_for(text, size), fill=fill, anchor=anchor)  # type: ignore[arg-type]


@functools.cache
def _files() -> tuple[Path, ...]:
    found: list[Path] = []
    for module, folder in _FOLDERS:
        spec = importlib.util.find_spec(module)
        for place in (spec.submodule_search_locations or []) if spec else []:
            files = sorted(Path(place, folder).glob("*.[to]t[cf]"))
            plain = [file for file in files if module != "matplotlib" or file.name in _FIRST]
            found += [file for file in plain if "Italic" not in file.name]
    # Latin, Greek and Cyrillic first; then the large collection, then one script each.
    order = {"DejaVuSans.ttf": 0, "NotoSans[wght].ttf": 1}
    return tuple(sorted(found, key=lambda file: (order.get(file.name, 2 if file.suffix == ".ttc" else 3), file.name)))


@functools.cache
def _characters(file: Path) -> frozenset[str]:
    from fontTools.ttLib import TTFont

    with TTFont(file, fontNumber=0, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))


@functools.lru_cache(maxsize=64)
def _load(file: Path | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if file is None:
        return ImageFont.load_default(size)
    try:
        index = _COLLECTION_INDEX if file.suffix == ".ttc" else 0
        font = ImageFont.truetype(str(file), size, index=index)
        if index or "wght" in file.name:
            font.set_variation_by_axes([_WEIGHT])
        return font
    except OSError:
        return ImageFont.load_default(size)
