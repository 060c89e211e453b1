"""Degrade a picture: which parts, how strongly, in which order."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from datagen.degrade import ink, light, meaning, optics, screen, sensor, warp
from datagen.degrade.arithmetic import Facts, shade, shade_lightly
from datagen.degrade.legibility import Legibility
from datagen.degrade.settings import PARTS, PRESETS, Degradation
from dsocr_jax.errors import UserError

Part = Callable[[np.ndarray, float, np.random.Generator, Legibility], tuple[np.ndarray, Facts]]
Field = Callable[[int, int, float, np.random.Generator, Legibility], tuple[np.ndarray, Facts]]

_PRINTED: dict[str, Part] = {
    "ink": ink.ink,
    "halftone": ink.halftone,
    "dropouts": ink.dropouts,
    "bilevel": ink.bilevel,
}
_FIELDS: dict[str, Field] = {
    "paper": light.paper,
    "fold": light.fold,
    "bleed_through": light.bleed_through,
    "light": light.light,
    "banding": light.banding,
    "moire": screen.moire,
}
#: Fields that go far below white, or that ink hides, multiply. Taking the others off the picture costs a third of that.
_DEEP = {"fold", "bleed_through", "light", "moire"}

_SEEN: dict[str, Part] = {
    "glare": screen.glare,
    "defocus": optics.defocus,
    "motion_blur": optics.motion_blur,
    "gaussian_blur": optics.gaussian_blur,
    "rescale": optics.rescale,
}
_WRITTEN: dict[str, Part] = {"noise": sensor.noise, "specks": sensor.specks, "jpeg": sensor.jpeg}


def degrade(
    image: np.ndarray, rng: np.random.Generator, settings: Degradation, *, detail: float | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the picture as a printer, scanner, camera or network would have left it, and what was done.

    The same state of ``rng`` gives the same bytes in any process and with any number of OpenCV's threads; this module
    does not set that number (a worker of a pool should: ``cv2.setNumThreads(1)``).

    Args:
        image: uint8, ``[height, width]`` gray or ``[height, width, 3]`` RGB, neither side zero. It is not changed.
        rng: all randomness comes from here.
        settings: the doses, for example ``PRESETS["mix"]``.
        detail: height of the smallest text that must stay readable, in pixels (font size); blur, loss of resolution
            and the like are limited by it. 10 is assumed if it is not known.

    Returns:
        The picture: uint8, gray or RGB. It is larger than the original if it was turned, and then it holds all of it;
        it is the same array if nothing was done. A gray picture becomes RGB where light or a screen gives it colour.

        The record, JSON-compatible: ``preset`` (the name drawn, or None), ``strength``, ``parts`` (the strength and
        further facts of each part that was applied), ``size`` (``[height, width]``) and ``homography`` (rows of the
        3x3 matrix that takes pixels of the original to pixels of the result; see `warp.map_points`).

    Raises:
        ValueError: the array has another shape or type.
        UserError: a preset of the settings is not known, or detail is not above 0.
    """
    if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)) or not image.size:
        raise ValueError(f"a picture is uint8 [height, width] or [height, width, 3], not {image.dtype} {image.shape}")
    if detail is not None and not detail > 0:
        raise UserError(f"degradation: detail is {detail}; give the height of the smallest text in pixels, or None")
    name, strength, doses = _doses(settings, rng, image)
    work = _Work(image, doses, rng, Legibility.of(detail))
    if doses:
        work.lose_colour()
        work.change(_PRINTED)
        work.place()
        work.shade()
        work.change(_SEEN)
        work.recolour()
        work.change(_WRITTEN)
    record = {
        "preset": name,
        "strength": strength,
        "parts": work.parts,
        "size": list(work.image.shape[:2]),
        "homography": [list(row) for row in work.matrix],
    }
    return work.image, record


