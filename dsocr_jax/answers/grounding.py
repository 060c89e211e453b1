"""The grounded parts of a page's answer: ``<|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2], ...]<|/det|>``.

Coordinates are whole numbers 0..999 that span the picture's sides, x to the right and y downwards.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dsocr_jax.answers.errors import AnswerError, bounded, excerpt

MAX_CHARS = 1_000_000
MAX_LABEL_CHARS = 4_000
MAX_BOXES = 1_000
#: The largest coordinate; it means the far edge of the picture.
SPAN = 999

Box = tuple[int, int, int, int]

_TAG = re.compile(r"<\|/?(?:ref|det)\|>")
_ORDER = ("<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>")
_NUMBERS = r"\[\d{1,3}(?:, ?\d{1,3}){3}\]"
_BOXES = re.compile(rf"\[{_NUMBERS}(?:, ?{_NUMBERS})*\]", re.ASCII)
_BOX = re.compile(_NUMBERS, re.ASCII)


@dataclass(frozen=True)
class Grounded:
    """A label and where it was seen: boxes ``(x1, y1, x2, y2)`` in 0..999; ``span`` is its place in the answer."""

    label: str
    boxes: tuple[Box, ...]
    span: tuple[int, int] = field(default=(0, 0), compare=False)


def parse_grounding(text: str, strict: bool = True) -> list[Grounded]:
    """Return the grounded parts of an answer in reading order; what stands between them is not looked at.

    Args:
        text: the whole answer, of at most `MAX_CHARS` characters.
        strict: raise on a malformed part; otherwise leave it out, as one does with an answer that was cut off.

    Raises:
        AnswerError: the text is too long, or (if strict) a part is malformed.
    """
    bounded(text, MAX_CHARS, "grounded text")
    tags = list(_TAG.finditer(text))
    parts: list[Grounded] = []
    at = 0
    while at < len(tags):
        try:
            parts.append(_part(text, tags[at : at + 4]))
            at += 4
        except AnswerError:
            if strict:
                raise
            at += 1
    return parts


def write_grounding(part: Grounded) -> str:
    """Return one grounded part as text.

    Raises:
        AnswerError: the label holds a tag or is too long, or a box is not inside 0..999.
    """
    if _TAG.search(bounded(part.label, MAX_LABEL_CHARS, "grounded label")):
        raise AnswerError(f"grounding: a tag inside the label {excerpt(part.label)}")
    _check_boxes(part.boxes)
    boxes = ", ".join(f"[{', '.join(str(int(value)) for value in box)}]" for box in part.boxes)
    return f"<|ref|>{part.label}<|/ref|><|det|>[{boxes}]<|/det|>"


def to_pixels(box: Box, width: int, height: int) -> Box:
    """Return ``box`` in pixels of a picture of that size: ``int(value / 999 * side)``, as the released code does."""
    x1, y1, x2, y2 = box
    return int(x1 / SPAN * width), int(y1 / SPAN * height), int(x2 / SPAN * width), int(y2 / SPAN * height)


def _part(text: str, tags: Sequence[re.Match[str]]) -> Grounded:
    start = tags[0].start()
    if tuple(tag[0] for tag in tags) != _ORDER:
        raise AnswerError(f"grounding: tags at character {start} are not ref, /ref, det, /det in this order")
    if tags[1].end() != tags[2].start():
        raise AnswerError(f"grounding: text between the label and its boxes at character {tags[1].end()}")
    label = bounded(text[tags[0].end() : tags[1].start()], MAX_LABEL_CHARS, "grounded label")
    inside = text[tags[2].end() : tags[3].start()]
    if not _BOXES.fullmatch(inside):
        raise AnswerError(f"grounding: not a list of boxes at character {tags[2].end()}: {excerpt(inside)}")
    boxes = []
    for found in _BOX.finditer(inside):
        x1, y1, x2, y2 = (int(number) for number in found[0].strip("[]").split(","))
        boxes.append((x1, y1, x2, y2))
    _check_boxes(boxes)
    return Grounded(label, tuple(boxes), (start, tags[3].end()))


def _check_boxes(boxes: Sequence[Box]) -> None:
    if not 0 < len(boxes) <= MAX_BOXES:
        raise AnswerError(f"grounding: {len(boxes)} boxes, expected 1 to {MAX_BOXES}")
    for x1, y1, x2, y2 in boxes:
        if not (0 <= x1 <= x2 <= SPAN and 0 <= y1 <= y2 <= SPAN):
            raise AnswerError(f"grounding: the box {[x1, y1, x2, y2]} leaves 0..{SPAN} or has its corners swapped")
