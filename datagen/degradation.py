"""Degradation as sets name it: the presets of `datagen.degrade`, which is imported when one is first asked for."""

import dataclasses
from typing import Any

import numpy as np

from dsocr_jax.errors import UserError

NAMES = ("none", "light", "scan", "photo", "screen", "fax", "mix")

#: What a level is degraded by unless the user says otherwise.
DEFAULTS = {"easy": "none", "standard": "mix"}


def apply(image: np.ndarray, name: str, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the picture as the preset ``name`` leaves it, and what was done to it (JSON-compatible).

    Args:
        image: uint8, ``[height, width]`` or ``[height, width, 3]``.
        name: one of `NAMES`; "none" returns the picture itself.
        rng: where all randomness is taken from.
    """
    if name == "none":
        return image, {}
    from datagen.degrade import PRESETS, degrade

    return degrade(image, rng, PRESETS[name])


def settings(name: str) -> dict[str, Any]:
    """Return the settings of the preset ``name``, for the manifest; nothing for "none".

    Raises:
        UserError: there is no such preset.
    """
    if name not in NAMES:
        raise UserError(f"there is no degradation {name!r}; known are {', '.join(NAMES)}.")
    if name == "none":
        return {}
    from datagen.degrade import PRESETS

    return dataclasses.asdict(PRESETS[name])
