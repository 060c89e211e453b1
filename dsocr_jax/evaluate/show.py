"""Which pages a report shows."""

from collections.abc import Mapping, Sequence

from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.html import Example
from dsocr_jax.evaluate.items import Item, Reply
from dsocr_jax.evaluate.pictures import thumbnail
from dsocr_jax.evaluate.result import Scored
from dsocr_jax.evaluate.scoring import LOWER_IS_BETTER, PARTS, RATIOS
from dsocr_jax.prompts import PROMPTS
from dsocr_jax.reading.documents import natural_key

#: The metric by which a task's pages are told good from bad, and those that are shown with a page.
MAIN = {
    "compression": ("word_set_precision", "word_set_recall", "edit_dist", "loops", "text_tokens", "compression"),
    "documents": ("overall_edit", "text_edit", "formula_edit", "table_edit", "table_teds", "order_edit"),
    "charts": ("rms", "scrm_map_strict", "number_accuracy", "cell_accuracy", "teds"),
    "molecules": ("tanimoto", "valid", "exact", "exact_without_stereo"),
    "geometry": ("f1_0.75_fixed", "f1_0.75_as_released", "line_type_accuracy", "point_accuracy", "circle_f1"),
}


def pick(scored: Sequence[Scored], metric: str, count: int) -> list[Scored]:
    """Return the worst example of every group of equal labels, then the middle of each, then the next worst ...

    Groups stand in the order of their labels; a group without the metric has nothing to show.
    """
    sign = -1 if metric in LOWER_IS_BETTER else 1
    groups: dict[tuple[str, ...], list[Scored]] = {}
    for item in scored:
        if value_of(item, metric) is not None:
            groups.setdefault(tuple(item.labels.values()), []).append(item)
    rankings, orders = [], []
    for _, group in sorted(groups.items(), key=lambda pair: [natural_key(label) for label in pair[0]]):
        ranked = sorted(group, key=lambda item: (sign * (value_of(item, metric) or 0.0), item.id))
        middle = len(ranked) // 2
        rankings.append(ranked)
        orders.append(
            [ranked[0], *ranked[middle : middle + 1 if middle else 0], *ranked[1:middle], *ranked[middle + 1 :]]
        )
    turns = range(max(map(len, orders), default=0))
    chosen = {id(order[turn]): None for turn in turns for order in orders if turn < len(order)}
    kept = set(list(chosen)[:count])
    # Shown group by group, the worst first.
    return [item for ranked in rankings for item in ranked if id(item) in kept]


def value_of(item: Scored, metric: str) -> float | None:
    """Return a metric of one example, those made of others (`RATIOS`, `PARTS`) included."""
    if metric in RATIOS:
        over, under = (item.metrics.get(name) for name in RATIOS[metric])
        return None if over is None or not under else over / under
    if metric in PARTS:
        known = [value for part in PARTS[metric] if (value := item.metrics.get(part)) is not None]
        return sum(known) / len(known) if known else None
    return item.metrics.get(metric)


def make_examples(
    task: str, scored: Sequence[Scored], items: Sequence[Item], replies: Sequence[Reply], count: int
) -> list[Example]:
    """Return the examples of a report; a picture that cannot be opened is left out of its example."""
    pages = {(item.set, item.id): item for item in items}
    answers = {(reply.set, reply.mode, reply.id): reply.text for reply in replies}
    examples = []
    for one in pick(scored, MAIN[task][0], count):
        variant, mode = one.labels.get("set", "plain"), one.labels.get("mode", "")
        item = pages[variant, one.id]
        text = answers.get((variant, mode, one.id))
        numbers = {name: value_of(one, name) for name in MAIN[task]}
        said = "no answer" if text is None else facts(numbers, MAIN[task])
        title = " · ".join(filter(None, [one.id, *one.labels.values()]))
        words = task in ("compression", "documents")
        drawing = "" if words else _drawing(text or "")
        examples.append(Example(title, said, _picture(item), item.truth, text or "", words, drawing))
    return examples


def facts(metrics: Mapping[str, float | None], names: Sequence[str]) -> str:
    """Return the numbers of one example in a line."""
    known = [(name, value) for name in names if (value := metrics.get(name)) is not None]
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}".removesuffix(".000") for name, value in known)


def _picture(item: Item) -> str:
    if item.picture is None:
        return ""
    try:
        return thumbnail(item.picture())
    except UserError:
        return ""


def _drawing(answer: str) -> str:
    """Return the table, molecule or figure of an answer drawn again; empty where it says none."""
    from dsocr_jax.answers.understand import understand
    from dsocr_jax.reading.results.redraw import redraw

    drawing = redraw(understand(answer, PROMPTS["figure"], (1, 1)))
    return "" if drawing is None else thumbnail(drawing)