@dataclass
class _Work:
    """A picture on its way, with the strengths of the parts to apply and the record of those that were."""

    image: np.ndarray
    doses: dict[str, float]
    rng: np.random.Generator
    legible: Legibility
    parts: dict[str, Facts] = field(default_factory=dict)
    matrix: warp.Matrix = field(default_factory=lambda: warp.IDENTITY)

    def note(self, part: str, facts: Facts) -> None:
        rounded = {key: _rounded(value) for key, value in facts.items()}
        self.parts[part] = {"strength": _rounded(self.doses[part]), **rounded}

    def lose_colour(self) -> None:
        if "bilevel" in self.doses and meaning.tones_needed(self.image):
            del self.doses["bilevel"]
        wanted = "gray" in self.doses or "bilevel" in self.doses
        if wanted and self.image.ndim == 3 and not meaning.colours_needed(self.image):
            self.image = cv2.cvtColor(self.image, cv2.COLOR_RGB2GRAY)
            self.parts["gray"] = {"strength": 1.0}

    def change(self, changes: Mapping[str, Part]) -> None:
        for part, change in changes.items():
            if part in self.doses:
                self.image, facts = change(self.image, self.doses[part], self.rng, self.legible)
                self.note(part, facts)

    def place(self) -> None:
        turn, tilt = self.doses.get("rotation", 0.0), self.doses.get("perspective", 0.0)
        if turn or tilt:
            height, width = self.image.shape[:2]
            self.matrix, size, placed = warp.homography(height, width, turn, tilt, self.rng, self.legible)
            self.image = warp.apply(self.image, self.matrix, size, self.legible)
            if turn:
                self.note("rotation", {"degrees": placed["degrees"]})
            if tilt:
                self.note("perspective", {"tilt_x": placed["tilt_x"], "tilt_y": placed["tilt_y"]})

    def shade(self) -> None:
        height, width = self.image.shape[:2]
        field = None
        for part, make in _FIELDS.items():
            if part in self.doses:
                made, facts = make(height, width, self.doses[part], self.rng, self.legible)
                field = made if field is None else shade(made, field)
                self.note(part, facts)
        if field is not None:
            if field.ndim == 3 and self.image.ndim == 2:
                self.image = cv2.merge([self.image] * 3)
            lightly = self.doses.keys().isdisjoint(_DEEP)
            self.image = shade_lightly(self.image, field) if lightly else shade(self.image, field)

    def recolour(self) -> None:
        curve, white = sensor.Tones(), None
        if "tone" in self.doses:
            curve, facts = sensor.tones(self.doses["tone"], self.rng)
            self.note("tone", facts)
        if "cast" in self.doses:
            white, facts = sensor.cast(self.doses["cast"], self.rng)
            self.note("cast", facts)
        if "tone" in self.doses or "cast" in self.doses:
            self.image = sensor.recolour(self.image, curve, white)


def _doses(
    settings: Degradation, rng: np.random.Generator, image: np.ndarray
) -> tuple[str | None, float, dict[str, float]]:
    """Draw a preset if there are several, and the strength of each part that is to be applied."""
    strength, name = settings.strength, None
    if settings.presets:
        name = _drawn_preset(settings.presets, rng)
        if name == "fax" and meaning.tones_needed(image):  # nobody faxes what cannot be read without its tones
            name = "scan"
        settings = PRESETS[name]
        strength *= settings.strength
        if settings.presets:
            raise UserError(f"degradation: the preset {name!r} is itself a mixture; name its presets instead")
    if strength == 0:
        return name, 0.0, {}
    draws = rng.random((len(PARTS), 2)).tolist()
    doses = {}
    for part, (chance, height) in zip(PARTS, draws, strict=True):
        dose = getattr(settings, part)
        drawn = (dose.low + (dose.high - dose.low) * height) * strength
        if chance < dose.share and drawn > 0:
            doses[part] = drawn
    return name, strength, doses


def _drawn_preset(presets: tuple[tuple[str, float], ...], rng: np.random.Generator) -> str:
    unknown = [name for name, _ in presets if name not in PRESETS]
    if unknown:
        raise UserError(f"degradation: there is no preset {unknown[0]!r}; there are {', '.join(PRESETS)}")
    left = rng.random() * math.fsum(weight for _, weight in presets)
    for name, weight in presets:
        left -= weight
        if left < 0:
            return name
    return presets[-1][0]


def _rounded(value: Any) -> Any:
    return float(round(value, 4)) if isinstance(value, float) else value
