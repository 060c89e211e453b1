"""Writing in any language: sentences taken or put together from a language's text, words that nobody has seen, numbers.

A model that only ever saw the sentences of a few thousand characters would learn them by heart. So most sentences are
walks through the text: from every word to one that follows it somewhere. They read like the language and say nothing
twice. Ideographic scripts also get characters at random from their character sets, other alphabets words put together
from halves.
"""

import functools
import re
from collections import defaultdict
from dataclasses import dataclass

from datagen.pages import words
from datagen.pages.languages import IDEOGRAPHIC, Language, specimen
from datagen.pages.text import Writer as EnglishWriter
from datagen.pages.words import Dice

_SENTENCE = re.compile(r"(?<=[.!?。！？।॥።؟۔។༎])\s+|(?<=[。！？])")
_END = frozenset(".!?。！？।॥።؟۔။។༎:;")
_TRIM = ".,;:!?。、，；：！？।॥።፣፤،؛؟۔။၊។៖·—–-()[]«»“”\"'„‚‘’「」『』《》·"
#: Words per walk at most: a walk that finds no end is ended.
_LONGEST = 40

#: Native digits, where prints of the script use them about as often as 0 to 9.
_DIGITS = {
    "Arab": "٠١٢٣٤٥٦٧٨٩",
    "Deva": "०१२३४५६७८९",
    "Beng": "০১২৩৪৫৬৭৮৯",
    "Mymr": "၀၁၂၃၄၅၆၇၈၉",
    "Khmr": "០១២៣៤៥៦៧៨៩",
    "Laoo": "໐໑໒໓໔໕໖໗໘໙",
    "Thai": "๐๑๒๓๔๕๖๗๘๙",
}
#: Languages in Arabic script that write 4, 5 and 6 in another way.
_PERSIAN = frozenset({"fa", "fa-AF", "ur", "ps", "lah", "ug"})

#: Character sets whose common characters (by rows of the set) are drawn at random: codec, first and last lead byte.
_SETS = {
    "Hans": ("gb2312", 0xB0, 0xD7),
    "Hant": ("big5", 0xA4, 0xC5),
    "Jpan": ("euc_jp", 0xB0, 0xCF),
    "Kore": ("euc_kr", 0xB0, 0xC8),
}
_STOPS = {"Hans": "。", "Hant": "。", "Jpan": "。", "Deva": "।", "Beng": "।", "Ethi": "።", "Arab": ".", "Mymr": "။"}


@dataclass(frozen=True)
class _Model:
    """What walks and headings are made of; ``follows[word]`` are the words that come after it, as often as they do.

    Signs of ideographic scripts also follow pairs of them: one alone says too little about what comes next.
    """

    sentences: tuple[tuple[str, ...], ...]
    starts: tuple[str, ...]
    follows: dict[str, tuple[str, ...]]
    vocabulary: tuple[str, ...]
    headings: tuple[str, ...]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [sentence for sentence in _SENTENCE.split(text) if any(map(str.isalnum, sentence))]


@functools.lru_cache(maxsize=256)
def _model(tag: str, script: str, spaced: bool) -> _Model:
    text = specimen(tag)
    found = []
    for paragraph in text.paragraphs:
        for sentence in sentences(paragraph):
            pieces = tuple(sentence) if script in IDEOGRAPHIC else tuple(sentence.split())
            pieces = tuple(piece for piece in pieces if not piece.isspace())
            if pieces:
                found.append(pieces)
    follows: dict[str, list[str]] = defaultdict(list)
    for words_of in found:
        for place, (one, two) in enumerate(zip(words_of, (*words_of[1:], ""), strict=True)):
            follows[one].append(two)
            if script in IDEOGRAPHIC and place:
                follows[words_of[place - 1] + one].append(two)
    vocabulary = dict.fromkeys(word.strip(_TRIM) for sentence in found for word in sentence)
    longest = 18 if spaced else 24
    short = tuple(word for word in vocabulary if word and len(word) <= longest and not word[0].isdigit())
    return _Model(
        tuple(found),
        tuple(sentence[0] for sentence in found),
        {word: tuple(after) for word, after in follows.items()},
        short or tuple(filter(None, vocabulary)),
        tuple(heading for heading in text.headings if len(heading) <= 60) or text.headings[:1],
    )


@functools.cache
def _common(script: str) -> str:
    codec, first, last = _SETS[script]
    found = []
    for lead in range(first, last + 1):
        for trail in range(0xA1, 0xFF):
            character = bytes([lead, trail]).decode(codec, "ignore")
            # Big5 starts with signs; what is no letter is none of the common characters.
            found += [character] if len(character) == 1 and character.isalpha() and ord(character) > 0x3000 else []
    return "".join(found)


