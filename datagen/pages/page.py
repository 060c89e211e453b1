"""The standard level: what a page says, and how it is set and labelled."""

import functools
import unicodedata
from typing import Any

import numpy as np

from datagen import fonts
from datagen.family import Drawn, Rejected
from datagen.pages import look as looks
from datagen.pages import render as quick
from datagen.pages import text as quick_text
from datagen.pages import typefaces
from datagen.pages.corpus import CorpusWriter
from datagen.pages.corpus import find as find_corpus
from datagen.pages.density import compose_dense, counter
from datagen.pages.document import Document
from datagen.pages.glyphs import is_simple
from datagen.pages.labels import PROMPTS, printed, write_labels
from datagen.pages.languages import Language, find
from datagen.pages.layouts import LAYOUTS
from datagen.pages.maker import Maker, draw_figure
from datagen.pages.mixture import Mixture
from datagen.pages.prose import Writer
from datagen.pages.settings import PLAIN, PageSettings, Settings
from datagen.pages.template import manners, running_size, source
from datagen.pages.text import Block, Text
from datagen.pages.typeset import Box, grow, paste, typeset
from datagen.pages.words import Dice

#: Tries at a smaller size of type, each smaller by a factor, before a page on which all must stand is given up.
_TRIES, _SMALLER = 8, 0.93

#: Scripts that the quick engine may draw, and the share of their plain pages that it draws.
_QUICK = ("Latn", "Cyrl", "Grek")
_QUICK_SHARE = 0.9

#: Characters of these scripts say about twice as much as letters do.
_FULL = ("Hans", "Hant", "Jpan", "Kore")


@functools.lru_cache(maxsize=16)
def _mixtures(settings: PageSettings) -> tuple[Mixture, Mixture, Mixture]:
    return settings.language_mixture(), settings.layout_mixture(), settings.label_mixture()


def compose(rng: np.random.Generator, settings: PageSettings) -> Document | Text:
    """Make up what a page says; a `Text` is for the quick engine, a `Document` for the typesetter.

    Raises:
        Rejected: a layout has more tokens than asked for.
        UserError: the corpus cannot be read.
    """
    dice = Dice(rng, 1024)
    languages, layouts, _ = _mixtures(settings)
    if settings.corpus and dice.chance(settings.corpus_share):
        writer: Writer = CorpusWriter(dice, find(settings.corpus_language), find_corpus(settings.corpus))
    else:
        writer = Writer(dice, find(languages.draw(dice)), settings.recombined, settings.made_up)
    layout = layouts.draw(dice)
    make, (low, high) = LAYOUTS[layout]
    maker = Maker(dice, writer, settings.figures)
    if settings.tokens:
        tokens = settings.tokens[0] + dice.below(settings.tokens[1] - settings.tokens[0] + 1)
        return compose_dense(maker, make, tokens, counter(settings.tokenizer))
    amount = round(low * (high / low) ** dice.roll() * (0.45 if writer.language.script in _FULL else 1.0))
    if layout == "plain" and writer.language.script in _QUICK and dice.chance(_QUICK_SHARE):
        return _quick_text(writer, dice, amount) or make(maker, amount)
    return make(maker, amount)


