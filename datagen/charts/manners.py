"""House styles of one plotting library: colours and habits that a renderer puts on a look, in place of its theme's.

Colours were chosen by hand in the manner of what the libraries offer by default; nothing was copied.
"""

import zlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from datagen.charts.data import ChartData
from datagen.charts.look import Look
from datagen.charts.palettes import MIN_CONTRAST, MIN_DIFFERENCE, MIN_LINE_CONTRAST, Colour, colours, difference, mix

#: A house style has at most so many changes that are drawn from options.
MAX_CHANGES = 16


@dataclass(frozen=True)
class Manner:
    """A house style.

    Attributes:
        name: what it is in the manner of.
        grounds: colours of page, plot, titles, tick texts, grid, axis lines, bands and accent, in hexadecimal codes.
        series: colours of series, likewise.
        changes: what it does to a look besides; a tuple of options is drawn from.
        weight: how often it is taken, against others.
    """

    name: str
    grounds: str
    series: str
    changes: dict[str, Any] = field(default_factory=dict)
    weight: int = 1


def dice(look: Look, count: int, topic: str = "") -> list[float]:
    """Return random numbers from 0 to 1 that a look and its repaired forms have in common; more begin as fewer do."""
    # Repairs change neither of these.
    same = repr((topic, look.line_width, look.error_cap, look.area_alpha, look.theme.name, look.width, look.height))
    numbers: list[float] = np.random.default_rng(zlib.crc32(same.encode())).random(count).tolist()
    return numbers


def dress(look: Look, data: ChartData, manners: tuple[Manner, ...], share: float) -> tuple[Look, Manner | None]:
    """Put one of the ``manners`` on a look with probability ``share``; the look stays where its colours are too few.

    The choice depends on the look alone, and is the same after repairs.
    """
    chance, pick, *more = dice(look, 2 + MAX_CHANGES, "manner")
    options = iter(more)
    bag = [manner for manner in manners for _ in range(manner.weight)]
    if chance >= share:
        return look, None
    manner = bag[int(pick * len(bag))]
    grounds = colours(manner.grounds)
    wanted = len(data.categories) if data.kind == "pie" else 1 if data.kind == "scatter" else len(data.series)
    thin = data.kind == "scatter" or any(series.mark in ("line", "step", "area") for series in data.series)
    chosen = _distinct(colours(manner.series), wanted, grounds[1], thin)
    if len(chosen) < wanted:
        return look, None
    names = ("paper", "plot", "ink", "faint", "grid", "axis", "band", "accent")
    coloured: dict[str, Any] = dict(zip(names, grounds, strict=True))
    theme = replace(look.theme, name=manner.name, **coloured)
    changes = {
        key: value[int(next(options) * len(value))] if isinstance(value, tuple) else value
        for key, value in manner.changes.items()
    }
    if look.legend == "none":
        changes.pop("legend", None)
    # What an earlier repair took away does not come back.
    point = look.point_colours
    if point and len(set(point)) > 2:
        point = ()
    elif point:
        muted = mix(chosen[0], grounds[1], 0.5)
        point = tuple(chosen[0] if colour == look.palette[0] else muted for colour in point)
    outline = look.outline if look.outline is None else theme.ink if look.outline == look.theme.ink else theme.paper
    return replace(look, theme=theme, palette=chosen, point_colours=point, outline=outline, **changes), manner


def _distinct(listed: tuple[Colour, ...], count: int, ground: Colour, thin: bool) -> tuple[Colour, ...]:
    """Return up to ``count`` of the ``listed`` colours, in their order, that can be told apart and from the ground."""
    least = MIN_LINE_CONTRAST if thin else MIN_CONTRAST
    chosen: list[Colour] = []
    for colour in listed:
        apart = all(difference(colour, other) >= MIN_DIFFERENCE for other in chosen)
        if len(chosen) < count and apart and difference(colour, ground) >= least:
            chosen.append(colour)
    return tuple(chosen)
