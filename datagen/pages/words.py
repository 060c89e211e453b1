"""The words that pages are made of: common English ones by their role, and rules for words that nobody has seen.

A model that reads must not guess words from their neighbours, so a good part of every page is made up: pronounceable
words, codes, numbers, dates and names.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

Item = TypeVar("Item")


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split())


DETERMINERS = _list("the a every this that each one our their its some another no any his her my your")
PLURAL_DETERMINERS = _list(
    """
    the these those all many few several most some both our their two three seven ten no
    """
)
PREPOSITIONS = _list(
    """
    of in on at by for with from to into over under between through during after before against near beyond across
    behind along around without within above below towards until since about beside
    """
)
CONJUNCTIONS = _list("and but or while because although when where as if since so unless before after though")
PRONOUNS = _list("it she he they we you I nobody everyone somebody")
ADVERBS = _list(
    """
    slowly often never always quickly quietly nearly soon again almost rarely seldom perhaps usually suddenly barely
    together apart early late gladly clearly only even still already once twice instead elsewhere today yesterday
    carefully hardly roughly exactly
    """
)
ADJECTIVES = _list(
    """
    small large old new early late long short open quiet bright dark heavy light warm cold clear narrow wide deep
    steady common rare local distant simple plain careful sharp gentle rough smooth empty full public private strong
    weak sudden recent final first second northern southern eastern western wooden green blue red white black yellow
    grey broken hidden ready equal modern ancient cheap busy slow quick hungry patient useful strange familiar
    honest famous silent hollow pale damp dry round flat straight loose tight former annual central foreign native
    """
)
NOUNS = _list(
    """
    river stone house garden window letter paper road bridge market village city harbour ship captain doctor teacher
    student farmer worker child mother father brother sister friend stranger morning evening winter summer spring
    autumn day night week month year hour minute story song picture map book page word line number answer question
    reason result report plan law rule right duty price cost money bank shop street corner door wall roof floor
    table chair lamp fire water air earth sand rain snow wind cloud storm sun moon star sky field forest tree leaf
    root flower seed grain bread salt sugar milk cheese meat fish bird horse dog cat sheep wolf bear engine wheel
    machine tool hammer nail rope wire glass iron copper silver gold wood cloth thread needle button coat shoe hat
    hand head face eye ear mouth foot heart voice sound silence colour shape size weight length height speed force
    power heat measure record method theory model sample group class order part piece whole half side end start
    middle station train ticket platform journey visitor guest owner member council meeting office desk drawer key
    lock box bottle cup plate spoon knife kitchen cellar attic tower church school hospital museum library theatre
    island coast valley hill mountain lake sea ocean wave tide current signal message newspaper editor author reader
    writer painter
    """
)
VERBS = _list(
    """
    saw found kept made took gave left held brought sent built bought sold read wrote heard told asked answered
    moved turned opened closed followed carried watched measured counted painted repaired crossed reached entered
    passed remembered forgot noticed described explained changed covered filled emptied lifted dropped pulled pushed
    joined divided gathered served helped needed wanted liked feared lost won missed broke mended cleaned washed lit
    shook touched tested checked printed copied signed stamped weighed drew planned started finished delayed offered
    refused accepted believed doubted expected promised shared borrowed returned
    """
)
RESTING = _list(
    """
    stood lay waited slept stayed lived worked arrived remained stopped vanished appeared grew fell rose burned
    froze sang laughed spoke walked ran swam flew rested failed ended began
    """
)
MONTHS = _list("January February March April May June July August September October November December")
FIRST_NAMES = _list(
    """
    Anna Ben Clara David Emma Felix Grace Henry Ida Jonas Karin Leon Maria Nora Oscar Paula Robert Sarah Thomas Vera
    William Alice Martin Helen Peter Julia Simon Laura Victor Ruth Amir Chen Priya Kofi Yuki Omar Lucia Ivan Fatima
    Diego
    """
)
TITLES = _list("Mr. Mrs. Dr. Prof. Captain Lady")
UNITS = _list("km kg cm mm m g l s min days years miles pages volts degrees tons")
EASY_WORDS = tuple(
    sorted({word for word in (*NOUNS, *ADJECTIVES, *VERBS, *RESTING, *PREPOSITIONS, *ADVERBS) if 2 <= len(word) <= 6})
)

_ONSETS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "br",
    "ch",
    "cl",
    "cr",
    "dr",
    "fl",
    "fr",
    "gl",
    "gr",
    "kl",
    "pl",
    "pr",
    "qu",
    "sh",
    "sk",
    "sl",
    "sm",
    "sn",
    "sp",
    "st",
    "th",
    "tr",
    "tw",
]
_VOWELS = _list("a e i o u a e i o a e ai ea ee ie oa oo ou")
_CODAS = _list("b d f g k l m n p r s t x ck ft ld lt mp nd ng nk nt rd rk rm rn rt sh sk st th")

#: Letters and digits that no font of ours draws alike (no O and 0, no I, l and 1).
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_DIGITS = "23456789"


class Rolls(Protocol):
    """What words are made with: the small choices of any family's dice."""

    def chance(self, probability: float) -> bool:
        """Return True with ``probability``."""

    def below(self, end: int) -> int:
        """Return a whole number of [0, end)."""

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of ``items``."""


class Dice:
    """Quick small choices: uniform numbers are drawn from the generator by the hundred."""

    def __init__(self, rng: np.random.Generator, block: int = 256) -> None:
        self._rng = rng
        self._block = block
        self._left: list[float] = []

    @property
    def rng(self) -> np.random.Generator:
        """The generator that the numbers come from, for those who need another kind of chance."""
        return self._rng

    def roll(self) -> float:
        """Return a uniform number of [0, 1)."""
        if not self._left:
            self._left = self._rng.random(self._block).tolist()
        return self._left.pop()

    def chance(self, probability: float) -> bool:
        """Return True with ``probability``."""
        return self.roll() < probability

    def below(self, end: int) -> int:
        """Return a whole number of [0, end)."""
        return int(self.roll() * end)

    def between(self, low: float, high: float) -> float:
        """Return a uniform number of [low, high)."""
        return low + (high - low) * self.roll()

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of ``items``."""
        return items[int(self.roll() * len(items))]


