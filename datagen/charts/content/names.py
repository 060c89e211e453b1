"""Names that nobody has seen, in place of those that a model could know by heart from lists that end."""

import functools
from dataclasses import replace

from datagen.charts.content.dice import Dice
from datagen.charts.content.language import Language, language
from datagen.charts.content.rows import ORDERED
from datagen.charts.data import ChartData
from datagen.pages.words import made_up

#: Languages whose charts have faces for other letters than Latin ones.
_OTHER_LETTERS = frozenset({"el", "ja", "ko", "ru", "zh"})

#: Share of names of two words.
_TWO_WORDS = 0.2


def with_made_up_names(dice: Dice, words: Language, data: ChartData) -> ChartData:
    """Return a chart whose categories and series from lists without an order are called by made-up words.

    Times, steps (ages, doses), "other" and what is measured keep their names; no two names become one. A chart of a
    language in other letters than Latin ones stays as it is.
    """
    if words.tag in _OTHER_LETTERS:
        return data
    known = _names(words.tag)
    new: dict[str, str] = {}
    for name in (*data.categories, *(series.name for series in data.series)):
        if name in known and name not in new:
            new[name] = _fresh(dice, {*new.values(), *data.categories})
    return replace(
        data,
        categories=tuple(new.get(name, name) for name in data.categories),
        series=tuple(replace(series, name=new.get(series.name, series.name)) for series in data.series),
    )


def _fresh(dice: Dice, taken: set[str]) -> str:
    while True:
        name = made_up(dice, 9).capitalize()
        if dice.chance(_TWO_WORDS):
            name = f"{name} {made_up(dice, 5)}"
        if name not in taken:
            return name


@functools.cache
def _names(tag: str) -> frozenset[str]:
    return frozenset(name for key, pool in language(tag).pools.items() if key not in ORDERED for name in pool.names)
