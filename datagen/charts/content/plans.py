"""Which topics can be shown as which kind of chart, and split by what."""

import functools
from dataclasses import dataclass

from datagen.charts.content.rows import ORDERED, TIMES
from datagen.charts.content.topics import Topic, catalogue

#: Series that are parts of one whole, and may so be stacked.
PARTS = frozenset(
    (
        *("divisions", "regions", "products", "channels", "cost_types", "media", "sectors", "functions", "energy"),
        *(
            "transport",
            "carriers",
            "freight_modes",
            "emitters",
            "drives",
            "materials",
            "crops",
            "subjects",
            "sports",
            "departments",
            "ages",
            "parties",
        ),
        *("companies", "online_store", "home_abroad", "sexes", "full_part", "urban_rural", "devices", "customers"),
        *("expenses", "answers", "countries"),
    )
)
#: Models that bars, and groups of bars, over time do not suit.
_NO_BARS = frozenset({"walk", "steps", "decay"})
_NO_GROUPS = frozenset({"walk", "decay", "explode"})
_STACKED = frozenset({"stacked", "percent", "stacked area", "percent area"})
_SEVERAL = _STACKED | {"grouped"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A topic, what its categories can be (letters of `TIMES`, or pools) and what its series."""

    topic: Topic
    rows: tuple[str, ...]
    series: tuple[str, ...]


@functools.cache
def plans(kind: str) -> tuple[Plan, ...]:
    """Return what a kind of charts of bars, lines, areas or steps, or "pie", can be about."""
    found = (_plan(kind, topic) for topic in catalogue().topics.values())
    return tuple(plan for plan in found if plan)


def _plan(kind: str, topic: Topic) -> Plan | None:
    if kind == "pie":
        names = (topic.parts,) if topic.parts else tuple(p for p in topic.by if p in PARTS) if topic.additive else ()
        return Plan(topic, names, ()) if names else None
    if topic.parts:
        return _share_plan(kind, topic)
    if not _suits(kind, topic):
        return None
    rows, series = _times(kind, topic) + _names(kind, topic), topic.series
    if kind in _STACKED:
        series = tuple(pool for pool in series if pool in PARTS)
    return Plan(topic, rows, series) if rows and (series or kind not in _SEVERAL) else None


def _suits(kind: str, topic: Topic) -> bool:
    """Tell whether a topic behaves as a kind needs it."""
    if kind in _STACKED:
        return topic.additive
    if kind == "area":
        return not topic.signed and topic.model not in ("walk", "steps") and topic.spread >= 0.15
    return kind != "step" or topic.model in ("steps", "walk", "rate", "level")


def _times(kind: str, topic: Topic) -> tuple[str, ...]:
    unsuited = _NO_BARS if kind == "bar" else _NO_GROUPS if kind == "grouped" else ()
    return () if topic.model in unsuited else tuple(topic.over)


def _names(kind: str, topic: Topic) -> tuple[str, ...]:
    if kind in ("area", "step", "stacked area", "percent area"):
        return ()
    return tuple(pool for pool in topic.by if pool in ORDERED) if kind == "line" else topic.by


def _share_plan(kind: str, topic: Topic) -> Plan | None:
    """Return a plan for shares of a whole: either the categories or the series are its parts."""
    if kind in ("bar", "grouped"):
        return Plan(topic, (topic.parts,), ("years",))
    if kind == "percent":
        return Plan(topic, tuple(topic.over) + topic.by, (topic.parts,))
    if kind in ("line", "percent area"):
        return Plan(topic, tuple(topic.over), (topic.parts,))
    return None


def is_time(row: str) -> bool:
    """Tell whether categories are times."""
    return row in TIMES
