"""What a page says: paragraphs and headings of sentence-like text, or a few words for the easy level."""

from dataclasses import dataclass

import numpy as np

from datagen.pages import words
from datagen.pages.settings import Settings
from datagen.pages.words import Dice


@dataclass(frozen=True)
class Block:
    """A heading or a paragraph, as its words with their punctuation."""

    words: tuple[str, ...]
    heading: bool = False


@dataclass(frozen=True)
class Text:
    """The blocks of a page in reading order. The page may show fewer of them: the last may not fit."""

    blocks: tuple[Block, ...]
    language: str = "en"

    @property
    def key(self) -> str:
        """The whole text without regard to case."""
        return "\n".join(" ".join(block.words) for block in self.blocks).casefold()


def compose(rng: np.random.Generator, settings: Settings) -> Text:
    """Make up the text of a page: `Settings.words` words, give or take a sentence."""
    dice = Dice(rng)
    low, high = settings.words
    count = int(low * ((high + 1) / low) ** dice.roll()) if settings.skewed else low + dice.below(high - low + 1)
    if settings.prose:
        random = dice.chance(settings.letters) if settings.letters else False
        loose = dice.chance(settings.scattered) if settings.scattered else False
        text = scattered(dice, count) if loose else prose(dice, settings, count)
        return _random_letters(text, rng) if random else text
    return Text((Block(tuple(_single(dice, settings) for _ in range(count))),))


def _single(dice: Dice, settings: Settings) -> str:
    if dice.chance(settings.numbers):
        return str(dice.below(10 ** (1 + dice.below(4))))
    style = dice.roll()
    if style < 0.5:
        word = dice.pick(words.EASY_WORDS)
    elif style < 0.85:
        word = words.made_up(dice, 6)
    else:
        return words.code(dice, 2 + dice.below(3))
    return word.capitalize() if dice.chance(0.2) else word


def prose(dice: Dice, settings: Settings, count: int) -> Text:
    """Make up ``count`` words of English prose under headings, give or take a sentence."""
    blocks: list[Block] = []
    writer = Writer(dice, dice.between(*settings.made_up), typographic=dice.chance(0.3))
    headings = dice.chance(0.6)
    left = count
    while left > 0:
        if headings and (not blocks or (not blocks[-1].heading and dice.chance(0.3))):
            block = Block(tuple(writer.heading()), heading=True)
        else:
            block = Block(tuple(writer.paragraph(min(left, 20 + dice.below(100)))))
        blocks.append(block)
        left -= len(block.words)
    return Text(tuple(blocks))


def scattered(dice: Dice, count: int) -> Text:
    """Make up ``count`` words that nothing but the picture tells, in paragraphs without sentences."""
    blocks: list[Block] = []
    while count > 0:
        size = min(count, 1 + dice.below(60))
        blocks.append(Block(tuple(_loose(dice) for _ in range(size))))
        count -= size
    return Text(tuple(blocks))


def _loose(dice: Dice) -> str:
    style = dice.roll()
    if style < 0.1:
        return dice.pick((words.plain_number, words.plain_date))(dice)
    if style < 0.16:
        return words.code(dice, 2 + dice.below(7))
    if style < 0.55:
        word = words.made_up(dice)
    else:
        word = dice.pick(dice.pick((words.NOUNS, words.NOUNS, words.VERBS, words.ADJECTIVES, words.ADVERBS)))
    style = dice.roll()
    if style < 0.15:
        word = word.capitalize()
    elif style < 0.2:
        word = word.upper()
    return word + dice.pick(".,;:?!") if dice.chance(0.1) else word


def _random_letters(text: Text, rng: np.random.Generator) -> Text:
    """Return ``text`` with every ASCII letter and digit replaced by a random one of its kind; the rest stays."""
    whole = "\n".join(" ".join(block.words) for block in text.blocks)
    codes = np.frombuffer(whole.encode("utf-32-le"), np.uint32).copy()
    draws = rng.random(len(codes))
    for first, count in ((ord("a"), 26), (ord("A"), 26), (ord("0"), 10)):
        there = (codes >= first) & (codes < first + count)
        codes[there] = first + (draws[there] * count).astype(np.uint32)
    lines = codes.tobytes().decode("utf-32-le").split("\n")
    parts = zip(lines, text.blocks, strict=True)
    return Text(tuple(Block(tuple(line.split(" ")), block.heading) for line, block in parts), text.language)


