"""Charts: bars, lines, pies and composites of plausible data, as HTML tables."""

from datagen.charts.compose import compose
from datagen.charts.drawing import render
from datagen.charts.settings import EASY, STANDARD
from datagen.family import Family

FAMILY = Family("charts", "figure", compose, render, {"easy": EASY, "standard": STANDARD})
