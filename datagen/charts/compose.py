"""The data of a chart: what it is about, categories, series that behave, true values."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from datagen.charts.numbers import fill_up
from datagen.charts.settings import ChartSettings
from datagen.charts.words import PAIRS, PLACES, POOLS, RATES, SERIES_POOLS, SHARE_TITLES, SHORT_NAMES, TOPICS, Topic
from datagen.family import Rejected

#: Slices of an easy pie take at least this share, so that their texts fit; of a standard pie, at least the second.
MIN_EASY_SLICE = 0.2
MIN_SLICE = 0.03


@dataclass(frozen=True)
class Series:
    """A row of true values; None is a missing point."""

    name: str
    values: tuple[float | None, ...]
    topic: Topic
    decimals: int

    @property
    def known(self) -> list[float]:
        """The values that are not missing."""
        return [value for value in self.values if value is not None]


@dataclass(frozen=True)
class ChartData:
    """What a chart says; everything about its look is decided when it is drawn.

    Attributes:
        kind: "bar", "stacked", "line", "pie" or "composite" (the last series on a second axis, as a line).
        title, y_title, x_title: texts that may be drawn.
        categories: names of the rows.
        series: the columns; a single one may go unnamed.
        percent: the values are percentages of a whole.
    """

    kind: str
    title: str
    x_title: str
    y_title: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    percent: bool = False

    @property
    def key(self) -> str:
        """The table of true values: categories, and names and values of the series."""
        return json.dumps([self.categories, [[series.name, series.values] for series in self.series]])


def compose(rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    """Draw the data of a chart.

    Raises:
        Rejected: the slices of a pie would be too thin.
    """
    kind = str(rng.choice(settings.kinds))
    return _simple(kind, rng, settings) if settings.simple else KINDS[kind](rng, settings)


def _simple(kind: str, rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    low, high = settings.categories
    count = int(rng.integers(low, min(high, 3) + 1 if kind == "pie" else high + 1))
    names = tuple(SHORT_NAMES[i] for i in rng.choice(len(SHORT_NAMES), count, replace=False))
    values = rng.integers(1, 10, count)
    if kind == "pie" and float(np.min(values)) / float(np.sum(values)) < MIN_EASY_SLICE:
        raise Rejected("slice too thin")
    series = Series("", tuple(float(value) for value in values), Topic("", "", 1, 9, (0,)), 0)
    return ChartData(kind, "", "", "", names, (series,))


def _bar(rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    return _cartesian("bar", 1, rng, settings)


def _grouped(rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    return _cartesian("bar", int(rng.integers(settings.series[0], min(4, settings.series[1]) + 1)), rng, settings)


def _stacked(rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    return _cartesian("stacked", int(rng.integers(settings.series[0], settings.series[1] + 1)), rng, settings)


def _line(rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    count = 1 if rng.random() < 0.4 else int(rng.integers(settings.series[0], settings.series[1] + 1))
    return _cartesian("line", count, rng, settings)


def _composite(rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    data = _cartesian("composite", int(rng.integers(1, 3)), rng, settings)
    rate = RATES[int(rng.integers(len(RATES)))]
    decimals = int(rng.choice(rate.decimals))
    series = list(data.series)
    if len(series) == 1:  # both axes have their series in the legend, so this one needs a name
        series = [Series(series[0].topic.name, *_tail(series[0]))]
    values = _values(rate, len(data.categories), rng, decimals=decimals, ordered=True, level=float(rng.random()))
    return ChartData(
        "composite",
        f"{data.title} and {rate.name.lower()}" if rng.random() < 0.5 else data.title,
        data.x_title,
        data.y_title,
        data.categories,
        (*series, Series(rate.name, tuple(values), rate, decimals)),
    )


def _pie(rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    count = int(rng.integers(max(2, settings.categories[0]), min(8, settings.categories[1]) + 1))
    pool = str(
        rng.choice(("energy", "products", "regions", "transport", "channels", "expenses", "sectors", "companies"))
    )
    names = _pick_names(pool, count, rng)
    weights = rng.dirichlet(np.full(count, 2.5))
    if np.min(weights) < MIN_SLICE:
        raise Rejected("slice too thin")
    percent = bool(rng.random() < 0.6)
    if percent:
        decimals = int(rng.choice((0, 1, 1)))
        topic = Topic(str(rng.choice(SHARE_TITLES)), "%", 0, 100, (0, 1), suffix="%")
        values = fill_up(weights.tolist(), decimals)
    else:
        topic = _topic(rng, lambda topic: topic.additive)
        decimals = int(rng.choice(topic.decimals))
        total = topic.low * (topic.high / topic.low) ** float(rng.random()) * count
        values = [round(float(weight * total), decimals) for weight in weights]
        if min(values) <= 0:
            raise Rejected("slice too thin")
    title = topic.name if percent and rng.random() < 0.6 else _title(topic, POOLS[pool].title, rng)
    series = Series("", tuple(values), topic, decimals)
    return ChartData("pie", title, "", topic.title, names, (series,), percent)


#: What `ChartSettings.kinds` may name.
KINDS: dict[str, Callable[[np.random.Generator, ChartSettings], ChartData]] = {
    "bar": _bar,
    "grouped": _grouped,
    "stacked": _stacked,
    "line": _line,
    "pie": _pie,
    "composite": _composite,
}


def _cartesian(kind: str, count: int, rng: np.random.Generator, settings: ChartSettings) -> ChartData:
    """Draw categories, a topic and ``count`` series of it."""
    ordered_only = kind in ("line", "composite")
    pools = [name for name, pool in POOLS.items() if pool.ordered or not ordered_only]
    pool = str(rng.choice(pools))
    most = min(settings.categories[1], len(set(POOLS[pool].names)))
    most = min(most, max(4, 24 // count)) if kind == "bar" else most
    categories = _pick_names(pool, int(rng.integers(settings.categories[0], most + 1)), rng)
    topic = _topic(rng, lambda topic: topic.additive or kind != "stacked")
    decimals = int(rng.choice(topic.decimals))
    percent = kind == "stacked" and rng.random() < 0.35
    if percent:
        topic, decimals = Topic("Share", "%", 5, 60, (0, 1), suffix="%"), int(rng.choice((0, 1)))
    names = _series_names(count, pool, rng)
    level, ordered = float(rng.random()), POOLS[pool].ordered
    columns = []
    for _ in range(count):
        # Series of one chart are of like size, so that all of them can be read off one axis.
        near = min(1.0, max(0.0, level + float(rng.normal(0, 0.08))))
        columns.append(_values(topic, len(categories), rng, decimals=decimals, ordered=ordered, level=near))
    if percent:
        rows = [fill_up(list(row), decimals) for row in zip(*columns, strict=True)]
        columns = [list(column) for column in zip(*rows, strict=True)]
    known: list[list[float | None]] = [list(column) for column in columns]
    if kind == "line" and len(categories) > 4 and rng.random() < settings.missing:
        known[int(rng.integers(count))][int(rng.integers(1, len(categories) - 1))] = None
    series = tuple(Series(name, tuple(v), topic, decimals) for name, v in zip(names, known, strict=True))
    title = _title(topic, POOLS[pool].title, rng)
    return ChartData(kind, title, POOLS[pool].title, topic.title, categories, series, percent)


def _values(
    topic: Topic, count: int, rng: np.random.Generator, *, decimals: int, ordered: bool, level: float
) -> list[float]:
    """Return values around a typical one: a trend, perhaps with a season, along ordered categories; else scatter."""
    typical = topic.low * (topic.high / topic.low) ** level
    if ordered:
        place = np.linspace(0, 1, count)
        shape = 1 + float(rng.normal(0, 0.45)) * (place - 0.5)
        if rng.random() < 0.4:
            shape = shape + rng.uniform(0.1, 0.35) * np.sin(2 * np.pi * (place * rng.uniform(0.7, 2) + rng.random()))
        shape = shape * (1 + rng.normal(0, rng.uniform(0.02, 0.12), count))
    else:
        shape = np.exp(rng.normal(0, rng.uniform(0.15, 0.6), count))
    sinks = topic.signed and rng.random() < 0.35
    shape = shape - rng.uniform(0.5, 1.2) if sinks else np.maximum(shape, 0.08)
    bound = 100.0 if topic.unit == "%" and not topic.signed else np.inf
    least = 0.0 if topic.signed else 10.0**-decimals
    values = typical * shape
    if values.max() > bound:
        values = values * (bound * float(rng.uniform(0.9, 0.99)) / values.max())
    values = values if topic.signed else np.clip(values, least, bound)
    return [round(float(value), decimals) + 0.0 for value in values]


def _tail(series: Series) -> tuple[tuple[float | None, ...], Topic, int]:
    return series.values, series.topic, series.decimals


def _topic(rng: np.random.Generator, fits: Callable[[Topic], bool]) -> Topic:
    topics = [topic for topic in TOPICS if fits(topic)]
    return topics[int(rng.integers(len(topics)))]


def _pick_names(pool: str, count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Return names of a pool: neighbours if it is ordered, else any."""
    names = POOLS[pool].names
    if not POOLS[pool].ordered:
        return tuple(names[i] for i in rng.choice(len(names), count, replace=False))
    span = len(set(names))
    stride = int(rng.integers(1, 3)) if pool in ("years", "weeks", "hours") and count * 2 < span else 1
    first = int(rng.integers(0, len(names) - (count - 1) * stride))
    return names[first : first + count * stride : stride]


def _series_names(count: int, pool: str, rng: np.random.Generator) -> tuple[str, ...]:
    if count == 1:
        return ("",)
    fixed = [names for names in PAIRS if len(names) == count]
    if fixed and rng.random() < 0.5:
        return fixed[int(rng.integers(len(fixed)))]
    others = [name for name in SERIES_POOLS if name != pool]
    return _pick_names(str(rng.choice(others)), count, rng)


def _title(topic: Topic, dimension: str, rng: np.random.Generator) -> str:
    place = str(rng.choice(PLACES))
    forms = (
        topic.name,
        f"{topic.name} by {dimension.lower()}",
        f"{topic.name} in {place}",
        f"{topic.name} per {dimension.lower()} in {place}",
        topic.title if topic.unit else f"Number of {topic.name.lower()}",
    )
    return forms[int(rng.integers(len(forms)))]
