"""The grounded parts of a page's answer: ``<|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2], ...]<|/det|>``.

Coordinates are whole numbers 0..999 that span the sides of the picture as it was given (upright), x to the right and y
downwards. That holds in every mode, also where the model sees the picture padded or in tiles: the released scripts
scale them by the size of the upright file alone.

The released scripts take any Python expression between the ``det`` tags. Of what they so tolerate, `scan_grounding`
takes what a model may plausibly write: blanks anywhere, a comma at the end, decimals, numbers a little out of range.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dsocr_jax.answers.errors import AnswerError, bounded, excerpt

MAX_CHARS = 1_000_000
MAX_LABEL_CHARS = 4_000
#: Boxes of one part, and parts of one answer.
MAX_BOXES = 1_000
MAX_PARTS = 10_000
#: The largest coordinate; it means the far edge of the picture.
SPAN = 999

Box = tuple[int, int, int, int]

_TAG = re.compile(r"<\|/?(?:ref|det)\|>")
_ORDER = ("<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>")
_NUMBERS = r"\[\d{1,3}(?:, ?\d{1,3}){3}\]"
_BOXES = re.compile(rf"\[{_NUMBERS}(?:, ?{_NUMBERS})*\]", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,4}(?:\.\d{1,6})?", re.ASCII)
#: A tolerated list of boxes, once its blanks are gone and its numbers are each an ``n``.
_SHAPE = re.compile(r"\[\[n,n,n,n,?\](?:,\[n,n,n,n,?\])*,?\]")
#: What may follow the last ``det`` tag of an answer that was cut off.
_NUMBERS_TO_THE_END = re.compile(r"[\s\[\],.\d-]*(?:<\|?\/?d?e?t?\|?)?", re.ASCII)


@dataclass(frozen=True)
class Grounded:
    """A label and where it was seen: boxes ``(x1, y1, x2, y2)`` in 0..999; ``span`` is its place in the answer."""

    label: str
    boxes: tuple[Box, ...]
    span: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Broken:
    """A piece of an answer, at ``span``, that is grounding but cannot be read; ``message`` says why."""

    span: tuple[int, int]
    message: str


@dataclass(frozen=True)
class Scan:
    """What `scan_grounding` found, each in the order of the answer; ``clipped`` counts boxes cut to 0..999."""

    parts: tuple[Grounded, ...]
    broken: tuple[Broken, ...]
    clipped: int = 0


def parse_grounding(text: str, strict: bool = True) -> list[Grounded]:
    """Return the grounded parts of an answer in reading order; what stands between them is not looked at.

    Args:
        text: the whole answer, of at most `MAX_CHARS` characters.
        strict: raise on a malformed part; otherwise leave it out, as one does with an answer that was cut off.

    Raises:
        AnswerError: the text is too long, has too many parts, or (if strict) a part is malformed.
    """
    if not strict:
        return list(scan_grounding(text).parts)
    tags = list(_TAG.finditer(bounded(text, MAX_CHARS, "grounded text")))
    _check_count(len(tags) // 4)
    parts = [_part(text, tags[at : at + 4], strict=True) for at in range(0, len(tags), 4)]
    for part in parts:
        _check_boxes(part.boxes)
    return parts


def scan_grounding(text: str) -> Scan:
    """Find the grounded parts of a model's answer and what is left of others; the time is linear in its length.

    A part with swapped corners is left out, since nothing can be drawn or cut there.

    Raises:
        AnswerError: the text is longer than `MAX_CHARS` or has more than `MAX_PARTS` parts.
    """
    tags = list(_TAG.finditer(bounded(text, MAX_CHARS, "grounded text")))
    parts: list[Grounded] = []
    broken: list[Broken] = []
    clipped = at = 0
    while at < len(tags):
        here = tags[at : at + 4]
        start, names = here[0].start(), tuple(tag[0] for tag in here)
        if names == _ORDER and here[1].end() == here[2].start():
            span = start, here[3].end()
            try:
                part = _part(text, here, strict=False)
                boxes = tuple(_clip(box) for box in part.boxes)
                _check_boxes(boxes)
                parts.append(Grounded(part.label, boxes, span))
                clipped += sum(old != new for old, new in zip(part.boxes, boxes, strict=True))
            except AnswerError as error:
                broken.append(Broken(span, str(error)))
            _check_count(len(parts))
            at += 4
        elif _is_cut_off(text, here):
            broken.append(Broken((start, len(text)), f"grounding: the part at character {start} is cut off"))
            break
        else:
            broken.append(Broken(here[0].span(), f"grounding: a stray tag at character {start}"))
            at += 1
    return Scan(tuple(parts), tuple(broken), clipped)


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


def _part(text: str, tags: Sequence[re.Match[str]], strict: bool) -> Grounded:
    """Read one part; whether its boxes make sense is left to `_check_boxes`."""
    start = tags[0].start()
    if tuple(tag[0] for tag in tags) != _ORDER:
        raise AnswerError(f"grounding: tags at character {start} are not ref, /ref, det, /det in this order")
    if tags[1].end() != tags[2].start():
        raise AnswerError(f"grounding: text between the label and its boxes at character {tags[1].end()}")
    label = bounded(text[tags[0].end() : tags[1].start()], MAX_LABEL_CHARS, "grounded label")
    inside = text[tags[2].end() : tags[3].start()]
    numbers = _NUMBER.findall(inside)
    shape = "".join(_NUMBER.sub("n", inside).split())
    good = _BOXES.fullmatch(inside) if strict else _SHAPE.fullmatch(shape) and shape.count("n") == len(numbers)
    if not good:
        raise AnswerError(f"grounding: not a list of boxes at character {tags[2].end()}: {excerpt(inside)}")
    sides = iter(round(float(number)) for number in numbers)
    return Grounded(label, tuple(zip(sides, sides, sides, sides, strict=True)), (start, tags[3].end()))


def _is_cut_off(text: str, tags: Sequence[re.Match[str]]) -> bool:
    """Whether the last tags of ``text`` begin a part that its end cuts off."""
    names = tuple(tag[0] for tag in tags)
    if len(names) == len(_ORDER) or names != _ORDER[: len(names)]:
        return False
    if len(names) < 3:
        return "\n" not in text[tags[-1].end() :]
    return tags[1].end() == tags[2].start() and _NUMBERS_TO_THE_END.fullmatch(text, tags[2].end()) is not None


def _clip(box: Box) -> Box:
    x1, y1, x2, y2 = (min(max(value, 0), SPAN) for value in box)
    return x1, y1, x2, y2


def _check_count(parts: int) -> None:
    if parts > MAX_PARTS:
        raise AnswerError(f"grounding: more than {MAX_PARTS} parts")


def _check_boxes(boxes: Sequence[Box]) -> None:
    if not 0 < len(boxes) <= MAX_BOXES:
        raise AnswerError(f"grounding: {len(boxes)} boxes, expected 1 to {MAX_BOXES}")
    for x1, y1, x2, y2 in boxes:
        if not (0 <= x1 <= x2 <= SPAN and 0 <= y1 <= y2 <= SPAN):
            raise AnswerError(f"grounding: the box {[x1, y1, x2, y2]} leaves 0..{SPAN} or has its corners swapped")
