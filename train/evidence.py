"""``python -m train.evidence --checkpoint MODEL --out DIR``: what the small model can do, on samples it never saw.

Sets of the test split are built, `dsocr evaluate` is run on each, and ``DIR/evidence.json`` sums them up: one number
for every bar that the model was trained for, with its interval, and the density at which precision falls below 90 %, in
three units: a small tokenizer's tokens are shorter than the released one's. The same command goes on where it was.
"""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import tyro

from datagen.shards import SampleSet
from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.result import Evaluation, read, write_file
from dsocr_jax.tokenizer import Tokenizer
from train.misread import Misread, misread, read_answers, shares

EVIDENCE = "evidence.json"

#: Precision whose density is looked for, and how many pages a point of that curve rests on at least.
MARK, LEAST_PAGES = 0.9, 8

#: Points of the curve of precision against density, and draws of its bootstrap.
POINTS, DRAWS = 12, 1000

#: Words of a page on which a place can be lost.
MANY = 200

#: What a study calls its own pages.
PLAIN = "plain"

_KINDS = ("charts", "molecules", "geometry")
_PROSE = ("pages.scattered=0.0", "pages.skewed=false")


class Set(NamedTuple):
    """Samples of the test split.

    Attributes:
        kind: of samples.
        level: of difficulty.
        changes: of the level's settings.
        degradation: what is done to the pictures.
        study: the set of pages that these are read beside, and
        called: what they are called there.
    """

    kind: str
    level: str
    changes: tuple[str, ...] = ()
    degradation: str = "none"
    study: str = ""
    called: str = PLAIN


_SPARSE = ("pages.words=[20,90]", *_PROSE)
_DENSE = ("pages.words=[20,420]", "pages.size=[10,44]", *_PROSE)

#: Languages of Latin letters beside English, and of two other scripts.
_LATIN = 'pages.languages=["de","es","fr","it","nl","pl","pt-BR","sv","tr","vi"]'
_OTHERS = 'pages.languages=["ru","uk","bg","sr","el"]'
_TYPESET = (
    *('pages.layouts=["plain:6","note","receipt","slide","form"]', 'pages.labels=["free"]'),
    *("pages.tokens=[30,250]", "pages.figures=0.0", "pages.columns=1", "pages.width=[640,900]"),
)

#: What is measured.
SETS: dict[str, Set] = {
    "sparse": Set("pages", "middle", (*_SPARSE, "pages.letters=0.0")),
    "sparse-random": Set("pages", "middle", (*_SPARSE, "pages.letters=1.0"), study="sparse", called="random"),
    "sparse-degraded": Set("pages", "middle", (*_SPARSE, "pages.letters=0.0"), "mix", "sparse", "degraded"),
    "sparse-typeset": Set("pages", "standard", (_LATIN, *_TYPESET), study="sparse", called="typeset"),
    "sparse-scripts": Set("pages", "standard", (_OTHERS, *_TYPESET), study="sparse", called="scripts"),
    "dense": Set("pages", "middle", (*_DENSE, "pages.letters=0.0")),
    "dense-random": Set("pages", "middle", (*_DENSE, "pages.letters=1.0"), study="dense", called="random"),
    **{f"{kind}-{level}": Set(kind, level) for kind in _KINDS for level in ("easy", "middle")},
    "charts-made-up": Set("charts", "middle", ("charts.content.made_up=1.0",)),
}

#: Sets that others are read beside.
STUDIES = tuple(dict.fromkeys(each.study for each in SETS.values() if each.study))


def beside(study: str, skip: Container[str] = ()) -> dict[str, str]:
    """Return the sets that are read beside a study's own, by what they are called there."""
    return {each.called: name for name, each in SETS.items() if each.study == study and name not in skip}


#: Metrics of a row of the summary: name → those of `dsocr evaluate`.
FIGURES = {
    "charts": {"parseable": "parseable", "numbers within 5 %": "number_accuracy", "RMS": "rms"},
    "molecules": {"valid": "valid", "exact": "exact", "Tanimoto": "tanimoto"},
    "geometry": {"parseable": "parseable", "F1 at 0.75": "f1_0.75_fixed", "points": "point_accuracy"},
}


