"""All metrics of a kind in one call, and the result as a table or JSON; for reports with intervals see `result`."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dsocr_jax.answers import AnswerError
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.scoring import LOWER_IS_BETTER, SCORERS, Row

if TYPE_CHECKING:
    from rich.table import Table as RichTable

#: Metric → value; None where no example has what the metric measures. "count" is the number of examples.
Scores = dict[str, float | None]

__all__ = ["LOWER_IS_BETTER", "Scores", "score", "to_json", "to_rich", "to_text", "write_json"]


def score(kind: str, predictions: Sequence[str], truths: Sequence[str], *, show_progress: bool = False) -> Scores:
    """Score answers of one kind against their truths.

    Args:
        kind: "charts", "molecules", "geometry" or "pages".
        predictions: the answers, in any form; white space around an answer does not count.
        truths: the labels, in the same order.
        show_progress: show a bar on standard error.

    Returns:
        "count" and every metric of the kind, each the mean over the examples it applies to.

    Raises:
        UserError: unknown kind, nothing to score, different numbers of predictions and truths, or a malformed truth.
    """
    if kind not in SCORERS:
        raise UserError(f"there is no kind {kind!r} to score; kinds are {', '.join(SCORERS)}")
    if len(predictions) != len(truths):
        raise UserError(f"{kind}: {len(predictions)} predictions but {len(truths)} truths; give one for each")
    if not truths:
        raise UserError(f"{kind}: nothing to score; give at least one prediction with its truth")
    score_one = SCORERS[kind]
    rows: list[Row] = []
    silence = contextlib.nullcontext(lambda amount, note: None)
    with progress(f"scoring {kind}", len(truths)) if show_progress else silence as advance:
        for number, (prediction, truth) in enumerate(zip(predictions, truths, strict=True)):
            try:
                rows.append(score_one(prediction.strip(), truth.strip()))
            except AnswerError as error:
                raise UserError(f"{kind}: truth {number} cannot be used ({error}); rebuild it") from None
            advance(1, "")
    return {"count": float(len(rows)), **_means(rows)}


def to_json(scores: Mapping[str, Scores]) -> str:
    """Return scores by kind as JSON text; metrics that apply to nothing are null."""
    return json.dumps(scores, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(scores: Mapping[str, Scores], path: Path) -> None:
    """Write scores by kind to a JSON file, whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(to_json(scores), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise UserError(f"{path}: the scores cannot be written ({error.strerror}); give another place") from None


def to_text(scores: Mapping[str, Scores]) -> str:
    """Return scores by kind as a plain table, one metric a line."""
    lines = [f"{kind:<10} {name:<34} {shown}" for kind, name, shown in _lines(scores)]
    return "\n".join([f"{'kind':<10} {'metric':<34} value", *lines]) + "\n"


def to_rich(scores: Mapping[str, Scores]) -> "RichTable":
    """Return scores by kind as a table for the terminal."""
    from rich.table import Table as RichTable

    table = RichTable("kind", "metric", title="Scores")
    table.add_column("value", justify="right")
    last = None
    for kind, name, shown in _lines(scores):
        if last not in (None, kind):
            table.add_section()
        table.add_row(kind if kind != last else "", name, shown)
        last = kind
    return table


def _lines(scores: Mapping[str, Scores]) -> list[tuple[str, str, str]]:
    return [
        (kind, f"{name} (lower is better)" if name in LOWER_IS_BETTER else name, _shown(name, value))
        for kind, metrics in scores.items()
        for name, value in metrics.items()
    ]


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if name == "count" else f"{value:.4f}"


def _means(rows: Sequence[Row]) -> Scores:
    """Average every metric over the examples it applies to."""
    scores: Scores = {}
    for name in rows[0]:
        known = [value for row in rows if (value := row[name]) is not None]
        scores[name] = sum(known) / len(known) if known else None
    return scores
