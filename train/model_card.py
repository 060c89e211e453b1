"""``python -m train.model_card EVIDENCE --state STATE --out docs/model_card.md``: the card, from numbers alone.

What a run says is written here by a program, so that no number in the card was typed; the words around them are below.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import tyro

from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.result import write_file
from dsocr_jax.model.ocr import count_parameters
from dsocr_jax.weights.strict_json import read_json
from train.cli import load_config
from train.compact import read_meta
from train.journal import METRICS
from train.metrics import read_metrics

MAX_BYTES = 64 << 20

#: Rows of the table: name, evaluation, its group, metric, first bar and goal.
BARS = (
    ("plain pages of 20 to 90 words, word-set precision", "sparse", "plain, small", "word_set_precision", 0.9, 0.99),
    ("the same, random strings of letters", "sparse", "random, small", "word_set_precision", 0.75, 0.95),
    ("charts: parseable", "charts-middle", None, "parseable", 0.95, 0.995),
    ("charts: numbers within 5 % of the axis", "charts-middle", None, "numbers within 5 %", 0.5, 0.85),
    ("molecules: valid", "molecules-middle", None, "valid", 0.8, 0.97),
    ("molecules: exact", "molecules-middle", None, "exact", 0.25, 0.7),
    ("geometry: parseable", "geometry-middle", None, "parseable", 0.95, 0.995),
    ("geometry: segment F1 at 0.75, fixed", "geometry-middle", None, "F1 at 0.75", 0.5, 0.85),
)
#: Rows without bars: name, evaluation, group (and the mode behind it), metric.
OTHERS = (
    ("plain pages", "sparse", "plain", "word_set_precision"),
    ("random letters", "sparse", "random", "word_set_precision"),
    ("plain pages, degraded (`mix`)", "sparse", "degraded", "word_set_precision"),
    ("typeset pages in ten other languages of Latin letters", "sparse", "typeset", "word_set_precision"),
    ("typeset pages in five languages of Cyrillic and Greek letters", "sparse", "scripts", "word_set_precision"),
    ("pages whose answer goes in circles", "sparse", "plain", "loops"),
    ("charts whose names are made up: numbers within 5 %", "charts-made-up", None, "numbers within 5 %"),
    ("easy charts: numbers within 5 %", "charts-easy", None, "numbers within 5 %"),
    ("easy molecules: exact", "molecules-easy", None, "exact"),
    ("easy geometry: segment F1 at 0.75, fixed", "geometry-easy", None, "F1 at 0.75"),
)
#: Modes of their columns.
MODES = ("small", "tiny", "base")
#: Density at which precision falls below 90 %, in text tokens a vision token: first bar and goal.
DENSITY_BARS = (1.5, 5.0)

CARD = """# A small model that reads

{parameters:.1f} million parameters in the architecture of DeepSeek-OCR (SAM-like tower, 16x compressor, CLIP-like
tower, decoder with {experts} routed experts), taught from nothing by `configs/small.py`; bfloat16, in the released
layout. `dsocr read PICTURE` uses it when no other model is named. `python -m train.model_card` writes this page.

## What it was taught

- **Data**: {samples:,} samples of this project's generators, each picture drawn once and never again
  ({kinds}): pages of English common words, made-up words and random letters
  in {faces} faces, black on white or gray; in the last rung seven pages in ten dense (100 to 420 words), a tenth
  degraded, a twentieth typeset in ten other languages of Latin letters and in Russian, Ukrainian, Bulgarian, Serbian
  and Greek (in the rung before a tenth each); charts, molecules and plane figures of the levels easy and middle, two
  in five of the last two rungs' charts with made-up names. No data of others, no photographs.
- **Modes**: small and tiny (100 and 64 vision tokens), after two smaller ones to begin with; Base (256) in one of 24
  steps of the last two rungs.
- **Compute**: {steps:,} steps in {stretches} stretches on one GPU or two, {hours:.2f} hours of steps, {tokens:,}
  tokens.
- **Prompts**: `free` for pages, `figure` for everything else; what it says to others means nothing.
- **Held out**: what a sample says decides whether it belongs to training or test; nothing below was trained on.

## What it can do

Held-out samples, greedy, {mode}; undegraded unless the row says so; intervals are bootstraps over samples:

| | value | interval | first bar | goal |
| --- | ---: | ---: | ---: | ---: |
{table}

What has no bar, and what it was taught least:

| | small, 100 vision tokens | tiny, 64 | Base, 256 |
| --- | ---: | ---: | ---: |
{others}

Precision of pages falls below 90 % at (vision tokens as the paper counts them):

| pages, mode | {units} |
| --- | {rules} |
{density}

## Limits