@dataclasses.dataclass(frozen=True)
class Options:
    """What is measured."""

    #: A model folder, or the folder of a training run.
    checkpoint: Path
    #: Folder for sets, evaluations and the summary.
    out: Path
    #: Samples of each set.
    each: int = 300
    #: Modes that pages are read in.
    modes: tuple[str, ...] = ("small", "tiny")
    #: Seed of the sets.
    seed: int = 8
    #: DeepSeek-OCR's tokenizer.json (`dsocr tokenizer` builds it), for ratios in its tokens.
    released_tokenizer: Path | None = None
    #: Most tokens of an answer.
    max_new_tokens: int = 2000
    #: Processes that draw.
    workers: int | None = None
    #: Leave out sets by name.
    skip: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SET ...")] = ()


def evidence(options: Options) -> int:
    """Build, evaluate, sum up."""
    chosen = {name: each for name, each in SETS.items() if name not in options.skip}
    for name, each in chosen.items():
        build = ["build", "--family", each.kind, "--level", each.level, "--split", "test", "--seed", options.seed]
        build += ["--count", options.each, "--degradation", each.degradation, "--out", options.out / "sets" / name]
        build += ["--workers", options.workers] if options.workers is not None else []
        _run("datagen.cli", *build, *(["--change", *each.changes] if each.changes else []))
    shared = ("--checkpoint", options.checkpoint, "--max-new-tokens", options.max_new_tokens)
    for name, each in chosen.items():
        if each.study:
            continue
        data = ("--data", options.out / "sets" / name, "--out", options.out / name, *shared)
        if name in STUDIES:
            others = [
                f"{called}={options.out / 'sets' / other}" for called, other in beside(name, options.skip).items()
            ]
            variants = ("--variants", *others) if others else ()
            bins = ("--bins", 0, 4000, 100) if name == "dense" else ("--bins", 0, 1000, 100)
            _run("dsocr_jax.cli", "evaluate", "compression", *data, *variants, "--modes", *options.modes, *bins)
        else:
            mode = ("--mode", options.modes[0])
            _run("dsocr_jax.cli", "evaluate", each.kind, *data, *mode)
    summary = summarise(options.out, options.checkpoint, options.released_tokenizer)
    file = write_file(options.out / EVIDENCE, json.dumps(summary, indent=1) + "\n")
    console.print(f"written {file}", markup=False)
    return 0


def summarise(folder: Path, checkpoint: Path | None = None, released: Path | None = None) -> dict[str, Any]:
    """Return the numbers of all evaluations in ``folder``.

    Raises:
        UserError: there is none.
    """
    rows: dict[str, Any] = {}
    for name, each in SETS.items():
        if each.study or not (folder / name / "evaluation.json").is_file():
            continue
        found = read(folder / name)
        rows[name] = _pages(found) if each.kind == "pages" else _figures(found, each.kind)
    if not rows:
        raise UserError(f"{folder}: there is no evaluation in it")
    summary: dict[str, Any] = {"rows": rows}
    if "dense" in rows:
        truths = _truths(folder)
        summary["density"] = _density(folder, truths, checkpoint, released)
        summary["misread"] = _misread(folder, truths)
    return summary


def _pages(found: Evaluation) -> dict[str, Any]:
    """Return precision, recall, edit distance and loops by set and mode."""
    names = ("word_set_precision", "word_set_recall", "edit_dist", "loops", "compression")
    return {
        f"{group.name['set']}, {group.name['mode']}": {
            "pages": group.count,
            **{name: _interval(group.metrics[name]) for name in names if name in group.metrics},
        }
        for group in found.groups
        if "tokens" not in group.name
    }


def _figures(found: Evaluation, kind: str) -> dict[str, Any]:
    group = found.group()
    return {"samples": group.count} | {name: _interval(group.metrics[metric]) for name, metric in FIGURES[kind].items()}


def _interval(estimate: Any) -> list[float | None]:
    return [None if x is None else round(x, 4) for x in (estimate.value, estimate.low, estimate.high)]


def _truths(folder: Path) -> dict[str, dict[str, str]]:
    """Return the texts of dense pages by set and name."""
    truths: dict[str, dict[str, str]] = {}
    for label, name in {PLAIN: "dense", **beside("dense")}.items():
        if (folder / "sets" / name).is_dir():
            samples = SampleSet.open(folder / "sets" / name)
            records = (samples[i] for i in samples.indices("pages"))
            truths[label] = {f"pages-{record.id:08d}": record.label for record in records}
    return truths


