"""The door ``dsocr-data``: build sets of samples, look at them, check them, time their making."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.markup import escape

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
    level: Literal["easy", "middle", "standard"] = "standard",
    degradation: Literal["none", "light", "scan", "photo", "screen", "fax", "mix"] | None = None,
    change: tuple[str, ...] = (),
    workers: int | None = None,
    shard_size: int | None = None,
    engine: Literal["local", "ray"] = "local",
    task_index: int | None = None,
    task_count: int | None = None,
    card: bool = True,
) -> int:
    """Make a set of samples; run the same command again to finish what was stopped or to mend what is missing.

    Args:
        count: samples in total; several families get equal parts.
        out: the set's folder: a new or empty one, or one to continue.
        family: charts, molecules, geometry, pages (one or several), or all.
        seed: another seed gives other samples.
        split: no content is ever in both train and test; 'all' asks for no split.
        level: 'easy' is for small models and short trainings, 'middle' is larger and clean, 'standard' is varied.
        degradation: what is done to pictures after they are drawn; by default none at the easy level, and a mixture of
            untouched and light to strong at the standard level.
        change: settings that are to differ from the level's, as KIND.SETTING=VALUE (molecules.source=FOLDER,
            charts.matplotlib=0.1); the settings are described in datagen/*/settings.py.
        workers: processes; by default one per processor. The set does not depend on it.
        shard_size: samples per file; by default some 16 files per family, of 50 to 1000 samples.
        engine: 'local' uses processes of this machine, 'ray' a Ray cluster (started here if there is none), whose
            nodes must share the set's folder. The set does not depend on it.
        task_index: which task of a batch queue this is, from 0 (with Slurm: "$SLURM_ARRAY_TASK_ID"); it makes its
            share of the set. All tasks have the same options and folder, run at any time and in any number, and may
            be killed and run again; `dsocr-data finish` completes the set.
        task_count: how many tasks there are.
        card: write the set's card (README.md) when it is complete.
    """
    kinds = families.expand(family)
    _at_least(1, count=count, workers=workers, shard_size=shard_size, task_count=task_count)
    _at_least(0, seed=seed, task_index=task_index)
    if seed > MAX_SEED:
        raise UserError(f"--seed must be at most {MAX_SEED}, not {seed}.")
    if (task_index is None) != (task_count is None):
        raise UserError("--task-index and --task-count go together: give both or neither.")
    if task_index is not None and task_count is not None and task_index >= task_count:
        raise UserError(f"--task-index must be below --task-count: 0 to {task_count - 1}, not {task_index}.")
    from datagen.build import Share, auto_shard_size, balanced
    from datagen.build import build as build_set
    from datagen.degradation import DEFAULTS
    from datagen.manifest import SetConfig
    from datagen.settings import read_changes

    counts = balanced(kinds, count)
    size = shard_size or auto_shard_size(counts)
    config = SetConfig(
        counts, seed, split, level, size, degradation or DEFAULTS[level], read_changes(change, level, list(counts))
    )
    workers = workers or _processors()
    share = None if task_index is None or task_count is None else Share(task_index, task_count)
    _summarise(build_set(config, out, workers, engine, share=share, card=card), None if engine == "ray" else workers)
    return 0


@app.command
def finish(directory: Annotated[Path, tyro.conf.Positional], workers: int | None = None, card: bool = True) -> int:
    """Complete a set when all tasks of a batch queue have ended: verify every file, write the manifest and the card.

    Args:
        directory: the set's folder.
        workers: files that are read at a time; by default one per processor.
        card: write the set's card (README.md).
    """
    _at_least(1, workers=workers)
    from datagen.finish import finish as finish_set

    samples = finish_set(directory, workers or _processors(), card=card)
    console.print(f"{directory} is complete: {samples} samples")
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
def check(
    directory: Annotated[Path, tyro.conf.Positional],
    workers: int | None = None,
    sample: int | None = None,
    regenerate: int = 0,
) -> int:
    """Check a whole set: checksums, counts, pictures, labels, splits; name every problem and fail if there is one.

    Families repeat their own checks too (drawn values equal cells, ...), on pictures as they were drawn: a degraded
    set takes as long to check as to build. Duplicates are counted.

    Args:
        directory: the set's folder.
        workers: processes; by default one per processor.
        sample: look at this many samples alone, from all parts of the set, and not at checksums.
        regenerate: make this many samples again and compare all their bytes.
    """
    _at_least(1, workers=workers, sample=sample)
    _at_least(0, regenerate=regenerate)
    from datagen.check import check_set

    found = check_set(directory, workers or _processors(), sample=sample, regenerate=regenerate)
    for problem in found.problems:
        print(problem)
    number = len(found.problems)
    console.print(f"{found.checked} samples checked: {number or 'no'} problem{'s' if number != 1 else ''}")
    if found.verified:
        console.print(f"  {found.verified} of them by their family's own checks")
    if regenerate:
        console.print(f"  {found.remade} made again and compared to the byte")
    if found.duplicates is not None:
        console.print(f"  {found.duplicates.surplus} duplicates ({found.duplicates.distinct} different contents)")
    for remark in found.remarks:
        console.print(f"[yellow]note:[/] {escape(remark)}")
    return 1 if found.problems else 0


@app.command
def molecules(
    action: Annotated[Literal["prepare"], tyro.conf.Positional],
    files: Annotated[tuple[str, ...], tyro.conf.Positional],
    *,
    out: Path,
    column: str | None = None,
    workers: int | None = None,
) -> int:
    """Prepare molecules of your own for `dsocr-data build --change molecules.source=FOLDER`.

    Args:
        action: read the files, drop what cannot be drawn and what comes twice, and write a folder.
        files: .smi, CSV, TSV or PubChem's CID-SMILES, also gzipped; or 'chemicals' (71,000 molecules of PubChem; needs
            the extra 'molecules').
        out: the folder to write.
        column: header of the column with SMILES in CSV and TSV files; by default it is found.
        workers: processes; by default one per processor. The result does not depend on it.
    """
    _at_least(1, workers=workers)
    from datagen.molecules.sources import prepare_source

    card = prepare_source(files, out, column=column, workers=workers or _processors())
    skipped = ", ".join(f"{count} {reason}" for reason, count in sorted(card.skipped.items())) or "none"
    console.print(
        f"{card.molecules} molecules in {out}, of {card.entries} entries; {card.duplicates} duplicates; "
        f"not used: {skipped}. Draw them with --change molecules.source={out}",
        soft_wrap=True,
    )
    return 0


@app.command
def bench(
    *,
    only: tuple[str, ...] = (),
    rounds: int = 5,
    seconds: float = 0.5,
    workers: int | None = None,
    pool: int = 0,
    memory: int = 0,
    out: Path | None = None,
) -> int:
    """Time the making of samples on one processor, against what others would use, all in one run.

    Args:
        only: parts of names of cases to time; by default all.
        rounds: how often each case is run, in turn with the others; of the rounds the median counts.
        seconds: processor time of a case in a round.
        workers: processes of the pool; by default one per processor.
        pool: also make this many samples by a pool and by a plain loop (some thousands are telling).
        memory: also make this many samples in one process and look at its memory.
        out: a file for the numbers, as JSON.
    """
    _at_least(1, rounds=rounds, workers=workers)
    _at_least(0, pool=pool, memory=memory)
    if not seconds > 0:
        raise UserError(f"--seconds must be above 0, not {seconds}.")
    from datagen.bench.run import run as run_bench

    run_bench(only, rounds, seconds, workers or _processors(), pool, memory, out)
    return 0


def _processors() -> int:
    """Return the number of processors that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _at_least(least: int, **options: int | None) -> None:
    for name, value in options.items():
        if value is not None and value < least:
            raise UserError(f"--{name.replace('_', '-')} must be at least {least}, not {value}.")


def _summarise(report: "Report", workers: int | None) -> None:
    made = sum(report.made.values())
    if report.left:
        console.print(
            f"{report.left} shards are left to other tasks; when all have ended: dsocr-data finish {report.directory}",
            soft_wrap=True,
        )
    elif not made:
        console.print(f"{report.directory} is complete already: {report.kept} samples")
    if not made:
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
