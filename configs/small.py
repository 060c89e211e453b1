"""A small model of our own that reads: 18 million parameters, one GPU, in stretches (`python -m train.stretch`).

From a few words in large type to full pages; every rung has common words, made-up ones and pages of random letters,
which no language model can guess. A rung is left when a token of a page that was never seen costs less than its mark.
docs/learning.md says what came of it.
"""

import dataclasses as _dataclasses

from dsocr_jax.config import preset as _preset
from dsocr_jax.modes import MODES as _MODES
from dsocr_jax.modes import Mode as _Mode
from train.config import BackendsConfig, OptimizerConfig, TrainConfig
from train.curriculum import Rung, climbing

#: Two more modes to begin with: 16 and 49 vision tokens.
_FIRST = (
    _Mode("quarter", 256, 256, crop=False, fit="stretch"),
    _Mode("half", 448, 448, crop=False, fit="stretch"),
)
_MODEL = _dataclasses.replace(_preset("small"), modes=(*_FIRST, *_MODES.values()), grey=True)

_EASY = "live:easy:charts,molecules,geometry"
_OTHERS = "live:middle:charts,molecules,geometry"


def _pages(
    words: tuple[int, int], side: int, size: tuple[int, int], scattered: float = 0.5, letters: float = 0.4
) -> str:
    # Sentences have no fewer than some six words, so the first pages hold words alone.
    changes = {"words": words, "width": (side, side), "size": size, "scattered": scattered, "letters": letters}
    return " ".join(["live:middle:pages", *(f"pages.{name}={_json(value)}" for name, value in changes.items())])


def _json(value: object) -> str:
    return f"[{value[0]},{value[1]}]" if isinstance(value, tuple) else str(value)


def _mixture(pages: float) -> dict[str, float]:
    # Their answers are long: a sample of the others weighs as much in the loss as ten pages of the first rung.
    others = 1 - pages
    return {
        "pages": round(pages, 4),
        "charts": round(0.35 * others, 4),
        "molecules": round(0.35 * others, 4),
        "geometry": round(0.3 * others, 4),
    }


_LAYOUTS = (
    'pages.layouts=["plain:6","note","receipt","slide","form"] pages.labels=["free"] pages.tokens=[30,350] '
    "pages.figures=0.0 pages.columns=1 pages.width=[640,900] degradation=none"
)


def _typeset(*languages: str) -> str:
    names = ",".join(f'"{language}"' for language in languages)
    return f"live:standard:pages pages.languages=[{names}] {_LAYOUTS}"


_LATIN = ("de", "es", "fr", "it", "nl", "pl", "pt-BR", "sv", "tr", "vi")

_CYRILLIC_AND_GREEK = ("ru", "uk", "bg", "sr", "el")

#: Clean and degraded pages, dense ones, and typeset ones in other languages of Latin letters.
_EVERY_PAGE = (
    *[_pages((2, 240), 640, (11, 44))] * 4,
    *[f"{_pages((80, 320), 640, (10, 30))} pages.skewed=false"] * 2,
    f"{_pages((2, 240), 640, (11, 44))} degradation=mix",
    _typeset(*_LATIN),
)

#: As many dense pages as clean ones, with more words that mean something, and two more scripts.
_DENSER_PAGES = (
    *[_pages((2, 240), 640, (11, 44))] * 3,
    *[f"{_pages((80, 400), 640, (9, 30), scattered=0.3, letters=0.25)} pages.skewed=false"] * 4,
    f"{_pages((2, 240), 640, (11, 44))} degradation=mix",
    _typeset(*_LATIN),
    _typeset(*_CYRILLIC_AND_GREEK),
)

#: Mostly dense pages, whose many short lines are where it loses its place.
_FULLER_PAGES = (
    *[_pages((2, 240), 640, (11, 44))] * 3,
    *[f"{_pages((100, 420), 640, (9, 24), scattered=0.2, letters=0.15)} pages.skewed=false"] * 14,
    *[f"{_pages((2, 240), 640, (11, 44))} degradation=mix"] * 2,
    _typeset(*_LATIN, *_CYRILLIC_AND_GREEK),
)

#: Charts whose names cannot be known, mostly without their numbers and as lines, beside the usual ones.
_EVERY_CHART = (
    *["live:middle:charts"] * 2,
    *[
        "live:middle:charts charts.content.made_up=0.9 charts.value_labels=0.3 "
        'charts.content.kinds=[["bar",0.45],["line",0.45],["pie",0.1]]'
    ]
    * 3,
    "live:easy:charts",
)

