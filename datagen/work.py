"""The unit of work, a shard, and the loop that hands units out; what runs them is `pool` or `ray_pool`."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from datagen import families
from datagen import manifest as manifests
from datagen.manifest import SetConfig, Shard
from datagen.sample import GENERATOR_VERSION
from datagen.shards import Made, Stopped, write_shard
from dsocr_jax.errors import UserError

#: How often the progress bar and the signals are looked at while others work, in seconds.
POLL = 0.1

Item = TypeVar("Item")
Handle = TypeVar("Handle")


@dataclass(frozen=True)
class Job:
    """What every worker must know to make any shard of a set; travels to other processes and machines.

    Attributes:
        directory: where the shards go; every worker must reach it under this path.
        temporary: the folder for half-written files, of the same file system.
        config: what the set holds.
        versions: of the generator and the libraries where the build was started; others may draw other pictures.
        modules: the families there.
    """

    directory: Path
    temporary: Path
    config: SetConfig
    versions: dict[str, str]
    modules: dict[str, str]


def job(config: SetConfig, directory: Path, temporary: Path) -> Job:
    """Return the job of making the set that ``config`` describes, with what is installed here."""
    return Job(directory, temporary, config, _versions(config), dict(families.MODULES))


def _versions(config: SetConfig) -> dict[str, str]:
    return {"generator": str(GENERATOR_VERSION), **manifests.versions(config)}


def make_shard(
    work: Job,
    shard: Shard,
    advance: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> Made:
    """Make one shard, wherever this is called.

    Args:
        work: the job.
        shard: the range of samples.
        advance: called after every sample.
        stop: asked before every sample.

    Raises:
        UserError: other versions are installed here.
        Stopped, OSError: as `datagen.shards.write_shard`.
    """
    families.MODULES.update(work.modules)
    here = _versions(work.config)
    if differing := [name for name in work.versions if here.get(name) != work.versions[name]]:
        said = ", ".join(f"{name} {here.get(name)} instead of {work.versions[name]}" for name in differing)
        raise UserError(f"a worker has {said}; install the same versions on every node.")
    return write_shard(work.directory, shard, work.config, temporary=work.temporary, advance=advance, stop=stop)


def handed_out(
    items: Iterable[Item],
    submit: Callable[[Item], Handle],
    wait: Callable[[Sequence[Handle]], Iterable[Handle]],
    window: Callable[[], int],
    stop: Callable[[], bool],
) -> Iterator[tuple[Item, Handle]]:
    """Submit items, a window of them at a time, and yield each as it is finished, in any order.

    The window keeps a build of 100,000 shards from holding as many futures and looking at all of them ten times a
    second.

    Args:
        items: the work.
        submit: starts one and returns a handle of it.
        wait: returns those of the handles that are finished, after `POLL` seconds at the latest.
        window: how many may be submitted at a time.
        stop: asked often.

    Raises:
        Stopped: ``stop`` said so.
    """
    waiting = iter(items)
    running: dict[Handle, Item] = {}
    while True:
        for item in itertools.islice(waiting, max(window() - len(running), 0)):
            running[submit(item)] = item
        if not running:
            return
        for handle in wait(list(running)):
            yield running.pop(handle), handle
        if stop():
            raise Stopped
