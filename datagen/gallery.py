"""The gallery of the documentation: a page of samples for every family (``python -m datagen.gallery --out FOLDER``).

The pages are JPEG: degraded pictures as PNG would be several MB.
"""

import dataclasses
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from datagen import families, fonts, records
from datagen.degradation import DEFAULTS
from datagen.family import LEVELS
from datagen.records import Record
from datagen.sample import GENERATOR_VERSION, make_sample
from datagen.sheet import draw_label
from dsocr_jax.console import console, progress, run_door
from dsocr_jax.errors import UserError

#: Lengths in pixels.
_WIDTH, _HEIGHT, _PAD, _LINE = 400, 320, 14, 16
_PAGE, _CARD, _INK, _FAINT, _EDGE = "#e9ebee", "#ffffff", "#191c21", "#6e747d", "#c8ccd2"

#: A page's largest size in bytes, and the JPEG qualities that are tried to reach it.
MAX_BYTES = 700_000
_QUALITIES = (88, 84, 80, 75, 70)
_SMALLER = 0.9

#: Samples that are made for each one shown; of them those are shown that make the page most varied.
_CANDIDATES = 4

#: Remarks with more different values than this among the candidates do not tell types apart.
_MOST_VALUES = 24


@dataclasses.dataclass(frozen=True)
class Gallery:
    """What a gallery shows.

    Attributes:
        count: samples of each family.
        columns: samples in a row.
        lines: the most lines of a label.
        seed: of the samples.
        level: their level, degraded as sets of it are.
    """

    count: int = 24
    columns: int = 4
    lines: int = 7
    seed: int = 0
    level: str = "standard"

    def __post_init__(self) -> None:
        if self.count < 1 or self.columns < 1 or self.lines < 1 or self.seed < 0:
            raise UserError("--count, --columns and --lines must be at least 1, --seed at least 0.")
        if self.level not in LEVELS:
            raise UserError(f"--level must be one of {', '.join(LEVELS)}, not {self.level!r}.")


