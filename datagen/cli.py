"""The door ``dsocr-data``: build sets of samples, look at them, check them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from datagen import families
from dsocr_jax.console import console, run_door
from dsocr_jax.errors import UserError

if TYPE_CHECKING:
    from datagen.build import Report

app = tyro.extras.SubcommandApp()

#: Seeds and indices are stored as 64-bit numbers.
MAX_SEED = 2**63 - 1


@app.command
def build(
    *,
    count: int,
    out: Path,
    family: tuple[str, ...] = ("all",),
    seed: int = 0,
    split: Literal["train", "test", "all"] = "train",
    level: Literal["easy", "standard"] = "standard",
    workers: int | None = None,
    shard_size: int | None = None,
    engine: Literal["local", "ray"] = "local",
) -> int:
    """Make a set of samples; run the same command again to finish what was stopped or to mend what is missing.

    Args:
        count: samples in total; several families get equal parts.
        out: the set's folder: a new or empty one, or one to continue.
        family: charts, molecules, geometry, pages (one or several), or all.
        seed: another seed gives other samples.
        split: no content is ever in both train and test; 'all' asks for no split.
        level: 'easy' is for small models and short trainings, 'standard' is varied.
        workers: processes; by default one per processor. The set does not depend on it.
        shard_size: samples per file; by default some 16 files per family, of 50 to 1000 samples.
        engine: 'local' uses processes of this machine, 'ray' a Ray cluster (started here if there is none), whose
            nodes must share the set's folder. The set does not depend on it.
    """
    kinds = families.expand(family)
    _at_least(1, count=count, workers=workers, shard_size=shard_size)
    _at_least(0, seed=seed)
    if seed > MAX_SEED:
        raise UserError(f"--seed must be at most {MAX_SEED}, not {seed}.")
    from datagen.build import auto_shard_size, balanced
    from datagen.build import build as build_set
    from datagen.manifest import SetConfig

    counts = balanced(kinds, count)
    config = SetConfig(counts, seed, split, level, shard_size or auto_shard_size(counts))
    workers = workers or _processors()
    _summarise(build_set(config, out, workers, engine), None if engine == "ray" else workers)
    return 0


@app.command
def show(directory: Annotated[Path, tyro.conf.Positional], count: int = 24, out: Path | None = None) -> int:
    """Put samples of a set on a contact sheet: pictures beside their labels.

    Args:
        directory: the set's folder.
        count: samples to show, evenly from all kinds and all parts of the set.
        out: a .html or .png file; by default the folder's name with .html, here.
    """
    _at_least(1, count=count)
    out = out or Path(f"{directory.resolve().name}.html")
    from datagen.show import write_sheet

    shown = write_sheet(directory, count, out)
    console.print(f"{shown} samples on {out}")
    return 0


@app.command
def check(directory: Annotated[Path, tyro.conf.Positional]) -> int:
    """Check a whole set: checksums, counts, pictures, labels, splits; name every problem and fail if there is one.

    Args:
        directory: the set's folder.
    """
    from datagen.check import check_set

    checked, problems = check_set(directory)
    for problem in problems:
        print(problem)
    console.print(f"{checked} samples checked: {len(problems) or 'no'} problem{'s' if len(problems) != 1 else ''}")
    return 1 if problems else 0


def _processors() -> int:
    """Return the number of processors that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _at_least(least: int, **options: int | None) -> None:
    for name, value in options.items():
        if value is not None and value < least:
            raise UserError(f"--{name.replace('_', '-')} must be at least {least}, not {value}.")


def _summarise(report: "Report", workers: int | None) -> None:
    made = sum(report.made.values())
    if not made:
        console.print(f"{report.directory} is complete already: {report.kept} samples")
        return
    kept = f", {report.kept} kept" if report.kept else ""
    by = "Ray" if workers is None else "1 worker" if workers == 1 else f"{workers} workers"
    console.print(
        f"{made} samples made{kept} in {report.wall:.1f} s ({made / report.wall:.1f}/s with {by}); "
        f"the set in {report.directory} takes {report.bytes / 1e6:.1f} MB",
        soft_wrap=True,
    )
    for kind in (kind for kind in report.rejected if kind in report.made):
        number = report.made[kind]
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(report.rejected[kind].items()))
        rejected = f"; draws rejected: {reasons}" if reasons else ""
        rate = number / max(report.seconds[kind], 1e-9)
        console.print(f"  {kind}: {number} samples, {rate:.1f}/s per processor{rejected}", soft_wrap=True)
    for name in report.changed:
        console.print(
            f"[yellow]note:[/] {name} differs from the one it replaces; check the set with `dsocr-data check`"
        )


def main() -> None:
    """Entry point."""
    run_door(
        lambda: app.cli(prog="dsocr-data", description="Samples for training: build sets, look at them, check them.")
    )
