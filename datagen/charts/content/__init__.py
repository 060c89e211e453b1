"""What charts say: topics, names, numbers and texts in many languages."""

from dataclasses import dataclass

import numpy as np

from datagen.charts.content.cartesian import compose_cartesian
from datagen.charts.content.dice import Dice
from datagen.charts.content.easy import compose_easy
from datagen.charts.content.language import language, tags
from datagen.charts.content.names import with_made_up_names
from datagen.charts.content.settings import EASY, KINDS, LANGUAGES, MIDDLE, STANDARD, ContentSettings
from datagen.charts.content.special import compose_composite, compose_pie, compose_scatter
from datagen.charts.data import ChartData

__all__ = [
    "EASY",
    "KINDS",
    "LANGUAGES",
    "MIDDLE",
    "STANDARD",
    "ContentSettings",
    "Phrases",
    "compose",
    "phrases",
    "tags",
]

_SPECIAL = {"pie": compose_pie, "composite": compose_composite, "scatter": compose_scatter}


@dataclass(frozen=True, slots=True)
class Phrases:
    """Words that a label needs in the chart's language.

    Attributes:
        value: the header of values that nothing drawn gives a name to.
        right_axis: put behind the name of a series that is drawn against the second axis, with its space if any.
    """

    value: str
    right_axis: str


def phrases(tag: str) -> Phrases:
    """Return the words that a label needs in a language.

    Raises:
        UserError: there are no words for the language.
    """
    words = language(tag).phrases
    return Phrases(words["value"], words["right_axis"])


def compose(rng: np.random.Generator, settings: ContentSettings) -> ChartData:
    """Draw what a chart says.

    Raises:
        Rejected: the slices of an easy pie would be too thin.
    """
    dice = Dice(rng)
    kind = dice.pick_by(settings.kinds)
    if settings.simple:
        return compose_easy(dice, kind, settings)
    words = language(dice.pick_by(settings.languages))
    special = _SPECIAL.get(kind)
    data = special(dice, words, settings) if special else compose_cartesian(dice, words, kind, settings)
    # Nothing is rolled where it cannot be: samples stay what they were.
    named = settings.made_up > 0 and dice.chance(settings.made_up)
    return with_made_up_names(dice, words, data) if named else data
