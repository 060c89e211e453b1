"""Results as tables of text: for the terminal and for HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from dsocr_jax.evaluate.bootstrap import Estimate
from dsocr_jax.evaluate.compression import limits_of
from dsocr_jax.evaluate.items import PLAIN
from dsocr_jax.evaluate.paper import published_precision
from dsocr_jax.evaluate.result import Evaluation, Group
from dsocr_jax.evaluate.rivals import notes as rival_notes
from dsocr_jax.evaluate.scoring import LOWER_IS_BETTER

#: Metrics whose value is a number of something rather than a share of 1.
AMOUNTS = frozenset({"text_tokens", "answer_tokens", "vision_tokens", "compression"})
#: Counts that are told although they are none.
_ALWAYS = ("pages", "examples", "answered")


@dataclass(frozen=True)
class Grid:
    """A table to show.

    Attributes:
        title: what it is.
        head: names of the columns.
        rows: texts of the cells.
        notes: lines below it.
        breaks: numbers of the rows that a line stands above.
        words: columns with words in them, which are not set to the right.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    breaks: tuple[int, ...] = ()
    words: int = 1


def make_grid(evaluation: Evaluation) -> Grid:
    """Return the table that fits an evaluation's task."""
    if evaluation.task == "compression":
        return _compression(evaluation)
    if evaluation.task == "documents":
        return _by_group(evaluation)
    return _by_metric(evaluation)


def show(estimate: Estimate | None, *, percent: bool = False, interval: bool = True, digits: int = 3) -> str:
    """Return an estimate as text: the value, and the interval in brackets.

    >>> show(Estimate(0.9521, 0.9432, 0.96, 100), percent=True)
    '95.2 [94.3, 96.0]'
    >>> show(None)
    '-'
    """
    if estimate is None or estimate.value is None:
        return "-"
    scale, digits = (100, 1) if percent else (1, digits)
    text = f"{scale * estimate.value:.{digits}f}"
    if interval and estimate.low is not None and estimate.high is not None:
        text += f" [{scale * estimate.low:.{digits}f}, {scale * estimate.high:.{digits}f}]"
    return text


def named(metric: str) -> str:
    """Return a metric's name, with an arrow to where it gets better."""
    return metric if metric in AMOUNTS else f"{metric} {'↓' if metric in LOWER_IS_BETTER else '↑'}"


def precision_lines(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the precision of every bin in one line for each set and mode, and the pages of the bins."""
    lines = []
    for variant, mode in dict.fromkeys((group.name["set"], group.name["mode"]) for group in evaluation.groups):
        bins = [
            g for g in evaluation.groups if "tokens" in g.name and (g.name["set"], g.name["mode"]) == (variant, mode)
        ]
        values = " ".join(show(group.metrics["word_set_precision"], percent=True, interval=False) for group in bins)
        pages = " ".join(str(group.count) for group in bins)
        what = ", ".join(filter(None, [mode, "" if variant == PLAIN else variant]))
        lines.append(f"precision{f' ({what})' if what else ''}: {values} ({pages} pages)")
    return tuple(lines)


def _compression(evaluation: Evaluation) -> Grid:
    variants = len({group.name["set"] for group in evaluation.groups}) > 1
    modes = any(group.name["mode"] for group in evaluation.groups)
    head = (
        *(["set"] if variants else []), *(["mode"] if modes else []), "text tokens", "pages", "vision tokens",
        "ratio", "precision, %", "paper", "recall, %", "edit dist ↓", "loops, % ↓", "answer tokens",
    )  # fmt: skip
    rows, breaks, last = [], [], None
    for group in evaluation.groups:
        name = (group.name["set"], group.name["mode"])
        if last not in (None, name):
            breaks.append(len(rows))
        last = name
        rows.append(
            (
                *([name[0]] if variants else []),
                *([name[1]] if modes else []),
                group.name.get("tokens", "all"),
                str(group.count),
                show(group.metrics["vision_tokens"], interval=False, digits=0),
                show(group.metrics["compression"], interval=False, digits=1),
                show(group.metrics["word_set_precision"], percent=True),
                _published(group),
                show(group.metrics["word_set_recall"], percent=True),
                show(group.metrics["edit_dist"]),
                show(group.metrics["loops"], percent=True, interval=False),
                show(group.metrics["answer_tokens"], interval=False, digits=0),
            )
        )
    notes = (
        *rival_notes(group.name["mode"] for group in evaluation.groups),
        "Precision: distinct words in both over distinct words answered, the column of the paper's Table 2. Fox's "
        "script swaps the roles: what it prints as precision is the recall here, and the other way round.",
        *precision_lines(evaluation),
    )
    return Grid("Compression", head, tuple(rows), notes, tuple(breaks), 1 + variants + modes)


def _published(group: Group) -> str:
    if "tokens" not in group.name or group.name["set"] != PLAIN:
        return ""
    value = published_precision(*limits_of(group.name["tokens"]), group.metrics["vision_tokens"].value)
    return "" if value is None else f"{100 * value:.1f}"


def _by_group(evaluation: Evaluation) -> Grid:
    """Groups as rows: few metrics, many groups."""
    metrics = list(dict.fromkeys(name for group in evaluation.groups for name in group.metrics))
    rows, breaks, last = [], [], None
    for group in evaluation.groups:
        kind = next(iter(group.name), "")
        if last not in (None, kind):
            breaks.append(len(rows))
        last = kind
        title = f"{kind}: {group.title}" if kind else "all"
        rows.append((title, str(group.count), *(show(group.metrics.get(name), interval=not kind) for name in metrics)))
    head = ("pages", "count", *map(named, metrics))
    return Grid(evaluation.task.capitalize(), head, tuple(rows), breaks=tuple(breaks))


def _by_metric(evaluation: Evaluation) -> Grid:
    """Metrics as rows: many metrics, few groups."""
    metrics = list(dict.fromkeys(name for group in evaluation.groups for name in group.metrics))
    head = ("metric", *(group.title for group in evaluation.groups))
    count = ("count", *(str(group.count) for group in evaluation.groups))
    rows = [(named(name), *(show(group.metrics.get(name)) for group in evaluation.groups)) for name in metrics]
    return Grid(evaluation.task.capitalize(), head, (count, *rows))


def counts_line(counts: dict[str, int]) -> str:
    """Return the counts of an evaluation as one line, those of nothing left out.

    >>> counts_line({"pages": 112, "missing_answers": 0, "outside_the_bins": 12})
    '112 pages, 12 outside the bins'
    """
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count or name in _ALWAYS)


def print_grid(grid: Grid, columns: Sequence[int] | None = None) -> None:
    """Print a table to standard output, whole whatever the width of the terminal."""
    from rich.console import Console
    from rich.table import Table

    terminal = Console(highlight=False)
    if not terminal.is_terminal:
        terminal = Console(highlight=False, width=240)
    chosen = list(columns) if columns is not None else list(range(len(grid.head)))
    table = Table(*[], title=grid.title, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in chosen:
        table.add_column(grid.head[column], justify="left" if column < grid.words else "right", overflow="fold")
    for number, row in enumerate(grid.rows):
        if number in grid.breaks:
            table.add_row()
        table.add_row(*(row[column] for column in chosen))
    terminal.print(table)
    for note in grid.notes:
        terminal.print(note, markup=False, soft_wrap=True)
