"""In what unit values are given, and how they are written: currencies, thousands and millions, decimals, signs."""

import math
from dataclasses import dataclass

from datagen.charts.content.dice import Dice
from datagen.charts.content.language import Currency, Language, Scale
from datagen.charts.content.topics import Topic
from datagen.charts.data import NumberFormat

#: Symbols that may stand behind each written value.
_SYMBOLS = frozenset({"°C", "mm", "cm", "ms", "kWh", "GWh", "Mt", "min", "t"})
#: Values of a chart lie at least this many steps of their last digit apart, if their topic has the decimals for it.
_APART = 8
#: Amounts of a currency of which a euro makes so many have no decimals of their own.
_MANY = 30
#: From here on digits are always in groups.
_LONG = 1e7


@dataclass(frozen=True, slots=True)
class Measure:
    """How values of one axis are given.

    Attributes:
        factor: what values in the topic's own unit are multiplied with.
        unit: the unit as an axis' title or a subtitle gives it ("million euros"); empty for none.
        form: how values are written.
    """

    factor: float
    unit: str
    form: NumberFormat

    def round(self, values: list[float], *, positive: bool) -> tuple[float, ...]:
        """Return values of the topic as the chart gives them: rounded; ``positive`` keeps them from being zero."""
        decimals, factor = self.form.decimals, self.factor
        rounded = [round(value * factor, decimals) + 0.0 for value in values]
        if positive:
            least = 10.0**-decimals
            rounded = [value if value > least else least for value in rounded]
        return tuple(rounded)


def measure(
    dice: Dice,
    words: Language,
    topic: Topic,
    values: list[list[float]],
    *,
    wide: bool = False,
    currency: Currency | None = None,
) -> Measure:
    """Choose unit and number format for values of a topic.

    Args:
        dice: the randomness.
        words: the language.
        topic: what is measured.
        values: series of values, in the topic's own unit (money in euros).
        wide: whether they span decades (then they are not scaled).
        currency: of amounts of money; one of the language's by default.
    """
    sizes = sorted(abs(value) for column in values for value in column)
    typical, least = sizes[len(sizes) // 2] or sizes[-1] or 1.0, sizes[len(sizes) // 8]
    distance = sizes[-1] - sizes[0]
    if topic.unit == "%":
        return Measure(1.0, "%", percent_form(dice, words, _offered(dice, topic, distance)))
    currency = (currency or dice.pick(words.currencies)) if topic.unit.startswith("money") else None
    rate = currency.rate if currency else 1.0
    scaled = topic.scaled or (topic.unit == "money" and rate >= _MANY)
    scale = _scale(dice, words, typical * rate, least * rate) if scaled and not wide else None
    factor = rate / scale.factor if scale else rate
    if topic.decimals and rate < _MANY:
        decimals = _offered(dice, topic, distance * factor)
    else:
        decimals = _decimals(dice, topic, typical * factor, least * factor, scaled=bool(scale))
        if (scale or topic.unit.startswith("money")) and distance * factor * 10**decimals < _APART:
            decimals = max(decimals, 2)
    if wide and topic.decimals != (0,):
        decimals = max(decimals, min(3, _needed(sizes[0] * factor)))
    group = dice.pick(words.groups) if dice.chance(0.72) or sizes[-1] * factor >= _LONG else ""
    prefix, suffix = _around(dice, words, topic, currency, scale)
    form = NumberFormat(decimals, words.decimal, group, prefix, suffix, least=words.least)
    return Measure(factor, _unit(words, topic, currency, scale), form)


def percent_form(dice: Dice, words: Language, decimals: int) -> NumberFormat:
    """Return how percentages are written: mostly with their sign."""
    before, behind = words.percent if dice.chance(0.85) else ("", "")
    return NumberFormat(decimals, words.decimal, "", before, behind)


def _scale(dice: Dice, words: Language, typical: float, least: float) -> Scale | None:
    """Return what to divide values by: large numbers nearly always, middling ones sometimes, small ones never."""
    fitting = [scale for scale in words.scales if typical >= 0.9 * scale.factor and least >= 0.02 * scale.factor]
    if not fitting or typical < 1e4 or (typical < 2e6 and dice.chance(0.65)) or (typical < 2e7 and dice.chance(0.15)):
        return None
    return fitting[-1] if len(fitting) == 1 or dice.chance(0.85) else fitting[-2]


def _offered(dice: Dice, topic: Topic, distance: float) -> int:
    """Return one of the topic's decimals; the most of them where fewer would write ``distance`` as a few steps."""
    decimals = dice.pick(topic.decimals)
    return decimals if distance >= _APART * 10.0**-decimals else max(topic.decimals)


def _decimals(dice: Dice, topic: Topic, typical: float, least: float, *, scaled: bool) -> int:
    if not scaled and not topic.unit.startswith("money"):
        return 0
    if typical >= 200:
        wanted = 1 if scaled and typical < 1000 and dice.chance(0.25) else 0
    elif typical >= 20:
        wanted = dice.pick((0, 0, 1)) if scaled else dice.pick((0, 2))
    else:
        wanted = dice.pick((1, 1, 2)) if scaled else 2
    # The smallest values keep a digit that tells them apart.
    return min(3, max(wanted, _needed(least)))


def _needed(value: float) -> int:
    """Return how many decimals it takes for a value not to be written as zero."""
    return max(0, math.ceil(-math.log10(value))) if value > 0 else 0


def _around(
    dice: Dice, words: Language, topic: Topic, currency: Currency | None, scale: Scale | None
) -> tuple[str, str]:
    """Return what stands before and behind each written value."""
    if currency and topic.unit == "money":
        if scale:
            return (currency.prefix, scale.short + currency.tight) if dice.chance(0.35) else ("", "")
        return (currency.prefix, currency.suffix) if dice.chance(0.55) else ("", "")
    if currency:
        return (currency.prefix, currency.suffix) if dice.chance(0.4) else ("", "")
    symbol = words.units.get(topic.unit, (topic.unit, ""))[0]
    if scale:
        return ("", scale.short) if dice.chance(0.15) and topic.unit != "t" else ("", "")
    return ("", " " + symbol) if topic.unit in _SYMBOLS and symbol == topic.unit and dice.chance(0.25) else ("", "")


def _unit(words: Language, topic: Topic, currency: Currency | None, scale: Scale | None) -> str:
    if currency:
        alone, scaled = currency.unit, currency.scaled_unit
    else:
        alone, scaled = words.units.get(topic.unit, (topic.unit, topic.unit))
    if topic.unit in words.per:
        return words.per[topic.unit].format(unit=alone)
    if not scale:
        return alone
    return words.scaled.format(scale=scale.word, unit=scaled) if scaled else scale.alone
