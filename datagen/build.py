"""Build a set: plan the shards, make those that are missing on several processes, write the manifest and the card.

What is finished survives anything: every shard is renamed into place when it is whole, a note with its checksum goes
to ``.unfinished/``, and the same command makes what is missing. Tasks of a batch queue make a share each and need no
one to coordinate them: they share nothing but the plan.
"""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from datagen import manifest as manifests
from datagen import pool
from datagen.folder import UNFINISHED, errors_of_the_device, examine, locked
from datagen.manifest import Manifest, SetConfig, Shard, Written
from datagen.notes import Journal, read_notes
from datagen.shards import Made
from datagen.work import job
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError

#: More shards make a manifest, and a folder, that take minutes to read.
MAX_SHARDS = 100_000

#: What makes the shards: processes of this machine, or tasks of a Ray cluster.
Engine = Literal["local", "ray"]

#: Makes shards as `pool.run` does.
Runner = Callable[..., Iterator[tuple[Shard, Made]]]


@dataclass(frozen=True)
class Share:
    """The part of a set that one of several tasks makes: shards ``index``, ``index + count``, and so on."""

    index: int
    count: int

    def of(self, shards: list[Shard]) -> list[Shard]:
        """Return this task's shards: as many of each kind as any other task's, give or take one."""
        return shards[self.index :: self.count]