def made_up(dice: Rolls, longest: int = 12) -> str:
    """Return a pronounceable word of at most ``longest`` (4 or more) lower-case letters."""
    word = ""
    for _ in range(1 + dice.below(3)):
        syllable = (dice.pick(_ONSETS) if word or dice.chance(0.85) else "") + dice.pick(_VOWELS)
        if dice.chance(0.4):
            syllable += dice.pick(_CODAS)
        if len(word) + len(syllable) > longest:
            break
        word += syllable
    return word if len(word) >= 2 else dice.pick("kmnst") + dice.pick("aeiou")


def code(dice: Dice, length: int) -> str:
    """Return ``length`` letters and digits that cannot be taken for others, some with a sign between."""
    signs = [dice.pick(CODE_DIGITS if dice.chance(0.5) else CODE_LETTERS) for _ in range(length)]
    if length >= 5 and dice.chance(0.5):
        signs[dice.below(length - 2) + 1] = dice.pick("-/.")
    return "".join(signs)


def number(dice: Dice) -> str:
    """Return a number as pages print them: an integer, a decimal, a percentage, an amount, a measure."""
    style = dice.below(6)
    size = 10 ** (1 + dice.below(5))
    value = dice.below(size)
    if style == 0:
        return f"{value:,}"
    if style == 1:
        return f"{dice.between(0, size):.{1 + dice.below(2)}f}"
    if style == 2:
        return f"{dice.between(0, 100):.{dice.below(2)}f}%"
    if style == 3:
        return f"{dice.pick('$$#')}{value:,}"
    if style == 4:
        return f"{value} {dice.pick(UNITS)}"
    return str(value)


def date(dice: Dice) -> str:
    """Return a date or a time of day."""
    year, month, day = 1800 + dice.below(250), dice.below(12), 1 + dice.below(28)
    style = dice.below(5)
    if style == 0:
        return f"{day} {MONTHS[month]} {year}"
    if style == 1:
        return f"{MONTHS[month]} {day}, {year}"
    if style == 2:
        return f"{year}-{month + 1:02d}-{day:02d}"
    if style == 3:
        return f"{dice.below(24)}:{dice.below(60):02d}"
    return str(year)


def name(dice: Dice) -> str:
    """Return the name of a person; the surname is made up."""
    surname = made_up(dice, 9).capitalize()
    style = dice.below(4)
    if style == 0:
        return f"{dice.pick(TITLES)} {surname}"
    if style == 1:
        return f"{dice.pick(FIRST_NAMES)[0]}. {surname}"
    return f"{dice.pick(FIRST_NAMES)} {surname}"


def plain_number(dice: Dice) -> str:
    """Return a number without words, as any language prints it."""
    style = dice.below(4)
    size = 10 ** (1 + dice.below(5))
    if style == 0:
        return f"{dice.below(size):,}"
    if style == 1:
        return f"{dice.between(0, size):.{1 + dice.below(2)}f}"
    if style == 2:
        return f"{dice.between(0, 100):.{dice.below(2)}f}%"
    return str(dice.below(size))


def plain_date(dice: Dice) -> str:
    """Return a date or a time of day in digits."""
    year, month, day = 1900 + dice.below(150), 1 + dice.below(12), 1 + dice.below(28)
    style = dice.below(5)
    if style == 0:
        return f"{year}-{month:02d}-{day:02d}"
    if style == 1:
        return f"{day}.{month}.{year}"
    if style == 2:
        return f"{day:02d}/{month:02d}/{year}"
    if style == 3:
        return f"{dice.below(24)}:{dice.below(60):02d}"
    return str(year)