class Writer:
    """Writes sentences of one manner: a share of made-up words, straight or typographic signs."""

    def __init__(self, dice: Dice, made_up: float, *, typographic: bool) -> None:
        self._dice = dice
        self._made_up = made_up
        self._quotes = "“”" if typographic else '""'
        self._dash = "–" if typographic else "-"

    def paragraph(self, count: int) -> list[str]:
        """Return the words of sentences, ``count`` or a few more."""
        text: list[str] = []
        while len(text) < count:
            text += self.sentence()
        return text

    def heading(self) -> list[str]:
        """Return the words of a heading, without a full stop."""
        dice = self._dice
        text = self._noun_phrase()
        if dice.chance(0.4):
            text += [dice.pick(words.PREPOSITIONS), *self._noun_phrase()]
        text = " ".join(text).split()
        if dice.chance(0.3):
            text = [word.capitalize() for word in text]
        elif dice.chance(0.2):
            text = [word.upper() for word in text]
        else:
            text[0] = text[0][0].upper() + text[0][1:]
        return [f"{1 + dice.below(12)}.", *text] if dice.chance(0.25) else text

    def sentence(self) -> list[str]:
        """Return the words of one sentence with its punctuation."""
        dice = self._dice
        text = self._clause()
        if dice.chance(0.35):
            text[-1] += ","
            text += [dice.pick(words.CONJUNCTIONS), *self._clause()]
        if dice.chance(0.08):
            text.append(f"({' '.join(self._noun_phrase())})")
        text = " ".join(text).split()  # names, dates and amounts are several words
        text[0] = text[0][0].upper() + text[0][1:]
        if dice.chance(0.08):
            text[0], text[-1] = self._quotes[0] + text[0], text[-1] + dice.pick(".?!") + self._quotes[1]
            return text
        text[-1] += dice.pick("........?!;:") if text[-1][-1] != "." else ""
        if text[-1][-1] in ";:":
            text += " ".join(self._clause()).split()
            text[-1] += "." if text[-1][-1] != "." else ""
        return text

    def _clause(self) -> list[str]:
        dice = self._dice
        text = [dice.pick(words.PRONOUNS)] if dice.chance(0.2) else self._noun_phrase()
        if dice.chance(0.2):
            text.append(dice.pick(words.ADVERBS))
        if dice.chance(0.65):
            text += [self._word(words.VERBS), *self._noun_phrase()]
        else:
            text.append(self._word(words.RESTING))
        if dice.chance(0.45):
            text += [dice.pick(words.PREPOSITIONS), *self._noun_phrase()]
        if dice.chance(0.06):
            text.append(self._dash)
            text.append(dice.pick(words.ADVERBS))
        return text

    def _noun_phrase(self) -> list[str]:
        dice = self._dice
        style = dice.roll()
        if style < 0.07:
            return [words.name(dice)]
        if style < 0.12:
            return [words.date(dice)]
        if style < 0.19:
            return [words.number(dice)]
        if style < 0.21:
            return ["no.", words.code(dice, 3 + dice.below(6))]
        noun = self._word(words.NOUNS)
        text = [self._word(words.ADJECTIVES)] if dice.chance(0.4) else []
        if dice.chance(0.25) and noun.isalpha() and noun[-1] not in "shxy":
            return [dice.pick(words.PLURAL_DETERMINERS), *text, noun + "s"]
        text.append(noun)
        determiner = dice.pick(words.DETERMINERS)
        return ["an" if determiner == "a" and text[0][0] in "aeiou" else determiner, *text]

    def _word(self, items: tuple[str, ...]) -> str:
        return words.made_up(self._dice) if self._dice.chance(self._made_up) else self._dice.pick(items)
