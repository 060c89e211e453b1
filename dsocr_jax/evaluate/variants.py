"""Prior-free variants of a text: what a language model cannot guess, it must have seen.

A model that reads a blurred page may fill in words that fit. On these variants there is nothing that fits: the words
of a page in another order, words with letters swapped, or strings of random letters. All keep the length of the text,
its line ends and (nearly) its looks, so that pages of them are as hard to see as the plain ones.
"""

import re
import unicodedata
from collections.abc import Callable

import numpy as np

from dsocr_jax.errors import UserError

#: Characters that are moved alone: kana, ideographs, Hangul syllables. Of others, what stands between blanks.
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_UNIT = re.compile(f"[{_ALONE}]|[^\\s{_ALONE}]+")
_LATIN = {"Lu": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "Ll": "abcdefghijklmnopqrstuvwxyz", "Nd": "0123456789"}
#: Letters in a row, of which two are swapped; the first and the last stay.
_LETTERS = re.compile(r"[^\W\d_]{4,}")


def make_variant(name: str, text: str, seed: int) -> str:
    """Return a variant of a text; equal arguments give equal texts on every machine.

    Args:
        name: one of `VARIANTS`.
        text: plain text.
        seed: of the random choices; take another one for each page.

    Raises:
        UserError: there is no such variant.
    """
    if name not in VARIANTS:
        raise UserError(f"there is no variant {name!r}; variants are {', '.join(VARIANTS)}")
    return VARIANTS[name](text, np.random.default_rng(seed))


def shuffle_words(text: str, rng: np.random.Generator) -> str:
    """Return the words of a text in random order; blanks and line ends stay where they are between them.

    In scripts that do not divide words every character is moved alone.
    """
    units = _UNIT.findall(text)
    order = iter(rng.permutation(len(units)).tolist())
    return _UNIT.sub(lambda _: units[next(order)], text)


def swap_letters(text: str, rng: np.random.Generator) -> str:
    """Return a text in which every word of four letters or more has two neighbouring inner letters swapped.

    A word whose inner letters are all the same stays as it is.
    """

    def swapped(found: re.Match[str]) -> str:
        word = found[0]
        places = [at for at in range(1, len(word) - 2) if word[at] != word[at + 1]]
        if not places:
            return word
        at = places[int(rng.integers(len(places)))]
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return _LETTERS.sub(swapped, text)


def random_strings(text: str, rng: np.random.Generator) -> str:
    """Return a text whose letters and digits are random ones of the same kind; all other characters stay.

    ASCII letters become any letters of the same case, digits any digits. Letters of other scripts become letters of
    that script that stand in the text, so that no font is needed that the text did not need.
    """
    pools: dict[str, str] = {}
    for sign in sorted(set(text)):
        if kind := _kind(sign):
            pools[kind] = pools.get(kind, "") + sign
    pools |= {kind: letters for kind, letters in _LATIN.items() if kind in pools}
    draws = iter(rng.random(len(text)).tolist())
    kinds = ((sign, _kind(sign), next(draws)) for sign in text)
    return "".join(pools[kind][int(draw * len(pools[kind]))] if kind else sign for sign, kind, draw in kinds)


def _kind(sign: str) -> str:
    """Return what a character may be replaced by: empty for nothing, a category for ASCII, else script and category."""
    category = unicodedata.category(sign)
    if category not in ("Lu", "Ll", "Lo", "Nd"):
        return ""
    if sign.isascii():
        return category
    script = unicodedata.name(sign, "").partition(" ")[0]
    return f"{script} {category}" if script else ""


#: Name → what makes the variant.
VARIANTS: dict[str, Callable[[str, np.random.Generator], str]] = {
    "shuffled": shuffle_words,
    "swapped": swap_letters,
    "random": random_strings,
}
