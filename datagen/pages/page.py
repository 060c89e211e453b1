"""The standard level: pages typeset by typst, composed and rendered."""

import functools
from typing import Any

import numpy as np

from datagen.family import Drawn, Rejected
from datagen.pages import look as looks
from datagen.pages import typefaces
from datagen.pages.document import Document
from datagen.pages.labels import PROMPTS, write_labels
from datagen.pages.languages import find
from datagen.pages.layouts import LAYOUTS
from datagen.pages.maker import Maker, draw_figure
from datagen.pages.mixture import Mixture
from datagen.pages.prose import Writer
from datagen.pages.settings import PageSettings
from datagen.pages.template import manners, source
from datagen.pages.typeset import paste, typeset
from datagen.pages.words import Dice

#: Tries at a smaller size of type, each smaller by a factor, before a page on which all must stand is given up.
_TRIES, _SMALLER = 6, 0.93


@functools.lru_cache(maxsize=16)
def _mixtures(settings: PageSettings) -> tuple[Mixture, Mixture, Mixture]:
    return settings.language_mixture(), settings.layout_mixture(), settings.label_mixture()


def compose(rng: np.random.Generator, settings: PageSettings) -> Document:
    """Make up what a page says."""
    dice = Dice(rng, 1024)
    languages, layouts, _ = _mixtures(settings)
    language = find(languages.draw(dice))
    layout = layouts.draw(dice)
    writer = Writer(dice, language, settings.recombined, settings.made_up)
    make, (low, high) = LAYOUTS[layout]
    amount = low * (high / low) ** dice.roll()
    if language.script in ("Hans", "Hant", "Jpan", "Kore"):
        amount *= 0.45
    return make(Maker(dice, writer, settings.figures), round(amount))


def render(content: Document, rng: np.random.Generator, settings: PageSettings) -> Drawn:
    """Set a page.

    Raises:
        Rejected: nothing fits, a character has no glyph, or all of the text was to fit and does not.
    """
    dice = Dice(rng, 64)
    name = _mixtures(settings)[2].draw(dice)
    elements = list(content.elements())
    pictures = {n: draw_figure(element.figure, dice) for n, element in enumerate(elements, 1) if element.figure}
    shapes = {number: picture.shape[0] / picture.shape[1] for number, picture in pictures.items()}
    look = looks.choose(content, dice, settings, shapes)
    manner = manners(look, dice.roll())
    running = frozenset(n for n, element in enumerate(elements, 1) if element.inline)
    coloured = look.coloured or any(picture.ndim == 3 for picture in pictures.values())
    folders = typefaces.folders(content.language)
    sheet = typeset(source(content, look, shapes, manner), folders, running, coloured)
    paste(sheet.image, pictures, sheet.boxes)
    if not any(number in sheet.boxes for number in range(1, len(elements) + 1)):
        raise Rejected("no paragraph fits")
    height, width = sheet.image.shape[:2]
    labels = write_labels(content, sheet.boxes, width, height)
    meta: dict[str, Any] = {
        "prompt": PROMPTS[name],
        "labels": name,
        "layout": content.layout,
        "language": content.language.tag,
        "script": content.language.script,
        "direction": content.language.direction,
        "words": len(labels["free"].split()),
        "characters": len(labels["free"]),
        "font": look.faces[0],
        "size": look.size,
        "smallest_text": 0.8 * look.size,
        "columns": look.columns,
        "left_out": len(sheet.left_out),
    }
    return Drawn(sheet.image, labels[name], meta)
