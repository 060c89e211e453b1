"""Degradation as sets name it: the presets of `datagen.degrade`, which is imported when one is first asked for."""

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, get_args

import numpy as np

from dsocr_jax.errors import UserError

Name = Literal["none", "light", "scan", "photo", "screen", "fax", "mix"]
NAMES: tuple[Name, ...] = get_args(Name)

#: What a level is degraded by unless the user says otherwise.
DEFAULTS: dict[str, Name] = {"easy": "none", "middle": "none", "standard": "mix"}

#: A family's remark: the font size of the smallest text that must stay readable, in pixels.
SMALLEST_TEXT = "smallest_text"


def apply(
    image: np.ndarray, name: str, rng: np.random.Generator, detail: float | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the picture as the preset ``name`` leaves it, and what was done to it (JSON-compatible).

    Args:
        image: uint8, ``[height, width]`` or ``[height, width, 3]``.
        name: one of `NAMES`; "none" returns the picture itself, to which nothing was done.
        rng: where all randomness is taken from.
        detail: the font size of the smallest text, in pixels, if it is known.
    """
    if name == "none":
        return image, {}
    from datagen.degrade import PRESETS

    return _degrade()(image, rng, PRESETS[name], detail=detail)


@cache
def _degrade() -> Callable[..., tuple[np.ndarray, dict[str, Any]]]:
    import cv2

    from datagen.degrade.apply import degrade

    cv2.setNumThreads(1)  # the pool has a process for every processor already
    return degrade


def settings(name: str) -> dict[str, Any]:
    """Return the settings of the preset ``name``, and of those it draws from, for the manifest; nothing for "none".

    Raises:
        UserError: there is no such preset.
    """
    if name not in NAMES:
        raise UserError(f"there is no degradation {name!r}; known are {', '.join(NAMES)}.")
    if name == "none":
        return {}
    from datagen.degrade import PRESETS

    drawn = [other for other, _ in PRESETS[name].presets]
    return {each: dataclasses.asdict(PRESETS[each]) for each in dict.fromkeys([name, *drawn])}