@dataclass
class Report:
    """What a build did.

    Attributes:
        directory: where the set is.
        made: samples made in this run, by kind.
        seconds: processor time of those, by kind: ``made / seconds`` is the rate of one worker.
        kept: samples that were there already.
        rejected: draws that could not be used, by kind and reason, over all finished shards.
        changed: shards that were made again and came out with another checksum than the manifest had.
        wall: seconds that the run took.
        bytes: size of all finished shards.
        left: shards that were neither there nor this task's to make.
    """

    directory: Path
    made: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    kept: int = 0
    rejected: dict[str, dict[str, int]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    wall: float = 0.0
    bytes: int = 0
    left: int = 0


def balanced(kinds: tuple[str, ...], count: int) -> dict[str, int]:
    """Divide ``count`` samples among the kinds; the first ones take the rest. Kinds that get none are left out."""
    share, rest = divmod(count, len(kinds))
    counts = {kind: share + (place < rest) for place, kind in enumerate(kinds)}
    return {kind: number for kind, number in counts.items() if number}


def auto_shard_size(counts: dict[str, int]) -> int:
    """Return a shard size that gives small sets enough shards for several workers, and large sets few files."""
    return min(max(-(-max(counts.values()) // 16), 50), 1000)


def build(
    config: SetConfig,
    directory: Path,
    workers: int,
    engine: Engine = "local",
    *,
    share: Share | None = None,
    card: bool = False,
) -> Report:
    """Make the set that ``config`` describes in ``directory``, or finish it, or make a share of it.

    Args:
        config: what the set holds.
        directory: a new or empty folder, or one that an earlier run with the same config left.
        workers: processes that make shards; 1 makes them in this process.
        engine: what makes the shards; the bytes do not depend on it.
        share: make this part alone, beside other tasks; `finish`, or a build without it, completes the set.
        card: write the set's card when it is complete (`datagen.card.write`).

    Raises:
        UserError: the folder holds something else, the device is full, the run was stopped, or Ray is asked for and
            not installed. Finished shards are kept in each case.
        RuntimeError: a generator failed; the message says how to make the sample again.
    """
    start = time.perf_counter()
    run = _runner(engine)
    planned = manifests.plan(config.counts, config.split, config.shard_size)
    if len(planned) > MAX_SHARDS:
        raise UserError(f"{len(planned)} shards are more than {MAX_SHARDS}; raise --shard-size.")
    examine(config, directory)
    report = Report(directory)
    refusal = f"another build is writing to {directory}; wait for it, or name another folder."
    with errors_of_the_device(directory), locked(directory, refusal, shared=share is not None) as held:
        # Once more: what was there before the folder was locked may have been completed by now.
        manifest = examine(config, directory) or _start(config, directory)
        notes = {name: note.written for name, note in read_notes(directory / UNFINISHED).items()}
        known = notes | manifest.written
        done = {shard.name: known[shard.name] for shard in planned if is_whole(directory, known.get(shard.name))}
        mine = share.of(planned) if share else planned
        report.kept = sum(shard.records for shard in mine if shard.name in done)
        missing = [shard for shard in mine if shard.name not in done]
        if missing:
            with _workplace(directory, share, held) as temporary:
                for shard, made in _make(run, config, directory, temporary, missing, workers):
                    done[shard.name] = made.written
                    _enter(report, shard, made, known.get(shard.name))
        if share is None:
            complete(directory, manifest, done, workers, changed=bool(report.changed or missing), card=card)
    _sum_up(report, planned, done)
    report.wall = time.perf_counter() - start
    return report


def _runner(engine: Engine) -> Runner:
    if engine == "local":
        return pool.run
    from datagen import ray_pool

    ray_pool.require_ray()
    return ray_pool.run


def _start(config: SetConfig, directory: Path) -> Manifest:
    """Write the manifest of a set of which nothing is made yet; tasks that do so at once write the same bytes."""
    manifest = manifests.started(config)
    manifests.write_text(directory / manifests.FILE, manifests.dump(manifest))
    return manifest


@contextlib.contextmanager
def _workplace(directory: Path, share: Share | None, held: bool) -> Iterator[Path]:
    """Yield a folder for half-written files that no other run uses; what a killed run left there is removed."""
    name = "build" if share is None else f"task-{share.index:05d}-of-{share.count:05d}"
    temporary = directory / UNFINISHED / name
    refusal = f"task {share.index if share else 0} is making its share of {directory} already; wait for it."
    with locked(temporary, refusal) as alone:
        if held and alone:
            for file in temporary.iterdir():
                file.unlink(missing_ok=True)
        yield temporary


def _make(
    run: Runner, config: SetConfig, directory: Path, temporary: Path, missing: list[Shard], workers: int
) -> Iterator[tuple[Shard, Made]]:
    """Make shards, note each and yield it as it is finished; a signal ends it after tidying up."""
    message = f"stopped; the finished shards in {directory} are kept, run the same command to continue."
    work = job(config, directory, temporary)
    total = sum(shard.records for shard in missing)
    with (
        contextlib.closing(Journal(directory / UNFINISHED)) as journal,
        pool.stopping(message) as stop,
        progress("build", total, "samples") as advance,
    ):
        for shard, made in run(work, missing, workers=workers, advance=advance, stop=stop):
            journal.add(made)
            yield shard, made


def _enter(report: Report, shard: Shard, made: Made, before: Written | None) -> None:
    report.made[shard.kind] = report.made.get(shard.kind, 0) + shard.records
    report.seconds[shard.kind] = report.seconds.get(shard.kind, 0.0) + made.seconds
    if before is not None and before.sha256 != made.written.sha256:
        report.changed.append(shard.name)


def _sum_up(report: Report, planned: list[Shard], done: dict[str, Written]) -> None:
    for shard in planned:
        reasons = report.rejected.setdefault(shard.kind, {})
        if shard.name in done:
            for reason, count in done[shard.name].rejected.items():
                reasons[reason] = reasons.get(reason, 0) + count
    report.bytes = sum(written.bytes for written in done.values())
    report.left = len(planned) - len(done)


def is_whole(directory: Path, known: Written | None) -> bool:
    """Tell whether the file of a shard is there, as long as it was written."""
    if known is None:
        return False
    try:
        return (directory / known.name).stat().st_size == known.bytes
    except OSError:
        return False


def complete(
    directory: Path, manifest: Manifest, done: dict[str, Written], workers: int, *, changed: bool, card: bool
) -> None:
    """Write the manifest, and the card if there is none; then the notes have served.

    Args:
        directory: where the set is.
        manifest: as it was before.
        done: every shard of the set.
        workers: processes, should the card's numbers have to be taken from the records.
        changed: whether the manifest lacks something.
        card: whether a card is wanted.
    """
    finished = replace(manifest, complete=True, written=done)
    if changed or not manifest.complete:
        manifests.write_text(directory / manifests.FILE, manifests.dump(finished))
    if card:
        from datagen.card import write as cards

        if not (directory / cards.FILE).exists():
            cards.write(directory, finished, workers)
    shutil.rmtree(directory / UNFINISHED, ignore_errors=True)
