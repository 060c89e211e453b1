"""What can be set about what charts say, and the named levels."""

from dataclasses import dataclass

#: The kinds of content that `ContentSettings.kinds` may name.
KINDS = (
    "bar",
    "grouped",
    "stacked",
    "percent",
    "line",
    "area",
    "stacked area",
    "percent area",
    "step",
    "pie",
    "composite",
    "scatter",
)

#: The languages there are words for, English and Chinese most often: a BCP 47 tag and a share of all charts.
LANGUAGES: tuple[tuple[str, float], ...] = (
    ("en", 0.26),
    ("zh", 0.2),
    *(
        (tag, 0.036)
        for tag in ("de", "el", "es", "fr", "id", "it", "ja", "ko", "nl", "pl", "pt-BR", "ru", "sv", "tr", "vi")
    ),
)


@dataclass(frozen=True)
class ContentSettings:
    """Settings of what charts say.

    Attributes:
        kinds: pairs of a kind (one of `KINDS`) and its share; shares need not add up to 1.
        languages: pairs of a language (a tag of `LANGUAGES`) and its share.
        simple: one unnamed series of the digits 1 to 9 with names of three letters; `kinds` are then "bar" and "pie".
        categories: fewest and most categories that are names.
        dates: fewest and most categories that follow each other in time.
        series: fewest and most series, where the kind can have several.
        slices: fewest and most slices of a pie.
        points: fewest and most points of a scatter chart.
        cells: most numbers of a chart.
        missing: how likely a chart of lines, steps or bars side by side has missing points.
        errors: how likely a chart whose topic is measured or sampled has error bars.
        log: how likely values that can span decades do, on a logarithmic axis.
        ranked: how likely names that have no order of their own stand in the order of their values.
        made_up: how likely names that have no order of their own, of categories and series, are words that nobody has
            seen: what they say must then be read, and cannot be known (languages in Latin letters alone).
    """

    kinds: tuple[tuple[str, float], ...]
    languages: tuple[tuple[str, float], ...] = LANGUAGES
    simple: bool = False
    categories: tuple[int, int] = (3, 12)
    dates: tuple[int, int] = (4, 24)
    series: tuple[int, int] = (2, 5)
    slices: tuple[int, int] = (2, 8)
    points: tuple[int, int] = (5, 14)
    cells: int = 60
    missing: float = 0.06
    errors: float = 0.5
    log: float = 0.5
    ranked: float = 0.55
    made_up: float = 0.0


EASY = ContentSettings(
    kinds=(("bar", 2), ("pie", 1)),
    languages=(("en", 1),),
    simple=True,
    categories=(2, 4),
    slices=(2, 3),
    series=(1, 1),
)

MIDDLE = ContentSettings(
    kinds=(("bar", 0.5), ("line", 0.2), ("pie", 0.3)),
    languages=(("en", 1),),
    categories=(2, 8),
    dates=(3, 8),
    series=(1, 2),
    slices=(2, 6),
    missing=0.0,
    errors=0.0,
    log=0.0,
)

STANDARD = ContentSettings(
    kinds=(
        ("bar", 0.19),
        ("grouped", 0.14),
        ("stacked", 0.09),
        ("percent", 0.06),
        ("line", 0.17),
        ("area", 0.04),
        ("stacked area", 0.03),
        ("percent area", 0.01),
        ("step", 0.03),
        ("pie", 0.11),
        ("composite", 0.08),
        ("scatter", 0.05),
    )
)