It reads clean prints of English at 11 pixels or more of the 640 that a page is scaled to, best in square pictures; of
full pages in type below 15 pixels it leaves lines out and makes up others. It has seen little degradation and little of
other languages, of Cyrillic and Greek least, no further scripts, no photographs, no handwriting, no tables within
pages, and colours only as their luma. It was taught no mode but small, tiny and a little of Base, whose pictures had no
more words than those of the others. What it cannot read it makes up.

## Licence

Apache-2.0, as the project. Nothing but output of this project's generators was used; fonts and their licences are in
[NOTICE](../NOTICE).
"""


@dataclasses.dataclass(frozen=True)
class Options:
    """Where the numbers are."""

    #: ``evidence.json`` of `train.evidence`.
    evidence: Annotated[Path, tyro.conf.Positional]
    #: Folder that the last stretch left.
    state: Path
    #: The card.
    out: Path = Path("docs/model_card.md")
    #: The curriculum.
    config: Path = Path("configs/small.py")


def model_card(options: Options) -> int:
    """Write the card.

    Raises:
        UserError: a number that it needs is missing.
    """
    try:
        summary = read_json(options.evidence, MAX_BYTES)
        drawn = read_meta(options.state)["drawn"]
        text = card(summary, read_metrics(options.state / METRICS), drawn, options.config)
    except (OSError, ValueError) as error:
        raise UserError(f"{options.evidence}: not readable ({error})") from None
    except (KeyError, IndexError) as error:
        raise UserError(f"{options.evidence} and {options.state} lack {error}; evaluate everything first") from None
    console.print(f"written {write_file(options.out, text)}", markup=False)
    return 0


def card(summary: Mapping[str, Any], lines: list[dict[str, Any]], drawn: Mapping[str, int], file: Path) -> str:
    """Return the card of an evidence file, the log's lines, the samples drawn of each kind, the curriculum."""
    config, last = load_config(file), lines[-1]
    model = config.model_config
    rows = [_row(name, _found(summary["rows"], *where), first, goal) for name, *where, first, goal in BARS]
    curves = summary["density"]
    units = list(next(iter(curves.values())))
    plain = curves["plain, small"]["tokens"]["crossing"] or curves["plain, small"]["tokens"]["at least"]
    sides = [_number(side) for side in curves["plain, small"]["tokens"].get("interval", (None, None))]
    interval = "" if sides == ["-", "-"] else " to ".join(sides)
    rows.append(
        _line("text tokens a vision token at 90 % precision", _number(plain), interval, *map(str, DENSITY_BARS))
    )
    return CARD.format(
        parameters=count_parameters(model) / 1e6,
        experts=model.decoder.experts,
        samples=last["samples"],
        kinds=", ".join(f"{share:.0%} {kind}" for kind, share in _shares(drawn).items()),
        faces=_faces(),
        steps=last["step"],
        stretches=last["stretch"],
        hours=last["seconds"] / 3600,
        tokens=last["tokens"],
        mode="small mode (100 vision tokens)",
        table="\n".join(rows),
        others="\n".join(_other(summary["rows"], *other) for other in OTHERS),
        units=" | ".join(f"{unit} per vision token" for unit in units),
        rules=" | ".join("---:" for _ in units),
        density="\n".join(
            f"| {name} | " + " | ".join(_crossing(curve[unit]) for unit in units) + " |"
            for name, curve in curves.items()
        ),
    )


def _found(rows: Mapping[str, Any], evaluation: str, group: str | None, metric: str) -> list[float | None]:
    found = rows[evaluation]
    return (found if group is None else found[group])[metric]


def _row(name: str, value: list[float | None], first: float, goal: float) -> str:
    mean, low, high = value
    interval = "" if low is None or high is None else f"{low:.1%} to {high:.1%}"
    return _line(name, "-" if mean is None else f"{mean:.1%}", interval, f"{first:.0%}", f"{goal:.1%}")


def _other(rows: Mapping[str, Any], name: str, evaluation: str, group: str | None, metric: str) -> str:
    """Return a row with a value for each mode; what was not measured stays empty."""
    found = rows.get(evaluation, {})
    groups = [found.get(f"{group}, {mode}", {}) for mode in MODES] if group else [found, *({} for _ in MODES[1:])]
    return _line(name, *("" if metric not in each else f"{each[metric][0]:.1%}" for each in groups))


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _crossing(curve: Mapping[str, Any]) -> str:
    if curve["crossing"] is not None:
        return f"{curve['crossing']:.2f}"
    return f"above {curve['at least']:.2f}" if curve["at least"] is not None else "nowhere above"


def _shares(drawn: Mapping[str, int]) -> dict[str, float]:
    total = sum(drawn.values())
    return {kind: count / total for kind, count in drawn.items() if count}


def _faces() -> int:
    from datagen.pages.settings import MIDDLE

    return len(MIDDLE.faces)


def main() -> None:
    """Entry point of ``python -m train.model_card``."""
    run_door(lambda: model_card(tyro.cli(Options, prog="python -m train.model_card", description=__doc__)))


if __name__ == "__main__":
    main()
