"""The elements that layouts are put together from, written in the page's language."""

import functools
from dataclasses import replace

import numpy as np

from datagen.family import Family
from datagen.pages import formulas, grids, listings, rich
from datagen.pages.document import Element, Figure
from datagen.pages.prose import Writer
from datagen.pages.rich import Rich
from datagen.pages.words import Dice

#: What languages call tables and figures; others number them without a word.
_NAMES = {
    "en": ("Table", "Figure"),
    "de": ("Tabelle", "Abbildung"),
    "fr": ("Tableau", "Figure"),
    "es": ("Tabla", "Figura"),
    "it": ("Tabella", "Figura"),
    "pt-BR": ("Tabela", "Figura"),
    "pt-PT": ("Tabela", "Figura"),
    "nl": ("Tabel", "Figuur"),
    "sv": ("Tabell", "Figur"),
    "da": ("Tabel", "Figur"),
    "nb": ("Tabell", "Figur"),
    "pl": ("Tabela", "Rysunek"),
    "cs": ("Tabulka", "Obrázek"),
    "ru": ("Таблица", "Рисунок"),
    "uk": ("Таблиця", "Рисунок"),
    "el": ("Πίνακας", "Εικόνα"),
    "tr": ("Tablo", "Şekil"),
    "vi": ("Bảng", "Hình"),
    "id": ("Tabel", "Gambar"),
    "zh-Hans": ("表", "图"),
    "zh-Hant": ("表", "圖"),
    "ja": ("表", "図"),
    "ko": ("표", "그림"),
    "ar": ("الجدول", "الشكل"),
    "fa": ("جدول", "شکل"),
    "he": ("טבלה", "איור"),
    "hi": ("तालिका", "चित्र"),
}
_BULLETS = ("-", "-", "-", "*", "+")