def write_gallery(out: Path, names: Sequence[str], gallery: Gallery) -> list[Path]:
    """Write ``NAME.jpg`` for every family and ``README.md`` with what the pictures are; returns the files."""
    written = []
    pages = {}
    with progress("gallery", len(names) * gallery.count * _CANDIDATES, "samples") as advance:
        for name in names:
            candidates = []
            for index in range(gallery.count * _CANDIDATES):
                candidates.append(_record(name, index, gallery))
                advance(1, name)
            pages[name] = varied(candidates, gallery.count)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, shown in pages.items():
            file = out / f"{name}.jpg"
            file.write_bytes(as_jpeg(draw_page(shown, gallery)))
            written.append(file)
        text = out / "README.md"
        text.write_text("\n\n".join(_text(pages, gallery)) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write the gallery in {out}: {error.strerror or error}") from None
    return [*written, text]


def _record(name: str, index: int, gallery: Gallery) -> Record:
    degradation = DEFAULTS[gallery.level]
    sample = make_sample(gallery.seed, name, index, "all", gallery.level, degradation=degradation)
    return records.decode(records.encode(sample))


def varied(candidates: Sequence[Record], count: int) -> list[Record]:
    """Choose ``count`` of the candidates, each time the one whose types have been shown least; then by their ids."""
    types = [set(_types(record.meta)) for record in candidates]
    often = Counter(name for found in types for name, _ in found)
    values = Counter(name for name, _ in {pair for found in types for pair in found})
    telling = {name for name in often if 1 < values[name] <= _MOST_VALUES}
    shown: Counter[tuple[str, str]] = Counter()
    left = dict(enumerate(candidates))
    chosen: list[Record] = []
    while left and len(chosen) < count:
        best = min(left, key=lambda place: (sum(shown[pair] for pair in types[place] if pair[0] in telling), place))
        shown.update(types[best])
        chosen.append(left.pop(best))
    return sorted(chosen, key=lambda record: record.id)


def _types(meta: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in meta.items():
        if name in ("content", "level"):
            continue
        if isinstance(value, str | bool):
            yield name, str(value)
    if preset := meta.get("degradation", {}).get("preset"):
        yield "degradation", str(preset)


def draw_page(shown: Sequence[Record], gallery: Gallery) -> Image.Image:
    """Return a picture with a card for every record: its picture, and the first lines of its label below."""
    cards = [_draw_card(record, gallery.lines) for record in shown]
    rows = [cards[first : first + gallery.columns] for first in range(0, len(cards), gallery.columns)]
    heights = [max(card.height for card in row) for row in rows]
    width = min(gallery.columns, len(cards)) * (_WIDTH + 3 * _PAD) + _PAD
    page = Image.new("RGB", (width, sum(heights) + _PAD * (len(rows) + 1)), _PAGE)
    y = _PAD
    for row, height in zip(rows, heights, strict=True):
        for place, card in enumerate(row):
            x = _PAD + place * (_WIDTH + 3 * _PAD)
            page.paste(_CARD, (x, y, x + card.width, y + height))
            page.paste(card, (x, y))
        y += height + _PAD
    return page


def _draw_card(record: Record, most_lines: int) -> Image.Image:
    picture = record.pil()
    picture.thumbnail((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS)
    label = draw_label(record, _WIDTH, most_lines, 12, _LINE)
    text = 2 * _PAD + picture.height + 8
    card = Image.new("RGB", (_WIDTH + 2 * _PAD, text + 10 + label.height + _PAD), _CARD)
    draw = ImageDraw.Draw(card)
    left = _PAD + (_WIDTH - picture.width) // 2
    card.paste(picture, (left, _PAD))
    draw.rectangle((left - 1, _PAD - 1, left + picture.width, _PAD + picture.height), outline=_EDGE)
    small = fonts.load("DejaVuSans", 11)
    draw.text((_PAD, text - 8), f"{record.id}", fill=_FAINT, font=small)
    size = f"{record.width} × {record.height}"
    draw.text((_PAD + _WIDTH, text - 8), size, fill=_FAINT, font=small, anchor="ra")
    card.paste(label, (_PAD, text + 10))
    return card


def as_jpeg(page: Image.Image) -> bytes:
    """Return a page as JPEG of at most `MAX_BYTES`, as good as that allows, and smaller where it must be."""
    while True:
        for quality in _QUALITIES:
            stream = io.BytesIO()
            page.save(stream, "JPEG", quality=quality, subsampling=0 if quality > 80 else 2)
            if stream.tell() <= MAX_BYTES:
                return stream.getvalue()
        page = page.resize((int(page.width * _SMALLER), int(page.height * _SMALLER)), Image.Resampling.LANCZOS)


def _text(pages: dict[str, list[Record]], gallery: Gallery) -> Iterator[str]:
    yield "# Gallery"
    yield (
        f"Samples of the {gallery.level} level as a training set has them: drawn, then left clean or degraded, each "
        f"above the first lines of its label. Generator version {GENERATOR_VERSION}, seed {gallery.seed}; of every "
        f"{_CANDIDATES} samples the one that makes the page most varied is shown. Numbers are the samples' indices."
    )
    words = [f"--{name} {value}" for name, value in vars(gallery).items() if value != getattr(Gallery, name)]
    yield f"```\n{' '.join(['python -m datagen.gallery --out docs/gallery', *words])}\n```"
    for name, shown in pages.items():
        yield f"## {name.capitalize()}"
        yield f"![samples of {name} above their labels]({name}.jpg)"
        presets = Counter(str(record.meta.get("degradation", {}).get("preset") or "none") for record in shown)
        listed = ", ".join(f"{preset} {count}" for preset, count in sorted(presets.items()))
        yield f"{len(shown)} samples; degradation: {listed}."


def main(out: Path, family: tuple[str, ...] = ("all",), gallery: Gallery = Gallery()) -> int:
    """Write the gallery.

    Args:
        out: the folder to write to.
        family: charts, molecules, geometry, pages (one or several), or all.
        gallery: what it shows.
    """
    for file in write_gallery(out, families.expand(family), gallery):
        console.print(f"{file}: {file.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    import tyro

    run_door(lambda: tyro.cli(main, config=(tyro.conf.OmitArgPrefixes,)))
