"""Draws of the geometry family, for the tests."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from datagen.family import Drawn, Rejected
from datagen.geometry import FAMILY
from datagen.geometry.settings import EASY, STANDARD, GeometrySettings
from datagen.geometry.sketch import Composed

LEVELS = {"easy": EASY, "standard": STANDARD}
#: Standard pictures of strokes and letters alone, black on white.
PLAIN = dataclasses.replace(STANDARD, marks=0.0, coloured=0.0, ruled=0.0, shaded=0.0, wobbly=0.0, dots=0.0)


def draw(settings: GeometrySettings, seed: int) -> tuple[Composed, Drawn]:
    """Return the first usable draw from ``seed`` on."""
    for attempt in range(100):
        rng = np.random.default_rng([seed, attempt])
        try:
            content = FAMILY.compose(rng, settings)
            return content, FAMILY.render(content, rng, settings)
        except Rejected:
            continue
    raise AssertionError("100 draws rejected")


def draws(settings: GeometrySettings, count: int) -> Iterator[tuple[Composed, Drawn]]:
    """Yield usable draws of the seeds 0 to ``count``."""
    for seed in range(count):
        yield draw(settings, seed)
