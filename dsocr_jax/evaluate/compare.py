"""Two evaluations side by side: differences with intervals, page by page where both have the page."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.bootstrap import Bootstrap, Estimate, difference
from dsocr_jax.evaluate.options import Compare
from dsocr_jax.evaluate.result import Evaluation, Labels, Scored, has_labels, read, write_file
from dsocr_jax.evaluate.scoring import LOWER_IS_BETTER
from dsocr_jax.evaluate.tables import AMOUNTS, Grid, counts_line, named, print_grid, show


@dataclass(frozen=True)
class Difference:
    """One metric of one group in both evaluations, over the pages that both have.

    Attributes:
        group: labels of the group.
        metric: its name.
        first, second: means over the pages to which the metric applies in both.
        difference: second less first, with the interval of the pairs' mean difference.
    """

    group: Labels
    metric: str
    first: float
    second: float
    difference: Estimate

    @property
    def changed(self) -> bool:
        """Whether zero lies outside the interval."""
        low, high = self.difference.low, self.difference.high
        return low is not None and high is not None and (low > 0 or high < 0)

    @property
    def better(self) -> bool:
        """Whether the second is better, whatever chance may have done."""
        value = self.difference.value or 0.0
        return value < 0 if self.metric in LOWER_IS_BETTER else value > 0


def compare(first: Evaluation, second: Evaluation, how: Bootstrap) -> tuple[list[Difference], dict[str, int]]:
    """Return the differences of all groups and metrics, and counts of pages that were paired or not.

    A label that is the same for all pages of one evaluation and the same for all of the other (the mode, often) is
    what is compared, and does not keep pages apart.

    Raises:
        UserError: different tasks, or no page in both.
    """
    if first.task != second.task:
        raise UserError(f"one evaluates {first.task}, the other {second.task}; compare evaluations of the same task")
    dropped = {name for name in ("mode", "set") if _constant(first.items, name) and _constant(second.items, name)}
    ours, theirs = _by_page(first.items, dropped), _by_page(second.items, dropped)
    both = [key for key in ours if key in theirs]
    counts = {
        "pages": len(both),
        "only_in_the_first": len(ours) - len(both),
        "only_in_the_second": len(theirs) - len(both),
    }
    if not both:
        raise UserError(
            f"no page is in both evaluations ({len(ours)} and {len(theirs)} pages, such as "
            f"{_sample(first)} and {_sample(second)}); compare evaluations of the same pages"
        )
    names: list[Labels] = []
    for group in (*first.groups, *second.groups):
        name = {label: value for label, value in group.name.items() if label not in dropped}
        if name not in names:
            names.append(name)
    differences = []
    for name in names:
        pairs = [(ours[key], theirs[key]) for key in both if has_labels(_bare(ours[key], dropped), name)]
        if pairs:
            differences += _differences(name, pairs, how)
    return differences, counts


def _differences(name: Labels, pairs: Sequence[tuple[Scored, Scored]], how: Bootstrap) -> list[Difference]:
    found = difference([one.metrics for one, _ in pairs], [other.metrics for _, other in pairs], how)
    return [Difference(name, metric, first, second, gap) for metric, (first, second, gap) in found.items()]


def run_compare(job: Compare) -> int:
    """Carry out the command; the exit status is 0."""
    if job.samples < 0 or not 0 < job.level < 1:
        raise UserError(f"--samples must be at least 0 and --level between 0 and 1, not {job.samples} and {job.level}")
    differences, counts = compare(read(job.first), read(job.second), Bootstrap(job.samples, job.level, job.seed))
    if job.out is not None:
        data = {
            "first": str(job.first),
            "second": str(job.second),
            "counts": counts,
            "differences": [{**dataclasses.asdict(one), "changed": one.changed} for one in differences],
        }
        write_file(job.out, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    print_grid(_grid(differences, counts, job.changed))
    return 0


def _grid(differences: Sequence[Difference], counts: dict[str, int], changed: bool) -> Grid:
    rows, breaks, last = [], [], None
    for one in differences:
        if (changed and not one.changed) or (one.metric in AMOUNTS and not one.difference.value):
            continue
        if last not in (None, one.group):
            breaks.append(len(rows))
        title = "" if last == one.group else ", ".join(filter(None, one.group.values())) or "all"
        last = one.group
        verdict = ("" if one.metric in AMOUNTS else "better" if one.better else "worse") if one.changed else ""
        texts = (title, named(one.metric), f"{one.first:.3f}", f"{one.second:.3f}")
        rows.append((*texts, show(one.difference), str(one.difference.count), verdict))
    notes = (f"{counts_line(counts)}; a verdict stands where the interval leaves out zero",)
    head = ("group", "metric", "first", "second", "difference", "pages", "second is")
    return Grid("Comparison", head, tuple(rows), notes, tuple(breaks), 2)


def _constant(items: Sequence[Scored], label: str) -> bool:
    return len({item.labels.get(label, "") for item in items}) == 1


def _by_page(items: Sequence[Scored], dropped: set[str]) -> dict[tuple[str, ...], Scored]:
    kept = [name for name in ("set", "mode") if name not in dropped]
    return {(item.id, *(item.labels.get(name, "") for name in kept)): item for item in items}


def _bare(item: Scored, dropped: set[str]) -> Scored:
    return dataclasses.replace(item, labels={k: v for k, v in item.labels.items() if k not in dropped})


def _sample(evaluation: Evaluation) -> str:
    return repr(evaluation.items[0].id) if evaluation.items else "none"
