"""The three labels of one page: text in reading order, Markdown, and Markdown with the kind and box of every part."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datagen.pages.document import Document
from datagen.pages.typeset import Box
from dsocr_jax.answers.grounding import SPAN, Grounded, write_grounding
from dsocr_jax.answers.grounding import Box as Whole
from dsocr_jax.answers.text import normalise_text, write_page

#: Label → the prompt that asks for it: a key of `dsocr_jax.prompts.PROMPTS`, or the user's turn itself. Markdown
#: without boxes has no released prompt; ours is that of Markdown without the token that asks for boxes.
PROMPTS = {"free": "free", "markdown": "<image>\nConvert the document to markdown.", "grounded": "markdown"}

#: Pixels that ink may reach beyond its outline, since edges are smoothed.
_EDGE = 0.4


@dataclass(frozen=True)
class Printed:
    """A part of a page as it was drawn: its kind, its text in both forms (none of a picture), its boxes in pixels."""

    kind: str
    plain: str
    markdown: str
    boxes: Sequence[Box]


def printed(document: Document, boxes: Mapping[int, list[Box]]) -> list[Printed]:
    """Return the parts of ``document`` that are on the page; ``boxes`` has their numbers."""
    return [
        Printed(element.kind, element.rich.plain, element.rich.markdown, boxes[number])
        for number, element in enumerate(document.elements(), 1)
        if number in boxes
    ]


def write_labels(parts: Sequence[Printed], width: int, height: int) -> dict[str, str]:
    """Return the labels of a page of ``width`` x ``height`` pixels by their names.

    Raises:
        AnswerError: the page says nothing, or a label cannot be written.
    """
    grounded = []
    for part in parts:
        boxes = tuple(to_span(box, width, height) for box in part.boxes)
        # A picture is its box alone, as the released model answers.
        text = f"\n{part.markdown}" if part.plain else ""
        grounded.append(write_grounding(Grounded(part.kind, boxes)) + text)
    return {
        "free": write_page([part.plain for part in parts if part.plain]),
        "markdown": write_page([part.markdown for part in parts]),
        "grounded": write_page(grounded),
    }


def to_span(box: Box, width: int, height: int) -> Whole:
    """Return a box in 0..999 that holds ``box``, which is in pixels."""
    left, top, right, bottom = box[0] - _EDGE, box[1] - _EDGE, box[2] + _EDGE, box[3] + _EDGE
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
