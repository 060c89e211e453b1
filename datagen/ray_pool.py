"""Make shards on a Ray cluster: one task per shard, written to a folder that every node shares.

Ray does the scheduling and repeats tasks whose worker died. A task writes to a folder of its own inside the set's and
renames the shard into place, so that two tries at one shard never meet.
"""

import contextlib
import importlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from datagen import families
from datagen import manifest as manifests
from datagen.build import UNFINISHED
from datagen.manifest import SetConfig, Shard, Written
from datagen.pool import Result
from datagen.sample import GENERATOR_VERSION
from datagen.shards import Stopped, write_shard
from dsocr_jax.errors import UserError

#: How often the signals are looked at while tasks run, in seconds.
_POLL = 0.1

#: How long cancelled tasks are waited for, in seconds.
_GRACE = 20

#: How long a shard that another node wrote may take to be seen here (network folders cache what they list), in seconds.
_SEEN_WITHIN = 60


def require_ray() -> Any:
    """Return the module ``ray``.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise UserError("--engine ray needs Ray: pip install 'dsocr-jax[cluster]'") from None


def run(
    config: SetConfig,
    directory: Path,
    missing: Sequence[Shard],
    *,
    workers: int,
    advance: Callable[[int, str], None],
    stop: Callable[[], bool],
) -> Iterator[Result]:
    """Make the ``missing`` shards as Ray tasks and yield each as it is finished, in any order.

    The cluster is the one that this process or this machine is connected to (``RAY_ADDRESS``, ``ray start``);
    without one, Ray is started here for the time of the build. A task takes one processor.

    Args:
        config: what the set holds.
        directory: where the shards go; every node must reach it under this path.
        missing: the shards to make.
        workers: processors of the Ray that is started here; a running cluster keeps its own number.
        advance: told of every finished shard's samples.
        stop: asked often; when it is true the tasks are cancelled and the run ends with `Stopped`.

    Raises:
        UserError: workers died again and again, a node has other versions, or the folder is not shared.
    """
    ray = require_ray()
    directory = directory.resolve()
    with _connected(ray, workers):
        task = ray.remote(make_shard)
        versions = {"generator": str(GENERATOR_VERSION), **manifests.versions()}
        modules = dict(families.MODULES)
        shards = {task.remote(directory, shard, config, versions, modules): shard for shard in missing}
        pending = list(shards)
        try:
            while pending:
                finished, pending = ray.wait(pending, timeout=_POLL)
                for ref in finished:
                    written, seconds = _result(ray, ref, directory)
                    _await_file(directory / written.name, written.bytes, stop)
                    advance(shards[ref].records, "")
                    yield shards[ref], written, seconds
                if stop():
                    raise Stopped
        finally:
            for ref in pending:
                ray.cancel(ref)
            if pending:  # a cancelled task tidies up first
                ray.wait(pending, num_returns=len(pending), timeout=_GRACE)


def make_shard(
    directory: Path, shard: Shard, config: SetConfig, versions: dict[str, str], modules: dict[str, str]
) -> tuple[Written, float]:
    """Make one shard; this is what a task does.

    Args:
        directory: where the set is.
        shard: the range of samples.
        config: what the set holds.
        versions: of the generator and the libraries where the build was started; others may draw other pictures.
        modules: the families there.

    Raises:
        UserError: this node has other versions.
    """
    here = {"generator": str(GENERATOR_VERSION), **manifests.versions()}
    if differing := [name for name in versions if here.get(name) != versions[name]]:
        said = ", ".join(f"{name} {here.get(name)} instead of {versions[name]}" for name in differing)
        raise UserError(f"a Ray node has {said}; install the same versions on every node.")
    families.MODULES.update(modules)
    start = time.process_time()
    with tempfile.TemporaryDirectory(prefix=f"{shard.name}.", dir=directory / UNFINISHED) as own:
        written = write_shard(Path(own), shard, config)
        (Path(own) / shard.name).replace(directory / shard.name)
    return written, time.process_time() - start


@contextlib.contextmanager
def _connected(ray: Any, workers: int) -> Iterator[None]:
    """Connect to a cluster or start Ray here, and leave it again; a connection that was there already is kept."""
    if ray.is_initialized():
        yield
        return
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a build reports to nobody unless asked to
    try:
        try:
            ray.init("auto", log_to_driver=False, logging_level="error")
        except ConnectionError:
            ray.init("local", num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level="error")
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise UserError(f"Ray cannot be reached or started ({error}); check RAY_ADDRESS and `ray status`.") from error
    if in_main:  # Ray puts its own handler there, which would end the build before it has tidied up
        signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        ray.shutdown()


def _result(ray: Any, ref: Any, directory: Path) -> tuple[Written, float]:
    """Return what a task returned, or raise what it raised."""
    try:
        result: tuple[Written, float] = ray.get(ref)
        return result
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise UserError(
            f"a Ray worker died ({type(error).__name__}; was memory short?); what was finished in {directory} is "
            "kept, run the same command to continue."
        ) from None


def _await_file(file: Path, size: int, stop: Callable[[], bool]) -> None:
    """Wait until the shard is seen here as it was written.

    Raises:
        UserError: it does not appear: the node wrote somewhere else.
    """
    deadline = time.monotonic() + _SEEN_WITHIN
    while not (file.exists() and file.stat().st_size == size):
        if time.monotonic() > deadline:
            raise UserError(
                f"a Ray node made {file.name}, but it does not appear in {file.parent}; "
                "build in a folder that all nodes share under the same path."
            )
        if stop():
            raise Stopped
        time.sleep(_POLL)