def _misread(folder: Path, truths: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return, for each set and mode, how pages of at least `MANY` words are misread (`train.misread.shares`)."""
    pages: dict[str, list[Misread]] = {}
    for line in read_answers(folder / "dense"):
        truth = truths[line["set"]][line["id"]]
        if len(truth.split()) >= MANY:
            pages.setdefault(f"{line['set']}, {line['mode']}", []).append(misread(truth, line["prediction"]))
    return {name: shares(found) for name, found in pages.items()}


def _density(
    folder: Path, truths: Mapping[str, Mapping[str, str]], checkpoint: Path | None, released: Path | None
) -> dict[str, Any]:
    """Return, for each set and mode and each unit, the curve of precision and where it crosses `MARK`."""
    from dsocr_jax.weights.checkpoint import model_folder

    own = Tokenizer.load(model_folder(checkpoint)) if checkpoint is not None else Tokenizer.load(None)
    units: dict[str, Callable[[str], int]] = {"tokens": lambda text: len(own.encode(text)), "characters": len}
    if released is not None:
        theirs = Tokenizer.load(released)
        units["released tokens"] = lambda text: len(theirs.encode(text))
    found = read(folder / "dense")
    curves: dict[str, Any] = {}
    for label, mode in dict.fromkeys((item.labels["set"], item.labels["mode"]) for item in found.items):
        items = [item for item in found.items if (item.labels["set"], item.labels["mode"]) == (label, mode)]
        precision = [float(item.metrics["word_set_precision"] or 0.0) for item in items]
        vision = float(items[0].metrics["vision_tokens"] or 1.0)
        curves[f"{label}, {mode}"] = {
            unit: curve([count(truths[label][item.id]) / vision for item in items], precision)
            for unit, count in units.items()
        }
    return curves


def curve(density: Sequence[float], precision: Sequence[float]) -> dict[str, Any]:
    """Return the means of pages sorted by density, in parts of equal size, and the density where they cross `MARK`.

    The crossing lies on the line between the last part above the mark and the first below it; None when all are above
    (``at least`` is then the densest part's) or the first is below. ``interval`` holds 95 of 100 crossings of pages
    drawn again (a bootstrap); None for a side on which they do not cross.
    """
    pages = np.stack([np.asarray(density, float), np.asarray(precision, float)], 1)
    points = _points(pages)
    found = _crossing(points)
    rng = np.random.default_rng(0)
    drawn = [_crossing(_points(pages[rng.integers(0, len(pages), len(pages))])) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, (0.025, 0.975), method="inverted_cdf")
    return {
        "points": [[round(x, 3), round(y, 4)] for x, y in points.tolist()],
        "crossing": _finite(found),
        "interval": [_finite(low), _finite(high)],
        "at least": round(float(points[-1, 0]), 3) if np.isinf(found) else None,
    }


def _points(pages: np.ndarray) -> np.ndarray:
    """Return density and precision (float64 [parts, 2]) of pages of the same form."""
    pages = pages[np.argsort(pages[:, 0], kind="stable")]
    parts = np.array_split(pages, max(1, min(POINTS, len(pages) // LEAST_PAGES)))
    return np.stack([part.mean(0) for part in parts])


def _crossing(points: np.ndarray) -> float:
    """Return where a curve falls below the mark: infinite if it does not, 0 if it begins below."""
    below = np.flatnonzero(points[:, 1] < MARK)
    if not below.size or below[0] == 0:
        return 0.0 if below.size else float("inf")
    (x, y), (next_x, next_y) = points[below[0] - 1], points[below[0]]
    return float(x + (y - MARK) / (y - next_y) * (next_x - x))


def _finite(place: float) -> float | None:
    return round(float(place), 3) if 0 < place < float("inf") else None


def _run(module: str, *words: object) -> None:
    """Run a door of the project as a command of its own, with this interpreter."""
    code = f"from {module} import main; main()"
    status = subprocess.run([sys.executable, "-c", code, *map(str, words)], check=False).returncode
    if status:
        raise UserError(f"{module} {' '.join(map(str, words))} ended with status {status}; its message stands above")


def main() -> None:
    """Entry point of ``python -m train.evidence``."""
    run_door(lambda: evidence(tyro.cli(Options, prog="python -m train.evidence", description=__doc__)))


if __name__ == "__main__":
    main()