class Maker:
    """Makes elements; counts figures, tables, equations and notes.

    Args:
        dice: where chance comes from.
        writer: of the page's language.
        figures: how likely a place for a figure gets one.
    """

    def __init__(self, dice: Dice, writer: Writer, figures: float) -> None:
        self.dice = dice
        self.writer = writer
        self._figures = figures
        self._count = {"table": 0, "figure": 0, "equation": 0, "note": 0}
        self.notes: list[Element] = []

    def again(self) -> "Maker":
        """Return another maker for another page, with the same dice and writer."""
        return Maker(self.dice, self.writer, self._figures)

    def title(self, text: str, style: str = "title") -> Element:
        """Return the page's title."""
        return Element("title", style, Rich(rich.plain(text).typst, text, f"# {text}"))

    def heading(self, level: int = 1, number: str = "") -> Element:
        """Return a heading of a level from 1, numbered or not."""
        text = f"{number} {self.writer.heading()}".strip()
        return Element("sub_title", f"h{level}", Rich(rich.plain(text).typst, text, f"{'#' * (level + 1)} {text}"))

    def text(self, characters: int, style: str = "text", kind: str = "text", *, forms: float = 0.0) -> Element:
        """Return a paragraph; ``forms`` is how likely it has bold or italic words, formulas or a footnote's mark."""
        return Element(kind, style, self.prose(characters, forms))

    def line(self, text: str, style: str = "text", kind: str = "text") -> Element:
        """Return an element of given text."""
        return Element(kind, style, rich.plain(text))

    def prose(self, characters: int, forms: float = 0.0) -> Rich:
        """Return sentences of some ``characters``."""
        text = self.writer.paragraph(characters)
        if not self.dice.chance(forms) or not self.writer.language.spaced:
            return rich.plain(text)
        return self._formed(text.split(" "))

    def _formed(self, words: list[str]) -> Rich:
        """Give some words a form of their own."""
        dice = self.dice
        places = sorted({dice.below(len(words)) for _ in range(1 + len(words) // 40)})
        pieces: list[Rich] = []
        at = 0
        for place in places:
            if place < at:
                continue
            end = min(place + 1 + dice.below(3), len(words))
            before = " ".join(words[at:place])
            pieces.append(rich.plain(f"{before} " if before else ""))
            some = " ".join(words[place:end])
            roll = dice.roll()
            if roll < 0.4:
                pieces.append(rich.strong(some))
            elif roll < 0.65 and self.writer.language.script in ("Latn", "Cyrl", "Grek"):
                pieces.append(rich.emphasised(some))
            elif roll < 0.85 and self.writer.language.direction == "ltr":
                pieces += [rich.plain(f"{some} "), rich.mathematical(formulas.inline(dice))]
            else:
                pieces += [rich.plain(some), self._note()]
            pieces.append(rich.plain(" " if end < len(words) else ""))
            at = end
        pieces.append(rich.plain(" ".join(words[at:])))
        return functools.reduce(Rich.__add__, [piece for piece in pieces if piece.plain])

    def _note(self) -> Rich:
        self._count["note"] += 1
        number = self._count["note"]
        text = self.writer.paragraph(30 + self.dice.below(60))
        mark = rich.note_mark(number)
        note = Rich(
            f"{mark.typst}#h(0.3em){rich.plain(text).typst}", f"{mark.plain} {text}", f"{mark.markdown}: {text}"
        )
        self.notes.append(Element("footnote", "note", note))
        return mark

    def foot(self) -> tuple[str | Element, ...]:
        """Return what sets the notes made so far at the foot of the page: markup around elements."""
        return ("#foot[", *self.notes, "]") if self.notes else ()

    def points(self, items: int, characters: int, *, numbered: bool | None = None) -> Element:
        """Return a list, with bullets or numbers."""
        dice = self.dice
        entries = [
            self.writer.paragraph(characters // 2 + dice.below(max(characters, 1)))
            if characters > 40
            else self.writer.phrase(2, 6)
            for _ in range(items)
        ]
        numbered = dice.chance(0.4) if numbered is None else numbered
        name = "enum" if numbered else "list"
        body = f"#{name}({', '.join(f'[{rich.plain(entry).typst}]' for entry in entries)})"
        bullet = dice.pick(_BULLETS)
        marks = [f"{place}." if numbered else bullet for place in range(1, items + 1)]
        markdown = "\n".join(f"{mark} {entry}" for mark, entry in zip(marks, entries, strict=True))
        plain = "\n".join(f"{place}. {entry}" if numbered else f"• {entry}" for place, entry in enumerate(entries, 1))
        return Element("list", "list", Rich(body, plain, markdown))

    def equation(self, *, numbered: bool = False, formula: formulas.Formula | None = None) -> Element:
        r"""Return a formula on its own line, LaTeX between ``\[`` and ``\]`` in the labels."""
        formula = formula or formulas.display(self.dice)
        tag, number = "", ""
        if numbered:
            self._count["equation"] += 1
            number = f"({self._count['equation']})"
            tag = rf" \tag{{{self._count['equation']}}}"
        latex = rf"\[ {formula.latex}{tag} \]"
        body = f"#equation([$ {formula.typst} $], {rich.quote(number)})"
        return Element("equation", "block", Rich(body, latex, latex), height=2.8)

    def table(self, most_columns: int, most_rows: int) -> Element:
        """Return a table without a caption."""
        grid = grids.compose_grid(self.dice, self.writer, most_columns, most_rows)
        return Element("table", "table", grid.rich(), height=1.75 * len(grid.rows))

    def captioned_table(self, most_columns: int, most_rows: int) -> list[str | Element]:
        """Return a table with its caption above it."""
        caption = self.caption("table")
        return ["#keep[", caption, self.table(most_columns, most_rows), "]"]

    def code(self) -> Element:
        """Return a program listing."""
        name, text = listings.listing(self.dice)
        form = Rich(f"#raw(block: true, {rich.quote(text)})", text, f"```{name}\n{text}\n```")
        return Element("code", "code", form, height=1.25 * (text.count("\n") + 1))

    def figure(self, share: tuple[float, float]) -> list[str | Element]:
        """Return a figure of one of our families with its caption below it, or nothing."""
        dice = self.dice
        if not dice.chance(self._figures):
            return []
        name = dice.pick(("charts", "charts", "charts", "molecules", "geometry", "geometry"))
        picture = Figure(name, _compose(name, dice, self.writer.language.tag), dice.between(*share))
        image = Element("image", "figure", Rich("", "", "![]()"), picture, height=14.0)
        return ["#keep[", image, self.caption("figure"), "]"]

    def caption(self, kind: str) -> Element:
        """Return the caption of the next table or figure."""
        self._count[kind] += 1
        table, figure = _NAMES.get(self.writer.language.tag, ("", ""))
        number = self.writer.digits(str(self._count[kind]))
        name = f"{table if kind == 'table' else figure} {number}".strip()
        sign = self.dice.pick((":", ".", ""))
        text = f"{name}{sign} {self.writer.phrase(3, 9)}"
        return self.line(text, "caption", "table_caption" if kind == "table" else "image_caption")

    def inline(self, text: str, kind: str) -> Element:
        """Return a part of a running header or footer."""
        return Element(kind, "i", rich.plain(text))


@functools.cache
def _family(name: str) -> tuple[Family, object]:
    from datagen import families

    family = families.load(name)
    settings = family.settings["standard"]
    if name == "charts":
        settings = replace(settings, matplotlib=0.0, echarts=0.0)
    return family, settings


@functools.cache
def _chart_settings(tag: str) -> object:
    """Return settings of charts in the page's language, if charts know it, else in any."""
    _, settings = _family("charts")
    known = {name for name, _ in settings.content.languages}  # type: ignore[attr-defined]
    name = next((name for name in (tag, tag.partition("-")[0]) if name in known), None)
    if not name:
        return settings
    content = replace(settings.content, languages=((name, 1.0),))  # type: ignore[attr-defined]
    return replace(settings, content=content)  # type: ignore[type-var]


def _compose(name: str, dice: Dice, tag: str) -> object:
    family, settings = _family(name)
    return family.compose(dice.rng, _chart_settings(tag) if name == "charts" else settings)


def draw_figure(figure: Figure, dice: Dice) -> np.ndarray:
    """Return the picture of a figure, uint8 gray or RGB, on its own paper.

    Raises:
        Rejected: the family cannot draw it.
    """
    family, settings = _family(figure.family)
    return family.render(figure.content, dice.rng, settings).image
