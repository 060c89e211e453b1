"""The three labels of one page: text in reading order, Markdown, and Markdown with the kind and box of every part."""

import math
from collections.abc import Mapping

from datagen.pages.document import Document
from datagen.pages.typeset import Box
from dsocr_jax.answers.grounding import SPAN, Grounded, write_grounding
from dsocr_jax.answers.grounding import Box as Whole
from dsocr_jax.answers.text import normalise_text, write_page

#: Label → the prompt that asks for it: a key of `dsocr_jax.prompts.PROMPTS`, or the user's turn itself. Markdown
#: without boxes has no released prompt; ours is that of Markdown without the token that asks for boxes.
PROMPTS = {"free": "free", "markdown": "<image>\nConvert the document to markdown.", "grounded": "markdown"}


def write_labels(document: Document, boxes: Mapping[int, list[Box]], width: int, height: int) -> dict[str, str]:
    """Return the labels of a page by their names.

    Args:
        document: what the page says.
        boxes: number of an element → its boxes in pixels; elements that are not there are not on the page.
        width, height: of the page, in pixels.

    Raises:
        AnswerError: the page says nothing, or a label cannot be written.
    """
    plain, markdown, grounded = [], [], []
    for number, element in enumerate(document.elements(), 1):
        if number not in boxes:
            continue
        plain.append(element.rich.plain)
        markdown.append(element.rich.markdown)
        part = Grounded(element.kind, tuple(to_span(box, width, height) for box in boxes[number]))
        text = "" if element.figure else f"\n{element.rich.markdown}"
        grounded.append(write_grounding(part) + text)
    return {
        "free": write_page([text for text in plain if text]),
        "markdown": write_page(markdown),
        "grounded": write_page(grounded),
    }


def to_span(box: Box, width: int, height: int) -> Whole:
    """Return a box in 0..999 that holds ``box``, which is in pixels."""
    left, top, right, bottom = box
    return (
        _clip(math.floor(left / width * SPAN)),
        _clip(math.floor(top / height * SPAN)),
        _clip(math.ceil(right / width * SPAN)),
        _clip(math.ceil(bottom / height * SPAN)),
    )


def plain_text(document: Document) -> str:
    """Return the label in plain text that the page has when all of it is drawn."""
    return normalise_text("\n\n".join(element.rich.plain for element in document.elements() if element.rich.plain))


def _clip(value: int) -> int:
    return min(max(value, 0), SPAN)
