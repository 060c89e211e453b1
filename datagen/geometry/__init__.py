"""Plane geometry: figures of segments, labelled points and circles, as dictionary text (Slow Perception's form)."""

import numpy as np

from datagen.family import Family
from datagen.geometry import grid, recipes
from datagen.geometry.dice import Dice
from datagen.geometry.drawing import render
from datagen.geometry.overlap import verify
from datagen.geometry.settings import EASY, MIDDLE, STANDARD, GeometrySettings
from datagen.geometry.sketch import Composed


def compose(rng: np.random.Generator, settings: GeometrySettings) -> Composed:
    """Put a figure together and normalise it.

    Raises:
        Rejected: parts of the figure come too close to each other to be read.
    """
    return grid.compose(rng, settings) if settings.grid else recipes.compose(Dice(rng), settings)


FAMILY = Family(
    "geometry",
    "figure",
    compose,
    render,
    {"easy": EASY, "middle": MIDDLE, "standard": STANDARD},
    verify,
    {
        "figures": "constructed here, from no data",
        "DejaVu, STIX and Computer Modern fonts as shipped with matplotlib": "Bitstream Vera, STIX and BaKoMa licences",
    },
)
