"""One batch reading from its sources to its summary."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from dsocr_jax.console import console, progress
from dsocr_jax.errors import UserError
from dsocr_jax.ray_cluster import connected, require_ray
from dsocr_jax.reading.asking import ReadOptions, plan_tries
from dsocr_jax.reading.cluster.dispatch import Crew, Dispatcher, GivenUp, Stopped
from dsocr_jax.reading.cluster.folder import SUMMARY, OutFolder, errors_of_the_device, locked
from dsocr_jax.reading.cluster.lines import Tally
from dsocr_jax.reading.cluster.local_crew import LocalCrew, environments
from dsocr_jax.reading.cluster.plan import Plan, Shard, changed_files, differing_settings
from dsocr_jax.reading.cluster.ray_crew import RayCrew, count_actors
from dsocr_jax.reading.cluster.shard import SEEN_WITHIN, Job, versions
from dsocr_jax.reading.cluster.sources import examine_files, find_files, stamps
from dsocr_jax.reading.documents import DocumentOptions

#: Options of reading that change speed alone.
SPEED = ("rows", "steps", "threads", "ahead", "cache_pages")
#: Files looked at at the same time while a plan is made: mostly waiting for a network.
LOOKING = 16
#: About so many sources are looked for on every machine before it reads.
SAMPLES = 8
#: Folder, within an output folder, for what workers of this machine print.
LOGS = "logs"


@dataclass(frozen=True)
class ClusterOptions:
    """Who reads, and in which portions.

    Attributes:
        engine: ``ray``, or ``local``: processes of this machine.
        actors: workers, each with a model; None is one for each share of a GPU, or one on a CPU.
        gpus_per_actor: GPUs of an actor, at most 1; 0 computes on the CPU. None is 1 where there are GPUs.
        cpus_per_actor: processors that an actor takes from Ray.
        shard_pages: pages of a shard: what is read again when a worker dies.
        at_once: shards that an actor reads at the same time; with two, the rows of its batch stay full while one ends.
        retries: how often a shard is begun again after its worker died.
        keep_plan: follow the plan that is there though files have changed: new ones are left out, changed and vanished
            ones fail.
        retry_failed: read whole shards that hold failed pages again, too.
        compile_cache: folder of compiled programs, on each machine; None keeps none.
    """

    engine: Literal["ray", "local"] = "local"
    actors: int | None = None
    gpus_per_actor: float | None = None
    cpus_per_actor: float = 1
    shard_pages: int = 512
    at_once: int = 2
    retries: int = 3
    keep_plan: bool = False
    retry_failed: bool = False
    compile_cache: Path | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.engine not in ("ray", "local"):
            raise UserError(f"--engine must be ray or local, not {self.engine!r}")
        for name, least in (("actors", 1), ("shard_pages", 1), ("at_once", 1), ("retries", 0), ("cpus_per_actor", 0)):
            value = getattr(self, name)
            if value is not None and not value >= least:
                raise UserError(f"--{name.replace('_', '-')} must be at least {least}, not {value}")
        if self.gpus_per_actor is not None and not 0 <= self.gpus_per_actor <= 1:
            raise UserError(f"--gpus-per-actor must be between 0 and 1 (one model uses one), not {self.gpus_per_actor}")


@dataclass(frozen=True)
class ClusterSummary:
    """What a reading came to.

    Attributes:
        total: sums over all shards that are there.
        before: pages that earlier runs had read.
        shards: number of all.
        failed_shards: names of those given up, with the reason of the last try.
        seconds: of this run, since its workers were begun.
        stopped: it was asked to stop.
    """

    total: Tally
    before: int
    shards: int
    failed_shards: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    stopped: bool = False

    @property
    def pages_per_second(self) -> float:
        """Pages that this run read, failures among them, by its time."""
        return (self.total.pages - self.before) / self.seconds if self.seconds else 0.0


def run(
    sources: Sequence[str | os.PathLike[str]],
    checkpoint: str | os.PathLike[str],
    out: str | os.PathLike[str],
    reading: ReadOptions,
    documents: DocumentOptions | None = None,
    cluster: ClusterOptions | None = None,
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
    stop: Callable[[], bool] = lambda: False,
) -> ClusterSummary:
    """Read all pages of all sources into shards of ``out``, every page exactly once; goes on where it was left.

    Script code must be guarded by ``if __name__ == "__main__"``: workers are processes that import the main module.

    Args:
        sources: files, folders and patterns; see `sources.find_files`.
        checkpoint: a model folder, or that of a training run; all machines must reach it, and the sources, and
            ``out``, under the same paths.
        out: a new folder, or that of an earlier run with equal settings and files.
        reading, documents, cluster: options.
        dtype: of the weights; ``auto`` is bfloat16 on accelerators and float32 on CPUs.
        stop: asked often; once it is true, workers are ended and the summary is of what is finished.

    Raises:
        UserError: something does not fit, or changed since the plan was made; what is finished is kept.
    """
    documents, cluster = documents or DocumentOptions(), cluster or ClusterOptions()
    if not sources:
        raise UserError("nothing to read: name pictures, PDFs, folders or patterns")
    ray = require_ray() if cluster.engine == "ray" else None
    checkpoint = Path(checkpoint).absolute()
    settings = _settings(checkpoint, reading, documents, dtype)
    folder = OutFolder(Path(out).absolute())
    if folder.path.is_dir():
        folder.load_plan()  # refuses a folder with something else before a lock is left there
    with locked(folder):
        plan = _plan(folder, sources, settings, documents, cluster)
        shards = plan.shards()
        finished: dict[int, Tally] = {}
        if folder.begun():
            with progress("checking", len(shards), "shards") as advance:
                finished = folder.tallies(shards, advance)
        if cluster.retry_failed:
            finished = {number: tally for number, tally in finished.items() if not tally.failed}
        missing = [shard for shard in shards if shard.number not in finished]
        before = sum(tally.pages for tally in finished.values())
        failed: dict[str, str] = {}
        stopped = False
        start = time.monotonic()
        if missing:
            folder.sweep()
            job = Job(
                checkpoint, dtype, reading, documents, folder.shards, (folder.plan, folder.plan.stat().st_size),
                _samples(plan), cluster.gpus_per_actor == 0, cluster.compile_cache, versions(),
            )  # fmt: skip
            try:
                with _crew(ray, job, cluster, folder, len(missing)) as (crew, workers):
                    _dispatch(crew, workers, missing, cluster, stop, finished, failed)
                _await_shards(folder, [shard.name for shard in shards if shard.number in finished])
            except Stopped:
                stopped = True
            finally:
                folder.sweep()
        total = sum(finished.values(), Tally())
        summary = ClusterSummary(total, before, len(shards), failed, time.monotonic() - start, stopped)
        with errors_of_the_device(folder.path):
            (folder.path / SUMMARY).write_text(json.dumps(asdict(summary), indent=1) + "\n")
    return summary


def _settings(checkpoint: Path, reading: ReadOptions, documents: DocumentOptions, dtype: str) -> dict[str, Any]:
    """Check the options against the model, and return all that answers depend on beside the files."""
    from dsocr_jax.weights.checkpoint import model_folder, read_config
    from dsocr_jax.weights.tokenizer_files import load_tokenizer

    config = read_config(checkpoint)
    model = model_folder(checkpoint)
    plan_tries(reading, config, load_tokenizer(model, config))
    digest = hashlib.sha256()
    for file in sorted(model.rglob("*")):
        if file.is_file():
            said = file.stat()
            digest.update(f"{file.relative_to(model)} {said.st_size} {said.st_mtime_ns}\n".encode(errors="replace"))
    kept = {name: value for name, value in asdict(reading).items() if name not in SPEED}
    return {
        **kept, "dpi": documents.dpi, "max_pixels": documents.max_pixels, "dtype": dtype,
        "checkpoint": str(checkpoint), "the model's files": digest.hexdigest()[:16], "versions": versions(),
    }  # fmt: skip


def _plan(
    folder: OutFolder,
    sources: Sequence[str | os.PathLike[str]],
    settings: dict[str, Any],
    documents: DocumentOptions,
    cluster: ClusterOptions,
) -> Plan:
    """Return the plan that is there, if it is of the same reading, else make one."""
    plan = folder.load_plan()
    if plan is not None and (differing := differing_settings(plan, settings, cluster.shard_pages)):
        raise UserError(f"{folder.path} holds another reading: {'; '.join(differing)}. Name another --out")
    if plan is not None and cluster.keep_plan:
        return plan
    found = find_files(sources)
    if plan is not None:
        if changes := changed_files(plan, stamps(found, LOOKING)):
            more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
            raise UserError(
                f"the sources are not those of the plan in {folder.path}: {changes[0]}{more}. Name another --out, or "
                "take --keep-plan to go on with what was planned (changed files then fail, new ones are left out)"
            )
        return plan
    if all(error for _, error in found):
        raise UserError(found[0][1])
    with progress("planning", len(found), "files") as advance:
        files = examine_files(found, documents, LOOKING, advance)
    plan = Plan(settings, cluster.shard_pages, files)
    folder.save_plan(plan)
    return plan


def _samples(plan: Plan) -> tuple[str, ...]:
    """Paths of a few readable files, spread over the plan."""
    readable = [file.path for file in plan.files if file.kind != "unreadable"]
    return tuple(readable[:: max(1, len(readable) // SAMPLES)])


@contextlib.contextmanager
def _crew(ray: Any, job: Job, cluster: ClusterOptions, folder: OutFolder, shards: int) -> Iterator[tuple[Crew, int]]:
    """Yield what runs the workers, and how many of them to begin: not more than there are shards."""
    gpus = cluster.gpus_per_actor
    if ray is None:
        places = environments(cluster.actors, 1.0 if gpus is None else gpus)
        with LocalCrew(job, places, cluster.at_once, folder.path / LOGS) as local:
            yield local, min(len(places), shards)
        return
    # Each actor takes a processor.
    with connected(ray, max(cluster.actors or 1, os.cpu_count() or 1)):
        if gpus is None:
            gpus = 1.0 if ray.cluster_resources().get("GPU", 0) else 0.0
        workers = count_actors(ray, cluster.actors, gpus)
        with RayCrew(ray, job, cluster.at_once, gpus, cluster.cpus_per_actor) as crew:
            yield crew, min(workers, shards)


def _dispatch(
    crew: Crew,
    workers: int,
    missing: Sequence[Shard],
    cluster: ClusterOptions,
    stop: Callable[[], bool],
    finished: dict[int, Tally],
    failed: dict[str, str],
) -> None:
    """Have the missing shards read, and sort them into finished and failed."""
    names = {shard.number: shard.name for shard in missing}
    with progress("reading", sum(shard.pages for shard in missing), "pages") as bar:
        dispatcher = Dispatcher(
            crew, workers=workers, at_once=cluster.at_once, retries=cluster.retries,
            advance=lambda pages: bar(pages, ""), stop=stop,
        )  # fmt: skip
        for outcome in dispatcher.run(missing):
            if isinstance(outcome, GivenUp):
                failed[names[outcome.shard]] = outcome.reason
                console.print(f"{names[outcome.shard]}: given up, {outcome.reason}", style="red", markup=False)
            else:
                finished[outcome.shard] = outcome.tally


def _await_shards(folder: OutFolder, names: Sequence[str]) -> None:
    """Wait until network folders show here what was written elsewhere.

    Raises:
        UserError: it does not appear: a machine wrote somewhere else.
    """
    deadline = time.monotonic() + SEEN_WITHIN
    while absent := set(names) - {entry.name for entry in folder.shards.iterdir()}:
        if time.monotonic() > deadline:
            raise UserError(
                f"{len(absent)} shards were written ({min(absent)} is one) but do not appear in {folder.shards}; take "
                "an --out that all machines share under the same path"
            )
        time.sleep(1)
