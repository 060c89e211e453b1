"""Build a set: plan the shards, make those that are missing on several processes, write the manifest.

What is finished survives anything: every shard is renamed into place when it is whole, a note with its checksum goes
to ``.unfinished/``, and the same command makes what is missing.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from datagen import manifest as manifests
from datagen import pool
from datagen.manifest import Manifest, SetConfig, Shard, Written
from datagen.shards import Stopped
from dsocr_jax.console import progress
from dsocr_jax.errors import UserError

#: Holds a note per finished shard until the manifest lists them all.
UNFINISHED = ".unfinished"

#: The five digits of a shard's name.
MAX_SHARDS = 100_000

#: What makes the shards: processes of this machine, or tasks of a Ray cluster.
Engine = Literal["local", "ray"]

#: Makes shards as `pool.run` does.
Runner = Callable[..., Iterator[pool.Result]]


@dataclass
class Report:
    """What a build did.

    Attributes:
        directory: where the set is.
        made: samples made in this run, by kind.
        seconds: processor time of those, by kind: ``made / seconds`` is the rate of one worker.
        kept: samples that were there already.
        rejected: draws that could not be used, by kind and reason, over the whole set.
        changed: shards that were made again and came out with another checksum than the manifest had.
        wall: seconds that the run took.
        bytes: size of all shards.
    """

    directory: Path
    made: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    kept: int = 0
    rejected: dict[str, dict[str, int]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    wall: float = 0.0
    bytes: int = 0


def balanced(kinds: tuple[str, ...], count: int) -> dict[str, int]:
    """Divide ``count`` samples among the kinds; the first ones take the rest. Kinds that get none are left out."""
    share, rest = divmod(count, len(kinds))
    counts = {kind: share + (place < rest) for place, kind in enumerate(kinds)}
    return {kind: number for kind, number in counts.items() if number}


def auto_shard_size(counts: dict[str, int]) -> int:
    """Return a shard size that gives small sets enough shards for several workers, and large sets few files."""
    return min(max(-(-max(counts.values()) // 16), 50), 1000)


def build(config: SetConfig, directory: Path, workers: int, engine: Engine = "local") -> Report:
    """Make the set that ``config`` describes in ``directory``, or finish it.

    Args:
        config: what the set holds.
        directory: a new or empty folder, or one that an earlier run with the same config left.
        workers: processes that make shards; 1 makes them in this process.
        engine: what makes the shards; the bytes do not depend on it.

    Raises:
        UserError: the folder holds something else, the device is full, the run was stopped, or Ray is asked for and
            not installed. Finished shards are kept in each case.
        RuntimeError: a generator failed; the message says how to make the sample again.
    """
    start = time.perf_counter()
    run = _runner(engine)
    planned = manifests.started(config).shards()
    if len(planned) > MAX_SHARDS:
        raise UserError(f"{len(planned)} shards are more than {MAX_SHARDS}; raise --shard-size.")
    earlier = _examine(config, directory)
    report = Report(directory)
    with _errors_of_the_device(directory), _locked(directory):
        manifest = earlier or manifests.started(config)
        if earlier is None:
            manifests.write_text(directory / manifests.FILE, manifests.dump(manifest))
        known = _notes(directory, manifest) | manifest.written
        done = {shard.name: known[shard.name] for shard in planned if _is_whole(directory, known.get(shard.name))}
        report.kept = sum(shard.records for shard in planned if shard.name in done)
        missing = [shard for shard in planned if shard.name not in done]
        if missing:
            _clean(directory, planned)
            with progress("build", sum(shard.records for shard in missing), "samples") as advance:
                for shard, written, seconds in _make(run, config, directory, missing, workers, advance):
                    done[shard.name] = written
                    report.made[shard.kind] = report.made.get(shard.kind, 0) + shard.records
                    report.seconds[shard.kind] = report.seconds.get(shard.kind, 0.0) + seconds
                    if shard.name in known and known[shard.name].sha256 != written.sha256:
                        report.changed.append(shard.name)
        if missing or not manifest.complete:
            finished = replace(manifest, complete=True, written=done)
            manifests.write_text(directory / manifests.FILE, manifests.dump(finished))
        shutil.rmtree(directory / UNFINISHED, ignore_errors=True)
    for shard in planned:
        reasons = report.rejected.setdefault(shard.kind, {})
        for reason, count in done[shard.name].rejected.items():
            reasons[reason] = reasons.get(reason, 0) + count
    report.bytes = sum(written.bytes for written in done.values())
    report.wall = time.perf_counter() - start
    return report


def _runner(engine: Engine) -> Runner:
    if engine == "local":
        return pool.run
    from datagen import ray_pool

    ray_pool.require_ray()
    return ray_pool.run


def _examine(config: SetConfig, directory: Path) -> Manifest | None:
    """Return the manifest that an earlier run left in ``directory``, None when there is nothing; touches nothing."""
    try:
        entries = sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"cannot use {directory} for a set: {error.strerror}; name another folder.") from None
    if manifests.FILE not in entries:
        if set(entries) - {f".{manifests.FILE}.partial"}:
            raise UserError(f"{directory} is not empty and holds no set; name a new or empty folder.")
        return None
    manifest = manifests.read(directory)
    here = manifests.started(config)
    differing = [
        f"{name} is {_brief(there)} there and {_brief(asked)} here"
        for name, there, asked in _differences(manifest, here)
    ]
    if differing:
        raise UserError(
            f"{directory} holds another set: {'; '.join(differing)}. "
            "Name another folder, or delete this one, or ask for the same set to continue it."
        )
    return manifest


def _differences(there: Manifest, here: Manifest) -> Iterator[tuple[str, Any, Any]]:
    if there.generator_version != here.generator_version:
        yield "the generator's version", there.generator_version, here.generator_version
    for name in sorted(there.config.keys() | here.config.keys()):
        if (a := there.config.get(name)) != (b := here.config.get(name)):
            yield name, a, b
    for name in sorted(there.versions.keys() | here.versions.keys()):
        if (a := there.versions.get(name)) != (b := here.versions.get(name)):
            yield f"the version of {name}", a, b


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


@contextlib.contextmanager
def _errors_of_the_device(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = "the device is full; make room"
        else:
            what = f"{error.strerror or error} ({error.filename or directory}); mend it"
        raise UserError(
            f"cannot write the set in {directory}: {what} and run the same command to continue. "
            "What was finished is kept."
        ) from None


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold ``directory`` against a second build; the lock goes with the process, however it ends."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another build is writing to {directory}; wait for it, or name another folder.") from None
        yield
    finally:
        os.close(handle)


def _notes(directory: Path, manifest: Manifest) -> dict[str, Written]:
    """Read what earlier runs noted of finished shards; a note that cannot be read is as good as none."""
    notes = {}
    for shard in manifest.shards():
        with contextlib.suppress(OSError, ValueError, TypeError):
            note = Written(**json.loads((directory / UNFINISHED / f"{shard.name}.json").read_text(encoding="utf-8")))
            notes[shard.name] = note
    return notes


def _is_whole(directory: Path, known: Written | None) -> bool:
    if known is None:
        return False
    try:
        return (directory / known.name).stat().st_size == known.bytes
    except OSError:
        return False


def _clean(directory: Path, planned: list[Shard]) -> None:
    """Remove half-written shards that a killed run left."""
    for shard in planned:
        (directory / f"{shard.name}.partial").unlink(missing_ok=True)


def _make(
    run: Runner,
    config: SetConfig,
    directory: Path,
    missing: list[Shard],
    workers: int,
    advance: Callable[[int, str], None],
) -> Iterator[tuple[Shard, Written, float]]:
    """Make shards and yield each with its seconds as it is finished; a signal ends it after tidying up."""
    (directory / UNFINISHED).mkdir(exist_ok=True)
    with pool.signals() as stop:
        try:
            for shard, written, seconds in run(
                config, directory, missing, workers=workers, advance=advance, stop=stop.is_set
            ):
                note = directory / UNFINISHED / f"{shard.name}.json"
                manifests.write_text(note, json.dumps(asdict(written), ensure_ascii=False))
                yield shard, written, seconds
        except Stopped:
            raise UserError(
                f"stopped; the finished shards in {directory} are kept, run the same command to continue."
            ) from None