def _quick_text(writer: Writer, dice: Dice, amount: int) -> Text | None:
    """Return a plain page for the quick engine, or None if it has signs that this engine cannot set."""
    language = writer.language.tag
    if language == "en" and not isinstance(writer, CorpusWriter) and dice.chance(0.7):
        return quick_text.prose(dice, PLAIN, max(amount // 6, 5))
    blocks: list[Block] = []
    headings = dice.chance(0.4)
    while amount > 0:
        if headings and (not blocks or (not blocks[-1].heading and dice.chance(0.3))):
            blocks.append(Block(tuple(writer.heading().split()), heading=True))
        else:
            text = writer.paragraph(min(amount, 90 + dice.below(550)))
            blocks.append(Block(tuple(text.split())))
            amount -= len(text)
    if not all(map(is_simple, {sign for block in blocks for word in block.words for sign in word})):
        return None
    return Text(tuple(blocks), language)


def render(content: Document | Text, rng: np.random.Generator, settings: PageSettings) -> Drawn:
    """Set a page and write its label.

    Raises:
        Rejected: nothing fits, a character has no glyph, a formula is too wide, parts overlap, or all of the text was
            to fit and does not.
    """
    dice = Dice(rng, 64)
    name = _mixtures(settings)[2].draw(dice)
    if isinstance(content, Text):
        image, labels, meta = quick.draw(content, dice, _quick_settings(settings))
        meta["layout"] = "plain"
    else:
        image, labels, meta = _typeset(content, dice, settings)
    meta |= {"prompt": PROMPTS[name], "labels": name}
    return Drawn(image, labels[name], meta)


@functools.lru_cache(maxsize=16)
def _quick_settings(settings: PageSettings) -> Settings:
    faces = tuple(name for name in fonts.names(script="latin") if not name.startswith("NotoSansCJK"))
    return Settings(
        prose=True,
        words=PLAIN.words,
        width=settings.width,
        aspect=PLAIN.aspect,
        size=settings.size,
        faces=faces,
        columns=settings.columns,
        tinted=settings.tinted,
    )


def _typeset(
    content: Document, dice: Dice, settings: PageSettings
) -> tuple[np.ndarray, dict[str, str], dict[str, Any]]:
    elements = list(content.elements())
    pictures = {n: draw_figure(element.figure, dice) for n, element in enumerate(elements, 1) if element.figure}
    shapes = {number: picture.shape[0] / picture.shape[1] for number, picture in pictures.items()}
    look = looks.choose(content, dice, settings, shapes)
    manner = manners(look, dice.roll())
    running = frozenset(n for n, element in enumerate(elements, 1) if element.inline)
    headings = frozenset(n for n, element in enumerate(elements, 1) if element.kind in ("sub_title", "table_caption"))
    coloured = look.coloured or any(picture.ndim == 3 for picture in pictures.values())
    folders = typefaces.folders(content.language)
    for _ in range(_TRIES if settings.tokens else 1):
        sheet = typeset(source(content, look, shapes, manner), folders, running, headings, coloured)
        if not sheet.left_out or not settings.tokens:
            break
        look = looks.roomier(look, _SMALLER, settings.size[0], settings.width[1])
    else:
        raise Rejected("text does not fit")
    if not sheet.boxes.keys() - running:
        raise Rejected("no paragraph fits")
    text = {number: boxes for number, boxes in sheet.boxes.items() if number not in running | pictures.keys()}
    grow(sheet.image, look.paper, text, 0.45 * look.size)
    paste(sheet.image, pictures, sheet.boxes)
    height, width = sheet.image.shape[:2]
    _check_places([box for boxes in sheet.boxes.values() for box in boxes], width, height, 0.4 * look.size)
    labels = write_labels(printed(content, sheet.boxes), width, height)
    meta: dict[str, Any] = {
        "layout": content.layout,
        "language": content.language.tag,
        "script": content.language.script,
        "direction": content.language.direction,
        "words": _words(labels["free"], content.language),
        "characters": len(labels["free"]),
        "font": look.faces[0],
        "size": look.size,
        "smallest_text": min(0.8 * look.size, running_size(look)) if running else 0.8 * look.size,
        "columns": look.columns,
        "left_out": len(sheet.left_out),
    }
    if settings.tokens:
        meta["tokens"] = counter(settings.tokenizer)(labels["free"])
    return sheet.image, labels, meta


def _check_places(boxes: list[Box], width: int, height: int, least: float) -> None:
    """Reject pages on which a long word or a note without room runs off the page, or over its neighbour.

    Args:
        boxes: of all elements.
        width, height: of the page.
        least: boxes may share less than this, in pixels; lines of some scripts reach into each other.
    """
    sides = np.array(boxes)
    low, high = sides[:, :2], sides[:, 2:]
    if (low < 0).any() or (high > (width, height)).any():
        raise Rejected("a part leaves the page")
    shared = (np.minimum(high[:, None], high) - np.maximum(low[:, None], low)).min(axis=2)
    if (shared[np.triu_indices(len(boxes), 1)] > least).any():
        raise Rejected("parts overlap")


def _words(text: str, language: Language) -> int:
    if language.spaced:
        return len(text.split())
    return sum(unicodedata.category(character)[0] in "LN" for character in text)
