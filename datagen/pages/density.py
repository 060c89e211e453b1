"""Pages with as many text tokens as one asks for: paragraphs are added until the label has them."""

import functools
from collections.abc import Callable
from dataclasses import replace

from datagen.family import Rejected
from datagen.pages.document import Document, Element, Part
from datagen.pages.labels import plain_text
from datagen.pages.maker import Maker
from dsocr_jax.tokenizer import Tokenizer

#: A page is composed with this share of the text that its tokens may come to; paragraphs fill up the rest.
_BEGUN = 0.6
#: Characters of a language's text by which its tokens per character are guessed.
_SAMPLE = 1_000
#: Times that a page may turn out longer than asked for before it is given up.
_TRIES = 4


@functools.lru_cache(maxsize=4)
def counter(tokenizer: str | None) -> Callable[[str], int]:
    """Return what counts the tokens of a text.

    Raises:
        UserError: there is no such tokenizer.
    """
    loaded = Tokenizer.load(tokenizer)
    return lambda text: len(loaded.encode(text))


def compose_dense(
    make: Maker, layout: Callable[[Maker, int], Document], tokens: int, count: Callable[[str], int]
) -> Document:
    """Compose a page whose label in plain text has ``tokens`` tokens, give or take a few.

    Raises:
        Rejected: the layout has more tokens than that already with little text.
    """
    sample = make.writer.paragraph(_SAMPLE)
    amount = _BEGUN * tokens * len(sample) / count(sample)
    for _ in range(_TRIES):
        document = layout(make.again(), round(amount))
        missing = tokens - count(plain_text(document))
        if missing >= 0:
            return _filled(document, make, tokens, count)
        amount *= 0.6
    raise Rejected("more tokens than asked for")


def _filled(document: Document, make: Maker, tokens: int, count: Callable[[str], int]) -> Document:
    have = count(plain_text(document))
    while tokens - have > 2:
        text = make.writer.paragraph(120 + make.dice.below(500))
        longer = _with(document, make.line(text))
        now = count(plain_text(longer))
        if now > tokens:
            cut = _cut(text, make, functools.partial(_fits, document, make, tokens, count))
            return _with(document, make.line(cut)) if cut else document
        document, have = longer, now
    return document


def _fits(document: Document, make: Maker, tokens: int, count: Callable[[str], int], text: str) -> bool:
    return count(plain_text(_with(document, make.line(text)))) <= tokens


def _cut(text: str, make: Maker, fits: Callable[[str], bool]) -> str:
    """Return the longest beginning of ``text``, in whole words or phrases, that fits."""
    language = make.writer.language
    joiner = " " if " " in text and language.spaced else ""
    pieces = text.split(" ") if joiner else list(text)
    low, high = 0, len(pieces) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(joiner.join(pieces[:middle])) else (low, middle - 1)
    return joiner.join(pieces[:low]).strip()


def _with(document: Document, element: Element) -> Document:
    """Return ``document`` with one more paragraph, before the notes at its foot."""
    body: tuple[Part, ...] = document.body
    place = body.index("#foot[") if "#foot[" in body else len(body)
    return replace(document, body=(*body[:place], element, *body[place:]))
