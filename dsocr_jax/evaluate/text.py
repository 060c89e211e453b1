"""Metrics of page text: overlap of word sets, and edit distance.

The set metrics forgive order, repetition and left-out repeats, so the edit distance belongs beside them.
"""

import re
from collections.abc import Iterable
from typing import Literal

from rapidfuzz.distance import Levenshtein

from dsocr_jax.errors import UserError

#: What the words of texts with ideographs are: each ideograph, or what jieba's dictionary divides them into.
Words = Literal["ideographs", "jieba"]

#: CJK ideographs: the unified blocks with extensions, and the compatibility ideographs.
_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_IDEOGRAPH_OR_REST = re.compile(f"{_IDEOGRAPH.pattern}|[^{_IDEOGRAPH.pattern[1:-1]}]+")


def word_sets(prediction: str, truth: str, words: Words = "ideographs") -> tuple[set[str], set[str]]:
    """Return the distinct words of both texts; see `split_words`."""
    predicted, true = split_words(prediction, truth, words)
    return set(predicted), set(true)


def split_words(prediction: str, truth: str, words: Words = "ideographs") -> tuple[list[str], list[str]]:
    """Return the words of both texts in order.

    Words are what stands between white space. If either text holds a CJK ideograph, both are cut further: every
    ideograph is a word of its own, or, as in the released evaluator, the package jieba divides them.

    Raises:
        UserError: jieba is asked for and not installed.
    """
    if not (_IDEOGRAPH.search(prediction) or _IDEOGRAPH.search(truth)):
        return prediction.split(), truth.split()
    if words == "jieba":
        return _jieba(prediction), _jieba(truth)
    return _cut(prediction.split()), _cut(truth.split())


def word_set_precision(prediction: str, truth: str, words: Words = "ideographs") -> float:
    """Share of the distinct predicted words that are in the truth, |P & G| / |P|.

    This is the column of the paper's compression study.

    >>> word_set_precision("the cat the hat", "the cat sat on it")
    0.6666666666666666
    """
    predicted, true = word_sets(prediction, truth, words)
    return _overlap(predicted, true, len(predicted))


def word_set_recall(prediction: str, truth: str, words: Words = "ideographs") -> float:
    """Share of the distinct words of the truth that were predicted, |P & G| / |G|.

    >>> word_set_recall("the cat the hat", "the cat sat on it")
    0.4
    """
    predicted, true = word_sets(prediction, truth, words)
    return _overlap(predicted, true, len(true))


def word_set_f1(prediction: str, truth: str, words: Words = "ideographs") -> float:
    """Harmonic mean of word-set precision and recall, 2 |P & G| / (|P| + |G|).

    >>> word_set_f1("the cat the hat", "the cat sat on it")
    0.5
    """
    predicted, true = word_sets(prediction, truth, words)
    return 2 * _overlap(predicted, true, len(predicted) + len(true)) if predicted or true else 1.0


def fox_precision_as_released(prediction: str, truth: str) -> float:
    """Return what the released Fox evaluator prints as "precision": the word-set recall.

    The published script hands prediction and truth to its routine in swapped roles.
    """
    return word_set_recall(prediction, truth)


def edit_dist(prediction: str, truth: str) -> float:
    """Levenshtein distance on characters over the length of the longer text; 0 is best, 1 worst.

    >>> edit_dist("kitten", "sitting") == 3 / 7
    True
    """
    return float(Levenshtein.normalized_distance(prediction, truth))


def page_edit_dist(blocks: Iterable[tuple[str, str]]) -> float:
    """OmniDocBench's distance of one page whose blocks are already matched: edits over lengths, each summed first.

    Args:
        blocks: (prediction, truth) of each block; an unmatched block stands against "".
    """
    edits = length = 0
    for prediction, truth in blocks:
        edits += Levenshtein.distance(prediction, truth)
        length += max(len(prediction), len(truth))
    return edits / length if length else 0.0


def _overlap(predicted: set[str], true: set[str], size: int) -> float:
    if not predicted and not true:
        return 1.0  # a blank page read as blank
    return len(predicted & true) / size if size else 0.0


def _cut(words: list[str]) -> list[str]:
    return [piece for word in words for piece in _IDEOGRAPH_OR_REST.findall(word)]


def _jieba(text: str) -> list[str]:
    try:
        import jieba  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise UserError("--words jieba needs the package jieba: pip install jieba, or leave it out") from None
    return list(jieba.lcut(text))
