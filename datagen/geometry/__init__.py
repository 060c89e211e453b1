"""Plane geometry: figures of segments, labelled points and circles, as dictionary text (Slow Perception's form)."""

import math

import numpy as np

from datagen.family import Family
from datagen.geometry.drawing import render
from datagen.geometry.plane import direction
from datagen.geometry.recipes import RECIPES
from datagen.geometry.settings import EASY, STANDARD, GeometrySettings
from datagen.geometry.sketch import LETTERS, Composed

#: How often a standard figure is turned by any angle; otherwise its base stays level.
TURNED = 0.5
#: How often the letters of a standard figure start elsewhere than at A.
SHIFTED = 0.25


def compose(rng: np.random.Generator, settings: GeometrySettings) -> Composed:
    """Put a figure together: a recipe, turned and mirrored at random, normalised.

    Raises:
        Rejected: parts of the figure come too close to each other to be read.
    """
    recipe = str(rng.choice(settings.recipes))
    sketch = RECIPES[recipe](rng, settings)
    if settings.grid == 0:
        turn = direction(float(rng.uniform(0, 2 * math.pi))) if rng.random() < TURNED else 1 + 0j
        sketch = sketch.moved(turn, mirror=bool(rng.random() < 0.5))
        if rng.random() < SHIFTED:
            first = int(rng.integers(1, len(LETTERS) - 8))
            sketch.names = {
                p: LETTERS[(LETTERS.index(name) + first) % len(LETTERS)] if name in LETTERS else name
                for p, name in sketch.names.items()
            }
    if rng.random() >= settings.letters:
        sketch.names = {}
    return sketch.compose(recipe)


FAMILY = Family("geometry", "figure", compose, render, {"easy": EASY, "standard": STANDARD})
