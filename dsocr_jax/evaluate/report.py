"""All metrics of a kind in one call, and the result as a table or JSON.

An answer that cannot be parsed is a wrong answer: it scores as an empty one would, at the bottom of every metric that
applies, and lowers the share of parseable answers. A truth that cannot be parsed is an error.
"""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.geometry import Figure, parse_figure
from dsocr_jax.answers.tables import Table, parse_table
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate import charts, geometry, molecules, teds, text

if TYPE_CHECKING:
    from rich.table import Table as RichTable

#: Metric → value; None where no example has what the metric measures. "count" is the number of examples.
Scores = dict[str, float | None]
#: One example's metrics, before the mean; what does not apply to the example is None.
Row = dict[str, float | None]

LOWER_IS_BETTER = frozenset({"edit_dist"})

_NO_TABLE, _NO_FIGURE = Table((("",),)), Figure(())


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
    if kind not in _SCORERS:
        raise UserError(f"there is no kind {kind!r} to score; kinds are {', '.join(_SCORERS)}")
    if len(predictions) != len(truths):
        raise UserError(f"{kind}: {len(predictions)} predictions but {len(truths)} truths; give one for each")
    if not truths:
        raise UserError(f"{kind}: nothing to score; give at least one prediction with its truth")
    score_one, gather = _SCORERS[kind]
    rows: list[Row] = []
    silence = contextlib.nullcontext(lambda amount, note: None)
    with progress(f"scoring {kind}", len(truths)) if show_progress else silence as advance:
        for number, (prediction, truth) in enumerate(zip(predictions, truths, strict=True)):
            try:
                rows.append(score_one(prediction.strip(), truth.strip()))
            except AnswerError as error:
                raise UserError(f"{kind}: truth {number} cannot be used ({error}); rebuild it") from None
            advance(1, "")
    return {"count": float(len(rows)), **gather(rows)}


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


def _page(prediction: str, truth: str) -> Row:
    return {
        "word_set_precision": text.word_set_precision(prediction, truth),
        "word_set_recall": text.word_set_recall(prediction, truth),
        "fox_precision_as_released": text.fox_precision_as_released(prediction, truth),
        "edit_dist": text.edit_dist(prediction, truth),
    }


def _molecule(prediction: str, truth: str) -> Row:
    found = molecules.score_molecule(prediction, truth)
    return {
        "valid": float(found.valid),
        "exact": float(found.exact),
        "exact_without_stereo": float(found.exact_without_stereo),
        "tanimoto": found.tanimoto,
        "edit_dist": found.edit_dist,
    }


def _chart(prediction: str, truth: str) -> dict[str, Any]:
    true = _comparable(parse_table(truth))
    try:
        predicted, parseable = _comparable(parse_table(prediction)), True
    except AnswerError:
        predicted, parseable = _NO_TABLE, False
    row: dict[str, Any] = {
        "parseable": float(parseable),
        "rms": charts.rms(predicted, true) if parseable else 0.0,
        "teds": teds.teds(predicted, true) if parseable else 0.0,
        "cell_accuracy": charts.cell_accuracy(predicted, true) if parseable else 0.0,
        "number_accuracy": charts.number_accuracy(predicted, true),
    }
    for name, tolerance in charts.TOLERANCES.items():
        # An unparseable answer must not get the similarity 1 that two tables without values have.
        row[f"scrm_{name}"] = charts.scrm_counts(predicted, true, tolerance) if parseable else (0, 1)
    return row


def _comparable(table: Table) -> Table:
    if charts.too_large(table) or teds.count_nodes(table) > teds.MAX_NODES:
        raise AnswerError(
            f"a table with more than {charts.MAX_VALUES} values or {teds.MAX_NODES} nodes is not compared"
        )
    return table


def _gather_charts(rows: Sequence[dict[str, Any]]) -> Scores:
    counts = {name: [row.pop(f"scrm_{name}") for row in rows] for name in charts.TOLERANCES}
    scores = _means(rows)
    for name, pairs in counts.items():
        scores[f"scrm_map_{name}"] = charts.mean_average_precision(pairs)
        for threshold in (50, 75, 90):
            scores[f"scrm_ap{threshold}_{name}"] = charts.average_precision(pairs, threshold)
    scores["exact_match"] = charts.average_precision(counts["strict"], 100)
    return scores


def _figure(prediction: str, truth: str) -> Row:
    true = parse_figure(truth)
    try:
        predicted, parseable = parse_figure(prediction), True
    except AnswerError:
        predicted, parseable = _NO_FIGURE, False
    found, wanted = geometry.merge_segments(predicted.segments), geometry.merge_segments(true.segments)
    row: Row = {"parseable": float(parseable)}
    for fixed, form in ((False, "as_released"), (True, "fixed")):
        for threshold in geometry.THRESHOLDS:
            row[f"f1_{threshold}_{form}"] = geometry.segment_f1(found, wanted, threshold, fixed=fixed)
            for short, name in ((True, "short"), (False, "long")):
                of_found, of_wanted = (geometry.length_class(side, short=short) for side in (found, wanted))
                row[f"f1_{threshold}_{name}_{form}"] = geometry.segment_f1(of_found, of_wanted, threshold, fixed=fixed)
    row["line_type_accuracy"] = geometry.line_type_accuracy(found, wanted)
    row["point_accuracy"] = geometry.point_accuracy(predicted, true)
    row["circle_f1"] = geometry.circle_f1(predicted, true)
    return row


def _means(rows: Sequence[Row]) -> Scores:
    """Average every metric over the examples it applies to."""
    scores: Scores = {}
    for name in rows[0]:
        known = [value for row in rows if (value := row[name]) is not None]
        scores[name] = sum(known) / len(known) if known else None
    return scores


_SCORERS: dict[str, tuple[Callable[[str, str], dict[str, Any]], Callable[[Sequence[dict[str, Any]]], Scores]]] = {
    "charts": (_chart, _gather_charts),
    "molecules": (_molecule, _means),
    "geometry": (_figure, _means),
    "pages": (_page, _means),
}
