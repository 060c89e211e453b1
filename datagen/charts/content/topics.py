"""What charts are about, whatever the language: magnitudes, units, how values behave, and what they are split by.

The topics stand in ``catalogue.json``; the words for them, for their units and for names in the languages' files.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

#: How values follow each other in time.
#: level: trend, season and correlated noise, all relative; walk: a random walk of the logarithm; rate: percentages or
#: scores that return to a mean; saturate: a growing share that levels off; wave: outbreaks; explode: exponential
#: growth; decay: rise and exponential fall; steps: a rate that is set, and kept for a while; balance: around zero;
#: warm: degrees over the year.
Model = Literal["level", "walk", "rate", "saturate", "wave", "explode", "decay", "steps", "balance", "warm"]


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that is counted or measured.

    Attributes:
        key: its key in the languages' files.
        unit: "money", "people" and the like (a key of the languages' files), "%" or a symbol; empty for none.
        low, high: typical values lie between; amounts of money in euros.
        over: what times it is followed over: years (Y), quarters (Q), months (M), weeks (W), days (D), days of the
            week (d), hours of the day (H), hours elapsed (E).
        by: names that it is split by, as categories.
        series: names that it is split by, as series.
        parts: for shares of a whole, the names of the parts.
        field: who publishes it: a key of the languages' organisations.
        model: how it goes on in time.
        trend: relative change in a year, on average.
        season: relative swing within a year (a day for H, a week for d), and where in it the peak is (0 to 1).
        noise: relative scatter from one value to the next.
        spread: relative scatter between names.
        decimals: how many its values may have; empty where their size decides.
        cap: no value is greater.
        additive: sums make sense, so it can be stacked and sliced.
        scaled: it may be counted in thousands, millions and so on.
        measured: error bars make sense.
        log: values may span decades.
        local: a title may say which place it is about.
    """

    key: str
    unit: str
    low: float
    high: float
    over: str = ""
    by: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    parts: str = ""
    field: str = "public"
    model: Model = "level"
    trend: float = 0.02
    season: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.04
    spread: float = 0.4
    decimals: tuple[int, ...] = ()
    cap: float = float("inf")
    additive: bool = False
    scaled: bool = False
    measured: bool = False
    log: bool = False
    local: bool = True

    @property
    def accounts(self) -> bool:
        """Whether it stands in the accounts of a company, which may have financial years."""
        return self.field == "company" and self.unit == "money"

    @property
    def signed(self) -> bool:
        """Whether values may be negative."""
        return self.model in ("balance", "warm")


@dataclass(frozen=True, slots=True)
class Scatter:
    """What the x and y of points are (keys of topics), their correlation, and the names that points may have."""

    x: str
    y: str
    correlation: float
    by: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """All topics by key; pairs of a topic of bars and one of lines on a second axis; pairs for scatter charts.

    The line "growth" is the change of the bars against the value before.
    """

    topics: dict[str, Topic]
    composites: tuple[tuple[str, str], ...]
    scatters: tuple[Scatter, ...]


@functools.cache
def catalogue() -> Catalogue:
    """Return what stands in ``catalogue.json``."""
    stored = json.loads(Path(__file__).with_name("catalogue.json").read_text("utf-8"))
    return Catalogue(
        {key: _topic(key, entry) for key, entry in stored["topics"].items()},
        tuple((bars, line) for bars, line in stored["composites"]),
        tuple(Scatter(x, y, correlation, tuple(by.split())) for x, y, correlation, by in stored["scatters"]),
    )


def _topic(key: str, entry: dict[str, Any]) -> Topic:
    low, high = entry.pop("range")
    names: dict[str, Any] = {name: tuple(entry.pop(name, "").split()) for name in ("by", "series")}
    lists: dict[str, Any] = {name: tuple(entry.pop(name)) for name in ("season", "decimals") if name in entry}
    return Topic(key, low=low, high=high, **names, **lists, **entry)
