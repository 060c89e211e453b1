"""What one evaluation found."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from datagen.records import Record
from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.grounding import scan_grounding
from dsocr_jax.answers.markdown import to_markdown
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.report import Scores, score
from train.evaluation.answers import Said

#: The metrics that stand for a kind where there is room for few; the others are in its own table.
MAIN = {
    "charts": ("parseable", "cell_accuracy", "exact"),
    "molecules": ("valid", "tanimoto", "exact"),
    "geometry": ("parseable", "point_accuracy", "exact"),
    "pages": ("edit_dist", "word_set_recall", "exact"),
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One sample.

    Attributes:
        record: the sample.
        losses: per answer token (nats), by mode; modes that it is too long for are missing.
        said: the answer; None where none was asked for.
        scores: metrics of the answer.
    """

    record: Record
    losses: Mapping[str, float]
    said: Said | None
    scores: Scores


@dataclasses.dataclass(frozen=True)
class Kind:
    """All samples of one kind.

    Attributes:
        name: of the kind.
        losses: mean over all answers' tokens (nats), by mode.
        scores: metrics of the answers.
        cases: its samples.
    """

    name: str
    losses: Mapping[str, float]
    scores: Scores
    cases: Sequence[Case]

    @property
    def main(self) -> tuple[str, ...]:
        """Those of its metrics that stand for it."""
        return tuple(name for name in MAIN.get(self.name, ("exact",)) if name in self.scores)


@dataclasses.dataclass(frozen=True)
class Result:
    """One evaluation.

    Attributes:
        step: steps made.
        losses: over all kinds, by mode.
        kinds: in the order of the set.
        answered_in: the mode of the answers; None where there are none.
        note: why there are no answers, and what was left out.
    """

    step: int
    losses: Mapping[str, float]
    kinds: Sequence[Kind]
    answered_in: str | None
    note: str

    def line(self) -> dict[str, Any]:
        """Return the figures as a line of ``evaluations.jsonl``."""
        return {
            "step": self.step,
            "loss": dict(self.losses),
            "kinds": {kind.name: {"loss": dict(kind.losses), "scores": kind.scores} for kind in self.kinds},
        }


def make_result(
    step: int,
    records: Sequence[Record],
    sums: Mapping[str, np.ndarray],
    said: Sequence[Said] | None,
    answered_in: str,
    note: str,
) -> Result:
    """Put together what was found.

    Args:
        step: steps made.
        records: the samples, kind by kind.
        sums: by mode, float64 [n, 2]: each sample's loss and its answer's tokens, 0 where it does not fit.
        said: the answers, if they were asked for.
        answered_in: their mode.
        note: see `Result`.
    """
    kinds = []
    for name in dict.fromkeys(record.kind for record in records):
        places = [place for place, record in enumerate(records) if record.kind == name]
        cases = [
            _case(records[i], {mode: pairs[i] for mode, pairs in sums.items()}, said[i] if said else None)
            for i in places
        ]
        losses = {mode: _mean(pairs[places]) for mode, pairs in sums.items() if pairs[places, 1].any()}
        answers = [said[i].text for i in places] if said else []
        kinds.append(Kind(name, losses, scores_of(name, answers, [records[i].label for i in places]), cases))
    losses = {mode: _mean(pairs) for mode, pairs in sums.items() if pairs[:, 1].any()}
    return Result(step, losses, kinds, answered_in if said else None, note)


def scores_of(kind: str, answers: Sequence[str], truths: Sequence[str]) -> Scores:
    """Return the metrics of a kind, and ``exact``, the share of answers that are their truths letter by letter.

    Metrics of pages are of their text: where a prompt asks for boxes, these count for ``exact`` alone.
    """
    if not answers:
        return {}
    exact = float(np.mean([one.strip() == other.strip() for one, other in zip(answers, truths, strict=True)]))
    try:
        if kind == "pages":
            answers, truths = [_without_boxes(text) for text in answers], [_without_boxes(text) for text in truths]
        return {**score(kind, answers, truths), "exact": exact}
    except UserError:  # a kind that is not known there, or a truth that is not of its form
        return {"count": float(len(answers)), "exact": exact}


def _without_boxes(text: str) -> str:
    try:
        scan = scan_grounding(text)
    except AnswerError:  # an answer without end
        return text
    return to_markdown(text, scan, {}) if scan.parts or scan.broken else text


def _case(record: Record, pairs: Mapping[str, np.ndarray], said: Said | None) -> Case:
    losses = {mode: _mean(pair[None]) for mode, pair in pairs.items() if pair[1]}
    return Case(record, losses, said, scores_of(record.kind, [said.text], [record.label]) if said else {})


def _mean(pairs: np.ndarray) -> float:
    total, tokens = pairs.sum(axis=0)
    return float(total / tokens)
