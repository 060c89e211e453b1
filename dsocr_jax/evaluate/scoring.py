"""One answer of a kind against its truth → all metrics of that kind.

Every metric of a set is the mean of these numbers over the examples they apply to; what does not apply to an example
is None there. An answer that cannot be parsed is a wrong answer: it scores as an empty one would, at the bottom of
every metric that applies, and lowers the share of parseable answers. A truth that cannot be parsed is an error.
"""

from collections.abc import Callable

from dsocr_jax.answers import AnswerError
from dsocr_jax.answers.geometry import Figure, parse_figure
from dsocr_jax.answers.tables import Table, parse_table
from dsocr_jax.evaluate import charts, geometry, molecules, teds, text
from dsocr_jax.evaluate.loops import ends_in_loop

#: One example's metrics; what does not apply to the example is None.
Row = dict[str, float | None]

LOWER_IS_BETTER = frozenset(
    {
        "edit_dist",
        "loops",
        *("text_edit", "formula_edit", "table_edit", "order_edit", "overall_edit"),
    }
)

#: Metrics of a set that are a sum over a sum rather than a mean over examples: TEDS is over tables, not over pages.
RATIOS = {
    "table_teds": ("_table_teds", "_tables"),
    "table_teds_structure": ("_table_teds_structure", "_tables"),
}
#: Metrics of a set that are the plain mean of others, of those that there are.
PARTS = {"overall_edit": ("text_edit", "formula_edit", "table_edit", "order_edit")}

#: Thresholds of similarity of which the average precision is told beside their mean, in hundredths.
AP_THRESHOLDS = (50, 75, 90)

_NO_TABLE, _NO_FIGURE = Table((("",),)), Figure(())


def score_page(prediction: str, truth: str, words: text.Words = "ideographs") -> Row:
    """Word sets, edit distance and loops of a page's text (`text`, `loops`)."""
    precision = text.word_set_precision(prediction, truth, words)
    recall = text.word_set_recall(prediction, truth, words)
    return {
        "word_set_precision": precision,
        "word_set_recall": recall,
        "word_set_f1": text.word_set_f1(prediction, truth, words),
        # The released Fox script swaps the roles of answer and truth, and so the names of the two numbers.
        "fox_precision_as_released": recall,
        "fox_recall_as_released": precision,
        "edit_dist": text.edit_dist(prediction, truth),
        "loops": float(ends_in_loop(prediction)),
    }


def score_molecule(prediction: str, truth: str) -> Row:
    """Validity, equality with and without stereo, similarity (`molecules`)."""
    found = molecules.score_molecule(prediction, truth)
    return {
        "valid": float(found.valid),
        "exact": float(found.exact),
        "exact_without_stereo": float(found.exact_without_stereo),
        "tanimoto": found.tanimoto,
        "edit_dist": found.edit_dist,
    }


def score_chart(prediction: str, truth: str) -> Row:
    """RMS, SCRM, cells, numbers and TEDS of a chart's table (`charts`, `teds`)."""
    true = _comparable(parse_table(truth))
    try:
        predicted, parseable = _comparable(parse_table(prediction)), True
    except AnswerError:
        predicted, parseable = _NO_TABLE, False
    row: Row = {
        "parseable": float(parseable),
        "rms": charts.rms(predicted, true) if parseable else 0.0,
        "teds": teds.teds(predicted, true) if parseable else 0.0,
        "cell_accuracy": charts.cell_accuracy(predicted, true) if parseable else 0.0,
        "number_accuracy": charts.number_accuracy(predicted, true),
    }
    for name, tolerance in charts.TOLERANCES.items():
        # An unparseable answer must not get the similarity 1 that two tables without values have.
        counts = [charts.scrm_counts(predicted, true, tolerance) if parseable else (0, 1)]
        row[f"scrm_map_{name}"] = charts.mean_average_precision(counts)
        row |= {f"scrm_ap{level}_{name}": charts.average_precision(counts, level) for level in AP_THRESHOLDS}
        if tolerance is charts.STRICT:
            row["exact_match"] = charts.average_precision(counts, 100)
    return row


def score_figure(prediction: str, truth: str) -> Row:
    """Segments as released and fixed, line types, labelled points and circles of a geometry figure (`geometry`)."""
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


def _comparable(table: Table) -> Table:
    if charts.too_large(table) or teds.count_nodes(table) > teds.MAX_NODES:
        raise AnswerError(
            f"a table with more than {charts.MAX_VALUES} values or {teds.MAX_NODES} nodes is not compared"
        )
    return table


#: Kind → what scores one answer (stripped) against its truth (stripped).
SCORERS: dict[str, Callable[[str, str], Row]] = {
    "charts": score_chart,
    "molecules": score_molecule,
    "geometry": score_figure,
    "pages": score_page,
}
