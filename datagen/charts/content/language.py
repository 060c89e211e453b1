"""The words, dates and numbers of the languages: one JSON file each, beside this module."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError

_FOLDER = Path(__file__).with_name("languages")


@dataclass(frozen=True, slots=True)
class Pool:
    """Names of one sort.

    Attributes:
        title: what they are called together ("City"), for the title of an axis.
        by: how a title says that something is split by them ("by city").
        names: the names; empty where they are made (years, dates, age groups, doses).
    """

    title: str
    by: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency.

    Attributes:
        prefix, suffix: what stands around an amount, with their spaces.
        tight: what follows an amount whose scale is abbreviated ("12,5 M" + "€").
        unit: its name behind a number or in brackets, and behind the name of a scale ("million", "Mio.").
        scaled_unit: likewise, behind the name of a scale.
        rate: how many of it make a euro, about.
    """

    prefix: str
    suffix: str
    tight: str
    unit: str
    scaled_unit: str
    rate: float


@dataclass(frozen=True, slots=True)
class Scale:
    """A power of ten that numbers are divided by: before a unit, behind a number, and alone ("in thousands")."""

    factor: float
    word: str
    short: str
    alone: str


@dataclass(frozen=True, slots=True)
class Language:
    """What charts need of a language; patterns are for `str.format`.

    Attributes:
        tag: BCP 47.
        decimal, groups, least: signs of numbers, as in `datagen.charts.data.NumberFormat`; any of ``groups``.
        percent: what stands before and behind a percentage.
        currencies, scales: of amounts.
        scaled: pattern of a scale and a unit ("million euros").
        per: patterns of prices per something.
        units: for each unit its name, and its name behind that of a scale.
        y_titles, unit_only: patterns of a value axis' title with a unit, and of a unit on its own.
        titles: patterns of titles ({topic}, {by}, {when}, {place}).
        span, in_year: patterns of times in titles.
        places: where things happen, as the titles' patterns want it.
        source, note: patterns; with organisations by field, and notes by occasion.
        months, months_short, weekdays, weekdays_short, quarters: names.
        dates: patterns by kind of date.
        age, age_top: patterns of age groups.
        phrases: "value", "right_axis", "other", "share", "target", "pair".
        pools, topics: by key.
    """

    tag: str
    decimal: str
    groups: tuple[str, ...]
    least: int
    percent: tuple[str, str]
    currencies: tuple[Currency, ...]
    scales: tuple[Scale, ...]
    scaled: str
    per: dict[str, str]
    units: dict[str, tuple[str, str]]
    y_titles: tuple[str, ...]
    unit_only: tuple[str, ...]
    titles: tuple[str, ...]
    span: str
    in_year: str
    places: tuple[str, ...]
    source: str
    orgs: dict[str, tuple[str, ...]]
    note: str
    notes: dict[str, tuple[str, ...]]
    months: tuple[str, ...]
    months_short: tuple[str, ...]
    weekdays: tuple[str, ...]
    weekdays_short: tuple[str, ...]
    quarters: tuple[str, ...]
    dates: dict[str, tuple[str, ...]]
    age: str
    age_top: str
    phrases: dict[str, str]
    pools: dict[str, Pool]
    topics: dict[str, str]


#: Names that are numbers with a symbol in every language.
_SAME_EVERYWHERE = {
    "dose_names": Pool("", "", ("5 mg", "10 mg", "20 mg", "40 mg", "80 mg")),
    "temperatures": Pool("", "", ("10 °C", "20 °C", "30 °C", "37 °C")),
}


@functools.cache
def tags() -> tuple[str, ...]:
    """Return the tags of the languages there are words for."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.json")))


@functools.cache
def language(tag: str) -> Language:
    """Return what is known of a language; kept.

    Raises:
        UserError: there are no words for it.
    """
    if tag not in tags():
        raise UserError(f"there are no words for charts in the language {tag!r}; choose among {', '.join(tags())}.")
    stored: dict[str, Any] = json.loads((_FOLDER / f"{tag}.json").read_text("utf-8"))
    number = stored["number"]
    before, _, behind = number["percent"].partition("{}")
    read: dict[str, Any] = {
        **{key: _names(stored[key]) for key in ("places", "months", "months_short", "weekdays", "weekdays_short")},
        **{key: tuple(stored[key]) for key in ("unit_only", "titles")},
        **{key: stored[key] for key in ("scaled", "per", "span", "in_year", "source", "note", "age", "age_top")},
        **{key: stored[key] for key in ("phrases", "topics")},
    }
    return Language(
        tag=tag,
        decimal=number["decimal"],
        groups=_names(number["group"]),
        least=number["least"],
        percent=(before, behind),
        currencies=tuple(_currency(entry) for entry in stored["currencies"]),
        scales=tuple(_scale(*entry) for entry in stored["scales"]),
        units={unit: _two(name) for unit, name in stored["units"].items()},
        orgs={field: _names(names) for field, names in stored["orgs"].items()},
        notes={occasion: _names(names) for occasion, names in stored["notes"].items()},
        y_titles=tuple(stored["y_title"]),
        dates={kind: tuple(patterns) for kind, patterns in stored["dates"].items()},
        quarters=_names(stored["quarter_names"]),
        pools={key: _pool(*entry) for key, entry in stored["pools"].items()} | _SAME_EVERYWHERE,
        **read,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def _two(text: str) -> tuple[str, str]:
    alone, _, scaled = text.partition("|")
    return alone, scaled or alone


def _pool(title: str, by: str, names: str = "") -> Pool:
    return Pool(title, by, _names(names) if names else ())


def _scale(factor: float, word: str, short: str, alone: str = "") -> Scale:
    return Scale(factor, word, short, alone or word)


def _currency(entry: dict[str, Any]) -> Currency:
    unit, scaled = _two(entry["unit"])
    return Currency(entry["prefix"], entry["suffix"], entry["tight"], unit, scaled, entry["rate"])
