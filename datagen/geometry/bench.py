"""What `dsocr-data bench` times of the geometry family: each case makes one picture when called."""

from collections.abc import Callable
from itertools import count

import numpy as np

from datagen import png
from datagen.family import Rejected
from datagen.geometry import FAMILY


def bench_cases() -> dict[str, Callable[[], object]]:
    """Return name → a function that makes one figure: composed, labelled, drawn and encoded.

    Draws that are rejected are part of the time, as they are when a set is built.
    """
    numbers = count()

    def make(level: str) -> bytes:
        settings = FAMILY.settings[level]
        while True:
            rng = np.random.default_rng(next(numbers))
            try:
                content = FAMILY.compose(rng, settings)
                return png.encode(FAMILY.render(content, rng, settings).image)
            except Rejected:
                continue

    return {
        "geometry standard PNG by isal": lambda: make("standard"),
        "geometry easy PNG by isal": lambda: make("easy"),
    }
