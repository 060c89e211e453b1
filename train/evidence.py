"""``python -m train.evidence --checkpoint MODEL --out DIR``: what the small model can do, on samples it never saw.

Sets of the test split are built, `dsocr evaluate` is run on each, and ``DIR/evidence.json`` sums them up: one number
for every bar that the model was trained for, with its interval, and the density at which precision falls below 90 %, in
three units: a small tokenizer's tokens are shorter than the released one's. The same command goes on where it was.
"""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from datagen.shards import SampleSet
from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError
from dsocr_jax.evaluate.result import Evaluation, read, write_file
from dsocr_jax.tokenizer import Tokenizer

EVIDENCE = "evidence.json"

#: Precision whose density is looked for, and how many pages a point of that curve rests on at least.
MARK, LEAST_PAGES = 0.9, 8

#: Points of the curve of precision against density.
POINTS = 12

_KINDS = ("charts", "molecules", "geometry")
_PROSE = ("pages.scattered=0.0", "pages.skewed=false")

#: Name of a set → kind, level and changed settings. All are of the test split, undegraded.
SETS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "sparse": ("pages", "middle", ("pages.words=[20,90]", "pages.letters=0.0", *_PROSE)),
    "sparse-random": ("pages", "middle", ("pages.words=[20,90]", "pages.letters=1.0", *_PROSE)),
    "dense": ("pages", "middle", ("pages.words=[20,420]", "pages.letters=0.0", "pages.size=[10,44]", *_PROSE)),
    "dense-random": ("pages", "middle", ("pages.words=[20,420]", "pages.letters=1.0", "pages.size=[10,44]", *_PROSE)),
    **{
        f"{kind}-{level}": (kind, level, ())
        for kind in ("charts", "molecules", "geometry")
        for level in ("easy", "middle")
    },
}

#: Pages of a study are read together: the plain ones with their variant.
STUDIES = {"sparse": "sparse-random", "dense": "dense-random"}

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
    for name in [name for name in SETS if name not in options.skip]:
        kind, level, changes = SETS[name]
        build = ["build", "--family", kind, "--level", level, "--split", "test", "--seed", options.seed]
        build += ["--count", options.each, "--degradation", "none", "--out", options.out / "sets" / name]
        build += ["--workers", options.workers] if options.workers is not None else []
        _run("datagen.cli", *build, *(["--change", *changes] if changes else []))
    shared = ("--checkpoint", options.checkpoint, "--max-new-tokens", options.max_new_tokens)
    for name in [name for name in SETS if name not in (*options.skip, *STUDIES.values())]:
        data = ("--data", options.out / "sets" / name, "--out", options.out / name, *shared)
        if name in STUDIES:
            other = STUDIES[name]
            beside = ("--variants", f"random={options.out / 'sets' / other}") if other not in options.skip else ()
            bins = ("--bins", 0, 4000, 100) if name == "dense" else ("--bins", 0, 1000, 100)
            _run("dsocr_jax.cli", "evaluate", "compression", *data, *beside, "--modes", *options.modes, *bins)
        else:
            mode = ("--mode", options.modes[0])
            _run("dsocr_jax.cli", "evaluate", SETS[name][0], *data, *mode)
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
    for name, (kind, _, _) in SETS.items():
        if name in STUDIES.values() or not (folder / name / "evaluation.json").is_file():
            continue
        found = read(folder / name)
        rows[name] = _pages(found) if kind == "pages" else _figures(found, kind)
    if not rows:
        raise UserError(f"{folder}: there is no evaluation in it")
    summary: dict[str, Any] = {"rows": rows}
    if "dense" in rows:
        summary["density"] = _density(folder, checkpoint, released)
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


def _density(folder: Path, checkpoint: Path | None, released: Path | None) -> dict[str, Any]:
    """Return, for each set and mode and each unit, the curve of precision and where it crosses `MARK`."""
    from dsocr_jax.weights.checkpoint import model_folder

    own = Tokenizer.load(model_folder(checkpoint)) if checkpoint is not None else Tokenizer.load(None)
    units: dict[str, Callable[[str], int]] = {"tokens": lambda text: len(own.encode(text)), "characters": len}
    if released is not None:
        theirs = Tokenizer.load(released)
        units["released tokens"] = lambda text: len(theirs.encode(text))
    truths: dict[str, dict[str, str]] = {}
    for name, label in (("dense", "plain"), (STUDIES["dense"], "random")):
        if (folder / "sets" / name).is_dir():
            samples = SampleSet.open(folder / "sets" / name)
            records = (samples[i] for i in samples.indices("pages"))
            truths[label] = {f"pages-{record.id:08d}": record.label for record in records}
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
    (``at least`` is then the densest part's) or the first is below.
    """
    order = np.argsort(density)
    parts = np.array_split(order, max(1, min(POINTS, len(order) // LEAST_PAGES)))
    xs = [float(np.mean([density[i] for i in part])) for part in parts]
    ys = [float(np.mean([precision[i] for i in part])) for part in parts]
    below = next((i for i, y in enumerate(ys) if y < MARK), None)
    crossing = None
    if below:
        share = (ys[below - 1] - MARK) / (ys[below - 1] - ys[below])
        crossing = xs[below - 1] + share * (xs[below] - xs[below - 1])
    return {
        "points": [[round(x, 3), round(y, 4)] for x, y in zip(xs, ys, strict=True)],
        "crossing": None if crossing is None else round(crossing, 3),
        "at least": round(xs[-1], 3) if below is None else None,
    }


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