#: The same with what was read worst: many names, which are then turned, two lines, pies with white on dark.
_HARDER_CHARTS = (
    *["live:middle:charts"] * 2,
    *[
        "live:middle:charts charts.content.made_up=0.5 charts.content.categories=[5,8] charts.content.dates=[5,8] "
        'charts.content.kinds=[["bar",0.65],["line",0.35]]'
    ]
    * 2,
    *[
        "live:middle:charts charts.content.made_up=0.9 charts.value_labels=0.3 "
        'charts.content.kinds=[["bar",0.45],["line",0.55]]'
    ]
    * 2,
    'live:middle:charts charts.content.made_up=0.5 charts.content.kinds=[["pie",1.0]] charts.content.slices=[3,6]',
    "live:easy:charts",
)

#: What is not drawn any more is forgotten: one in six is easy.
_MOSTLY_MIDDLE = (*["live:middle:molecules,geometry"] * 5, "live:easy:molecules,geometry")

#: Easy molecules fell when they were one in thirty samples.
_A_THIRD_EASY = (*["live:middle:molecules,geometry"] * 2, "live:easy:molecules,geometry")

_RUNGS = (
    Rung(
        "a few words",
        (_pages((1, 3), 256, (20, 44), 1.0), _EASY),
        _mixture(0.97),
        ("quarter",),
        length=640,
        rows=32,
        pictures_per_row=12,
        until=0.9,
    ),
    Rung(
        "a line or two",
        (_pages((1, 8), 256, (16, 40), 0.8), _EASY),
        _mixture(0.94),
        ("quarter",),
        length=640,
        rows=32,
        pictures_per_row=12,
        until=0.5,
    ),
    Rung(
        "a paragraph",
        (_pages((2, 30), 448, (16, 44)), _EASY),
        _mixture(0.85),
        ("half",),
        length=1024,
        rows=32,
        pictures_per_row=8,
        until=0.35,
    ),
    Rung(
        "half a page",
        (_pages((2, 90), 640, (14, 44)), _OTHERS),
        _mixture(0.7),
        ("small",),
        length=1280,
        rows=40,
        pictures_per_row=5,
        until=0.25,
    ),
    Rung(
        "most of a page",
        (_pages((2, 150), 640, (13, 44)), _OTHERS),
        {"pages": 0.35, "charts": 0.13, "molecules": 0.45, "geometry": 0.07},
        ("small",),
        length=1280,
        rows=40,
        pictures_per_row=5,
        until=0.12,
    ),
    Rung(
        "everything",
        (*_EVERY_PAGE, *_EVERY_CHART, *_MOSTLY_MIDDLE),
        # Of the answers' tokens pages have some 76, charts 11, molecules 4 and geometry 10 in a hundred.
        {"pages": 0.3, "charts": 0.18, "molecules": 0.4, "geometry": 0.12},
        ("small", "tiny"),
        length=1600,
        rows=40,
        pictures_per_row=5,
        mode_shares={"small": 4, "tiny": 1},
        until=1.3,
    ),
    Rung(
        "denser, and Base",
        (*_DENSER_PAGES, *_HARDER_CHARTS, *_MOSTLY_MIDDLE),
        {"pages": 0.38, "charts": 0.28, "molecules": 0.2, "geometry": 0.14},
        ("small", "tiny", "base"),
        length=2048,
        rows=40,
        pictures_per_row=5,
        mode_shares={"small": 20, "tiny": 3, "base": 1},
        until=0.5,
    ),
    Rung(
        "keeping the place",
        (*_FULLER_PAGES, *_HARDER_CHARTS, *_A_THIRD_EASY),
        {"pages": 0.62, "charts": 0.14, "molecules": 0.14, "geometry": 0.1},
        ("small", "tiny", "base"),
        length=2304,
        rows=40,
        pictures_per_row=5,
        mode_shares={"small": 21, "tiny": 2, "base": 1},
    ),
)

config = climbing(
    TrainConfig(
        model=_MODEL,
        steps=1_000_000,
        compute_dtype="bfloat16",
        # Stretches 1 to 5 took `name="adamw"` and 1e-3 (docs/learning.md).
        optimizer=OptimizerConfig(
            name="muon", peak_lr=2e-3, schedule="constant", warmup=300, weight_decay=0.05, b2=0.98
        ),
        # So few layers gain nothing by repetition: unrolled, a step takes 101 ms on an H100 and not 143.
        backends=BackendsConfig(remat="none", layers="unrolled"),
        loss_chunk=256,
        log_every=20,
        tensorboard=False,
    ),
    _RUNGS,
)