class Writer:
    """Writes texts of one language.

    Args:
        dice: where chance comes from.
        language: what to write.
        recombined: share of sentences that are walks; the others are the text's own.
        made_up: share of sentences with words or characters that are not in the text.
    """

    def __init__(self, dice: Dice, language: Language, recombined: float, made_up: float) -> None:
        self.language = language
        self._dice = dice
        self._recombined = recombined
        self._made_up = made_up
        self._model = _model(language.tag, language.script, language.spaced)
        self._joiner = " " if language.script not in IDEOGRAPHIC else ""
        digits = _DIGITS.get(language.script)
        if digits and language.tag in _PERSIAN:
            digits = "۰۱۲۳۴۵۶۷۸۹"
        native = digits is not None and dice.chance(0.4)
        self._native = str.maketrans("0123456789", digits or "") if native and digits else None
        self._english = EnglishWriter(dice, made_up, typographic=dice.chance(0.3)) if language.tag == "en" else None

    def paragraph(self, characters: int) -> str:
        """Return sentences of ``characters`` or some more in all."""
        found: list[str] = []
        length = 0
        while length < characters:
            found.append(self.sentence())
            length += len(found[-1]) + 1
        return self._joiner.join(found)

    def sentence(self) -> str:
        """Return one sentence."""
        dice = self._dice
        if self._english and dice.chance(0.6):
            return " ".join(self._english.sentence())
        pieces = self._walk() if dice.chance(self._recombined) else list(dice.pick(self._model.sentences))
        if dice.chance(self._made_up):
            self._vary(pieces)
        return self._ended(self._joiner.join(pieces[: 4 * _LONGEST]))

    def heading(self) -> str:
        """Return a few words without a full stop."""
        dice = self._dice
        if self._english and dice.chance(0.7):
            found = self._english.heading()
            return " ".join(found[1:] if re.fullmatch(r"\d+\.", found[0]) else found)
        if dice.chance(0.15):
            return dice.pick(self._model.headings)
        text = self.phrase(2, 6)
        return text[0].upper() + text[1:]

    def phrase(self, low: int, high: int) -> str:
        """Return ``low`` to ``high`` words that may follow one another; of ideographic scripts twice as many signs."""
        dice = self._dice
        if self._english and high > 1 and dice.chance(0.6):
            found = [dice.pick(words.ADJECTIVES) for _ in range(low + dice.below(high - low + 1) - 1)][:2]
            found += [dice.pick(words.NOUNS)]
            if len(found) > 2 or dice.chance(0.15):
                found += ["of the", dice.pick(words.NOUNS)]
            return " ".join(found)
        count = low + dice.below(high - low + 1)
        if self._joiner == "":
            count *= 2
        elif not self.language.spaced:
            count = 1 + dice.below(2)  # a blank there parts phrases already
        found = []
        for _ in range(3 * count):
            walk = [piece.strip(_TRIM) for piece in self._walk(anywhere=True)]
            found += [piece for piece in walk if piece and (self.language.spaced or len(piece) <= 24)]
            if len(found) >= count:
                break
        return self._joiner.join(found[:count]) or dice.pick(self._model.vocabulary)

    def word(self) -> str:
        """Return a word, or some signs of an ideographic script."""
        dice = self._dice
        if dice.chance(self._made_up):
            return self.made_up()
        if self._joiner == "":
            return self.phrase(1, 2)
        return dice.pick(self._model.vocabulary)

    def made_up(self) -> str:
        """Return a word that is in no text."""
        dice = self._dice
        script = self.language.script
        if script in _SETS:
            common = _common(script)
            return "".join(dice.pick(common) for _ in range(2 + dice.below(3)))
        if script not in ("Latn", "Cyrl", "Grek", "Armn", "Geor", "Ethi", "Tfng", "Cans", "Hebr"):
            return dice.pick(self._model.vocabulary)  # letters there stack and join: halves make no words
        one, two = dice.pick(self._model.vocabulary), dice.pick(self._model.vocabulary)
        return one[: 1 + len(one) // 2] + two[len(two) // 2 :].lower()

    def number(self) -> str:
        """Return a number, an amount, a share or a measure."""
        return self.digits(words.number(self._dice) if self._english else words.plain_number(self._dice))

    def date(self) -> str:
        """Return a date or a time of day."""
        return words.date(self._dice) if self._english else self.digits(words.plain_date(self._dice))

    def digits(self, text: str) -> str:
        """Return ``text`` with the digits that this page uses."""
        return text.translate(self._native) if self._native else text

    def name(self) -> str:
        """Return something that stands where a person's name stands."""
        if self._english:
            return words.name(self._dice)
        one, two = self.word(), self.word()
        return self._joiner.join((one[:1].upper() + one[1:], two[:1].upper() + two[1:]))

    def _walk(self, *, anywhere: bool = False) -> list[str]:
        model, dice = self._model, self._dice
        word = dice.pick(dice.pick(model.sentences) if anywhere else model.starts)
        found = [word]
        longest = _LONGEST if self._joiner else 2 * _LONGEST
        while len(found) < longest:
            pair = model.follows.get("".join(found[-2:])) if not self._joiner and dice.chance(0.75) else None
            word = dice.pick(pair or model.follows[word])
            if not word:
                break
            found.append(word)
        return found

    def _vary(self, pieces: list[str]) -> None:
        """Put a word that nobody has seen, a number or a date into a sentence."""
        dice = self._dice
        for _ in range(1 + len(pieces) // (12 if self._joiner else 60)):
            roll = dice.roll()
            new = self.made_up() if roll < 0.6 else self.number() if roll < 0.85 else self.date()
            if not new.isspace():
                pieces.insert(min(1 + dice.below(len(pieces)), len(pieces)), new)

    def _ended(self, text: str) -> str:
        return text if text[-1] in _END else text.rstrip(_TRIM) + _STOPS.get(self.language.script, ".")
