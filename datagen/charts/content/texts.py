"""What stands around a chart: titles of the chart and of its axes, source, note."""

from datagen.charts.content.dice import Dice
from datagen.charts.content.language import Language
from datagen.charts.content.rows import Rows
from datagen.charts.content.topics import Topic

#: Names that places in a title would contradict.
_PLACES = frozenset({"cities", "countries", "regions"})


def axis_title(dice: Dice, words: Language, name: str, unit: str) -> str:
    """Return the title of a value axis: what is measured, mostly with its unit."""
    if not unit:
        return name
    kind = dice.roll()
    if kind < 0.12:
        return dice.pick(words.unit_only).format(unit=unit)
    return name if kind < 0.2 else full_title(dice, words, name, unit)


def full_title(dice: Dice, words: Language, name: str, unit: str) -> str:
    """Return a name with its unit; a name that ends in a bracket takes the unit into it."""
    if not unit:
        return name
    if name[-1] in ")）":
        return f"{name[:-1]}{'；' if name[-1] == '）' else ', '}{unit}{name[-1]}"
    return dice.pick(words.y_titles).format(name=name, unit=unit)


def title(dice: Dice, words: Language, topic: Topic, rows: Rows, series_pool: str) -> str:
    """Return the title of a chart: its topic, and perhaps what it is split by, where and when."""
    name, place = words.topics[topic.key], topic.local and not {rows.pool, series_pool} & _PLACES
    when = _when(words, rows)
    if not when and rows.pool not in ("quarters", "half_years", "months", "days") and series_pool != "years":
        when = words.in_year.format(y=2025 - dice.below(12)) if not rows.dates else ""
    pool = words.pools.get(rows.pool)
    by = pool.by if pool else ""
    patterns = [
        pattern
        for pattern in words.titles
        if (place or "{place}" not in pattern) and (when or "{when}" not in pattern) and (by or "{by}" not in pattern)
    ]
    text = dice.pick(patterns).format(topic=name, by=by, when=when, place=dice.pick(words.places) if place else "")
    return text[:1].upper() + text[1:] if words.tag != "tr" else text


def _when(words: Language, rows: Rows) -> str:
    if not rows.when:
        return ""
    first, last = rows.when
    return words.in_year.format(y=first) if first == last else words.span.format(a=first, b=last)


def pair_title(words: Language, first: str, second: str) -> str:
    """Return a title that names two topics."""
    return words.phrases["pair"].format(a=first, b=_inner(words, second))


def _inner(words: Language, name: str) -> str:
    """Return a name as it stands inside a title: small, unless it is an abbreviation or the language keeps it."""
    keeps = words.tag in ("de", "tr") or not name[1:2].islower()
    return name if keeps else name[0].lower() + name[1:]


def subtitle(dice: Dice, words: Language, unit: str, rows: Rows, main: str) -> str:
    """Return a unit or the years, if the title does not say so; often nothing."""
    when = _when(words, rows)
    options = [dice.pick(words.unit_only).format(unit=unit)] if unit else []
    if when and when not in main:
        options.append(when)
    return dice.pick(options) if options and dice.chance(0.6) else ""


def source(dice: Dice, words: Language, field: str) -> str:
    """Return the line that says where data comes from; sometimes nothing."""
    return words.source.format(org=dice.pick(words.orgs[field])) if dice.chance(0.7) else ""


def note(dice: Dice, words: Language, occasions: list[str]) -> str:
    """Return a note that fits one of the occasions (keys of `Language.notes`); mostly nothing."""
    if not dice.chance(0.3):
        return ""
    return words.note.format(text=dice.pick(words.notes[dice.pick(occasions)]))
