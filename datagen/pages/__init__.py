"""Pages: text in many languages, typeset in many layouts; the label is text in reading order, Markdown, or Markdown
with boxes. The easy level is words on a card.
"""

from typing import Any

import numpy as np

from datagen.family import Content, Drawn, Family
from datagen.pages import page, text
from datagen.pages import render as quick
from datagen.pages.document import Document
from datagen.pages.settings import SETTINGS, PageSettings


def compose(rng: np.random.Generator, settings: Any) -> Content:
    """Make up what a page says."""
    return page.compose(rng, settings) if isinstance(settings, PageSettings) else text.compose(rng, settings)


def render(content: Any, rng: np.random.Generator, settings: Any) -> Drawn:
    """Draw a page.

    Raises:
        Rejected: nothing fits, or a character has no glyph.
    """
    if isinstance(content, Document):
        return page.render(content, rng, settings)
    return quick.render(content, rng, settings)


FAMILY = Family("pages", "free", compose, render, SETTINGS)
