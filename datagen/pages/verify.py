"""What can be checked of a finished page: its label against its remarks, and its boxes against its picture."""

from typing import Any

import numpy as np

from dsocr_jax.answers.errors import AnswerError
from dsocr_jax.answers.grounding import parse_grounding, to_pixels

#: Pixels of a box must differ by this much, of 255, somewhere: there is something in it.
_CONTRAST = 40


def verify(image: np.ndarray, label: str, meta: dict[str, Any]) -> list[str]:
    """Return what is wrong with a page: boxes of a grounded label without ink, or boxes in another label."""
    try:
        parts = parse_grounding(label)
    except AnswerError as error:
        return [str(error)]
    if bool(parts) != (meta.get("labels") == "grounded"):
        return [f"the label has {len(parts)} grounded parts, its remarks say {meta.get('labels')!r}"]
    height, width = image.shape[:2]
    problems = []
    for part in parts:
        for box in part.boxes:
            left, top, right, bottom = to_pixels(box, width, height)
            inside = image[top : bottom + 1, left : right + 1]
            if not inside.size or int(inside.max()) - int(inside.min()) < _CONTRAST:
                problems.append(f"nothing stands in the box {list(box)} of {part.label}")
    return problems
